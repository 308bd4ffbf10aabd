/** xen/common/event_channel.c: ports, and how one becomes pending. The hypercall is hypercalls/event_channel_op.ts. */
import { EINVAL, ENOSPC } from '#abi/xen/errno.ts'
import {
  EVTCHNSTAT_closed,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_ipi,
  EVTCHNSTAT_pirq,
  EVTCHNSTAT_unbound,
  EVTCHNSTAT_virq,
  NR_EVENT_CHANNELS,
} from '#abi/xen/event_channel.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  DOMID_XEN,
  SHARED_INFO_EVTCHN_MASK,
  SHARED_INFO_EVTCHN_PENDING,
  VIRQ_DEBUG,
  VIRQ_TIMER,
  VIRQ_XENOPROF,
  vcpu_info,
} from '#abi/xen/xen.ts'
import type { Xen } from '../xen.ts'
import type { Domain, Vcpu } from './domain.ts'
import { pollWake, vcpuKick } from './schedule.ts'
import { traceEvent } from './tracer.ts'

export type PortState = 'free' | 'reserved' | 'unbound' | 'interdomain' | 'pirq' | 'virq' | 'ipi'

/** What EVTCHNOP_status says. */
export const PORT_STATUS: Readonly<Record<PortState, number>> = {
  free: EVTCHNSTAT_closed,
  reserved: EVTCHNSTAT_closed,
  unbound: EVTCHNSTAT_unbound,
  interdomain: EVTCHNSTAT_interdomain,
  pirq: EVTCHNSTAT_pirq,
  virq: EVTCHNSTAT_virq,
  ipi: EVTCHNSTAT_ipi,
}

export interface EventPort {
  state: PortState
  /** Who is told. */
  notifyVcpu: number
  /** unbound: who may bind. interdomain: the other end's domain. */
  remoteDom: number
  /** interdomain: the other end. */
  remotePort: number
  /** pirq: the interrupt. virq: which. */
  irq: number
}

const freePort = (): EventPort => ({ state: 'free', notifyVcpu: 0, remoteDom: 0, remotePort: 0, irq: 0 })

/** Ports come into being so many at a time. */
const EVTCHNS_PER_BUCKET = 128

const PENDING_SEL = vcpu_info.fields.evtchn_pending_sel.offset

/** evtchn_init: port 0 is nobody's. */
export function initPorts(domain: Domain): void {
  getFreePort(domain)
  domain.ports[0]!.state = 'reserved'
}

/** The lowest port that is free, or a negative errno. */
export function getFreePort(domain: Domain): number {
  const { ports } = domain
  if (domain.dying) return -EINVAL
  for (let port = domain.firstFreePort; port < ports.length; port++) {
    if (ports[port]!.state === 'free') {
      domain.firstFreePort = port
      return port
    }
  }
  const port = ports.length
  if (port >= NR_EVENT_CHANNELS) return -ENOSPC
  for (let i = 0; i < EVTCHNS_PER_BUCKET; i++) ports.push(freePort())
  domain.firstFreePort = port
  return port
}

/** Those of the architecture too: x86 has none of its own. */
export const virqIsGlobal = (virq: number): boolean =>
  virq !== VIRQ_TIMER && virq !== VIRQ_DEBUG && virq !== VIRQ_XENOPROF

/** Set bit `bit` of the bitmap at machine address `at`. True: it was set already. */
function testAndSet(xen: Xen, at: number, bit: number): boolean {
  const byte = at + (bit >> 3)
  const old = xen.mem.read8(byte)
  const mask = 1 << (bit & 7)
  if (old & mask) return true
  xen.mem.write8(byte, old | mask)
  return false
}

function testAndClear(xen: Xen, at: number, bit: number): boolean {
  const byte = at + (bit >> 3)
  const old = xen.mem.read8(byte)
  const mask = 1 << (bit & 7)
  if ((old & mask) === 0) return false
  xen.mem.write8(byte, old & ~mask)
  return true
}

const testBit = (xen: Xen, at: number, bit: number): boolean =>
  (xen.mem.read8(at + (bit >> 3)) & (1 << (bit & 7))) !== 0

