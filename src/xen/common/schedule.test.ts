import { describe, expect, test } from 'vitest'
import { EEXIST, EINVAL, ENOENT, ENOSYS, ETIME } from '#abi/xen/errno.ts'
import {
  EVTCHNOP_bind_ipi,
  EVTCHNOP_bind_virq,
  EVTCHNOP_send,
  evtchn_bind_ipi,
  evtchn_bind_virq,
  evtchn_send,
} from '#abi/xen/event_channel.ts'
import type { VcpuCode, VcpuExit } from '#abi/xen/guest.ts'
import { SCHEDOP_poll, SCHEDOP_shutdown } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  VCPUOP_down,
  VCPUOP_get_physid,
  VCPUOP_get_runstate_info,
  VCPUOP_initialise,
  VCPUOP_is_up,
  VCPUOP_set_periodic_timer,
  VCPUOP_set_singleshot_timer,
  VCPUOP_stop_periodic_timer,
  VCPUOP_up,
  vcpu_guest_context,
  vcpu_runstate_info,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
} from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_sched_op,
  __HYPERVISOR_set_timer_op,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_vcpu_op,
  start_info,
  VIRQ_TIMER,
} from '#abi/xen/xen.ts'
import { addDomain, ask, scriptHost } from '#testing/xen-domain.ts'
import { kernelFile, loaded } from '#testing/xen-guest.ts'
import { TestHost } from '#testing/xen-host.ts'
import { BLOCK, pte, RUN, ScriptGuest } from '#testing/xen-script.ts'

const SECOND = 1e9
const MS = 1e6

const mapShared = (g: ScriptGuest): void => {
  const { mem, startInfo } = g.vcpu
  g.call(
    __HYPERVISOR_update_va_mapping,
    g.beyond,
    pte(start_info.fields.shared_info.get(mem, startInfo) / PAGE_SIZE),
    0,
  )
  g.shared = g.beyond
  g.vcpu.mem.write8(g.shared + 1, 0)
}

/** System time as a guest reckons it (asm-x86/pvclock). */
const clock = (g: ScriptGuest): number => {
  const { mem } = g.vcpu
  const at = g.shared + 32
  const cycles = BigInt(g.vcpu.rdtsc()) - mem.read64(at + 8)
  const shift = (mem.read8(at + 28) << 24) >> 24
  const scaled = shift < 0 ? cycles >> BigInt(-shift) : cycles << BigInt(shift)
  return Number(mem.read64(at + 16) + ((scaled * BigInt(mem.read32(at + 24))) >> 32n))
}

/** It computes, in runs of 20 us. */
const spinner = (host: TestHost, count: { turns: number }): VcpuCode => ({
  run() {
    count.turns++
    host.xen.current.metal.cpu.charge(19_000)
    return RUN
  },
  upcall() {},
})

