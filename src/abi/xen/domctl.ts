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
export const XEN_DOMCTL_subscribe = 29
export const XEN_DOMCTL_gethvmcontext = 33
export const XEN_DOMCTL_sethvmcontext = 34
export const XEN_DOMCTL_set_address_size = 35
export const XEN_DOMCTL_get_address_size = 36
export const XEN_DOMCTL_assign_device = 37
export const XEN_DOMCTL_bind_pt_irq = 38
export const XEN_DOMCTL_memory_mapping = 39
export const XEN_DOMCTL_ioport_mapping = 40
export const XEN_DOMCTL_pin_mem_cacheattr = 41
export const XEN_DOMCTL_set_ext_vcpucontext = 42
export const XEN_DOMCTL_get_ext_vcpucontext = 43
export const XEN_DOMCTL_set_opt_feature = 44
export const XEN_DOMCTL_test_assign_device = 45
export const XEN_DOMCTL_set_target = 46
export const XEN_DOMCTL_deassign_device = 47
export const XEN_DOMCTL_unbind_pt_irq = 48
export const XEN_DOMCTL_set_cpuid = 49
export const XEN_DOMCTL_get_device_group = 50
export const XEN_DOMCTL_set_machine_address_size = 51
export const XEN_DOMCTL_get_machine_address_size = 52

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
/** shadow_op.mode of OP_ENABLE. */
export const XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT = 1 << 1
export const XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY = 1 << 2
export const XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE = 1 << 3
export const XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL = 1 << 4
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
/** With u.credit; u.sedf lies in the same place. */
export const xen_domctl_scheduler_op = struct('xen_domctl_scheduler_op', 40, {
  sched_id: u32(0),
  cmd: u32(4),
  credit_weight: u16(8),
  credit_cap: u16(10),
})
export const xen_domctl_sched_sedf = struct('xen_domctl_sched_sedf', 32, {
  period: u64(0),
  slice: u64(8),
  latency: u64(16),
  extratime: u32(24),
  weight: u32(28),
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
export const xen_domctl_arch_setup = struct('xen_domctl_arch_setup', 8, { flags: u64(0) })
export const xen_domctl_real_mode_area = struct('xen_domctl_real_mode_area', 4, { log: u32(0) })
/** Of 32 or 64 bits; of machine addresses, for set_machine_address_size. */
export const xen_domctl_address_size = struct('xen_domctl_address_size', 4, { size: u32(0) })

export const XEN_DOMCTL_SENDTRIGGER_NMI = 0
export const XEN_DOMCTL_SENDTRIGGER_RESET = 1
export const XEN_DOMCTL_SENDTRIGGER_INIT = 2
export const xen_domctl_sendtrigger = struct('xen_domctl_sendtrigger', 8, { trigger: u32(0), vcpu: u32(4) })
export const xen_domctl_subscribe = struct('xen_domctl_subscribe', 4, { port: u32(0) })
export const xen_domctl_set_target = struct('xen_domctl_set_target', 2, { target: u16(0) })
export const xen_domctl_set_opt_feature = struct('xen_domctl_set_opt_feature', 8, { dummy: u64(0) })

/** input: leaf and, unless it is XEN_CPUID_INPUT_UNUSED, subleaf. */
export const XEN_CPUID_INPUT_UNUSED = 0xffffffff
export const xen_domctl_cpuid = struct('xen_domctl_cpuid', 24, {
  input: u32(0),
  subleaf: u32(4),
  eax: u32(8),
  ebx: u32(12),
  ecx: u32(16),
  edx: u32(20),
})

/** SYSCALL and SYSENTER of 32-bit code. size: IN of set, OUT of get, this struct's. */
export const xen_domctl_ext_vcpucontext = struct('xen_domctl_ext_vcpucontext', 32, {
  vcpu: u32(0),
  size: u32(4),
  syscall32_callback_eip: vaddr(8),
  sysenter_callback_eip: vaddr(16),
  syscall32_callback_cs: u16(24),
  sysenter_callback_cs: u16(26),
  syscall32_disables_events: u8(28),
  sysenter_disables_events: u8(29),
})

/** Of HVM domains. */
export const xen_domctl_hvmcontext = struct('xen_domctl_hvmcontext', 16, { size: u32(0), buffer: vaddr(8) })
/** machine_bdf: bus, device and function in bits 23 to 8. */
export const xen_domctl_assign_device = struct('xen_domctl_assign_device', 4, { machine_bdf: u32(0) })
export const xen_domctl_get_device_group = struct('xen_domctl_get_device_group', 24, {
  machine_bdf: u32(0),
  max_sdevs: u32(4),
  num_sdevs: u32(8), // OUT
  sdev_array: vaddr(16),
})
export const PT_IRQ_TYPE_PCI = 0
export const PT_IRQ_TYPE_ISA = 1
export const PT_IRQ_TYPE_MSI = 2
/** Of the union only u.pci; u.isa is its first byte. */
export const xen_domctl_bind_pt_irq = struct('xen_domctl_bind_pt_irq', 20, {
  machine_irq: u32(0),
  irq_type: u32(4),
  hvm_domid: u32(8),
  bus: u8(12),
  device: u8(13),
  intx: u8(14),
})
/** add_mapping. */
export const DPCI_REMOVE_MAPPING = 0
export const DPCI_ADD_MAPPING = 1
export const xen_domctl_memory_mapping = struct('xen_domctl_memory_mapping', 32, {
  first_gfn: u64(0),
  first_mfn: u64(8),
  nr_mfns: u64(16),
  add_mapping: u32(24),
})
export const xen_domctl_ioport_mapping = struct('xen_domctl_ioport_mapping', 16, {
  first_gport: u32(0),
  first_mport: u32(4),
  nr_ports: u32(8),
  add_mapping: u32(12),
})
export const XEN_DOMCTL_MEM_CACHEATTR_UC = 0
export const XEN_DOMCTL_MEM_CACHEATTR_WC = 1
export const XEN_DOMCTL_MEM_CACHEATTR_WT = 4
export const XEN_DOMCTL_MEM_CACHEATTR_WP = 5
export const XEN_DOMCTL_MEM_CACHEATTR_WB = 6
export const XEN_DOMCTL_MEM_CACHEATTR_UCM = 7
export const xen_domctl_pin_mem_cacheattr = struct('xen_domctl_pin_mem_cacheattr', 24, {
  start: u64(0),
  end: u64(8),
  type: u32(16),
})
