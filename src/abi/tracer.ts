/**
 * The tracer: what Xen does, told to observers in numbers while it happens (design D9). Like a probe it is read-only and of no virtual cost, and
 * it is told whether anybody looks or not; unlike one it may come a hundred thousand times a second, so it makes no objects. Xen calls
 * `Metal.trace(event, a, b, c, d, e)`; observers get a record of TRACE_WORDS numbers, with the processor and its virtual time.
 */

/** A record: virtual ns, event, processor (APIC id), a, b, c, d, e. */
export const TRACE_WORDS = 8

/** vcpu_runstate_change. a: domid, b: vCPU, c: RUNSTATE_* it is in from now on, d: logical number of its processor. */
export const TRACE_runstate = 1
/** A hypercall, as it is entered. a: domid, b: vCPU, c: its number, d: its first argument (the sub-operation, where it has them). */
export const TRACE_hypercall = 2
/** An event is sent. a: domid of the sender, or DOMID_XEN; b: its port, or the VIRQ or pirq; c: domid told, d: its port, e: EVTCHNSTAT_* of that port. */
export const TRACE_event = 3
/** A port is in another state. a: domid, b: port, c: EVTCHNSTAT_*, d: unbound, interdomain: remote domid; e: remote port, VIRQ or pirq; ipi: vCPU. */
export const TRACE_port = 4
/** Frames change hands. a: first mfn, b: how many, c: domid whose they are now, DOMID_XEN (Xen's own and its heap) or TRACE_FREE. */
export const TRACE_pages = 5
/** A grant is used. a: domid that grants, b: domid that uses it, c: reference, d: TRACE_GRANT_*, e: bytes copied. */
export const TRACE_grant = 6
/** A vCPU is there (c = 1) or gone (c = 0). a: domid, b: vCPU. */
export const TRACE_vcpu = 7

export const TRACE_GRANT_map = 1
export const TRACE_GRANT_unmap = 2
export const TRACE_GRANT_copy = 3
export const TRACE_GRANT_transfer = 4

/** Nobody's: on a free list. */
export const TRACE_FREE = 0xffff
/** No RAM, or not Xen's to give: bad pages, the holes of the memory map. */
export const TRACE_NO_RAM = 0xfffe

/** What Metal.trace is; events and operands are integers, anything else is dropped. */
export type Tracer = (event: number, a: number, b: number, c: number, d: number, e: number) => void
