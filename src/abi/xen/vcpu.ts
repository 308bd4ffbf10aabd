/** Mirrors xen/include/public/vcpu.h. */
import { bytes, struct, u8, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const VCPUOP_initialise = 0
export const VCPUOP_up = 1
export const VCPUOP_down = 2
export const VCPUOP_is_up = 3
export const VCPUOP_get_runstate_info = 4
export const VCPUOP_register_runstate_memory_area = 5
export const VCPUOP_set_periodic_timer = 6
export const VCPUOP_stop_periodic_timer = 7
export const VCPUOP_set_singleshot_timer = 8
export const VCPUOP_stop_singleshot_timer = 9
export const VCPUOP_register_vcpu_info = 10
export const VCPUOP_send_nmi = 11
export const VCPUOP_get_physid = 12

export const RUNSTATE_running = 0
export const RUNSTATE_runnable = 1
export const RUNSTATE_blocked = 2
export const RUNSTATE_offline = 3

/** `time` is an array of four. */
export const vcpu_runstate_info = struct('vcpu_runstate_info', 48, {
  state: u32(0),
  state_entry_time: u64(8),
  time_running: u64(16),
  time_runnable: u64(24),
  time_blocked: u64(32),
  time_offline: u64(40),
})

export const vcpu_register_runstate_memory_area = struct('vcpu_register_runstate_memory_area', 8, { addr: vaddr(0) })

/** phys_id: the APIC's and ACPI's numbers of the processor. */
export const vcpu_get_physid = struct('vcpu_get_physid', 8, { phys_id: u64(0) })

export const vcpu_set_periodic_timer = struct('vcpu_set_periodic_timer', 8, { period_ns: u64(0) })

export const vcpu_register_vcpu_info = struct('vcpu_register_vcpu_info', 16, {
  mfn: u64(0),
  offset: u32(8),
  rsvd: u32(12),
})

/** arch-x86/xen.h, vcpu_guest_context.flags. */
export const VGCF_i387_valid = 1 << 0
export const VGCF_in_kernel = 1 << 2
export const VGCF_failsafe_disables_events = 1 << 3
export const VGCF_syscall_disables_events = 1 << 4
export const VGCF_online = 1 << 5

/** asm-x86/xen-x86_64.h: the flat segments that Xen's own descriptors make, ring 3. */
export const FLAT_KERNEL_CS = 0xe033
export const FLAT_KERNEL_DS = 0
export const FLAT_KERNEL_SS = 0xe02b

/** FLAT_RING3_CS32 */
export const FLAT_USER_CS32 = 0xe023

/** arch-x86/xen.h, vcpu_guest_context: what a vCPU starts from. user_regs' fields by their own names; `ctrlreg3` is ctrlreg[3]: the address of the L4, `ctrlreg1` that of the user
 * mode's. trap_ctxt: 256 trap_info, by position. gdt_frames, debugreg: words of eight bytes. */
export const vcpu_guest_context = struct('vcpu_guest_context', 5168, {
  fpu_ctxt: bytes(0, 512),
  flags: u64(512),
  r15: u64(520),
  r14: u64(520 + 8),
  r13: u64(520 + 16),
  r12: u64(520 + 24),
  rbp: u64(520 + 32),
  rbx: u64(520 + 40),
  r11: u64(520 + 48),
  r10: u64(520 + 56),
  r9: u64(520 + 64),
  r8: u64(520 + 72),
  rax: u64(520 + 80),
  rcx: u64(520 + 88),
  rdx: u64(520 + 96),
  rsi: vaddr(520 + 104),
  rdi: u64(520 + 112),
  rip: vaddr(520 + 128),
  cs: u16(520 + 136),
  rflags: u64(520 + 144),
  rsp: vaddr(520 + 152),
  ss: u16(520 + 160),
  es: u16(520 + 168),
  ds: u16(520 + 176),
  fs: u16(520 + 184),
  gs: u16(520 + 192),
  trap_ctxt: bytes(720, 256 * 16),
  ldt_base: vaddr(4816),
  ldt_ents: u64(4824),
  gdt_frames: bytes(4832, 16 * 8),
  gdt_ents: u64(4960),
  kernel_ss: u64(4968),
  kernel_sp: vaddr(4976),
  ctrlreg0: u64(4984),
  ctrlreg1: u64(4984 + 8),
  ctrlreg2: u64(4984 + 16),
  ctrlreg3: u64(4984 + 24),
  ctrlreg4: u64(4984 + 32),
  debugreg: bytes(5048, 8 * 8),
  event_callback_eip: vaddr(5112),
  failsafe_callback_eip: vaddr(5120),
  syscall_callback_eip: vaddr(5128),
  vm_assist: u64(5136),
  fs_base: vaddr(5144),
  gs_base_kernel: vaddr(5152),
  gs_base_user: vaddr(5160),
})

/** vcpu_set_singleshot_timer.flags: -ETIME where the time has passed. */
export const VCPU_SSHOTTMR_future = 1 << 0

export const vcpu_set_singleshot_timer = struct('vcpu_set_singleshot_timer', 16, {
  timeout_abs_ns: u64(0),
  flags: u32(8),
})

/** xen.h, vcpu_time_info: inside vcpu_info, at byte 32. */
export const vcpu_time_info = struct('vcpu_time_info', 32, {
  version: u32(0),
  tsc_timestamp: u64(8),
  system_time: u64(16),
  tsc_to_system_mul: u32(24),
  tsc_shift: u8(28), // signed
})
