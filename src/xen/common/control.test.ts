/** What the control domain does to domains that run: processors, weights, pauses, shutdowns, and events across the border. */
import { describe, expect, test } from 'vitest'
import {
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_getvcpuaffinity,
  XEN_DOMCTL_getvcpuinfo,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_scheduler_op,
  XEN_DOMCTL_setvcpuaffinity,
  XEN_DOMCTL_unpausedomain,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
  xen_domctl_getvcpuinfo,
  xen_domctl_max_mem,
  xen_domctl_scheduler_op,
  xen_domctl_vcpuaffinity,
} from '#abi/xen/domctl.ts'
import { EINVAL, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  EVTCHNOP_reset,
  EVTCHNOP_send,
  EVTCHNOP_status,
  EVTCHNSTAT_closed,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_unbound,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_reset,
  evtchn_send,
  evtchn_status,
} from '#abi/xen/event_channel.ts'
import {
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_increase_reservation,
  XENMEM_maximum_reservation,
  xen_memory_reservation,
} from '#abi/xen/memory.ts'
import { SCHEDOP_remote_shutdown, SHUTDOWN_reboot, sched_remote_shutdown } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmu_update,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_update_va_mapping,
  DOMID_SELF,
  MMU_MACHPHYS_UPDATE,
  mmu_update,
  start_info,
  VIRQ_DOM_EXC,
} from '#abi/xen/xen.ts'
import {
  buildDomain,
  createDomain,
  domainInfo,
  domctl,
  nothing,
  play,
  populate,
  room,
  turns,
} from '#testing/xen-builder.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import { BLOCK, pte, RUN, type ScriptGuest, YIELD } from '#testing/xen-script.ts'
import { now } from '../xen.ts'

const MS = 1e6
const simple = (g: ScriptGuest, cmd: number, domid: number): number => domctl(g, cmd, domid, nothing, {}).result
const busy = loaded(kernel(() => RUN))

const setAffinity = (g: ScriptGuest, domid: number, bits: number, nr_cpus = 32): number => {
  g.vcpu.mem.write32(room(g, 1), bits)
  const values = { cpumap_bitmap: room(g, 1), cpumap_nr_cpus: nr_cpus }
  return domctl(g, XEN_DOMCTL_setvcpuaffinity, domid, xen_domctl_vcpuaffinity, values).result
}
const vcpuInfo = (g: ScriptGuest, domid: number): ReturnType<typeof xen_domctl_getvcpuinfo.read> =>
  domctl(g, XEN_DOMCTL_getvcpuinfo, domid, xen_domctl_getvcpuinfo, {}).out

const mapShared = (g: ScriptGuest): void => {
  const { mem, startInfo } = g.vcpu
  const mfn = start_info.fields.shared_info.get(mem, startInfo) / PAGE_SIZE
  g.call(__HYPERVISOR_update_va_mapping, g.beyond + PAGE_SIZE, pte(mfn), 0)
  g.shared = g.beyond + PAGE_SIZE
  mem.write8(g.shared + 1, 0)
}

