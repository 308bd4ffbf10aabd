import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Struct, Values } from '#abi/struct.ts'
import { EEXIST, EFAULT, EINVAL, ENOSPC, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import * as e from '#abi/xen/event_channel.ts'
import { PHYSDEVOP_set_iopl } from '#abi/xen/physdev.ts'
import { SCHEDOP_block, SCHEDOP_shutdown, SCHEDOP_yield } from '#abi/xen/sched.ts'
import * as x from '#abi/xen/xen.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK } from '#testing/xen-script.ts'
import { type Domain, VPF_blocked } from '../common/domain.ts'
import { domainKill } from '../common/domain-destroy.ts'
import { isPending } from '../common/event-channel.ts'
import { hypercall } from './index.ts'

const NOWHERE = 0x1000

let host: TestHost
let next = 1
let a: Domain
let b: Domain
const one = (): Domain => addDomain(host, next++, () => ({ run: () => BLOCK, upcall() {} }))
beforeAll(() => {
  host = scriptHost(function* () {
    yield BLOCK
  })
})
beforeEach(() => {
  a = one()
  b = one()
})

function call(domain: Domain, nr: number, ...args: number[]): number {
  let result = 0
  host.inXen((xen) => {
    result = hypercall(xen, domain.vcpus[0]!, nr, args)
  })
  return result
}

// biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
function op<S extends Struct<any>>(
  domain: Domain,
  command: number,
  layout: S,
  values: Partial<Values<S>>,
): readonly [number, Values<S>] {
  domain.mem.fill(TEST_BASE, layout.size, 0)
  layout.write(domain.mem, TEST_BASE, values as Parameters<S['write']>[2])
  const result = call(domain, x.__HYPERVISOR_event_channel_op, command, TEST_BASE)
  return [result, layout.read(domain.mem, TEST_BASE) as Values<S>]
}
const unbound = (domain: Domain, remote_dom: number): number => {
  const [result, { port }] = op(domain, e.EVTCHNOP_alloc_unbound, e.evtchn_alloc_unbound, {
    dom: x.DOMID_SELF,
    remote_dom,
  })
  return result < 0 ? result : port
}
const bind = (domain: Domain, remote_dom: number, remote_port: number): number => {
  const [result, out] = op(domain, e.EVTCHNOP_bind_interdomain, e.evtchn_bind_interdomain, { remote_dom, remote_port })
  return result < 0 ? result : out.local_port
}
const close = (domain: Domain, port: number): number => op(domain, e.EVTCHNOP_close, e.evtchn_close, { port })[0]
const send = (domain: Domain, port: number): number => op(domain, e.EVTCHNOP_send, e.evtchn_send, { port })[0]
const status = (domain: Domain, port: number, dom: number = x.DOMID_SELF) => {
  const [result, { status, vcpu, u, u_port }] = op(domain, e.EVTCHNOP_status, e.evtchn_status, { dom, port })
  return result < 0 ? result : [status, vcpu, u, u_port]
}
const virq = (domain: Domain, number: number, vcpu = 0): number => {
  const [result, { port }] = op(domain, e.EVTCHNOP_bind_virq, e.evtchn_bind_virq, { virq: number, vcpu })
  return result < 0 ? result : port
}

describe('a channel between two domains', () => {
  test('from its offer to its end, as either side is told', () => {
    const offer = unbound(a, b.id)
    expect(status(a, offer)).toEqual([e.EVTCHNSTAT_unbound, 0, b.id, 0])
    expect(send(a, offer)).toBe(0)
    const port = bind(b, a.id, offer)
    expect(status(a, offer)).toEqual([e.EVTCHNSTAT_interdomain, 0, b.id, port])
    expect(status(b, port)).toEqual([e.EVTCHNSTAT_interdomain, 0, a.id, offer])
    // What was sent before there was anybody is made up for.
    expect(isPending(host.xen, b, port)).toBe(true)
    expect(close(b, port)).toBe(0)
    expect([isPending(host.xen, b, port), status(b, port)]).toEqual([false, [e.EVTCHNSTAT_closed, 0, 0, 0]])
    // The other end waits for the same domain again.
    expect(status(a, offer)).toEqual([e.EVTCHNSTAT_unbound, 0, b.id, 0])
    expect(bind(b, a.id, offer)).toBe(port)
    expect(close(a, offer)).toBe(0)
    expect(status(b, port)).toEqual([e.EVTCHNSTAT_unbound, 0, a.id, 0])
    expect(send(b, port)).toBe(0)
  })

  test('both ends in one domain', () => {
    const offer = unbound(a, x.DOMID_SELF)
    const port = bind(a, x.DOMID_SELF, offer)
    expect([status(a, offer), status(a, port)]).toEqual([
      [e.EVTCHNSTAT_interdomain, 0, a.id, port],
      [e.EVTCHNSTAT_interdomain, 0, a.id, offer],
    ])
    expect(send(a, port)).toBe(0)
    expect(isPending(host.xen, a, offer)).toBe(true)
    expect(close(a, offer)).toBe(0)
    expect(status(a, port)).toEqual([e.EVTCHNSTAT_unbound, 0, a.id, 0])
  })

  test('when one of them dies, the other has an end that waits, and nobody to send to', () => {
    const offer = unbound(a, b.id)
    const port = bind(b, a.id, offer)
    host.inXen((xen) => domainKill(xen, xen.domains.get(0)!, a))
    expect(status(b, port)).toEqual([e.EVTCHNSTAT_unbound, 0, a.id, 0])
    expect(send(b, port)).toBe(0)
    expect(bind(b, a.id, offer)).toBe(-ESRCH)
    expect(close(b, port)).toBe(0)
  })

  test.each<[string, () => number, number]>([
    ['an offer to somebody else', () => bind(b, a.id, unbound(a, 0)), -EINVAL],
    ['an offer that is taken', () => bind(b, a.id, taken()), -EINVAL],
    ['a port that is none', () => bind(b, a.id, 5000), -EINVAL],
    ['port 0', () => bind(b, a.id, 0), -EINVAL],
    ['nobody', () => bind(b, 99, 1), -ESRCH],
    ['in another’s name', () => op(a, e.EVTCHNOP_alloc_unbound, e.evtchn_alloc_unbound, { dom: b.id })[0], -EPERM],
    ['another’s status', () => status(a, 1, b.id) as number, -EPERM],
    ['its own, by number', () => status(a, 1, a.id) as number, -EPERM],
    ['resetting another', () => op(a, e.EVTCHNOP_reset, e.evtchn_reset, { dom: b.id })[0], -EPERM],
  ])('refused: %s', (_name, run, result) => {
    expect(run()).toBe(result)
  })
})

/** A port of a's that b has bound already. */
function taken(): number {
  const port = unbound(a, b.id)
  bind(b, a.id, port)
  return port
}

describe('ports', () => {
  test('exist by the bucket', () => {
    expect(status(a, 127)).toEqual([e.EVTCHNSTAT_closed, 0, 0, 0])
    expect(status(a, 128)).toBe(-EINVAL)
    for (let i = 1; i <= 127; i++) expect(unbound(a, 0)).toBe(i)
    expect(status(a, 128)).toBe(-EINVAL)
    expect(unbound(a, 0)).toBe(128)
    expect(status(a, 255)).toEqual([e.EVTCHNSTAT_closed, 0, 0, 0])
    expect(status(a, 0)).toEqual([e.EVTCHNSTAT_closed, 0, 0, 0])
  })

  test('when there are none left, a closed one is the next; nothing but that fails', () => {
    for (let i = 1; i < e.NR_EVENT_CHANNELS; i++) expect(unbound(a, b.id)).toBe(i)
    expect([unbound(a, b.id), virq(a, x.VIRQ_TIMER), bind(a, x.DOMID_SELF, 1)]).toEqual([-ENOSPC, -ENOSPC, -ENOSPC])
    expect(close(a, 4000)).toBe(0)
    expect(close(a, 30)).toBe(0)
    expect([virq(a, x.VIRQ_TIMER), unbound(a, b.id), unbound(a, b.id)]).toEqual([30, 4000, -ENOSPC])
    expect(op(a, e.EVTCHNOP_reset, e.evtchn_reset, { dom: x.DOMID_SELF })[0]).toBe(0)
    expect([unbound(a, b.id), virq(a, x.VIRQ_TIMER)]).toEqual([1, 2])
  })

  test('a reset ends every kind, and leaves peers with waiting ends', () => {
    const port = bind(b, a.id, unbound(a, b.id))
    const timer = virq(a, x.VIRQ_TIMER)
    const [, { port: ipi }] = op(a, e.EVTCHNOP_bind_ipi, e.evtchn_bind_ipi, { vcpu: 0 })
    expect([status(a, timer), status(a, ipi)]).toEqual([
      [e.EVTCHNSTAT_virq, 0, x.VIRQ_TIMER, 0],
      [e.EVTCHNSTAT_ipi, 0, 0, 0],
    ])
    expect(op(a, e.EVTCHNOP_reset, e.evtchn_reset, { dom: x.DOMID_SELF })[0]).toBe(0)
    for (const each of [1, timer, ipi]) expect(status(a, each)).toEqual([e.EVTCHNSTAT_closed, 0, 0, 0])
    expect(a.vcpus[0]!.virqPorts.every((each) => each === 0)).toBe(true)
    expect(status(b, port)).toEqual([e.EVTCHNSTAT_unbound, 0, a.id, 0])
  })
})

describe('virtual interrupts', () => {
  test.each(Array.from({ length: x.NR_VIRQS }, (_, i) => i))('%i: of a vCPU, or of the domain’s first', (number) => {
    const global = number !== x.VIRQ_TIMER && number !== x.VIRQ_DEBUG && number !== x.VIRQ_XENOPROF
    // There is no second vCPU: only who may ask for one is told so.
    expect(virq(a, number, 1)).toBe(global ? -EINVAL : -2)
    const port = virq(a, number)
    expect(port).toBe(1)
    expect(virq(a, number)).toBe(-EEXIST)
    const [moved] = op(a, e.EVTCHNOP_bind_vcpu, e.evtchn_bind_vcpu, { port, vcpu: 0 })
    expect(moved).toBe(global ? 0 : -EINVAL)
  })
})

test('what fails is said', () => {
  const before = host.serial.length
  virq(a, x.VIRQ_TIMER)
  virq(a, x.VIRQ_TIMER)
  bind(a, b.id, 5000)
  host.runFor(1e9)
  expect(host.serial.slice(before)).toContain('EVTCHNOP failure: error -17')
  expect(host.serial.slice(before)).toContain(`EVTCHNOP failure: domain ${b.id}, error -22`)
})

describe('as older guests call', () => {
  const compat = (nr: number, union: number, command: number, word: number): number => {
    a.mem.fill(TEST_BASE, 64, 0)
    a.mem.write32(TEST_BASE, command)
    a.mem.write32(TEST_BASE + union, word)
    return call(a, nr, TEST_BASE)
  }

  test('event_channel_op: the command in front of its struct, which is written back', () => {
    const at = TEST_BASE + e.EVTCHN_OP_U
    a.mem.fill(TEST_BASE, 64, 0)
    a.mem.write32(TEST_BASE, e.EVTCHNOP_alloc_unbound)
    e.evtchn_alloc_unbound.write(a.mem, at, { dom: x.DOMID_SELF, remote_dom: b.id })
    expect(call(a, x.__HYPERVISOR_event_channel_op_compat, TEST_BASE)).toBe(0)
    expect(e.evtchn_alloc_unbound.read(a.mem, at).port).toBe(1)
    expect(compat(x.__HYPERVISOR_event_channel_op_compat, e.EVTCHN_OP_U, e.EVTCHNOP_close, 1)).toBe(0)
    expect(compat(x.__HYPERVISOR_event_channel_op_compat, e.EVTCHN_OP_U, e.EVTCHNOP_close, 1)).toBe(-EINVAL)
    expect(compat(x.__HYPERVISOR_event_channel_op_compat, e.EVTCHN_OP_U, 99, 1)).toBe(-ENOSYS)
    expect(call(a, x.__HYPERVISOR_event_channel_op_compat, NOWHERE)).toBe(-EFAULT)
  })

  test('physdev_op', () => {
    expect(compat(x.__HYPERVISOR_physdev_op_compat, 8, PHYSDEVOP_set_iopl, 1)).toBe(0)
    expect(a.vcpus[0]!.iopl).toBe(1)
    expect(compat(x.__HYPERVISOR_physdev_op_compat, 8, PHYSDEVOP_set_iopl, 4)).toBe(-EINVAL)
    expect(compat(x.__HYPERVISOR_physdev_op_compat, 8, 99, 0)).toBe(-ENOSYS)
    expect(call(a, x.__HYPERVISOR_physdev_op_compat, NOWHERE)).toBe(-EFAULT)
  })

  test('sched_op: the reason of a shutdown is the argument', () => {
    const sched = (command: number, argument = 0): number => call(a, x.__HYPERVISOR_sched_op_compat, command, argument)
    expect([sched(SCHEDOP_yield), sched(3), sched(-1)]).toEqual([0, -ENOSYS, -ENOSYS])
    host.xen.mem.write8(a.vcpus[0]!.infoAt, 0)
    expect(sched(SCHEDOP_block)).toBe(0)
    expect(a.vcpus[0]!.pauseFlags & VPF_blocked).toBe(VPF_blocked)
    expect(sched(SCHEDOP_shutdown, 0x102)).toBe(0)
    expect([a.shuttingDown, a.shutdownCode]).toEqual([true, 2])
  })
})
