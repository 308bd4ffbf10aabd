/** What xend asks of the hypervisor: libxc's calls over one handle. An object, so that tests may put a model in its place. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { XcDominfo, XcVcpuinfo } from '../libxc/domain.ts'
import type { CreditParameters, XcPhysinfo, XcVersionInfo } from '../libxc/misc.ts'

export interface LinuxBuild {
  readonly memMb: number
  readonly image: string
  readonly ramdisk?: string
  readonly cmdline: string
  readonly features: string
  readonly flags: number
  readonly storeEvtchn: number
  readonly consoleEvtchn: number
}

export interface LinuxBuilt {
  readonly storeMfn: number
  readonly consoleMfn: number
  /** The kernel's ELF notes by their names; numbers as they are. */
  readonly notes: ReadonlyMap<string, string | bigint>
  /** `x86_64-abi`: how the guest lays out its rings. */
  readonly nativeProtocol: string
}

/** Each fails by XcError. */
export interface Hypervisor {
  domainGetinfo(first: number, max: number): Sys<readonly XcDominfo[]>
  domainCreate(handle: Uint8Array): Sys<number>
  domainMaxVcpus(domid: number, max: number): Sys<void>
  domainSetmaxmem(domid: number, maxKb: number): Sys<void>
  domainSetPolicyCpuid(domid: number): Sys<void>
  domainSetTimeOffset(domid: number, seconds: number): Sys<void>
  domainPause(domid: number): Sys<void>
  domainUnpause(domid: number): Sys<void>
  domainDestroy(domid: number): Sys<void>
  domainSendTrigger(domid: number, trigger: number, vcpu: number): Sys<void>
  vcpuGetinfo(domid: number, vcpu: number): Sys<XcVcpuinfo>
  vcpuSetaffinity(domid: number, vcpu: number, cpus: readonly number[]): Sys<void>
  /** A port of `domid` that dom0 may bind to. */
  evtchnAllocUnbound(domid: number): Sys<number>
  linuxBuild(domid: number, build: LinuxBuild): Sys<LinuxBuilt>
  schedId(): Sys<number>
  schedCreditGet(domid: number): Sys<CreditParameters>
  schedCreditSet(domid: number, parameters: CreditParameters): Sys<void>
  physinfo(): Sys<XcPhysinfo>
  /** Free bytes of a NUMA node. */
  availheap(node: number): Sys<number>
  versionInfo(): Sys<XcVersionInfo>
  readConsoleRing(clear: boolean): Sys<string>
  sendDebugKeys(keys: string): Sys<void>
}

/** One domain's figures; undefined if there is no such domain. */
export function* domGet(xc: Hypervisor, domid: number | undefined): Sys<XcDominfo | undefined> {
  if (domid === undefined) return undefined
  try {
    const [info] = yield* xc.domainGetinfo(domid, 1)
    return info?.domid === domid ? info : undefined
  } catch {
    return undefined
  }
}
