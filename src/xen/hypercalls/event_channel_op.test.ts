import { describe, expect, test } from 'vitest'
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_ipi,
  EVTCHNOP_bind_vcpu,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  EVTCHNOP_reset,
  EVTCHNOP_send,
  EVTCHNOP_status,
  EVTCHNOP_unmask,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_bind_vcpu,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_reset,
  evtchn_send,
  evtchn_status,
  evtchn_unmask,
} from '#abi/xen/event_channel.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_update_va_mapping,
  DOMID_SELF,
  SHARED_INFO_EVTCHN_MASK,
  SHARED_INFO_EVTCHN_PENDING,
  start_info,
  VIRQ_CONSOLE,
  VIRQ_DEBUG,
  VIRQ_TIMER,
} from '#abi/xen/xen.ts'
import { addDomain, ask, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import { BLOCK, pte, RUN, type ScriptGuest } from '#testing/xen-script.ts'

const mapShared = (g: ScriptGuest): void => {
  const { mem, startInfo } = g.vcpu
  const shared = start_info.fields.shared_info.get(mem, startInfo) / PAGE_SIZE
  expect(g.call(__HYPERVISOR_update_va_mapping, g.beyond, pte(shared), 0)).toBe(0)
  g.shared = g.beyond
}

describe('ports', () => {
  test('are handed out lowest first; closed ones again', () => {
    const ports = ask(function* (g) {
      const bind = (virq: number): number => g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq, vcpu: 0 })[1].port
      const first = [bind(VIRQ_TIMER), bind(VIRQ_DEBUG), bind(VIRQ_CONSOLE)]
      g.evtchn(EVTCHNOP_close, evtchn_close, { port: 2 })
      const again = bind(VIRQ_DEBUG)
      yield RUN
      return [...first, again]
    })
    expect(ports).toEqual([1, 2, 3, 2])
  })

  test('run out', () => {
    const [count, last] = ask(function* (g) {
      let taken = 0
      let result = 0
      while (result === 0) {
        result = g.evtchn(EVTCHNOP_bind_ipi, evtchn_bind_ipi, { vcpu: 0 })[0]
        if (result === 0) taken++
      }
      yield RUN
      return [taken, result] as const
    })
    expect(count).toBe(4095)
    expect(last).toBe(-28)
  })

  test('refusals', () => {
    const results = ask(function* (g) {
      const virq = (value: number, vcpu: number): number =>
        g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: value, vcpu })[0]
      const port = (command: number, value: number): number => g.evtchn(command, evtchn_close, { port: value })[0]
      const to = (port_: number, vcpu: number): number =>
        g.evtchn(EVTCHNOP_bind_vcpu, evtchn_bind_vcpu, { port: port_, vcpu })[0]
      yield RUN
      return {
        outOfRange: virq(24, 0),
        huge: virq(0xffffffff, 0),
        globalElsewhere: virq(VIRQ_CONSOLE, 1),
        noSuchVcpu: virq(VIRQ_TIMER, 31),
        hugeVcpu: virq(VIRQ_TIMER, 0xffffffff),
        bound: virq(VIRQ_TIMER, 0),
        twice: virq(VIRQ_TIMER, 0),
        elsewhere: virq(VIRQ_TIMER, 1),
        ipiNoVcpu: g.evtchn(EVTCHNOP_bind_ipi, evtchn_bind_ipi, { vcpu: 5 })[0],
        closeZero: port(EVTCHNOP_close, 0),
        closeFree: port(EVTCHNOP_close, 99),
        closeBeyond: port(EVTCHNOP_close, 4096),
        closeHuge: port(EVTCHNOP_close, 0xffffffff),
        sendVirq: port(EVTCHNOP_send, 1),
        sendFree: port(EVTCHNOP_send, 60),
        sendBeyond: port(EVTCHNOP_send, 5000),
        unmaskBeyond: port(EVTCHNOP_unmask, 5000),
        vcpuOfVirq: to(1, 1),
        vcpuBeyond: to(1, 9),
        portBeyond: to(70000, 0),
        statusBeyond: g.evtchn(EVTCHNOP_status, evtchn_status, { dom: DOMID_SELF, port: 9999 })[0],
        statusOfNobody: g.evtchn(EVTCHNOP_status, evtchn_status, { dom: 77, port: 1 })[0],
        resetNobody: g.evtchn(EVTCHNOP_reset, evtchn_reset, { dom: 12 })[0],
        allocNobody: g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: 5, remote_dom: 0 })[0],
        peerNobody: g.evtchn(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, { remote_dom: 5 })[0],
        peerNotUnbound: g.evtchn(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, {
          remote_dom: DOMID_SELF,
          remote_port: 1,
        })[0],
        noSuchOp: g.call(__HYPERVISOR_event_channel_op, 11, g.scratch),
        nowhere: g.call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, 0x1000),
        nowhereOut: g.call(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, g.beyond),
        notANumber: g.call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, Number.NaN),
      }
    })
    expect(results).toEqual({
      outOfRange: -EINVAL,
      huge: -EINVAL,
      globalElsewhere: -EINVAL,
      noSuchVcpu: -ENOENT,
      hugeVcpu: -ENOENT,
      bound: 0,
      twice: -EEXIST,
      elsewhere: 0,
      ipiNoVcpu: -ENOENT,
      closeZero: -EINVAL,
      closeFree: -EINVAL,
      closeBeyond: -EINVAL,
      closeHuge: -EINVAL,
      sendVirq: -EINVAL,
      sendFree: -EINVAL,
      sendBeyond: -EINVAL,
      unmaskBeyond: -EINVAL,
      vcpuOfVirq: -EINVAL,
      vcpuBeyond: -ENOENT,
      portBeyond: -EINVAL,
      statusBeyond: -EINVAL,
      statusOfNobody: -ESRCH,
      resetNobody: -ESRCH,
      allocNobody: -ESRCH,
      peerNobody: -ESRCH,
      peerNotUnbound: -EINVAL,
      noSuchOp: -ENOSYS,
      nowhere: -EFAULT,
      nowhereOut: -EFAULT,
      notANumber: -EINVAL,
    })
  })
})

