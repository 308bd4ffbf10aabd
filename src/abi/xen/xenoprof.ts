/** Mirrors xen/include/public/xenoprof.h. */
import { bytes, struct, u16, u32, u64 } from '../struct.ts'

export const XENOPROF_init = 0
export const XENOPROF_reset_active_list = 1
export const XENOPROF_reset_passive_list = 2
export const XENOPROF_set_active = 3
export const XENOPROF_set_passive = 4
export const XENOPROF_reserve_counters = 5
export const XENOPROF_counter = 6
export const XENOPROF_setup_events = 7
export const XENOPROF_enable_virq = 8
export const XENOPROF_start = 9
export const XENOPROF_stop = 10
export const XENOPROF_disable_virq = 11
export const XENOPROF_release_counters = 12
export const XENOPROF_shutdown = 13
export const XENOPROF_get_buffer = 14
export const XENOPROF_set_backtrace = 15
export const XENOPROF_last_op = 15

/** All OUT. */
export const xenoprof_init = struct('xenoprof_init', 72, {
  num_events: u32(0),
  is_primary: u32(4),
  cpu_type: bytes(8, 64),
})
/** max_samples: IN, signed; all others OUT. */
export const xenoprof_get_buffer = struct('xenoprof_get_buffer', 24, {
  max_samples: u32(0),
  nbuf: u32(4),
  bufsize: u32(8),
  buf_gmaddr: u64(16),
})
export const xenoprof_passive = struct('xenoprof_passive', 24, {
  domain_id: u16(0),
  max_samples: u32(4),
  nbuf: u32(8),
  bufsize: u32(12),
  buf_gmaddr: u64(16),
})
/** A vCPU's part of the buffer: this, and further samples of 16 bytes. */
export const xenoprof_buf = struct('xenoprof_buf', 64, {
  event_head: u32(0),
  event_tail: u32(4),
  event_size: u32(8),
  vcpu_id: u32(12),
  xen_samples: u64(16),
  kernel_samples: u64(24),
  user_samples: u64(32),
  lost_samples: u64(40),
  event_log: bytes(48, 16),
})
