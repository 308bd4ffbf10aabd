/** The credit scheduler's promises: shares of the processors by weight, caps, affinity and boost, measured in the run states. */
import { describe, expect, test } from 'vitest'
import { RUNSTATE_blocked, RUNSTATE_offline, RUNSTATE_runnable, RUNSTATE_running } from '#abi/xen/vcpu.ts'
import { addDomain, scriptHost } from '#testing/xen-domain.ts'
import { loaded } from '#testing/xen-guest.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, RUN } from '#testing/xen-script.ts'
import { virtualCpu } from '../arch-x86/virtual-cpu.ts'
import { type Domain, type Vcpu, VPF_down } from './domain.ts'
import { allocVcpu } from './domain-create.ts'
import { domainPause, domainUnpause } from './domain-shutdown.ts'
import { PRI_BOOST, PRI_UNDER } from './sched-credit.ts'
import { creditAdjust } from './sched-credit-control.ts'
import { timeIn, vcpuSetAffinity, vcpuUnblock } from './schedule.ts'

const SECOND = 1e9
const MS = 1e6
const NO_CAP_CHANGE = 0xffff
const ANY = 0xff

/** Two processors and a dom0 that sleeps. */
const host = (): TestHost =>
  scriptHost(function* () {
    yield BLOCK
  })

interface Busy {
  readonly weight?: number
  readonly cap?: number
  /** Processors as bits. */
  readonly on?: number
  readonly vcpus?: number
}

const spin = (one: TestHost) => () => ({
  run: () => {
    one.xen.current.metal.cpu.charge(99_000)
    return RUN
  },
  upcall() {},
})

/** A domain that computes on all its vCPUs. All begin on processor 0. */
function busy(one: TestHost, id: number, { weight = 256, cap = 0, on = ANY, vcpus = 1 }: Busy): Domain {
  const { xen } = one
  const domain = addDomain(one, id, spin(one), { weight })
  domain.sched.cap = cap
  for (let i = 1; i < vcpus; i++) {
    const vcpu = allocVcpu(xen, domain, i, 0)!
    vcpu.initialised = true
    vcpu.code = {
      loaded: loaded(undefined),
      run: () => {
        virtualCpu(xen, vcpu, 0)
        return spin(one)()
      },
    }
    vcpu.pauseFlags &= ~VPF_down
    one.inXen(() => {
      domainPause(xen, domain)
      domainUnpause(xen, domain)
    })
  }
  for (const vcpu of domain.vcpus) one.inXen(() => expect(pin(one, vcpu, on)).toBe(0))
  return domain
}

const pin = (one: TestHost, vcpu: Vcpu, on: number): number =>
  vcpuSetAffinity(one.xen, vcpu, new Uint8Array([on, 0, 0, 0]))

/** Processors' worth of time that each has got in the next `ns`. */
function shares(one: TestHost, domains: readonly Domain[], ns: number): number[] {
  const used = (): number[] => {
    let times: number[] = []
    one.inXen((xen) => {
      times = domains.map(({ vcpus }) => vcpus.reduce((sum, vcpu) => sum + timeIn(xen, vcpu, RUNSTATE_running), 0))
    })
    return times
  }
  const before = used()
  const from = one.nowNs
  one.runFor(ns)
  return used().map((time, i) => (time - before[i]!) / (one.nowNs - from))
}

describe('ten seconds', () => {
  test.each<[string, readonly Busy[], readonly number[], number]>([
    ['pinned to CPU 0, weights 256:512', [{ on: 1 }, { on: 1, weight: 512 }], [1 / 3, 2 / 3], 0.005],
    ['a cap of 25', [{ cap: 25 }], [0.25], 0.005],
    ['unpinned on two processors', [{}, {}], [1, 1], 0.005],
  ])('%s', (_, domains, wanted, tolerance) => {
    const one = host()
    const got = shares(
      one,
      domains.map((domain, i) => busy(one, i + 1, domain)),
      10 * SECOND,
    )
    for (const [i, share] of wanted.entries()) expect(Math.abs(got[i]! - share), `${got}`).toBeLessThan(tolerance)
  })
})

