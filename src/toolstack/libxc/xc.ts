/** libxc: Xen's control library (tools/libxc/xenctrl.h, xenguest.h). Its functions are generators of system calls and throw XcError. */

export { xcCpuidApplyPolicy } from './cpuid.ts'
export { type XcLinuxBuild, type XcLinuxBuilt, xcLinuxBuild } from './dom/build.ts'
export {
  type XcDomainCreate,
  type XcDominfo,
  type XcVcpuinfo,
  xcDomainCreate,
  xcDomainDestroy,
  xcDomainGetinfo,
  xcDomainMaxVcpus,
  xcDomainPause,
  xcDomainResume,
  xcDomainSendTrigger,
  xcDomainSethandle,
  xcDomainSetmaxmem,
  xcDomainSetTimeOffset,
  xcDomainShutdown,
  xcDomainUnpause,
  xcVcpuGetaffinity,
  xcVcpuGetinfo,
  xcVcpuSetaffinity,
} from './domain.ts'
export {
  XC_ERROR_NONE,
  XC_INTERNAL_ERROR,
  XC_INVALID_KERNEL,
  XC_INVALID_PARAM,
  XC_OUT_OF_MEMORY,
  XcError,
  type XcErrorCode,
} from './error.ts'
export {
  xcEvtchnAllocUnbound,
  xcEvtchnBindInterdomain,
  xcEvtchnBindUnboundPort,
  xcEvtchnBindVirq,
  xcEvtchnNotify,
  xcEvtchnOpen,
  xcEvtchnPending,
  xcEvtchnReset,
  xcEvtchnStatus,
  xcEvtchnUnbind,
  xcEvtchnUnmask,
} from './evtchn.ts'
export {
  xcDomainMemoryDecreaseReservation,
  xcDomainMemoryIncreaseReservation,
  xcDomainMemoryPopulatePhysmap,
  xcMapForeignBatch,
  xcMapForeignRange,
  xcMmuextOp,
} from './memory.ts'
export {
  type ConsoleRead,
  type CreditParameters,
  type XcPhysinfo,
  type XcVersionInfo,
  xcAvailheap,
  xcPhysinfo,
  xcReadconsolering,
  xcReadconsoleringFrom,
  xcSchedCreditDomainGet,
  xcSchedCreditDomainSet,
  xcSchedId,
  xcSendDebugKeys,
  xcVersion,
  xcVersionCapabilities,
  xcVersionInfo,
} from './misc.ts'
export { type XcHandle, xcInterfaceClose, xcInterfaceOpen } from './privcmd.ts'
