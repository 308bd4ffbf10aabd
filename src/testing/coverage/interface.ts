/** Every hypercall and sub-op of Xen 3.3's public headers for x86 PV, from the constants of abi/xen; what has no use here, and why. */
import * as arch from '#abi/xen/arch-x86.ts'
import * as callback from '#abi/xen/callback.ts'
import * as domctl from '#abi/xen/domctl.ts'
import * as evtchn from '#abi/xen/event_channel.ts'
import * as grant from '#abi/xen/grant_table.ts'
import * as hvm from '#abi/xen/hvm/hvm_op.ts'
import * as kexec from '#abi/xen/kexec.ts'
import * as memory from '#abi/xen/memory.ts'
import * as nmi from '#abi/xen/nmi.ts'
import * as physdev from '#abi/xen/physdev.ts'
import * as platform from '#abi/xen/platform.ts'
import * as sched from '#abi/xen/sched.ts'
import * as sysctl from '#abi/xen/sysctl.ts'
import * as vcpu from '#abi/xen/vcpu.ts'
import * as version from '#abi/xen/version.ts'
import * as xen from '#abi/xen/xen.ts'
import * as mca from '#abi/xen/xen-mca.ts'
import * as xenoprof from '#abi/xen/xenoprof.ts'

export interface Family {
  readonly nr: number
  readonly name: string
  /** By name; none: the hypercall is one. */
  readonly ops: readonly (readonly [string, number])[]
}

/** The constants of a header that are sub-ops, in order of their numbers. */
const opsOf = (header: object, which: RegExp): readonly (readonly [string, number])[] =>
  Object.entries(header as Record<string, unknown>)
    .filter((entry): entry is [string, number] => which.test(entry[0]) && typeof entry[1] === 'number')
    .sort(([, a], [, b]) => a - b)

const SUB_OPS: Readonly<Record<number, readonly (readonly [string, number])[]>> = {
  [xen.__HYPERVISOR_mmu_update]: opsOf(xen, /^MMU_/),
  [xen.__HYPERVISOR_sched_op_compat]: opsOf(sched, /^SCHEDOP_(yield|block|shutdown)$/),
  [xen.__HYPERVISOR_platform_op]: opsOf(platform, /^XENPF_[a-z]/),
  [xen.__HYPERVISOR_memory_op]: opsOf(memory, /^XENMEM_/),
  [xen.__HYPERVISOR_xen_version]: opsOf(version, /^XENVER_/),
  [xen.__HYPERVISOR_console_io]: opsOf(xen, /^CONSOLEIO_/),
  [xen.__HYPERVISOR_grant_table_op]: opsOf(grant, /^GNTTABOP_/),
  [xen.__HYPERVISOR_vm_assist]: opsOf(xen, /^VMASST_CMD_/),
  [xen.__HYPERVISOR_vcpu_op]: opsOf(vcpu, /^VCPUOP_/),
  [xen.__HYPERVISOR_set_segment_base]: opsOf(arch, /^SEGBASE_/),
  [xen.__HYPERVISOR_mmuext_op]: opsOf(xen, /^MMUEXT_/),
  [xen.__HYPERVISOR_nmi_op]: opsOf(nmi, /^XENNMI_/),
  [xen.__HYPERVISOR_sched_op]: opsOf(sched, /^SCHEDOP_/),
  [xen.__HYPERVISOR_callback_op]: opsOf(callback, /^CALLBACKOP_/),
  [xen.__HYPERVISOR_xenoprof_op]: opsOf(xenoprof, /^XENOPROF_(?!last_op)[a-z]/),
  [xen.__HYPERVISOR_event_channel_op]: opsOf(evtchn, /^EVTCHNOP_/),
  [xen.__HYPERVISOR_physdev_op]: opsOf(physdev, /^PHYSDEVOP_/),
  [xen.__HYPERVISOR_hvm_op]: opsOf(hvm, /^HVMOP_/),
  [xen.__HYPERVISOR_sysctl]: opsOf(sysctl, /^XEN_SYSCTL_[a-z]/),
  [xen.__HYPERVISOR_domctl]: opsOf(domctl, /^XEN_DOMCTL_[a-z]/),
  [xen.__HYPERVISOR_kexec_op]: opsOf(kexec, /^KEXEC_CMD_/),
  [mca.__HYPERVISOR_mca]: opsOf(mca, /^XEN_MC_[a-z]/),
}

const PREFIX = '__HYPERVISOR_'

/** By number. */
export const FAMILIES: readonly Family[] = [
  ...opsOf(xen, /^__HYPERVISOR_(?!arch_)/).map(([name, nr]) => ({
    nr,
    name: name.slice(PREFIX.length),
    ops: SUB_OPS[nr] ?? [],
  })),
  { nr: mca.__HYPERVISOR_mca, name: 'mca', ops: SUB_OPS[mca.__HYPERVISOR_mca]! },
].sort((a, b) => a.nr - b.nr)

/** Numbers below 64 that no header gives a meaning. */
export const UNASSIGNED: readonly number[] = Array.from({ length: 64 }, (_, nr) => nr).filter(
  (nr) => !FAMILIES.some((family) => family.nr === nr),
)

const MODULE_VCPU = 'a module vCPU has no registers and no stack of this kind'
const NO_HVM = 'this host has no HVM domains'
const NO_IOMMU = 'this host has no IOMMU'

/** What is not applicable, and why. Its answer is observed all the same. */
const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  iret: MODULE_VCPU,
  xsm_op: 'built without a security module, as 3.3 is by default',
  XENMEM_add_to_physmap: 'of guests with translated addresses',
  XENMEM_translate_gpfn_list: 'of guests with translated addresses',
  GNTTABOP_dump_table: 'in the header alone: no Xen has it',
  XENPF_change_freq: 'the processor has one clock rate',
  XENPF_getidletime: 'the processor has one clock rate',
  XENPF_set_processor_pminfo: 'the processor has no power states that dom0 could tell of',
  XEN_SYSCTL_perfc_op: 'built without performance counters',
  XEN_DOMCTL_arch_setup: 'of IA-64',
  XEN_DOMCTL_real_mode_area: 'of PowerPC',
  XEN_DOMCTL_gethvmcontext: NO_HVM,
  XEN_DOMCTL_sethvmcontext: NO_HVM,
  XEN_DOMCTL_pin_mem_cacheattr: NO_HVM,
  XEN_DOMCTL_bind_pt_irq: NO_HVM,
  XEN_DOMCTL_unbind_pt_irq: NO_HVM,
  XEN_DOMCTL_ioport_mapping: NO_HVM,
  XEN_DOMCTL_set_opt_feature: 'of IA-64',
  XEN_DOMCTL_assign_device: NO_IOMMU,
  XEN_DOMCTL_test_assign_device: NO_IOMMU,
  XEN_DOMCTL_deassign_device: NO_IOMMU,
  XEN_DOMCTL_get_device_group: NO_IOMMU,
  KEXEC_CMD_kexec_load: 'no memory is set aside for a crash kernel',
  KEXEC_CMD_kexec: 'no image is loaded',
  PHYSDEVOP_free_irq_vector: 'in the header alone: no Xen has it',
}

export const notApplicable = (name: string): string | undefined =>
  NOT_APPLICABLE[name] ?? (name.startsWith('HVMOP_') ? NO_HVM : undefined)
