/** Mirrors xen/include/public/vcpu.h. */
import { struct, u8, u32, u64 } from '../struct.ts'
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

export const vcpu_set_periodic_timer = struct('vcpu_set_periodic_timer', 8, { period_ns: u64(0) })

export const vcpu_register_vcpu_info = struct('vcpu_register_vcpu_info', 16, {
  mfn: u64(0),
  offset: u32(8),
  rsvd: u32(12),
})

/** arch-x86/xen.h, vcpu_guest_context: what a vCPU starts from. Only what is looked at. */
export const vcpu_guest_context = struct('vcpu_guest_context', 5168, { rsi: vaddr(520 + 104), rflags: u64(520 + 144) })

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
