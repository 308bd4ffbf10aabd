/** Mirrors xen/include/public/arch-x86/xen-mca.h: machine checks. Every command is one struct: `xen_mc` and, from byte XEN_MC_U on, the command's own. */
import { bytes, struct, u16, u32 } from '../struct.ts'
import { __HYPERVISOR_arch_0 } from './xen.ts'

export const __HYPERVISOR_mca = __HYPERVISOR_arch_0
export const XEN_MCA_INTERFACE_VERSION = 0x03000001

/** mc_fetch.flags, IN: correctable errors, for the control domain, or what a trap told of. */
export const XEN_MC_CORRECTABLE = 0
export const XEN_MC_TRAP = 1
/** OUT, of both commands. */
export const XEN_MC_OK = 0
export const XEN_MC_FETCHFAILED = 1
export const XEN_MC_NODATA = 2
export const XEN_MC_NOMATCH = 4
export const XEN_MC_CANNOTHANDLE = 8
export const XEN_MC_NOTDELIVERED = 16

export const XEN_MC_fetch = 1
export const XEN_MC_notifydomain = 2

export const xen_mc = struct('xen_mc', 1032, { cmd: u32(0), interface_version: u32(4) })
export const XEN_MC_U = 8
/** mc_info: how many records, and the records. */
export const xen_mc_fetch = struct('xen_mc_fetch', 776, { flags: u32(0), fetch_idx: u32(4), mc_info: bytes(8, 768) })
export const xen_mc_notifydomain = struct('xen_mc_notifydomain', 12, {
  mc_domid: u16(0),
  mc_vcpuid: u16(2),
  fetch_idx: u32(4),
  flags: u32(8),
})
