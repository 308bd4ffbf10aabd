/** mca (48): machine checks (xen/arch/x86/cpu/mcheck/mce.c). This machine has none to tell of. */
import { EACCES, EFAULT, EPERM } from '#abi/xen/errno.ts'
import { MAX_VIRT_CPUS } from '#abi/xen/xen.ts'
import {
  XEN_MC_CORRECTABLE,
  XEN_MC_fetch,
  XEN_MC_NODATA,
  XEN_MC_NOMATCH,
  XEN_MC_notifydomain,
  XEN_MC_TRAP,
  XEN_MC_U,
  XEN_MCA_INTERFACE_VERSION,
  xen_mc,
  xen_mc_fetch,
  xen_mc_notifydomain,
} from '#abi/xen/xen-mca.ts'
import type { Call, Hypercall } from './op-table.ts'

export const mca: Hypercall = (call, [pointer = 0]) => {
  const { mem } = call
  mem.copyOut(pointer, xen_mc.size)
  const { cmd, interface_version } = xen_mc.read(mem, pointer)
  if (interface_version !== XEN_MCA_INTERFACE_VERSION) return -EACCES
  if (cmd === XEN_MC_fetch) return fetch(call, pointer + XEN_MC_U)
  // Other commands do nothing, and say so.
  return cmd === XEN_MC_notifydomain ? notifyDomain(call, pointer + XEN_MC_U) : 0
}

function fetch({ caller, mem }: Call, at: number): number {
  const flags = xen_mc_fetch.fields.flags.get(mem, at)
  if (flags === XEN_MC_CORRECTABLE && !caller.privileged) return -EPERM
  if (flags !== XEN_MC_CORRECTABLE && flags !== XEN_MC_TRAP) return -EFAULT
  const { mc_info } = xen_mc_fetch.fields
  xen_mc_fetch.write(mem, at, { flags: XEN_MC_NODATA, fetch_idx: 0, mc_info: new Uint8Array(mc_info.bytes) })
  return 0
}

function notifyDomain({ xen, caller, mem }: Call, at: number): number {
  if (!caller.privileged) return -EPERM
  const { mc_domid, mc_vcpuid } = xen_mc_notifydomain.read(mem, at)
  if (mc_domid === 0 || !xen.domains.has(mc_domid) || mc_vcpuid >= MAX_VIRT_CPUS) return -EACCES
  xen_mc_notifydomain.fields.flags.set(mem, at, XEN_MC_NOMATCH)
  return 0
}
