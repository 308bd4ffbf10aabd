/**
 * What observers are told of Xen's doings (abi/tracer.ts, design D9): by numbers alone, whether anybody listens or not, and so at the same cost in
 * virtual time. Whoever folds all of it has the frame table's owners, the ports, the maptracks and the run states as they are.
 */
import { E820_RAM } from '#abi/pc/e820.ts'
import {
  TRACE_event,
  TRACE_GRANT_copy,
  TRACE_GRANT_map,
  TRACE_GRANT_transfer,
  TRACE_GRANT_unmap,
  TRACE_grant,
  TRACE_hypercall,
  TRACE_NO_RAM,
  TRACE_pages,
  TRACE_port,
  TRACE_runstate,
  TRACE_vcpu,
  type Tracer,
} from '#abi/tracer.ts'
import { EVTCHNSTAT_ipi } from '#abi/xen/event_channel.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { DOMID_XEN } from '#abi/xen/xen.ts'
import type { Xen } from '../xen.ts'
import type { Domain, Vcpu } from './domain.ts'
import { PORT_STATUS } from './event-channel.ts'

/** Below, memory is no RAM of Xen's (arch-x86/domain-build.ts, markIoFrames). */
const FIRST_MEGABYTE = 256

/** Of the processor that does it. */
const tracer = (xen: Xen): Tracer => (xen.current ?? xen).metal.trace

/** `count` frames from `mfn` on are `owner`'s: a domain's, DOMID_XEN's or nobody's. */
export function tracePages(xen: Xen, mfn: number, count: number, owner: number): void {
  tracer(xen)(TRACE_pages, mfn, count, owner, 0, 0)
}

/** All the memory there is, and all of it Xen's as yet. */
export function traceMemory(xen: Xen): void {
  tracePages(xen, 0, xen.maxPage, TRACE_NO_RAM)
  for (const { base, length, type } of xen.e820) {
    if (type !== E820_RAM) continue
    const first = Math.max(Math.ceil(base / PAGE_SIZE), FIRST_MEGABYTE)
    const end = Math.floor((base + length) / PAGE_SIZE)
    if (end > first) tracePages(xen, first, end - first, DOMID_XEN)
  }
}

/** The port is in another state. */
export function tracePort(xen: Xen, domain: Domain, port: number): void {
  const { state, remoteDom, remotePort, irq, notifyVcpu } = domain.ports[port]!
  const status = PORT_STATUS[state]
  const isTold = state === 'virq' || state === 'pirq'
  const e = state === 'interdomain' ? remotePort : status === EVTCHNSTAT_ipi ? notifyVcpu : isTold ? irq : 0
  tracer(xen)(TRACE_port, domain.id, port, status, remoteDom, e)
}

/** Domain `from` tells `port` of `domain` by its own port, or Xen does by a VIRQ or pirq: `by`. */
export function traceEvent(xen: Xen, from: number, by: number, domain: Domain, port: number): void {
  tracer(xen)(TRACE_event, from, by, domain.id, port, PORT_STATUS[domain.ports[port]!.state])
}

export function traceGrantMap(xen: Xen, granter: number, user: Domain, ref: number): void {
  tracer(xen)(TRACE_grant, granter, user.id, ref, TRACE_GRANT_map, 0)
}

export function traceGrantUnmap(xen: Xen, granter: number, user: Domain, ref: number): void {
  tracer(xen)(TRACE_grant, granter, user.id, ref, TRACE_GRANT_unmap, 0)
}

export function traceGrantCopy(xen: Xen, granter: Domain, user: Domain, ref: number, bytes: number): void {
  tracer(xen)(TRACE_grant, granter.id, user.id, ref, TRACE_GRANT_copy, bytes)
}

/** `granter` takes what `giver` gives. */
export function traceGrantTransfer(xen: Xen, granter: Domain, giver: Domain, ref: number): void {
  tracer(xen)(TRACE_grant, granter.id, giver.id, ref, TRACE_GRANT_transfer, PAGE_SIZE)
}

export function traceRunstate(xen: Xen, vcpu: Vcpu): void {
  tracer(xen)(TRACE_runstate, vcpu.domain.id, vcpu.id, vcpu.runstate.state, vcpu.processor, 0)
}

/** The vCPU is there, or gone. */
export function traceVcpu(xen: Xen, vcpu: Vcpu, isThere: boolean): void {
  tracer(xen)(TRACE_vcpu, vcpu.domain.id, vcpu.id, isThere ? 1 : 0, 0, 0)
}

/** As it is entered; `first` is its first argument. */
export function traceHypercall(xen: Xen, vcpu: Vcpu, nr: number, first: number): void {
  tracer(xen)(TRACE_hypercall, vcpu.domain.id, vcpu.id, nr, first, 0)
}
