/** Mirrors xen/include/public/xen.h and arch-x86/xen.h: hypercall numbers, start_info, shared_info. x86_64 layouts. */
import { bytes, size64, struct, u8, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const __HYPERVISOR_xen_version = 17
export const __HYPERVISOR_console_io = 18
export const __HYPERVISOR_sched_op = 29

/** console_io's commands. */
export const CONSOLEIO_write = 0
export const CONSOLEIO_read = 1

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
