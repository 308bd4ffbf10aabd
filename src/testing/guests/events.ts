/** Event channels: every operation, and how an event arrives. */
import { EEXIST, EINVAL, ENOENT, EPERM, ESRCH } from '#abi/xen/errno.ts'
import * as e from '#abi/xen/event_channel.ts'
import { PHYSDEVOP_alloc_irq_vector, PHYSDEVOP_apic_write, physdev_apic, physdev_irq } from '#abi/xen/physdev.ts'
import {
  __HYPERVISOR_event_channel_op_compat,
  __HYPERVISOR_physdev_op,
  DOMID_SELF,
  SHARED_INFO_EVTCHN_MASK,
  VIRQ_DEBUG,
  VIRQ_DOM_EXC,
  VIRQ_TIMER,
} from '#abi/xen/xen.ts'
import { start } from './cpus.ts'
import { BLOCK, type Guest, MAIN, MS, PEER, RUN, type TestGuest } from './kit.ts'

const unbound = (g: Guest, remote_dom: number): number => {
  const { result, out } = g.evtchn(e.EVTCHNOP_alloc_unbound, e.evtchn_alloc_unbound, { dom: DOMID_SELF, remote_dom })
  g.is(result, 0, 'alloc_unbound')
  return out.port
}
const status = (g: Guest, port: number) => g.evtchn(e.EVTCHNOP_status, e.evtchn_status, { dom: DOMID_SELF, port }).out
const send = (g: Guest, port: number): number => g.evtchn(e.EVTCHNOP_send, e.evtchn_send, { port }).result
const close = (g: Guest, port: number): number => g.evtchn(e.EVTCHNOP_close, e.evtchn_close, { port }).result

/** Bound to the other domain's first port, once there is one. */
function* bind(g: Guest, remote_dom: number) {
  let local_port = 0
  yield* g.until(() => {
    const { result, out } = g.evtchn(e.EVTCHNOP_bind_interdomain, e.evtchn_bind_interdomain, {
      remote_dom,
      remote_port: 1,
    })
    local_port = out.local_port
    return result === 0
  }, 'bind_interdomain')
  return local_port
}