describe("a vCPU's timers", () => {
  test('its clock is the one that timers keep', () => {
    const seen = ask(function* (g) {
      mapShared(g)
      g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_TIMER, vcpu: 0 })
      const late: number[] = []
      for (const ns of [1, 1000, 10 * MS, 300 * MS]) {
        const due = clock(g) + ns
        g.call(__HYPERVISOR_set_timer_op, due)
        yield BLOCK
        late.push(clock(g) - due)
      }
      return late
    })
    for (const ns of seen) {
      expect(ns).toBeGreaterThanOrEqual(0)
      expect(ns).toBeLessThan(20_000)
    }
  })

  test.each<[string, number, number]>([
    ['of long ago', 1, 0],
    ['before the beginning', -5, 100 * MS],
    ['beyond all measure', 2 ** 52, 100 * MS],
  ])('a time %s', (_, timeout, after) => {
    const ns = ask(function* (g) {
      mapShared(g)
      g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_TIMER, vcpu: 0 })
      const from = clock(g)
      g.call(__HYPERVISOR_set_timer_op, timeout)
      yield BLOCK
      return clock(g) - from
    })
    expect(ns).toBeGreaterThanOrEqual(after)
    expect(ns).toBeLessThan(after + 50_000)
  })

  test('the tick of 10 ms is there while it runs, until it is stopped', () => {
    const ticks: number[] = []
    let stopped: number | undefined
    scriptHost(function* (g) {
      mapShared(g)
      g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_TIMER, vcpu: 0 })
      const from = clock(g)
      while (clock(g) < from + 100 * MS) yield RUN
      ticks.push(g.events.length)
      stopped = g.call(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0)
      while (clock(g) < from + 200 * MS) yield RUN
      ticks.push(g.events.length)
      g.vcpu.mem.write64(g.scratch, BigInt(2 * MS))
      g.call(__HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, 0, g.scratch)
      while (clock(g) < from + 300 * MS) yield RUN
      ticks.push(g.events.length)
    }).runFor(SECOND)
    expect(stopped).toBe(0)
    expect(ticks[0]).toBeGreaterThanOrEqual(9)
    expect(ticks[0]).toBeLessThanOrEqual(11)
    expect(ticks[1]! - ticks[0]!).toBe(0)
    expect(ticks[2]! - ticks[1]!).toBeGreaterThanOrEqual(48)
    expect(ticks[2]! - ticks[1]!).toBeLessThanOrEqual(51)
  })

  test('poll comes back for a masked port, or when its time is up', () => {
    const seen = ask(function* (g) {
      mapShared(g)
      const [, { port }] = g.evtchn(EVTCHNOP_bind_ipi, evtchn_bind_ipi, { vcpu: 0 })
      g.vcpu.mem.write8(g.shared + 2560, 1 << port)
      const from = clock(g)
      const timedOut = yield g.poll([port], from + 5 * MS)
      const waited = clock(g) - from
      g.evtchn(EVTCHNOP_send, evtchn_send, { port })
      const before = clock(g)
      const atOnce = yield g.poll([port], 0)
      const beyond = yield g.poll([4096], 0)
      const many = yield g.poll(
        Array.from({ length: 129 }, () => 1),
        0,
      )
      const nowhere = yield { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_poll, 0x1000] }
      return { timedOut, waited, atOnce, quick: clock(g) - before < MS, beyond, many, nowhere, upcalls: g.upcalls }
    })
    expect(seen).toMatchObject({
      timedOut: 0,
      atOnce: 0,
      quick: true,
      beyond: -EINVAL,
      many: -EINVAL,
      nowhere: -14,
      upcalls: 0,
    })
    expect(seen.waited).toBeGreaterThanOrEqual(5 * MS)
    expect(seen.waited).toBeLessThan(5.1 * MS)
  })

  test('refusals', () => {
    const results = ask(function* (g) {
      const vcpuOp = (command: number, id: number, pointer = 0): number =>
        g.call(__HYPERVISOR_vcpu_op, command, id, pointer)
      yield RUN
      const { mem } = g.vcpu
      vcpu_set_periodic_timer.write(mem, g.scratch, { period_ns: 999_999n })
      const tooFast = vcpuOp(VCPUOP_set_periodic_timer, 0, g.scratch)
      vcpu_set_singleshot_timer.write(mem, g.scratch, { timeout_abs_ns: 1n, flags: 1 })
      return {
        tooFast,
        past: vcpuOp(VCPUOP_set_singleshot_timer, 0, g.scratch),
        notMine: vcpuOp(VCPUOP_set_singleshot_timer, 1, g.scratch),
        outOfRange: vcpuOp(VCPUOP_is_up, 32),
        negative: vcpuOp(VCPUOP_is_up, -1),
        nobody: vcpuOp(VCPUOP_is_up, 7),
        fraction: vcpuOp(VCPUOP_is_up, 0.5),
        up: vcpuOp(VCPUOP_is_up, 0),
        down: vcpuOp(VCPUOP_is_up, 1),
        notInitialised: vcpuOp(VCPUOP_up, 1),
        initialisedAlready: vcpuOp(VCPUOP_initialise, 0, g.scratch - 2 * PAGE_SIZE),
        contextNowhere: vcpuOp(VCPUOP_initialise, 1, 0x1000),
        runstateNowhere: vcpuOp(VCPUOP_get_runstate_info, 0, 0x1000),
        physid: vcpuOp(VCPUOP_get_physid, 0, g.scratch),
        unknown: vcpuOp(13, 0),
      }
    })
    expect(results).toEqual({
      tooFast: -EINVAL,
      past: -ETIME,
      notMine: -EINVAL,
      outOfRange: -EINVAL,
      negative: -EINVAL,
      nobody: -ENOENT,
      fraction: -EINVAL,
      up: 1,
      down: 0,
      notInitialised: -EINVAL,
      initialisedAlready: -EEXIST,
      contextNowhere: -14,
      runstateNowhere: -14,
      physid: -EINVAL,
      unknown: -ENOSYS,
    })
  })

  test('run states add up to the time since it was made', () => {
    const state = ask(function* (g) {
      mapShared(g)
      yield g.poll([], clock(g) + 50 * MS)
      g.call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, g.scratch)
      const info = vcpu_runstate_info.read(g.vcpu.mem, g.scratch)
      return { ...info, now: clock(g) }
    })
    expect(state.state).toBe(0)
    expect(Number(state.time_blocked)).toBeGreaterThanOrEqual(49 * MS)
    const sum = state.time_running + state.time_runnable + state.time_blocked + state.time_offline
    expect(Number(sum)).toBeLessThanOrEqual(state.now)
    expect(Number(sum)).toBeGreaterThan(50 * MS)
  })
})