describe('processors', () => {
  test('a vCPU runs where it may, moves when it may no longer, and never to nowhere', () => {
    play(function* (g, { xen }) {
      const { domid } = buildDomain(g)
      simple(g, XEN_DOMCTL_unpausedomain, domid)
      const seen: number[] = []
      for (const bits of [1, 2, 3, 2, 1]) {
        expect(setAffinity(g, domid, bits)).toBe(0)
        const values = { cpumap_bitmap: room(g, 2), cpumap_nr_cpus: 64 }
        g.vcpu.mem.fill(room(g, 2), 16, 0xee)
        domctl(g, XEN_DOMCTL_getvcpuaffinity, domid, xen_domctl_vcpuaffinity, values)
        expect([g.vcpu.mem.read32(room(g, 2)), g.vcpu.mem.read32(room(g, 2) + 4)]).toEqual([bits, 0])
        expect(g.vcpu.mem.read8(room(g, 2) + 8)).toBe(0xee)
        const before = vcpuInfo(g, domid).cpu_time
        // dom0 sleeps: there is room on both.
        for (let i = 0; i < 40; i++) {
          yield* turns(5)
          yield YIELD
          const { curr } = xen.pcpus[bits & 1]!
          if (bits !== 3 && curr?.domain.id === domid) expect.fail(`it runs where it may not (${bits})`)
        }
        const { cpu, cpu_time } = vcpuInfo(g, domid)
        expect(cpu_time).toBeGreaterThan(before)
        seen.push(cpu)
      }
      expect([seen[0], seen[1], seen[3], seen[4]]).toEqual([0, 1, 1, 0])
      expect(setAffinity(g, domid, 0xfffffffc)).toBe(-EINVAL)
      expect(setAffinity(g, domid, 3, 0)).toBe(-EINVAL)
      expect(setAffinity(g, domid, 0xfe, 1)).toBe(-EINVAL)
      // One's own, on the run.
      expect(setAffinity(g, 0, 2)).toBe(0)
      yield RUN
      expect(xen.current.id).toBe(1)
      expect(setAffinity(g, 0, 1)).toBe(0)
      yield RUN
      expect(xen.current.id).toBe(0)
    }, busy)
  })

  test('busy domains leave dom0 its share, and share the rest by weight', () => {
    const turnsOf = new Map<number, number>()
    const host = scriptHost(function* () {
      for (;;) yield RUN
    })
    for (const [id, weight] of [
      [1, 256],
      [2, 512],
      [3, 256],
    ] as const)
      addDomain(
        host,
        id,
        () => ({
          run() {
            turnsOf.set(id, (turnsOf.get(id) ?? 0) + 1)
            host.xen.current.metal.cpu.charge(19_000)
            return RUN
          },
          upcall() {},
        }),
        { weight, processor: id % 2 },
      )
    host.runFor(2e9)
    const dom0 = host.xen.domains.get(0)!.vcpus[0]!.runstate.time[0]!
    // A fifth of two processors, less what cannot be divided.
    expect(dom0).toBeGreaterThan(0.3 * 2e9)
    const [one, two, three] = [1, 2, 3].map((id) => turnsOf.get(id)!)
    expect(two! / one!).toBeGreaterThan(1.5)
    expect(Math.abs(three! / one! - 1)).toBeLessThan(0.35)
  })

  test('dom0 that wakes gets its processor at once from one that computes', () => {
    const waits: number[] = []
    play(function* (g, { xen }) {
      mapShared(g)
      for (const bits of [1, 1]) {
        const { domid } = buildDomain(g)
        setAffinity(g, domid, bits)
        simple(g, XEN_DOMCTL_unpausedomain, domid)
      }
      const port = g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: DOMID_SELF, remote_dom: 0 })[1].port
      for (let i = 0; i < 20; i++) {
        const due = now(xen) + 3 * MS
        yield g.poll([port], due)
        waits.push(now(xen) - due)
      }
    }, busy)
    for (const ns of waits) expect(ns).toBeLessThan(0.2 * MS)
  })

  test('a cap holds', () => {
    play(function* (g, { xen }) {
      const { domid } = buildDomain(g)
      const values = { sched_id: 5, cmd: 0, credit_weight: 256, credit_cap: 25 }
      domctl(g, XEN_DOMCTL_scheduler_op, domid, xen_domctl_scheduler_op, values)
      simple(g, XEN_DOMCTL_unpausedomain, domid)
      mapShared(g)
      const port = g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: DOMID_SELF, remote_dom: 0 })[1].port
      yield g.poll([port], now(xen) + 300 * MS)
      const from = vcpuInfo(g, domid).cpu_time
      yield g.poll([port], now(xen) + 1200 * MS)
      const share = (vcpuInfo(g, domid).cpu_time - from) / (1200 * MS)
      expect(share).toBeGreaterThan(0.15)
      expect(share).toBeLessThan(0.35)
      expect(simple(g, XEN_DOMCTL_destroydomain, domid)).toBe(0)
      expect(domainInfo(g, domid)).toBeUndefined()
    }, busy)
  })
})

