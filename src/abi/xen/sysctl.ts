/**
 * Mirrors xen/include/public/sysctl.h: what the control domain's tools ask of the host. Every command is one struct of 136 bytes: `xen_sysctl` and,
 * from byte XEN_SYSCTL_U on, the command's own.
 */
import { bytes, size64, struct, u8, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const XEN_SYSCTL_INTERFACE_VERSION = 0x00000006

export const XEN_SYSCTL_readconsole = 1
export const XEN_SYSCTL_tbuf_op = 2
export const XEN_SYSCTL_physinfo = 3
export const XEN_SYSCTL_sched_id = 4
export const XEN_SYSCTL_perfc_op = 5
export const XEN_SYSCTL_getdomaininfolist = 6
export const XEN_SYSCTL_debug_keys = 7
export const XEN_SYSCTL_getcpuinfo = 8
export const XEN_SYSCTL_availheap = 9
export const XEN_SYSCTL_get_pmstat = 10

export const xen_sysctl = struct('xen_sysctl', 136, { cmd: u32(0), interface_version: u32(4) })
export const XEN_SYSCTL_U = 8

/** index: IN where to begin, if `incremental`; OUT where the next read would. count: IN room, OUT bytes written. */
export const xen_sysctl_readconsole = struct('xen_sysctl_readconsole', 24, {
  clear: u8(0),
  incremental: u8(1),
  index: u32(4),
  buffer: vaddr(8),
  count: u32(16),
})

export const XEN_SYSCTL_PHYSCAP_hvm = 1 << 0
export const XEN_SYSCTL_PHYSCAP_hvm_directio = 1 << 1
/** hw_cap: eight words. max_cpu_id: IN the highest entry of cpu_to_node (words, or null), OUT the highest processor's number. */
export const xen_sysctl_physinfo = struct('xen_sysctl_physinfo', 104, {
  threads_per_core: u32(0),
  cores_per_socket: u32(4),
  nr_cpus: u32(8),
  nr_nodes: u32(12),
  cpu_khz: u32(16),
  total_pages: size64(24),
  free_pages: size64(32),
  scrub_pages: size64(40),
  hw_cap: bytes(48, 32),
  max_cpu_id: u32(80),
  cpu_to_node: vaddr(88),
  capabilities: u32(96),
})

export const xen_sysctl_sched_id = struct('xen_sysctl_sched_id', 4, { sched_id: u32(0) })

/** buffer: room for max_domains times xen_domctl_getdomaininfo. */
export const xen_sysctl_getdomaininfolist = struct('xen_sysctl_getdomaininfolist', 24, {
  first_domain: u16(0),
  max_domains: u32(4),
  buffer: vaddr(8),
  num_domains: u32(16), // OUT
})

export const xen_sysctl_debug_keys = struct('xen_sysctl_debug_keys', 16, { keys: vaddr(0), nr_keys: u32(8) })

/** info: room for max_cpus times xen_sysctl_cpuinfo. */
export const xen_sysctl_getcpuinfo = struct('xen_sysctl_getcpuinfo', 24, {
  max_cpus: u32(0),
  info: vaddr(8),
  nr_cpus: u32(16), // OUT
})
export const xen_sysctl_cpuinfo = struct('xen_sysctl_cpuinfo', 8, { idletime: size64(0) })

/** node: 0xffffffff for all. Widths in bits; 0: any. */
export const xen_sysctl_availheap = struct('xen_sysctl_availheap', 24, {
  min_bitwidth: u32(0),
  max_bitwidth: u32(4),
  node: u32(8),
  avail_bytes: size64(16), // OUT
})

export const XEN_SYSCTL_PERFCOP_reset = 1
export const XEN_SYSCTL_PERFCOP_query = 2
export const xen_sysctl_perfc_op = struct('xen_sysctl_perfc_op', 32, {
  cmd: u32(0),
  nr_counters: u32(4), // OUT
  nr_vals: u32(8), // OUT
  desc: vaddr(16),
  val: vaddr(24),
})

export const XEN_SYSCTL_TBUFOP_get_info = 0
export const XEN_SYSCTL_TBUFOP_set_cpu_mask = 1
export const XEN_SYSCTL_TBUFOP_set_evt_mask = 2
export const XEN_SYSCTL_TBUFOP_set_size = 3
export const XEN_SYSCTL_TBUFOP_enable = 4
export const XEN_SYSCTL_TBUFOP_disable = 5
/** cpu_mask is a xenctl_cpumap. */
export const xen_sysctl_tbuf_op = struct('xen_sysctl_tbuf_op', 48, {
  cmd: u32(0),
  cpu_mask_bitmap: vaddr(8),
  cpu_mask_nr_cpus: u32(16),
  evt_mask: u32(24),
  // OUT. Whatever lies there before is no error.
  buffer_mfn: vaddr(32),
  size: u32(40),
})

/** get_pmstat.type. */
export const PMSTAT_CATEGORY_MASK = 0xf0
export const PMSTAT_PX = 0x10
export const PMSTAT_CX = 0x20
export const PMSTAT_get_max_px = PMSTAT_PX | 1
export const PMSTAT_get_pxstat = PMSTAT_PX | 2
export const PMSTAT_reset_pxstat = PMSTAT_PX | 3
export const PMSTAT_get_max_cx = PMSTAT_CX | 1
export const PMSTAT_get_cxstat = PMSTAT_CX | 2
export const PMSTAT_reset_cxstat = PMSTAT_CX | 3
/** With u.getcx: the states from C0 on, the last one, and two arrays of words of eight bytes. */
export const xen_sysctl_get_pmstat = struct('xen_sysctl_get_pmstat', 40, {
  type: u32(0),
  cpuid: u32(4),
  cx_nr: u32(8),
  cx_last: u32(12),
  cx_idle_time: u64(16),
  cx_triggers: vaddr(24),
  cx_residencies: vaddr(32),
})