describe('events', () => {
  test('a port to oneself: bound, sent, delivered once, closed', () => {
    const seen = ask(function* (g) {
      mapShared(g)
      const [, { port }] = g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, {
        dom: DOMID_SELF,
        remote_dom: DOMID_SELF,
      })
      const [bound, { local_port }] = g.evtchn(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, {
        remote_dom: DOMID_SELF,
        remote_port: port,
      })
      yield BLOCK
      const afterBinding = [...g.events]
      g.evtchn(EVTCHNOP_send, evtchn_send, { port: local_port })
      g.evtchn(EVTCHNOP_send, evtchn_send, { port: local_port })
      yield BLOCK
      const closed = g.evtchn(EVTCHNOP_close, evtchn_close, { port: local_port })[0]
      const left = g.evtchn(EVTCHNOP_status, evtchn_status, { dom: DOMID_SELF, port })[1].status
      const dropped = g.evtchn(EVTCHNOP_send, evtchn_send, { port })[0]
      return { port, local_port, bound, afterBinding, events: [...g.events], closed, left, dropped }
    })
    expect(seen).toEqual({
      port: 1,
      local_port: 2,
      bound: 0,
      afterBinding: [2],
      events: [2, 1],
      closed: 0,
      left: 1,
      dropped: 0,
    })
  })

  test('a masked port stays pending without an upcall, and comes when it is unmasked', () => {
    const seen = ask(function* (g) {
      mapShared(g)
      const { mem } = g.vcpu
      const [, { port }] = g.evtchn(EVTCHNOP_bind_ipi, evtchn_bind_ipi, { vcpu: 0 })
      mem.write8(g.shared + SHARED_INFO_EVTCHN_MASK, 1 << port)
      g.evtchn(EVTCHNOP_send, evtchn_send, { port })
      yield { kind: 'run' }
      const masked = [g.upcalls, mem.read8(g.shared + SHARED_INFO_EVTCHN_PENDING)]
      g.evtchn(EVTCHNOP_unmask, evtchn_unmask, { port })
      yield BLOCK
      return { masked, upcalls: g.upcalls, events: g.events }
    })
    expect(seen).toEqual({ masked: [0, 2], upcalls: 1, events: [1] })
  })

  test('garbage in the shared page hurts nobody', () => {
    const host = scriptHost(function* (g) {
      mapShared(g)
      g.vcpu.mem.fill(g.shared, PAGE_SIZE, 0xff)
      g.evtchn(EVTCHNOP_bind_ipi, evtchn_bind_ipi, { vcpu: 0 })
      g.evtchn(EVTCHNOP_send, evtchn_send, { port: 1 })
      yield RUN
    })
    host.runFor(1e9)
    expect(host.serial).not.toContain('crashed')
    expect(host.resets).toBe(0)
  })
})

describe('between two domains', () => {
  test('only who is named may bind, only the privileged may name others; a notice wakes the other side', () => {
    const log: unknown[] = []
    let upcalls = 0
    const host = scriptHost(function* (g) {
      mapShared(g)
      // For domain 1, and for domain 2.
      const open = (remote_dom: number): number =>
        g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: DOMID_SELF, remote_dom })[1].port
      log.push(open(1), open(2))
      for (;;) {
        yield BLOCK
        log.push(['dom0 woke', ...g.events.splice(0)])
      }
    })
    const op = (
      vcpu: Parameters<Parameters<typeof addDomain>[2]>[0],
      command: number,
      words: readonly number[],
    ): number => {
      for (const [i, word] of words.entries()) vcpu.mem.write32(TEST_BASE + 4 * i, word)
      return vcpu.hypercall(__HYPERVISOR_event_channel_op, command, TEST_BASE)
    }
    addDomain(host, 1, (vcpu) => {
      let turn = 0
      return {
        run() {
          if (turn++ === 0) {
            log.push(['bind theirs', op(vcpu, EVTCHNOP_bind_interdomain, [0, 2, 0])])
            log.push(['bind ours', op(vcpu, EVTCHNOP_bind_interdomain, [0, 1, 0]), vcpu.mem.read32(TEST_BASE + 8)])
            log.push(['again', op(vcpu, EVTCHNOP_bind_interdomain, [0, 1, 0])])
            log.push(['alloc in dom0', op(vcpu, EVTCHNOP_alloc_unbound, [1 << 16, 0])])
            log.push(['status of dom0', op(vcpu, EVTCHNOP_status, [0, 1, 0, 0, 0, 0])])
            log.push(['reset dom0', op(vcpu, EVTCHNOP_reset, [0])])
            log.push(['send', op(vcpu, EVTCHNOP_send, [1])])
          }
          return BLOCK
        },
        // It never clears what is pending, and so is called again and again: dom0 gets its turn all the same.
        upcall() {
          if (upcalls++ === 0) log.push('dom1 upcall')
        },
      }
    })
    host.runFor(1e7)
    expect(log).toEqual([
      1,
      2,
      ['bind theirs', -EINVAL],
      ['bind ours', 0, 1],
      ['again', -EINVAL],
      ['alloc in dom0', -EPERM],
      ['status of dom0', -EPERM],
      ['reset dom0', -EPERM],
      ['send', 0],
      ['dom0 woke', 1],
      'dom1 upcall',
    ])
    expect(upcalls).toBeGreaterThan(100)
  })
})
