/** Mirrors xen/include/public/event_channel.h. */
import { struct, u16, u32 } from '../struct.ts'

export const EVTCHNOP_bind_interdomain = 0
export const EVTCHNOP_bind_virq = 1
export const EVTCHNOP_bind_pirq = 2
export const EVTCHNOP_close = 3
export const EVTCHNOP_send = 4
export const EVTCHNOP_status = 5
export const EVTCHNOP_alloc_unbound = 6
export const EVTCHNOP_bind_ipi = 7
export const EVTCHNOP_bind_vcpu = 8
export const EVTCHNOP_unmask = 9
export const EVTCHNOP_reset = 10

/** evtchn_bind_pirq.flags. */
export const BIND_PIRQ__WILL_SHARE = 1

/** evtchn_status.status. */
export const EVTCHNSTAT_closed = 0
export const EVTCHNSTAT_unbound = 1
export const EVTCHNSTAT_interdomain = 2
export const EVTCHNSTAT_pirq = 3
export const EVTCHNSTAT_virq = 4
export const EVTCHNSTAT_ipi = 5

/** Ports of a 64-bit guest: 64 words of 64 bits. Port 0 is never handed out. */
export const NR_EVENT_CHANNELS = 64 * 64

/** evtchn_op, of event_channel_op_compat: a 32-bit command, then the union of the structs below. */
export const EVTCHN_OP_U = 4
export const EVTCHN_OP_BYTES = 28

export const evtchn_bind_interdomain = struct('evtchn_bind_interdomain', 12, {
  remote_dom: u16(0),
  remote_port: u32(4),
  local_port: u32(8), // OUT
})

export const evtchn_bind_virq = struct('evtchn_bind_virq', 12, {
  virq: u32(0),
  vcpu: u32(4),
  port: u32(8), // OUT
})

export const evtchn_bind_pirq = struct('evtchn_bind_pirq', 12, {
  pirq: u32(0),
  flags: u32(4),
  port: u32(8), // OUT
})

export const evtchn_bind_ipi = struct('evtchn_bind_ipi', 8, {
  vcpu: u32(0),
  port: u32(4), // OUT
})

export const evtchn_close = struct('evtchn_close', 4, { port: u32(0) })
export const evtchn_send = struct('evtchn_send', 4, { port: u32(0) })
export const evtchn_unmask = struct('evtchn_unmask', 4, { port: u32(0) })
export const evtchn_reset = struct('evtchn_reset', 2, { dom: u16(0) })

export const evtchn_alloc_unbound = struct('evtchn_alloc_unbound', 8, {
  dom: u16(0), // IN, DOMID_SELF allowed
  remote_dom: u16(2), // IN
  port: u32(4), // OUT
})

export const evtchn_bind_vcpu = struct('evtchn_bind_vcpu', 8, { port: u32(0), vcpu: u32(4) })

/** `u` is a union: unbound.dom, interdomain.dom, pirq and virq share its first word, interdomain.port has the second. */
export const evtchn_status = struct('evtchn_status', 24, {
  dom: u16(0),
  port: u32(4),
  status: u32(8), // OUT
  vcpu: u32(12), // OUT
  u: u32(16), // OUT
  u_port: u32(20), // OUT
})