export const events: Readonly<Record<string, TestGuest>> = {
  'evtchn-loop': {
    shows: 'a domain bound to itself hears what it sends, once, and not what it masks',
    *main(g) {
      const far = unbound(g, DOMID_SELF)
      const { result, out } = g.evtchn(e.EVTCHNOP_bind_interdomain, e.evtchn_bind_interdomain, {
        remote_dom: DOMID_SELF,
        remote_port: far,
      })
      g.is(result, 0, 'bind_interdomain')
      const near = out.local_port
      g.ok(g.take(near), 'a bound port begins pending')
      g.is(status(g, near).status, e.EVTCHNSTAT_interdomain, 'status')
      g.is(send(g, near), 0, 'send')
      yield RUN
      yield RUN
      g.ok(g.events.includes(far), 'the event has not arrived')
      const word = g.shared + SHARED_INFO_EVTCHN_MASK
      g.mem.write64(word, g.mem.read64(word) | (1n << BigInt(far)))
      const before = g.events.length
      g.is(send(g, near), 0, 'send')
      yield RUN
      g.is(g.events.length, before, 'events while masked')
      g.is(g.evtchn(e.EVTCHNOP_unmask, e.evtchn_unmask, { port: far }).result, 0, 'unmask')
      yield RUN
      yield RUN
      g.is(g.events.length, before + 1, 'events after unmask')
      g.is(close(g, near), 0, 'close')
      g.is(status(g, far).status, e.EVTCHNSTAT_unbound, 'status of the other end')
    },
  },
  'evtchn-peer': {
    shows: 'events between two domains arrive, and a port that is closed waits for its domain again',
    *main(g) {
      const port = unbound(g, PEER)
      yield* g.until(() => g.take(port), 'the event of the peer')
      g.is(status(g, port).status, e.EVTCHNSTAT_interdomain, 'status')
      g.is(status(g, port).u & 0xffff, PEER, 'the other end')
      g.is(send(g, port), 0, 'send')
      yield* g.until(() => status(g, port).status === e.EVTCHNSTAT_unbound, 'the peer closes')
      g.is(send(g, port), 0, 'send to nobody')
    },
    *peer(g) {
      const port = yield* bind(g, MAIN)
      g.ok(g.take(port), 'a bound port begins pending')
      g.is(send(g, port), 0, 'send')
      yield* g.until(() => g.take(port), 'the answer')
      g.is(close(g, port), 0, 'close')
    },
  },
  'evtchn-foreign': {
    shows: 'nobody binds to a port that is meant for another, nor names another domain',
    *main(g) {
      unbound(g, 7)
      yield* g.sleep(2 * MS)
    },
    *peer(g) {
      const bound = (remote_dom: number, remote_port: number): number =>
        g.evtchn(e.EVTCHNOP_bind_interdomain, e.evtchn_bind_interdomain, { remote_dom, remote_port }).result
      yield* g.sleep(MS / 2)
      g.is(bound(MAIN, 1), -EINVAL, 'another domain’s port')
      g.is(bound(MAIN, 4000), -EINVAL, 'a port that is none')
      g.is(bound(9, 1), -ESRCH, 'no domain')
      const named = { dom: MAIN, remote_dom: PEER }
      g.is(
        g.evtchn(e.EVTCHNOP_alloc_unbound, e.evtchn_alloc_unbound, named).result,
        -EPERM,
        'alloc_unbound for another',
      )
      g.is(g.evtchn(e.EVTCHNOP_status, e.evtchn_status, { dom: MAIN, port: 1 }).result, -EPERM, 'status of another')
      g.is(g.evtchn(e.EVTCHNOP_reset, e.evtchn_reset, { dom: MAIN }).result, -EPERM, 'reset of another')
    },
  },
  'evtchn-virq': {
    shows: 'virtual interrupts are bound once each, global ones by vCPU 0 alone',
    *main(g) {
      const virq = (which: number, vcpu = 0) =>
        g.evtchn(e.EVTCHNOP_bind_virq, e.evtchn_bind_virq, { virq: which, vcpu })
      const { result, out } = virq(VIRQ_DEBUG)
      g.is(result, 0, 'bind_virq')
      g.is(status(g, out.port).status, e.EVTCHNSTAT_virq, 'status')
      g.is(status(g, out.port).u, VIRQ_DEBUG, 'which')
      g.is(virq(VIRQ_DEBUG).result, -EEXIST, 'twice')
      g.is(virq(24).result, -EINVAL, 'no such VIRQ')
      g.is(virq(VIRQ_DOM_EXC, 1).result, -EINVAL, 'a global one of vCPU 1')
      g.is(virq(VIRQ_TIMER, 1).result, -ENOENT, 'a vCPU that is none')
      g.is(
        g.evtchn(e.EVTCHNOP_bind_vcpu, e.evtchn_bind_vcpu, { port: out.port, vcpu: 0 }).result,
        -EINVAL,
        'bind_vcpu of it',
      )
      g.is(close(g, out.port), 0, 'close')
      g.is(virq(VIRQ_DEBUG).result, 0, 'bind_virq again')
      yield RUN
    },
  },
  'evtchn-pirq': {
    shows: 'a domain without leave binds no interrupt of the host',
    *main(g) {
      const bound = (pirq: number): number => g.evtchn(e.EVTCHNOP_bind_pirq, e.evtchn_bind_pirq, { pirq }).result
      g.is(bound(4), -EPERM, 'bind_pirq')
      g.is(bound(256), -EINVAL, 'bind_pirq of none')
      yield RUN
    },
  },
  'evtchn-pirq-dom0': {
    shows: 'dom0 binds an interrupt of the host once',
    dom0: true,
    *main(g) {
      const { vector } = g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector, physdev_irq, { irq: 9 }).out
      // Pin 9 of the IO-APIC: level, and no more than that.
      const pin = { apic_physbase: 0xfec00000n, reg: 0x10 + 2 * 9, value: vector | 0x8000 }
      g.is(g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_write, physdev_apic, pin).result, 0, 'apic_write')
      const { result, out } = g.evtchn(e.EVTCHNOP_bind_pirq, e.evtchn_bind_pirq, { pirq: 9 })
      g.is(result, 0, 'bind_pirq')
      g.is(g.evtchn(e.EVTCHNOP_bind_pirq, e.evtchn_bind_pirq, { pirq: 9 }).result, -EEXIST, 'twice')
      g.is(status(g, out.port).status, e.EVTCHNSTAT_pirq, 'status')
      g.is(close(g, out.port), 0, 'close')
      yield RUN
    },
  },
  'evtchn-close': {
    shows: 'what is not open cannot be closed, sent to or asked for; reset closes all',
    *main(g) {
      g.is(close(g, 0), -EINVAL, 'close of port 0')
      g.is(close(g, 100), -EINVAL, 'close of a free port')
      g.is(close(g, 4096), -EINVAL, 'close of none')
      g.is(send(g, 100), -EINVAL, 'send to a free port')
      g.is(g.evtchn(e.EVTCHNOP_unmask, e.evtchn_unmask, { port: 5000 }).result, -EINVAL, 'unmask of none')
      const ports = [unbound(g, 0), unbound(g, 0)]
      g.is(g.evtchn(e.EVTCHNOP_bind_vcpu, e.evtchn_bind_vcpu, { port: ports[0]!, vcpu: 0 }).result, 0, 'bind_vcpu')
      g.is(g.evtchn(e.EVTCHNOP_bind_vcpu, e.evtchn_bind_vcpu, { port: ports[0]!, vcpu: 9 }).result, -ENOENT, 'no vCPU')
      g.is(g.evtchn(e.EVTCHNOP_reset, e.evtchn_reset, { dom: DOMID_SELF }).result, 0, 'reset')
      for (const port of ports) g.is(status(g, port).status, e.EVTCHNSTAT_closed, 'status')
      g.is(unbound(g, 0), ports[0], 'the lowest free port')
      yield RUN
    },
  },
  'evtchn-compat': {
    shows: 'the older hypercall does the same',
    *main(g) {
      g.mem.fill(g.at, 64, 0)
      g.mem.write32(g.at, e.EVTCHNOP_alloc_unbound)
      g.put(e.evtchn_alloc_unbound, { dom: DOMID_SELF, remote_dom: 0 }, g.at + e.EVTCHN_OP_U)
      g.is(g.call(__HYPERVISOR_event_channel_op_compat, g.at), 0, 'alloc_unbound')
      g.is(e.evtchn_alloc_unbound.fields.port.get(g.mem, g.at + e.EVTCHN_OP_U), 1, 'port')
      yield RUN
    },
  },
  'evtchn-ipi': {
    shows: 'two vCPUs call each other by IPI, and each is told on its own',
    vcpus: 2,
    *main(g) {
      const { result, out } = g.evtchn(e.EVTCHNOP_bind_ipi, e.evtchn_bind_ipi, { vcpu: 0 })
      g.is(result, 0, 'bind_ipi')
      g.is(g.evtchn(e.EVTCHNOP_bind_ipi, e.evtchn_bind_ipi, { vcpu: 3 }).result, -ENOENT, 'bind_ipi of no vCPU')
      const port = g.evtchn(e.EVTCHNOP_bind_ipi, e.evtchn_bind_ipi, { vcpu: 1 }).out.port
      g.is(status(g, port).vcpu, 1, 'who is told')
      g.common.mine = out.port
      g.shared
      start(g, 1)
      yield* g.until(() => g.common.up === 1, 'vCPU 1 runs')
      g.is(send(g, port), 0, 'send')
      yield* g.until(() => g.common.heard === port, 'vCPU 1 hears it')
      yield* g.until(() => g.events.includes(out.port), 'the answer')
    },
    *second(g) {
      g.shared
      g.common.up = 1
      while (g.events.length === 0) yield BLOCK
      g.common.heard = g.events[0]!
      // The first vCPU's scratch page is its own.
      const at = g.page(4)
      g.put(e.evtchn_send, { port: g.common.mine! }, at)
      g.call(32, e.EVTCHNOP_send, at)
    },
  },
}
