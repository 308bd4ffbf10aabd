/** The trace buffers, as xentrace in dom0 sees them: a t_buf for each processor, and records as public/trace.h has them. */
import { describe, expect, test } from 'vitest'
import { XEN_DOMCTL_pausedomain, XEN_DOMCTL_unpausedomain } from '#abi/xen/domctl.ts'
import { EINVAL } from '#abi/xen/errno.ts'
import { EVTCHNOP_bind_virq, evtchn_bind_virq } from '#abi/xen/event_channel.ts'
import {
  XEN_SYSCTL_TBUFOP_disable,
  XEN_SYSCTL_TBUFOP_enable,
  XEN_SYSCTL_TBUFOP_get_info,
  XEN_SYSCTL_TBUFOP_set_cpu_mask,
  XEN_SYSCTL_TBUFOP_set_evt_mask,
  XEN_SYSCTL_TBUFOP_set_size,
  XEN_SYSCTL_tbuf_op,
  xen_sysctl_tbuf_op,
} from '#abi/xen/sysctl.ts'
import {
  TRC_64_FLAG,
  TRC_ALL,
  TRC_LOST_RECORDS,
  TRC_PV,
  TRC_PV_HYPERCALL,
  TRC_SCHED,
  TRC_SCHED_BLOCK,
  TRC_SCHED_DOM_ADD,
  TRC_SCHED_SLEEP,
  TRC_SCHED_SWITCH,
  TRC_SCHED_SWITCH_INFNEXT,
  TRC_SCHED_SWITCH_INFPREV,
  TRC_SCHED_WAKE,
  TRC_SCHED_YIELD,
  TRC_TRACE_WRAP_BUFFER,
  t_buf,
} from '#abi/xen/trace.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_xen_version,
  DOMID_IDLE,
  DOMID_XEN,
  start_info,
  VIRQ_TBUF,
} from '#abi/xen/xen.ts'
import { buildDomain, domctl, mapForeign, nothing, play, sysctl, turns } from '#testing/xen-builder.ts'
import { scriptHost } from '#testing/xen-domain.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import { BLOCK, pte, RUN, type ScriptGuest, YIELD } from '#testing/xen-script.ts'

/** Where dom0's script maps the buffers: nothing else is there. */
const AT = 64 * PAGE_SIZE
const PAGES = 2
const BYTES = PAGES * PAGE_SIZE - t_buf.size

const control = (g: ScriptGuest, cmd: number, values: object = {}) =>
  sysctl(g, XEN_SYSCTL_tbuf_op, xen_sysctl_tbuf_op, { cmd, ...values })

/** Buffers of PAGES frames, mapped and on for `evt_mask`. Address of that of processor `cpu`. */
function begin(g: ScriptGuest, evt_mask: number = TRC_ALL): (cpu: number) => number {
  expect(control(g, XEN_SYSCTL_TBUFOP_set_size, { size: PAGES }).result).toBe(0)
  expect(control(g, XEN_SYSCTL_TBUFOP_set_evt_mask, { evt_mask }).result).toBe(0)
  const { buffer_mfn, size } = control(g, XEN_SYSCTL_TBUFOP_get_info).out
  expect(size).toBe(PAGES * PAGE_SIZE)
  for (let i = 0; i < 2 * PAGES; i++)
    expect(mapForeign(g, g.beyond + AT + i * PAGE_SIZE, buffer_mfn + i, DOMID_XEN)).toBe(0)
  expect(control(g, XEN_SYSCTL_TBUFOP_enable).result).toBe(0)
  return (cpu) => g.beyond + AT + cpu * PAGES * PAGE_SIZE
}

interface Rec {
  readonly event: number
  readonly cycles: bigint | undefined
  readonly extra: readonly number[]
}

/** What is in the buffer at `at` and not consumed; consumes it. */
function consume({ vcpu: { mem } }: ScriptGuest, at: number): Rec[] {
  const records: Rec[] = []
  let { cons, prod } = t_buf.read(mem, at)
  const next = (): number => {
    const word = mem.read32(at + t_buf.size + (cons % BYTES))
    cons = (cons + 4) % (2 * BYTES)
    return word
  }
  while (cons !== prod) {
    const head = next()
    const cycles = head >>> 31 ? BigInt(next()) + (BigInt(next()) << 32n) : undefined
    records.push({ event: head & 0x0fffffff, cycles, extra: Array.from({ length: (head >>> 28) & 7 }, next) })
  }
  t_buf.fields.cons.set(mem, at, cons)
  return records
}

const of = (records: readonly Rec[], event: number): (readonly number[])[] =>
  records.filter((each) => each.event === event).map(({ extra }) => extra)