describe('stopped from outside', () => {
  test('a pause is at once, wherever it runs', () => {
    let runs = 0
    play(
      function* (g, { xen }) {
        const { domid } = buildDomain(g)
        for (let i = 0; i < 30; i++) {
          simple(g, XEN_DOMCTL_unpausedomain, domid)
          yield* turns(i)
          expect(simple(g, XEN_DOMCTL_pausedomain, domid)).toBe(0)
          const { running, cpu_time } = vcpuInfo(g, domid)
          const before = runs
          yield* turns(10)
          expect([running, runs]).toEqual([0, before])
          expect(vcpuInfo(g, domid).cpu_time).toBe(cpu_time)
          expect(xen.pcpus.some(({ curr }) => curr?.domain.id === domid)).toBe(false)
        }
        expect(runs).toBeGreaterThan(30)
      },
      loaded(
        kernel(() => {
          runs++
          return RUN
        }),
      ),
    )
  })

  test('remote_shutdown: once, with its reason, and dom0 hears of it', () => {
    const results: number[] = []
    play(function* (g) {
      mapShared(g)
      const exc = g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_DOM_EXC, vcpu: 0 })[1].port
      const { domid } = buildDomain(g)
      const shutdown = (domain_id: number, reason: number): number => {
        sched_remote_shutdown.write(g.vcpu.mem, g.scratch, { domain_id, reason })
        return g.call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, g.scratch)
      }
      results.push(shutdown(99, 0), shutdown(domid, 0x100 + SHUTDOWN_reboot), shutdown(domid, 0))
      yield RUN
      expect(g.events).toEqual([exc])
      const { flags } = domainInfo(g, domid)!
      expect(flags & XEN_DOMINF_shutdown).toBe(XEN_DOMINF_shutdown)
      expect(flags >> XEN_DOMINF_shutdownshift).toBe(SHUTDOWN_reboot)
      simple(g, XEN_DOMCTL_destroydomain, domid)
      yield RUN
      expect(g.events).toEqual([exc, exc])
    })
    expect(results).toEqual([-ESRCH, 0, 0])
  })

  test('not by those who may not, and the host goes down with dom0', () => {
    const results: number[] = []
    const host = scriptHost(function* (g) {
      while (results.length === 0) yield YIELD
      sched_remote_shutdown.write(g.vcpu.mem, g.scratch, { domain_id: 0, reason: SHUTDOWN_reboot })
      g.call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, g.scratch)
      yield RUN
    })
    addDomain(
      host,
      1,
      kernel((vcpu) => {
        sched_remote_shutdown.write(vcpu.mem, TEST_BASE, { domain_id: 0, reason: 0 })
        results.push(vcpu.hypercall(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, TEST_BASE))
        return BLOCK
      }),
    )
    host.runFor(2e9)
    expect(results).toEqual([-EPERM])
    expect(host.serial).toContain('Domain 0 shutdown: rebooting machine.')
  })
})

describe('event channels', () => {
  const status = (g: ScriptGuest, dom: number, port: number): number =>
    g.evtchn(EVTCHNOP_status, evtchn_status, { dom, port })[1].status
  const alloc = (g: ScriptGuest, dom: number, remote_dom: number): number =>
    g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom, remote_dom })[1].port
  const bind = (g: ScriptGuest, remote_dom: number, remote_port: number): readonly [number, number] => {
    const [result, out] = g.evtchn(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, { remote_dom, remote_port })
    return [result, out.local_port]
  }

  test('made for another, bound, closed at either end, reset, and gone with the domain', () => {
    play(function* (g, { xen }) {
      const { domid } = createDomain(g)
      const first = alloc(g, domid, 0)
      const second = alloc(g, domid, DOMID_SELF)
      expect([first, second]).toEqual([1, 2])
      expect(alloc(g, domid, 7)).toBe(3)
      const [, local] = bind(g, domid, first)
      expect([status(g, domid, first), status(g, 0, local)]).toEqual([EVTCHNSTAT_interdomain, EVTCHNSTAT_interdomain])
      // Bound already, for somebody else, nobody's.
      expect([bind(g, domid, first)[0], bind(g, domid, 3)[0], bind(g, domid, 99)[0]]).toEqual([
        -EINVAL,
        -EINVAL,
        -EINVAL,
      ])
      expect(bind(g, 42, 1)[0]).toBe(-ESRCH)
      // It has no vCPU that could be told, and finds it pending.
      expect(g.evtchn(EVTCHNOP_send, evtchn_send, { port: local })[0]).toBe(0)
      g.evtchn(EVTCHNOP_close, evtchn_close, { port: local })
      expect(status(g, domid, first)).toBe(EVTCHNSTAT_unbound)
      const [, again] = bind(g, domid, first)
      expect(again).toBe(local)
      const [, other] = bind(g, domid, second)
      expect(g.evtchn(EVTCHNOP_reset, evtchn_reset, { dom: domid })[0]).toBe(0)
      expect([first, second, 3].map((port) => status(g, domid, port))).toEqual([0, 0, 0])
      expect([status(g, 0, again), status(g, 0, other)]).toEqual([EVTCHNSTAT_unbound, EVTCHNSTAT_unbound])
      expect(g.evtchn(EVTCHNOP_send, evtchn_send, { port: again })[0]).toBe(0)
      g.evtchn(EVTCHNOP_close, evtchn_close, { port: again })
      g.evtchn(EVTCHNOP_close, evtchn_close, { port: other })
      const [, last] = bind(g, domid, alloc(g, domid, 0))
      simple(g, XEN_DOMCTL_destroydomain, domid)
      expect(status(g, 0, last)).toBe(EVTCHNSTAT_unbound)
      expect(g.evtchn(EVTCHNOP_status, evtchn_status, { dom: domid, port: 1 })[0]).toBe(-ESRCH)
      g.evtchn(EVTCHNOP_close, evtchn_close, { port: last })
      expect(status(g, 0, last)).toBe(EVTCHNSTAT_closed)
      expect(xen.domains.get(0)!.ports.filter(({ state }) => state !== 'free')).toHaveLength(1)
      expect(alloc(g, 0, 0)).toBe(1)
      yield RUN
    })
  })

  test('a notice and its answer take no time to speak of, on the same processor and on another', () => {
    const trips: number[] = []
    // It answers each notice by its own port 1, masked all along.
    const echo = kernel((vcpu) => {
      vcpu.mem.write32(TEST_BASE + 8 * PAGE_SIZE, 1)
      vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, TEST_BASE + 8 * PAGE_SIZE)
      return BLOCK
    })
    play(function* (g, { xen }) {
      mapShared(g)
      for (const bits of [1, 2]) {
        const { domid } = buildDomain(g)
        setAffinity(g, domid, bits)
        const [, port] = bind(g, domid, alloc(g, domid, 0))
        simple(g, XEN_DOMCTL_unpausedomain, domid)
        yield g.poll([], now(xen) + 5 * MS)
        for (let i = 0; i < 10; i++) {
          g.events.length = 0
          const domain = xen.domains.get(domid)!
          // Nobody takes events there: whoever wakes it clears them.
          xen.mem.fill(domain.sharedInfo * PAGE_SIZE + 2048, 512, 0)
          xen.mem.fill(domain.sharedInfo * PAGE_SIZE, 16, 0)
          const from = now(xen)
          expect(g.evtchn(EVTCHNOP_send, evtchn_send, { port })[0]).toBe(0)
          yield BLOCK
          trips.push(now(xen) - from)
          expect(g.events).toContain(port)
        }
        simple(g, XEN_DOMCTL_destroydomain, domid)
        g.evtchn(EVTCHNOP_close, evtchn_close, { port })
      }
    }, loaded(echo))
    expect(trips).toHaveLength(20)
    for (const ns of trips) expect(ns).toBeLessThan(0.1 * MS)
  })
})