test("dom0's second vCPU runs once it is brought up, on the other processor, and sleeps when it is taken down", () => {
  const log: (string | number)[] = []
  const host = new TestHost({
    memoryMiB: 256,
    cmdline: '/boot/xen.gz com1=115200,8n1 console=com1 dom0_mem=65536',
    modules: [{ bytes: kernelFile() }],
    load: () =>
      loaded((vcpu: ConstructorParameters<typeof ScriptGuest>[0]): VcpuCode => {
        const g = new ScriptGuest(vcpu)
        let turns = 0
        return {
          run(): VcpuExit {
            turns++
            if (vcpu.vcpuId === 1) return RUN
            const op = (command: number, pointer = 0): number => g.call(__HYPERVISOR_vcpu_op, command, 1, pointer)
            if (turns === 1) {
              const { pt_base, mfn_list } = start_info.read(vcpu.mem, vcpu.startInfo)
              const root = vcpu.mem.read32(mfn_list + ((pt_base + 0x80000000) / PAGE_SIZE) * 8)
              const ctrlreg3 = BigInt(root) << 12n
              vcpu.mem.fill(g.scratch, vcpu_guest_context.size, 0)
              vcpu_guest_context.write(vcpu.mem, g.scratch, { rsi: vcpu.startInfo, rflags: 0x1202n, ctrlreg3 })
              log.push(
                op(VCPUOP_initialise, g.scratch),
                op(VCPUOP_initialise, g.scratch),
                op(VCPUOP_up),
                op(VCPUOP_is_up),
              )
            }
            if (turns === 200) log.push(op(VCPUOP_down), op(VCPUOP_is_up))
            return turns < 201 ? RUN : BLOCK
          },
          upcall() {},
        }
      }),
  })
  host.boot()
  host.expect('init memory.')
  host.runFor(100 * MS)
  const [first, second] = host.xen.domains.get(0)!.vcpus
  expect(log).toEqual([0, -EEXIST, 0, 1, 0, 0])
  expect(second!.iopl).toBe(1)
  expect([first!.processor, second!.processor]).toEqual([0, 1])
  expect(second!.runstate.time[0]).toBeGreaterThan(50_000)
  expect(second!.running).toBe(false)
  expect(host.machine.events.nextNs()).toBe(Number.POSITIVE_INFINITY)
})