describe('trace buffers', () => {
  test('from boot on with tbuf_size, else disabled', () => {
    expect(scriptHost(function* () {}).serial).toContain('(XEN) Xen trace buffers: disabled\r\n')
    const host = scriptHost(function* () {}, 'tbuf_size=3')
    expect(host.serial).toContain('(XEN) Xen trace buffers: initialised\r\n')
    expect(host.xen.trace).toMatchObject({ on: true, pages: 3 })
    const { owner } = host.xen.heap.frames
    expect([...owner.subarray(host.xen.trace.mfn, host.xen.trace.mfn + 6)]).toEqual(Array(6).fill(DOMID_XEN))
    expect(scriptHost(function* () {}, 'tbuf_size=100000').serial).toContain(
      'Xen trace buffers: memory allocation failed',
    )
  })

  test('what is asked of them, and what is refused', () => {
    const host = play(function* (g) {
      const { result, out } = control(g, XEN_SYSCTL_TBUFOP_get_info)
      expect({ result, ...out }).toMatchObject({ result: 0, evt_mask: TRC_ALL, buffer_mfn: 0, size: 0 })
      expect(control(g, XEN_SYSCTL_TBUFOP_enable).result).toBe(-EINVAL)
      expect(control(g, XEN_SYSCTL_TBUFOP_set_size, { size: 0 }).result).toBe(-EINVAL)
      expect(control(g, XEN_SYSCTL_TBUFOP_set_size, { size: 0xffffffff }).result).toBe(-EINVAL)
      expect(control(g, XEN_SYSCTL_TBUFOP_set_size, { size: 0x7fffffff }).result).toBe(-EINVAL)
      expect(control(g, 6).result).toBe(-EINVAL)
      expect(control(g, XEN_SYSCTL_TBUFOP_set_size, { size: 1 }).result).toBe(0)
      expect(control(g, XEN_SYSCTL_TBUFOP_set_size, { size: 2 }).result).toBe(-EINVAL)
      expect(control(g, XEN_SYSCTL_TBUFOP_enable).result).toBe(0)
      expect(control(g, XEN_SYSCTL_TBUFOP_set_size, { size: 2 }).result).toBe(-EINVAL)
      expect(control(g, XEN_SYSCTL_TBUFOP_disable).result).toBe(0)
      // A frame of Xen's that it has not shared.
      const own = g.beyond + AT
      expect(mapForeign(g, own, control(g, XEN_SYSCTL_TBUFOP_get_info).out.buffer_mfn - 64, DOMID_XEN)).not.toBe(0)
      const { buffer_mfn } = control(g, XEN_SYSCTL_TBUFOP_get_info).out
      expect(g.call(__HYPERVISOR_update_va_mapping, own, pte(buffer_mfn), 0)).toBe(-EINVAL)
      yield RUN
    })
    expect(host.serial).toContain('Xen trace buffers: initialized')
    expect(host.serial).toContain('trace.c:137:d0 tb_set_size from 1 to 2 not implemented')
  })

  test('a domain’s life with the scheduler', () => {
    play(
      function* (g) {
        const at = begin(g, TRC_SCHED)
        const { domid } = buildDomain(g, { pages: 9 })
        expect(domctl(g, XEN_DOMCTL_unpausedomain, domid, nothing, {}).result).toBe(0)
        yield* turns(3)
        yield YIELD
        yield* turns(40)
        expect(domctl(g, XEN_DOMCTL_pausedomain, domid, nothing, {}).result).toBe(0)
        const dom0 = consume(g, at(0))
        expect(of(dom0, TRC_SCHED_DOM_ADD)).toEqual([[domid, 0]])
        expect(of(dom0, TRC_SCHED_YIELD)).toContainEqual([0, 0])
        const all = [...dom0, ...consume(g, at(1))]
        expect(of(all, TRC_SCHED_WAKE)).toContainEqual([domid, 0])
        expect(of(all, TRC_SCHED_BLOCK)).toContainEqual([domid, 0])
        expect(of(all, TRC_SCHED_SLEEP)).toContainEqual([domid, 0])
        // From its processor's idle vCPU, and back to it; before each, for how long who came had waited.
        const cpu = of(all, TRC_SCHED_SWITCH).find(([, , next]) => next === domid)![1]!
        expect(of(all, TRC_SCHED_SWITCH)).toEqual(
          expect.arrayContaining([
            [DOMID_IDLE, cpu, domid, 0],
            [domid, 0, DOMID_IDLE, cpu],
          ]),
        )
        for (const [, waited] of of(all, TRC_SCHED_SWITCH_INFNEXT).filter(([id]) => id === domid))
          expect(waited).toBeLessThan(100_000)
        expect(of(all, TRC_SCHED_SWITCH_INFPREV).some(([id, ran]) => id === domid && ran! > 0)).toBe(true)
        expect(of(all, TRC_PV_HYPERCALL | TRC_64_FLAG)).toEqual([])
        const cycles = dom0.map((each) => each.cycles!)
        expect(cycles).toEqual([...cycles].sort((a, b) => (a < b ? -1 : 1)))
      },
      loaded(kernel(() => BLOCK)),
    )
  })

  test('hypercalls by number; a mask of processors', () => {
    play(function* (g) {
      const at = begin(g, TRC_PV)
      yield RUN
      consume(g, at(0))
      g.call(__HYPERVISOR_xen_version, 0, 0)
      const event = TRC_PV_HYPERCALL | TRC_64_FLAG
      expect(consume(g, at(0)).map(({ event, extra }) => [event, extra])).toEqual([
        [event, [0, 0, __HYPERVISOR_xen_version]],
      ])
      g.vcpu.mem.write32(g.scratch + 2048, 2)
      const mask = { cpu_mask_bitmap: g.scratch + 2048, cpu_mask_nr_cpus: 32 }
      expect(control(g, XEN_SYSCTL_TBUFOP_set_cpu_mask, mask).result).toBe(0)
      consume(g, at(0))
      g.call(__HYPERVISOR_xen_version, 0, 0)
      expect(consume(g, at(0))).toEqual([])
    })
  })

  test('a ring that goes round, and one that is full', () => {
    play(function* (g) {
      const port = g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_TBUF, vcpu: 0 })[1].port
      const { mem, startInfo } = g.vcpu
      const shared = start_info.fields.shared_info.get(mem, startInfo) / PAGE_SIZE
      g.call(__HYPERVISOR_update_va_mapping, g.beyond, pte(shared), 0)
      g.shared = g.beyond
      mem.write8(g.shared + 1, 0)
      const at = begin(g, TRC_PV | TRC_SCHED)
      consume(g, at(0))
      // 24 bytes each, which would divide the ring.
      const some = (count: number): void => {
        for (let i = 0; i < count; i++) g.call(__HYPERVISOR_xen_version, 0, 0)
      }
      const calls = (records: readonly Rec[]): number =>
        of(records, TRC_PV_HYPERCALL | TRC_64_FLAG).filter(([, , nr]) => nr === __HYPERVISOR_xen_version).length
      const wraps: Rec[] = []
      for (let round = 0; round < 40; round++) {
        yield YIELD
        some(170)
        const records = consume(g, at(0))
        expect(calls(records)).toBe(170)
        wraps.push(...records.filter(({ event }) => event === TRC_TRACE_WRAP_BUFFER))
      }
      expect(wraps.length).toBeGreaterThan(10)
      // The last half of a ring told dom0 of itself.
      yield* turns(3)
      g.events.length = 0
      consume(g, at(0))
      some(1000)
      yield* turns(3)
      expect(g.events).toContain(port)
      const before = calls(consume(g, at(0)))
      some(1)
      const [lost, ...after] = consume(g, at(0)).filter(({ event }) => event !== TRC_TRACE_WRAP_BUFFER)
      expect(lost).toMatchObject({ event: TRC_LOST_RECORDS, cycles: undefined })
      expect(calls(after)).toBe(1)
      expect(before + lost!.extra[0]!).toBeGreaterThanOrEqual(1000)
    })
  })

  test('whatever dom0 leaves in a buffer’s head, Xen writes nowhere else', () => {
    play(function* (g, host) {
      const at = begin(g)
      const { mem } = g.vcpu
      const { mfn } = host.xen.trace
      const around = [mfn - 1, mfn + 2 * PAGES].map((each) => host.xen.mem.copyOut(each * PAGE_SIZE, PAGE_SIZE))
      for (const cons of [0, 4, BYTES, 2 * BYTES, 0xfffffffc, 0x80000000])
        for (const prod of [0, 3, BYTES - 4, BYTES, 2 * BYTES - 4, 2 * BYTES, 0xffffffff, 0x7ffffff0]) {
          t_buf.write(mem, at(0), { cons, prod })
          g.call(__HYPERVISOR_xen_version, 0, 0)
        }
      t_buf.write(mem, at(0), { cons: 0, prod: 0 })
      for (const [i, page] of [mfn - 1, mfn + 2 * PAGES].entries())
        expect(host.xen.mem.copyOut(page * PAGE_SIZE, PAGE_SIZE)).toEqual(around[i])
      yield RUN
    })
  })
})