const pendingAt = (domain: Domain): number => domain.sharedInfo * PAGE_SIZE + SHARED_INFO_EVTCHN_PENDING
const maskAt = (domain: Domain): number => domain.sharedInfo * PAGE_SIZE + SHARED_INFO_EVTCHN_MASK

export const isPending = (xen: Xen, domain: Domain, port: number): boolean => testBit(xen, pendingAt(domain), port)
export const isMasked = (xen: Xen, domain: Domain, port: number): boolean => testBit(xen, maskAt(domain), port)
/** Whether the selector bit that leads to `port` is set. */
export const isSelected = (xen: Xen, vcpu: Vcpu, port: number): boolean =>
  testBit(xen, vcpu.infoAt + PENDING_SEL, port >> 6)
export const clearPending = (xen: Xen, domain: Domain, port: number): boolean =>
  testAndClear(xen, pendingAt(domain), port)

/** vcpu_mark_events_pending */
function markEventsPending(xen: Xen, vcpu: Vcpu): void {
  const { evtchn_upcall_pending: pending } = vcpu_info.fields
  if (pending.get(xen.mem, vcpu.infoAt) !== 0) return
  pending.set(xen.mem, vcpu.infoAt, 1)
  vcpuKick(xen, vcpu)
}

/** evtchn_set_pending. True: it was pending already. */
export function setPending(xen: Xen, vcpu: Vcpu, port: number): boolean {
  const { domain } = vcpu
  if (testAndSet(xen, pendingAt(domain), port)) return true
  if (!testBit(xen, maskAt(domain), port) && !testAndSet(xen, vcpu.infoAt + PENDING_SEL, port >> 6))
    markEventsPending(xen, vcpu)
  // Somebody may be polling for it, masked or not.
  pollWake(xen, domain)
  return false
}

/** evtchn_unmask */
export function unmask(xen: Xen, domain: Domain, port: number): void {
  const vcpu = domain.vcpus[domain.ports[port]!.notifyVcpu]!
  if (
    testAndClear(xen, maskAt(domain), port) &&
    testBit(xen, pendingAt(domain), port) &&
    !testAndSet(xen, vcpu.infoAt + PENDING_SEL, port >> 6)
  )
    markEventsPending(xen, vcpu)
}

/** The other end's port, or a port that is told by Xen. A domain that has no vCPU yet finds it pending. */
export function notifyPort(xen: Xen, domain: Domain, port: number): boolean {
  const vcpu = domain.vcpus[domain.ports[port]!.notifyVcpu]
  return vcpu ? setPending(xen, vcpu, port) : testAndSet(xen, pendingAt(domain), port)
}

/** evtchn_send */
export function sendPort(xen: Xen, domain: Domain, port: number): number {
  const channel = domain.ports[port]
  switch (channel?.state) {
    case 'interdomain': {
      const remote = xen.domains.get(channel.remoteDom)!
      traceEvent(xen, domain.id, port, remote, channel.remotePort)
      notifyPort(xen, remote, channel.remotePort)
      return 0
    }
    case 'ipi':
      traceEvent(xen, domain.id, port, domain, port)
      notifyPort(xen, domain, port)
      return 0
    case 'unbound':
      // Silently dropped.
      return 0
    default:
      return -EINVAL
  }
}

/** send_guest_vcpu_virq */
export function sendVcpuVirq(xen: Xen, vcpu: Vcpu, virq: number): void {
  const port = vcpu.virqPorts[virq]!
  if (port === 0) return
  traceEvent(xen, DOMID_XEN, virq, vcpu.domain, port)
  setPending(xen, vcpu, port)
}

/** send_guest_global_virq */
export function sendGlobalVirq(xen: Xen, domain: Domain | undefined, virq: number): void {
  const first = domain?.vcpus[0]
  if (!domain || !first) return
  const port = first.virqPorts[virq]!
  if (port === 0) return
  traceEvent(xen, DOMID_XEN, virq, domain, port)
  setPending(xen, domain.vcpus[domain.ports[port]!.notifyVcpu]!, port)
}

/** send_guest_pirq. True: it was pending already. */
export function sendPirq(xen: Xen, domain: Domain, pirq: number): boolean {
  const port = domain.pirqPorts[pirq]!
  traceEvent(xen, DOMID_XEN, pirq, domain, port)
  return setPending(xen, domain.vcpus[domain.ports[port]!.notifyVcpu]!, port)
}
