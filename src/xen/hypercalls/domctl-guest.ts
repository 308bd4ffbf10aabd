/** domctl's commands about what a domain is to others and what it sees of its processor (xen/common/domctl.c, arch/x86/domctl.c). */
import type { Values } from '#abi/struct.ts'
import {
  XEN_CPUID_INPUT_UNUSED,
  XEN_DOMCTL_get_ext_vcpucontext,
  XEN_DOMCTL_get_machine_address_size,
  XEN_DOMCTL_gethvmcontext,
  XEN_DOMCTL_pin_mem_cacheattr,
  XEN_DOMCTL_set_cpuid,
  XEN_DOMCTL_set_ext_vcpucontext,
  XEN_DOMCTL_set_machine_address_size,
  XEN_DOMCTL_set_target,
  XEN_DOMCTL_sethvmcontext,
  XEN_DOMCTL_subscribe,
  xen_domctl_address_size,
  xen_domctl_cpuid,
  xen_domctl_ext_vcpucontext,
  xen_domctl_set_target,
  xen_domctl_subscribe,
} from '#abi/xen/domctl.ts'
import { EBUSY, EINVAL, ENOENT, ESRCH } from '#abi/xen/errno.ts'
import { fixupSelector } from '../arch-x86/guest-context.ts'
import type { Domain } from '../common/domain.ts'
import { about, asks, plain } from './domctl-rows.ts'
import type { Call, RawOp } from './op-table.ts'

/** MAX_CPUID_INPUT */
const CPUID_INPUTS_MAX = 40

/** The answer to a leaf; to all its subleaves, where one answer for all is there already. */
function setCpuid(_call: Call, { cpuids }: Domain, leaf: Values<typeof xen_domctl_cpuid>): number {
  const at = cpuids.findIndex(
    ({ input, subleaf }) => input === leaf.input && (subleaf === XEN_CPUID_INPUT_UNUSED || subleaf === leaf.subleaf),
  )
  if (at >= 0) cpuids[at] = leaf
  else if (cpuids.length === CPUID_INPUTS_MAX) return -ENOENT
  else cpuids.push(leaf)
  return 0
}

/** `domain` may then act for the target; the target stays until `domain` is gone. */
function setTarget({ xen }: Call, domain: Domain, arg: Values<typeof xen_domctl_set_target>): number {
  const target = xen.domains.get(arg.target)
  if (!target) return -ESRCH
  // Who is dying has let go of its target already.
  if (domain === target || domain.target || domain.dying) return -EINVAL
  domain.target = target
  target.refs++
  return 0
}

type Ext = Values<typeof xen_domctl_ext_vcpucontext>

function setExt(_call: Call, { vcpus }: Domain, arg: Ext): number {
  const vcpu = vcpus[arg.vcpu]
  if (!vcpu) return -ESRCH
  if (arg.size !== xen_domctl_ext_vcpucontext.size) return -EINVAL
  vcpu.callbacks32 = {
    syscall: arg.syscall32_callback_eip,
    syscallCs: fixupSelector(arg.syscall32_callback_cs),
    syscallMasks: arg.syscall32_disables_events !== 0,
    sysenter: arg.sysenter_callback_eip,
    sysenterCs: fixupSelector(arg.sysenter_callback_cs),
    sysenterMasks: arg.sysenter_disables_events !== 0,
  }
  return 0
}

function getExt(_call: Call, { vcpus }: Domain, arg: Ext): number {
  const entries = vcpus[arg.vcpu]?.callbacks32
  if (!entries) return -ESRCH
  Object.assign(arg, {
    size: xen_domctl_ext_vcpucontext.size,
    syscall32_callback_eip: entries.syscall,
    sysenter_callback_eip: entries.sysenter,
    syscall32_callback_cs: entries.syscallCs,
    sysenter_callback_cs: entries.sysenterCs,
    syscall32_disables_events: entries.syscallMasks ? 1 : 0,
    sysenter_disables_events: entries.sysenterMasks ? 1 : 0,
  })
  return 0
}

const hvmOnly = plain(() => -EINVAL)

export const guestRows: Readonly<Record<number, RawOp>> = {
  [XEN_DOMCTL_set_cpuid]: about(xen_domctl_cpuid, setCpuid),
  [XEN_DOMCTL_set_target]: about(xen_domctl_set_target, setTarget),
  [XEN_DOMCTL_subscribe]: about(xen_domctl_subscribe, (_call, domain, { port }) => {
    domain.suspendPort = port
    return 0
  }),
  [XEN_DOMCTL_set_machine_address_size]: about(xen_domctl_address_size, (_call, domain, { size }) => {
    if (domain.totPages > 0) return -EBUSY
    domain.physaddrBits = size
    return 0
  }),
  [XEN_DOMCTL_get_machine_address_size]: asks(xen_domctl_address_size, (_call, domain, arg) => {
    arg.size = domain.physaddrBits
    return 0
  }),
  [XEN_DOMCTL_set_ext_vcpucontext]: about(xen_domctl_ext_vcpucontext, setExt),
  [XEN_DOMCTL_get_ext_vcpucontext]: asks(xen_domctl_ext_vcpucontext, getExt),
  [XEN_DOMCTL_gethvmcontext]: hvmOnly,
  [XEN_DOMCTL_sethvmcontext]: hvmOnly,
  [XEN_DOMCTL_pin_mem_cacheattr]: hvmOnly,
}