describe('memory of others', () => {
  test('reservations, limits and the M2P', () => {
    play(function* (g, { xen }) {
      const { mem } = g.vcpu
      const { domid, mfns } = createDomain(g, { pages: 10 })
      const reservation = (op: number, id = domid): number => {
        mem.write16(g.scratch, id)
        return g.call(__HYPERVISOR_memory_op, op, g.scratch)
      }
      expect([reservation(XENMEM_current_reservation), reservation(XENMEM_maximum_reservation)]).toEqual([10, 10])
      expect(reservation(XENMEM_current_reservation, 99)).toBe(-ESRCH)
      expect(xen.heap.frames.m2p.get(mfns[7]!)).toBe(7)
      // Not one more than its limit, and the limit not below what it has.
      expect(populate(g, domid, 3).got).toBe(0)
      const limit = (pages: number): number =>
        domctl(g, XEN_DOMCTL_max_mem, domid, xen_domctl_max_mem, { max_memkb: BigInt(pages * 4) }).result
      expect([limit(9), limit(12)]).toEqual([-EINVAL, 0])
      expect(populate(g, domid, 3).got).toBe(2)
      for (const [i, mfn] of mfns.slice(0, 5).entries()) mem.write64(room(g, 0) + 8 * i, BigInt(mfn))
      const values = { extent_start: room(g, 0), nr_extents: 5n, domid }
      expect(g.op(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, xen_memory_reservation, values)[0]).toBe(5)
      expect(reservation(XENMEM_current_reservation)).toBe(7)
      // Given up already; dom0's.
      expect(g.op(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, xen_memory_reservation, values)[0]).toBe(0)
      const more = { extent_start: room(g, 0), nr_extents: 1n, extent_order: 2, domid }
      expect(g.op(__HYPERVISOR_memory_op, XENMEM_increase_reservation, xen_memory_reservation, more)[0]).toBe(1)
      expect(domainInfo(g, domid)!.tot_pages).toBe(11)
      const m2p = (mfn: number, pfn: number, id: number): number => {
        mmu_update.write(mem, g.scratch, { ptr: BigInt(mfn) * 4096n + BigInt(MMU_MACHPHYS_UPDATE), val: BigInt(pfn) })
        return g.call(__HYPERVISOR_mmu_update, g.scratch, 1, 0, id)
      }
      expect([m2p(mfns[8]!, 77, domid), m2p(mfns[8]!, 5, DOMID_SELF), m2p(mfns[0]!, 5, domid)]).toEqual([
        0,
        -EINVAL,
        -EINVAL,
      ])
      expect(xen.heap.frames.m2p.get(mfns[8]!)).toBe(77)
      yield RUN
    })
  })
})