describe('sharing', () => {
  test.each<[string, readonly number[], readonly number[]]>([
    ['two on two processors', [256, 256], [1, 1]],
    ['four on two processors', [256, 256, 256, 256], [0.5, 0.5, 0.5, 0.5]],
    ['three on two processors', [256, 256, 256], [2 / 3, 2 / 3, 2 / 3]],
    ['by weight', [512, 256, 256, 256, 256], [2 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3]],
  ])('%s', (_, weights, shares) => {
    const host = scriptHost(function* () {
      yield BLOCK
    })
    const counts = weights.map((weight, i) => {
      const count = { turns: 0 }
      addDomain(host, i + 1, () => spinner(host, count), { weight })
      return count
    })
    // All begin on processor 0: the idle one takes what waits.
    host.runFor(0.3 * SECOND)
    for (const count of counts) count.turns = 0
    host.runFor(0.6 * SECOND)
    const got = counts.map(({ turns }) => (turns * 20_000) / (0.6 * SECOND))
    for (const [i, share] of shares.entries()) expect(Math.abs(got[i]! - share), `${got}`).toBeLessThan(0.12)
  })

  test('one that wakes goes before those who only compute', () => {
    const late: number[] = []
    const host = scriptHost(function* (g) {
      mapShared(g)
      g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_TIMER, vcpu: 0 })
      g.call(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0)
      for (let i = 0; i < 50; i++) {
        const due = clock(g) + 7 * MS
        g.call(__HYPERVISOR_set_timer_op, due)
        yield BLOCK
        late.push(clock(g) - due)
      }
    })
    for (let id = 1; id <= 4; id++) addDomain(host, id, () => spinner(host, { turns: 0 }), { processor: id % 2 })
    host.runFor(SECOND)
    expect(late.length).toBe(50)
    // Who has just come goes first too, until the first tick that finds him running.
    expect(Math.max(...late.slice(20))).toBeLessThan(1 * MS)
  })

  test('when all sleep, nothing is left to happen', () => {
    const host = scriptHost(function* () {
      yield BLOCK
    })
    let turns = 0
    addDomain(host, 1, () => ({ run: () => (turns++ < 20_000 ? RUN : BLOCK), upcall() {} }))
    host.runFor(SECOND)
    expect(host.machine.events.nextNs()).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('a guest that breaks dies alone', () => {
  test.each<[string, () => VcpuCode, RegExp]>([
    [
      'throws',
      () => ({
        run() {
          throw new Error('oops')
        },
        upcall() {},
      }),
      /Domain 1 \(vcpu#0\) crashed on cpu#1:\n\(XEN\) ----\[ Xen-3\.3\.0 {2}x86_64 {2}debug=n {2}Not tainted \]----\n\(XEN\) CPU: {4}1\n\(XEN\) test-kernel: oops \(guest\.ts:7\)\n/,
    ],
    [
      'never gives code',
      () => {
        throw new Error('no entry')
      },
      /Domain 1 \(vcpu#0\) crashed on cpu#1:/,
    ],
    [
      'says that it has crashed',
      () => ({
        run: () => ({ kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_shutdown, -0x80000000] }),
        upcall() {},
      }),
      /^/,
    ],
  ])('one that %s', (_, code, words) => {
    const host = scriptHost(function* () {
      for (;;) yield RUN
    })
    const domain = addDomain(host, 1, code)
    const other = { turns: 0 }
    addDomain(host, 2, () => spinner(host, other))
    host.runFor(100 * MS)
    expect(host.serial.replaceAll('\r', '')).toMatch(words)
    expect(domain.shuttingDown).toBe(true)
    expect(other.turns).toBeGreaterThan(1000)
    expect(host.serial).not.toContain('Domain 0')
    expect(host.resets).toBe(0)
  })
})
