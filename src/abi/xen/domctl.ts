/**
 * Mirrors xen/include/public/domctl.h: what the control domain's tools ask about domains. Every command is one struct of 144 bytes: `xen_domctl`
 * and, from byte XEN_DOMCTL_U on, the command's own.
 */
import { bytes, size64, struct, u8, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const XEN_DOMCTL_INTERFACE_VERSION = 0x00000005

export const XEN_DOMCTL_createdomain = 1
export const XEN_DOMCTL_destroydomain = 2
export const XEN_DOMCTL_pausedomain = 3
export const XEN_DOMCTL_unpausedomain = 4
export const XEN_DOMCTL_getdomaininfo = 5
export const XEN_DOMCTL_getmemlist = 6
export const XEN_DOMCTL_getpageframeinfo = 7
export const XEN_DOMCTL_getpageframeinfo2 = 8
export const XEN_DOMCTL_setvcpuaffinity = 9
export const XEN_DOMCTL_shadow_op = 10
export const XEN_DOMCTL_max_mem = 11
export const XEN_DOMCTL_setvcpucontext = 12
export const XEN_DOMCTL_getvcpucontext = 13
export const XEN_DOMCTL_getvcpuinfo = 14
export const XEN_DOMCTL_max_vcpus = 15
export const XEN_DOMCTL_scheduler_op = 16
export const XEN_DOMCTL_setdomainhandle = 17
export const XEN_DOMCTL_setdebugging = 18
export const XEN_DOMCTL_irq_permission = 19
export const XEN_DOMCTL_iomem_permission = 20
export const XEN_DOMCTL_ioport_permission = 21
export const XEN_DOMCTL_hypercall_init = 22
export const XEN_DOMCTL_arch_setup = 23
export const XEN_DOMCTL_settimeoffset = 24
export const XEN_DOMCTL_getvcpuaffinity = 25
export const XEN_DOMCTL_real_mode_area = 26
export const XEN_DOMCTL_resumedomain = 27
export const XEN_DOMCTL_sendtrigger = 28
export const XEN_DOMCTL_set_address_size = 35
export const XEN_DOMCTL_get_address_size = 36

/** What all commands begin with. `domain` is IN/OUT for createdomain (0: choose one) and getdomaininfo (the first from this one on). */
export const xen_domctl = struct('xen_domctl', 144, { cmd: u32(0), interface_version: u32(4), domain: u16(8) })
export const XEN_DOMCTL_U = 16

export const XEN_DOMCTL_CDF_hvm_guest = 1 << 0
export const XEN_DOMCTL_CDF_hap = 1 << 1
export const xen_domctl_createdomain = struct('xen_domctl_createdomain', 24, {
  ssidref: u32(0),
  handle: bytes(4, 16),
  flags: u32(20),
})

/** getdomaininfo.flags. */
export const XEN_DOMINF_dying = 1 << 0
export const XEN_DOMINF_hvm_guest = 1 << 1
export const XEN_DOMINF_shutdown = 1 << 2
export const XEN_DOMINF_paused = 1 << 3
export const XEN_DOMINF_blocked = 1 << 4
export const XEN_DOMINF_running = 1 << 5
export const XEN_DOMINF_debugged = 1 << 6
export const XEN_DOMINF_cpumask = 255
export const XEN_DOMINF_cpushift = 8
export const XEN_DOMINF_shutdownmask = 255
export const XEN_DOMINF_shutdownshift = 16

/** All OUT. Without a limit max_pages is 2^32 - 1. */
export const xen_domctl_getdomaininfo = struct('xen_domctl_getdomaininfo', 72, {
  domain: u16(0),
  flags: u32(4),
  tot_pages: size64(8),
  max_pages: size64(16),
  shared_info_frame: size64(24),
  cpu_time: size64(32),
  nr_online_vcpus: u32(40),
  max_vcpu_id: u32(44),
  ssidref: u32(48),
  handle: bytes(52, 16),
})

/** buffer: room for max_pfns frame numbers of eight bytes. */
export const xen_domctl_getmemlist = struct('xen_domctl_getmemlist', 32, {
  max_pfns: u64(0),
  start_pfn: u64(8),
  buffer: vaddr(16),
  num_pfns: u64(24), // OUT
})

/** Types of page frames. NOTAB: none of the tables. */
export const XEN_DOMCTL_PFINFO_LTAB_SHIFT = 28
export const XEN_DOMCTL_PFINFO_NOTAB = 0
export const XEN_DOMCTL_PFINFO_L1TAB = 0x10000000
export const XEN_DOMCTL_PFINFO_L2TAB = 0x20000000
export const XEN_DOMCTL_PFINFO_L3TAB = 0x30000000
export const XEN_DOMCTL_PFINFO_L4TAB = 0x40000000
export const XEN_DOMCTL_PFINFO_LTABTYPE_MASK = 0x70000000
/** Pinned to its type. */
export const XEN_DOMCTL_PFINFO_LPINTAB = 0x80000000
/** No frame of the domain's. */
export const XEN_DOMCTL_PFINFO_XTAB = 0xf0000000
export const XEN_DOMCTL_PFINFO_LTAB_MASK = 0xf0000000

export const xen_domctl_getpageframeinfo = struct('xen_domctl_getpageframeinfo', 16, {
  gmfn: u64(0),
  type: u32(8), // OUT
})

/** array: `num` frame numbers of four bytes, which become types. */
export const xen_domctl_getpageframeinfo2 = struct('xen_domctl_getpageframeinfo2', 16, { num: u64(0), array: vaddr(8) })

/** cpumap is a xenctl_cpumap: a bitmap of nr_cpus bits. */
export const xen_domctl_vcpuaffinity = struct('xen_domctl_vcpuaffinity', 24, {
  vcpu: u32(0),
  cpumap_bitmap: vaddr(8),
  cpumap_nr_cpus: u32(16),
})

export const XEN_DOMCTL_SHADOW_OP_OFF = 0
export const XEN_DOMCTL_SHADOW_OP_ENABLE_TEST = 1
export const XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY = 2
export const XEN_DOMCTL_SHADOW_OP_ENABLE_TRANSLATE = 3
export const XEN_DOMCTL_SHADOW_OP_CLEAN = 11
export const XEN_DOMCTL_SHADOW_OP_PEEK = 12
export const XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION = 30
export const XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION = 31
export const XEN_DOMCTL_SHADOW_OP_ENABLE = 32
export const xen_domctl_shadow_op = struct('xen_domctl_shadow_op', 40, {
  op: u32(0),
  mode: u32(4),
  mb: u32(8),
  dirty_bitmap: vaddr(16),
  pages: u64(24),
  stats_fault_count: u32(32),
  stats_dirty_count: u32(36),
})

export const xen_domctl_max_mem = struct('xen_domctl_max_mem', 8, { max_memkb: u64(0) })

/** ctxt: a vcpu_guest_context (vcpu.ts). */
export const xen_domctl_vcpucontext = struct('xen_domctl_vcpucontext', 16, { vcpu: u32(0), ctxt: vaddr(8) })

export const xen_domctl_getvcpuinfo = struct('xen_domctl_getvcpuinfo', 24, {
  vcpu: u32(0), // IN; all others OUT
  online: u8(4),
  blocked: u8(5),
  running: u8(6),
  cpu_time: size64(8),
  cpu: u32(16),
})

export const xen_domctl_max_vcpus = struct('xen_domctl_max_vcpus', 4, { max: u32(0) })

export const XEN_SCHEDULER_SEDF = 4
export const XEN_SCHEDULER_CREDIT = 5
export const XEN_DOMCTL_SCHEDOP_putinfo = 0
export const XEN_DOMCTL_SCHEDOP_getinfo = 1
/** Of the union only u.credit. */
export const xen_domctl_scheduler_op = struct('xen_domctl_scheduler_op', 40, {
  sched_id: u32(0),
  cmd: u32(4),
  credit_weight: u16(8),
  credit_cap: u16(10),
})

export const xen_domctl_setdomainhandle = struct('xen_domctl_setdomainhandle', 16, { handle: bytes(0, 16) })
export const xen_domctl_setdebugging = struct('xen_domctl_setdebugging', 1, { enable: u8(0) })
export const xen_domctl_irq_permission = struct('xen_domctl_irq_permission', 2, { pirq: u8(0), allow_access: u8(1) })
export const xen_domctl_iomem_permission = struct('xen_domctl_iomem_permission', 24, {
  first_mfn: u64(0),
  nr_mfns: u64(8),
  allow_access: u8(16),
})
export const xen_domctl_ioport_permission = struct('xen_domctl_ioport_permission', 12, {
  first_port: u32(0),
  nr_ports: u32(4),
  allow_access: u8(8),
})
export const xen_domctl_hypercall_init = struct('xen_domctl_hypercall_init', 8, { gmfn: u64(0) })
/** time_offset_seconds is signed. */
export const xen_domctl_settimeoffset = struct('xen_domctl_settimeoffset', 4, { time_offset_seconds: u32(0) })
export const xen_domctl_address_size = struct('xen_domctl_address_size', 4, { size: u32(0) })

export const XEN_DOMCTL_SENDTRIGGER_NMI = 0
export const XEN_DOMCTL_SENDTRIGGER_RESET = 1
export const XEN_DOMCTL_SENDTRIGGER_INIT = 2
export const xen_domctl_sendtrigger = struct('xen_domctl_sendtrigger', 8, { trigger: u32(0), vcpu: u32(4) })
