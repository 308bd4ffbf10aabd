/** Mirrors xen/include/public/xen.h and arch-x86/xen.h: hypercall numbers, start_info, shared_info. x86_64 layouts. */
import { bytes, size64, struct, u8, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const __HYPERVISOR_set_trap_table = 0
export const __HYPERVISOR_mmu_update = 1
export const __HYPERVISOR_set_gdt = 2
export const __HYPERVISOR_stack_switch = 3
export const __HYPERVISOR_set_callbacks = 4
export const __HYPERVISOR_fpu_taskswitch = 5
export const __HYPERVISOR_sched_op_compat = 6
export const __HYPERVISOR_platform_op = 7
export const __HYPERVISOR_set_debugreg = 8
export const __HYPERVISOR_get_debugreg = 9
export const __HYPERVISOR_update_descriptor = 10
export const __HYPERVISOR_memory_op = 12
export const __HYPERVISOR_multicall = 13
export const __HYPERVISOR_update_va_mapping = 14
export const __HYPERVISOR_set_timer_op = 15
export const __HYPERVISOR_event_channel_op_compat = 16
export const __HYPERVISOR_xen_version = 17
export const __HYPERVISOR_console_io = 18
export const __HYPERVISOR_physdev_op_compat = 19
export const __HYPERVISOR_grant_table_op = 20
export const __HYPERVISOR_vm_assist = 21
export const __HYPERVISOR_update_va_mapping_otherdomain = 22
export const __HYPERVISOR_iret = 23
export const __HYPERVISOR_vcpu_op = 24
export const __HYPERVISOR_set_segment_base = 25
export const __HYPERVISOR_mmuext_op = 26
export const __HYPERVISOR_xsm_op = 27
export const __HYPERVISOR_nmi_op = 28
export const __HYPERVISOR_sched_op = 29
export const __HYPERVISOR_callback_op = 30
export const __HYPERVISOR_xenoprof_op = 31
export const __HYPERVISOR_event_channel_op = 32
export const __HYPERVISOR_physdev_op = 33
export const __HYPERVISOR_hvm_op = 34
export const __HYPERVISOR_sysctl = 35
export const __HYPERVISOR_domctl = 36
export const __HYPERVISOR_kexec_op = 37
/** Of an architecture: x86 has mca at 48. */
export const __HYPERVISOR_arch_0 = 48

/** Virtual interrupts. Those not marked are global: one for the domain, sent to the vCPU that has bound it. */
export const VIRQ_TIMER = 0 // per vCPU
export const VIRQ_DEBUG = 1 // per vCPU
export const VIRQ_CONSOLE = 2 // dom0: bytes from the serial line
export const VIRQ_DOM_EXC = 3 // dom0: a domain has changed its state
export const VIRQ_TBUF = 4
export const VIRQ_DEBUGGER = 6
export const VIRQ_XENOPROF = 7 // per vCPU
export const VIRQ_CON_RING = 8
export const VIRQ_ARCH_0 = 16
export const NR_VIRQS = 24

/** mmu_update.ptr's low bits. */
export const MMU_NORMAL_PT_UPDATE = 0
export const MMU_MACHPHYS_UPDATE = 1
export const MMU_PT_UPDATE_PRESERVE_AD = 2

/** update_va_mapping's flags. */
export const UVMF_NONE = 0
export const UVMF_TLB_FLUSH = 1
export const UVMF_INVLPG = 2
export const UVMF_FLUSHTYPE_MASK = 3
export const UVMF_MULTI = 0
export const UVMF_LOCAL = 0
export const UVMF_ALL = 1 << 2

/** mmuext_op's commands. */
export const MMUEXT_PIN_L1_TABLE = 0
export const MMUEXT_PIN_L2_TABLE = 1
export const MMUEXT_PIN_L3_TABLE = 2
export const MMUEXT_PIN_L4_TABLE = 3
export const MMUEXT_UNPIN_TABLE = 4
export const MMUEXT_NEW_BASEPTR = 5
export const MMUEXT_TLB_FLUSH_LOCAL = 6
export const MMUEXT_INVLPG_LOCAL = 7
export const MMUEXT_TLB_FLUSH_MULTI = 8
export const MMUEXT_INVLPG_MULTI = 9
export const MMUEXT_TLB_FLUSH_ALL = 10
export const MMUEXT_INVLPG_ALL = 11
export const MMUEXT_FLUSH_CACHE = 12
export const MMUEXT_SET_LDT = 13
export const MMUEXT_NEW_USER_BASEPTR = 15

/** vm_assist. */
export const VMASST_CMD_enable = 0
export const VMASST_CMD_disable = 1
export const VMASST_TYPE_4gb_segments = 0
export const VMASST_TYPE_4gb_segments_notify = 1
export const VMASST_TYPE_writable_pagetables = 2
export const VMASST_TYPE_pae_extended_cr3 = 3
export const MAX_VMASST_TYPE = 3

/** Bits of a page-table entry (asm-x86/page.h); the frame's address is bits 12 to 51. */
export const _PAGE_PRESENT = 0x001
export const _PAGE_RW = 0x002
export const _PAGE_USER = 0x004
export const _PAGE_PWT = 0x008
export const _PAGE_PCD = 0x010
export const _PAGE_ACCESSED = 0x020
export const _PAGE_DIRTY = 0x040
export const _PAGE_PAT = 0x080
/** In a table above the first level: a large page. */
export const _PAGE_PSE = 0x080
export const _PAGE_GLOBAL = 0x100
/** Bit 52, a bit of the entry's upper half: Xen's mark of what a guest had kept for its kernel, since all of it is ring 3's (_PAGE_GUEST_KERNEL). */
export const PAGE_GUEST_KERNEL_HIGH = 0x100000

/** console_io's commands. */
export const CONSOLEIO_write = 0
export const CONSOLEIO_read = 1

/** From here on no number is a domain's that was created. */
export const DOMID_FIRST_RESERVED = 0x7ff0
export const DOMID_SELF = 0x7ff0
export const DOMID_IO = 0x7ff1
export const DOMID_XEN = 0x7ff2
/** Not in the header: the domain of the idle vCPUs (xen/include/xen/sched.h). */
export const DOMID_IDLE = 0x7fff

export const MAX_VIRT_CPUS = 32
export const MAX_GUEST_CMDLINE = 1024

/** start_info.flags. */
export const SIF_PRIVILEGED = 1 << 0
export const SIF_INITDOMAIN = 1 << 1

/** Where a 64-bit hypervisor lives: no guest may map anything there. Signed addresses, see types.ts. */
export const HYPERVISOR_VIRT_START = -0x800000000000
export const HYPERVISOR_VIRT_END = -0x780000000000

export const mmu_update = struct('mmu_update', 16, { ptr: u64(0), val: u64(8) })

/** `args` are six words from byte 16 on. */
export const multicall_entry = struct('multicall_entry', 64, { op: u64(0), result: u64(8) })
export const MULTICALL_ARGS = 16

export const mmuext_op = struct('mmuext_op', 24, { cmd: u32(0), arg1: u64(8), arg2: u64(16) })

export const start_info = struct('start_info', 1152, {
  magic: bytes(0, 32),
  nr_pages: size64(32),
  /** Machine address of the shared_info frame. */
  shared_info: size64(40),
  flags: u32(48),
  store_mfn: size64(56),
  store_evtchn: u32(64),
  /** console.dom0: offset of dom0_vga_console_info from start_info, and its size. */
  console_info_off: u32(72),
  console_info_size: u32(76),
  pt_base: vaddr(88),
  nr_pt_frames: size64(96),
  mfn_list: vaddr(104),
  mod_start: vaddr(112),
  mod_len: size64(120),
  cmd_line: bytes(128, MAX_GUEST_CMDLINE),
})

/** start_info.console.domU, in the place of console.dom0. */
export const start_info_domU = struct('start_info.console.domU', 96, {
  console_mfn: size64(72),
  console_evtchn: u32(80),
})

export const XEN_VGATYPE_TEXT_MODE_3 = 0x03

export const dom0_vga_console_info = struct('dom0_vga_console_info', 36, {
  video_type: u8(0),
  font_height: u16(4),
  cursor_x: u16(6),
  cursor_y: u16(8),
  rows: u16(10),
  columns: u16(12),
})

export const vcpu_info = struct('vcpu_info', 64, {
  evtchn_upcall_pending: u8(0),
  evtchn_upcall_mask: u8(1),
  evtchn_pending_sel: u64(8),
  /** Where the last page fault was. */
  arch_cr2: u64(16),
  time_version: u32(32),
  time_tsc_timestamp: u64(40),
  time_system_time: u64(48),
  time_tsc_to_system_mul: u32(56),
  time_tsc_shift: u8(60),
})

export const SHARED_INFO_EVTCHN_PENDING = 2048
export const SHARED_INFO_EVTCHN_MASK = 2560

export const shared_info = struct('shared_info', 3368, {
  vcpu_info: bytes(0, MAX_VIRT_CPUS * 64),
  evtchn_pending: bytes(SHARED_INFO_EVTCHN_PENDING, 512),
  evtchn_mask: bytes(SHARED_INFO_EVTCHN_MASK, 512),
  wc_version: u32(3072),
  /** Seconds since 1970 at system_time 0. */
  wc_sec: u32(3076),
  wc_nsec: u32(3080),
  max_pfn: u64(3088),
  pfn_to_mfn_frame_list_list: u64(3096),
  /** nmi.h: bit 0 I/O error, 1 parity error, 2 unknown. */
  nmi_reason: u64(3104),
})