describe('three seconds', () => {
  test.each<[string, readonly Busy[], readonly number[]]>([
    ['a cap of 150 on two vCPUs', [{ cap: 150, vcpus: 2 }], [1.5]],
    ['a cap of 50 on two vCPUs', [{ cap: 50, vcpus: 2 }], [0.5]],
    ["what a cap leaves is the other one's", [{ cap: 40, on: 1 }, { on: 1 }], [0.4, 0.6]],
    ['a cap above the fair share changes nothing', [{ cap: 80, on: 1 }, { on: 1 }], [0.5, 0.5]],
    ['three on two processors, by weight', [{}, {}, { weight: 512 }], [0.5, 0.5, 1]],
    ['a weight of more than one vCPU can use', [{}, {}, { weight: 2048 }], [0.5, 0.5, 1]],
    ["a domain's weight is that of all its vCPUs", [{ vcpus: 2 }, { vcpus: 2 }], [1, 1]],
    ['away from an idle processor', [{ on: 1 }, { on: 1 }], [0.5, 0.5]],
    ['each processor for itself', [{ on: 1 }, { on: 1, weight: 512 }, { on: 2 }], [1 / 3, 2 / 3, 1]],
  ])('%s', (_, domains, wanted) => {
    const one = host()
    const got = shares(
      one,
      domains.map((domain, i) => busy(one, i + 1, domain)),
      3 * SECOND,
    )
    for (const [i, share] of wanted.entries()) expect(Math.abs(got[i]! - share), `${got}`).toBeLessThan(0.03)
  })

  test('nobody who is pinned to CPU 0 ever runs on CPU 1, which sleeps', () => {
    const one = host()
    const { idleNs } = one.xen.pcpus[1]!
    const domains = [1, 2].map((id) => busy(one, id, { on: 1 }))
    one.runFor(SECOND)
    expect(domains.map(({ vcpus }) => vcpus[0]!.sched.migrateQ)).toEqual([0, 0])
    expect(one.xen.pcpus[1]!.idleNs - idleNs).toBeLessThan(MS)
    expect(one.xen.credit.idlers.has(one.xen.pcpus[1]!)).toBe(true)
    expect(one.xen.pcpus[1]!.timers.all()).toEqual([])
  })

  test('a weight and a cap that change while it runs, and an affinity', () => {
    const one = host()
    const domains = [1, 2].map((id) => busy(one, id, { on: 1 }))
    const near = (ns: number, ...wanted: number[]): void => {
      one.runFor(SECOND / 2)
      const got = shares(one, domains, ns)
      for (const [i, share] of wanted.entries()) expect(Math.abs(got[i]! - share), `${got}`).toBeLessThan(0.03)
    }
    near(SECOND, 0.5, 0.5)
    one.inXen((xen) => creditAdjust(xen, domains[0]!, 768, NO_CAP_CHANGE))
    near(SECOND, 0.75, 0.25)
    expect(one.xen.credit.weight).toBe(1024)
    one.inXen((xen) => creditAdjust(xen, domains[0]!, 0, 30))
    near(SECOND, 0.3, 0.7)
    one.inXen((xen) => creditAdjust(xen, domains[0]!, 0, 0))
    one.inXen(() => pin(one, domains[1]!.vcpus[0]!, 2))
    near(SECOND, 1, 1)
    expect(domains.map(({ vcpus }) => vcpus[0]!.processor)).toEqual([0, 1])
  })
})

test('time stolen: what one computes the other waits, and the run states say so', () => {
  const one = host()
  const domains = [1, 2].map((id) => busy(one, id, { on: 1 }))
  one.runFor(100 * MS)
  const times = (state: number): number[] => {
    let found: number[] = []
    one.inXen((xen) => {
      found = domains.map(({ vcpus }) => timeIn(xen, vcpus[0]!, state))
    })
    return found
  }
  const states = [RUNSTATE_running, RUNSTATE_runnable, RUNSTATE_blocked, RUNSTATE_offline]
  const before = states.map(times)
  one.runFor(SECOND)
  const [ran, waited, blocked, offline] = states.map((state, i) =>
    times(state).map((time, who) => time - before[i]![who]!),
  )
  expect([...blocked!, ...offline!]).toEqual([0, 0, 0, 0])
  expect(ran![0]! / SECOND).toBeCloseTo(0.5, 1)
  for (const who of [0, 1]) expect(Math.abs(waited![who]! - ran![1 - who]!)).toBeLessThan(MS)
})

test('who wakes with credits left is boosted, until a tick finds him computing', () => {
  const one = host()
  for (const id of [1, 2]) busy(one, id, { on: 1 })
  const sleeper = addDomain(one, 3, () => ({ run: () => BLOCK, upcall() {} }))
  const vcpu = sleeper.vcpus[0]!
  one.inXen(() => pin(one, vcpu, 1))
  one.runFor(100 * MS)
  expect(vcpu.runstate.state).toBe(2)
  vcpu.sched.pri = PRI_UNDER
  one.inXen((xen) => vcpuUnblock(xen, vcpu))
  expect(vcpu.sched.pri).toBe(PRI_BOOST)
  expect(one.xen.pcpus[0]!.sched.runq[0]).toBe(vcpu)
  one.runFor(MS)
  // It has run and sleeps again, before either of those that compute had used up its time.
  expect(vcpu.runstate.state).toBe(2)
  const computing = busy(one, 4, { on: 2 }).vcpus[0]!
  expect(computing.sched.pri).toBe(PRI_BOOST)
  one.runFor(20 * MS)
  expect(computing.sched.pri).toBe(PRI_UNDER)
})

test('paused while it is on its way to another processor, it arrives there', () => {
  const one = host()
  const domain = busy(one, 1, { on: 2 })
  one.runFor(10 * MS)
  const vcpu = domain.vcpus[0]!
  expect([vcpu.running, vcpu.processor]).toEqual([true, 1])
  one.inXen((xen) => {
    pin(one, vcpu, 1)
    domainPause(xen, domain)
    domainUnpause(xen, domain)
  })
  one.runFor(10 * MS)
  expect([vcpu.running, vcpu.processor, vcpu.pauseFlags]).toEqual([true, 0, 0])
})
