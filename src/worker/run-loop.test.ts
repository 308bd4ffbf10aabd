import { beforeEach, describe, expect, it } from 'vitest'
import type { DomainProbe, Probe } from '#abi/probe.ts'
import type { ClockMode, Input, MachineState, TextScreen } from '#protocol/machine.ts'
import type { FromWorker } from '#protocol/messages.ts'
import type { StopReason } from '#protocol/sync-machine.ts'
import type { Host } from './host.ts'
import { type LoopWorld, RunLoop } from './run-loop.ts'

const ms = 1_000_000

/** Real time that goes on only when the test says so. */
class FakeHost implements Host {
  now = 0
  timers: { atMs: number; run: () => void }[] = []
  queue: (() => void)[] = []
  /** Every sleep that was asked for. */
  sleeps: number[] = []

  nowMs = () => this.now
  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.now + delayMs, run }
    this.timers.push(timer)
    this.sleeps.push(delayMs)
    return () => {
      this.timers = this.timers.filter((other) => other !== timer)
    }
  }
  soon(run: () => void): void {
    this.queue.push(run)
  }
  /** Run what is queued, at most `max` turns; how many ran. */
  turns(max = 1000): number {
    let ran = 0
    while (this.queue.length > 0 && ran < max) {
      this.queue.shift()!()
      ran++
    }
    return ran
  }
  /** Let `forMs` pass, timers and turns included. */
  pass(forMs: number): void {
    const until = this.now + forMs
    for (;;) {
      this.turns()
      const next = this.timers.filter((timer) => timer.atMs <= until).sort((a, b) => a.atMs - b.atMs)[0]
      if (!next) break
      this.timers = this.timers.filter((timer) => timer !== next)
      this.now = Math.max(this.now, next.atMs)
      next.run()
    }
    this.now = until
    this.turns()
  }
}

interface Event {
  atNs: number
  run?: () => void
  forInput?: boolean
}

/** Events at virtual times; each costs the host `costMs`, and a slice is at most `perSlice` events. */
class FakeWorld implements LoopWorld {
  events: Event[] = []
  now = 0
  version = 0
  perSlice = 5
  costMs = 1
  inputs: { atNs: number; input: Input }[] = []
  calls = 0
  diskIsMissing = false
  readonly host: FakeHost
  #serial: ((line: 'com1' | 'com2', byte: number) => void)[] = []

  constructor(host: FakeHost) {
    this.host = host
  }

  nowNs = () => this.now
  state = () => 'xen' as const
  nextNs = () => Math.min(Number.POSITIVE_INFINITY, ...this.events.map((event) => event.atNs))
  waitsForDisk = () => this.diskIsMissing
  /** The last event was at the present. */
  within = false
  finishInstant(): void {
    while (this.within && this.runUntil(this.now + 1, () => false) === 'slice');
  }
  settled = () => this.events.every((event) => event.forInput)
  screenVersion = () => this.version
  screen = (): TextScreen => ({
    columns: 1,
    rows: 1,
    cells: new Uint8Array([this.version, 7]),
    cursor: { row: 0, column: 0, visible: true },
  })
  onSerial(listener: (line: 'com1' | 'com2', byte: number) => void): () => void {
    this.#serial.push(listener)
    return () => {}
  }
  onLink = () => () => {}
  onTrace(): void {}
  readonly #probed: ((probe: Probe) => void)[] = []
  readonly #states: ((state: MachineState) => void)[] = []
  onProbe(listener: (probe: Probe) => void): () => void {
    this.#probed.push(listener)
    return () => {}
  }
  onState(listener: (state: MachineState) => void): () => void {
    this.#states.push(listener)
    return () => {}
  }
  tell(...probes: Probe[]): void {
    for (const probe of probes) for (const listener of this.#probed) listener(probe)
  }
  becomes(state: MachineState): void {
    for (const listener of this.#states) listener(state)
  }
  input(input: Input): void {
    this.inputs.push({ atNs: this.now, input })
  }
  print(byte: number): void {
    for (const listener of this.#serial) listener('com1', byte)
  }
  runUntil(deadlineNs: number, _stop: () => boolean, untilSettled = false): StopReason {
    this.calls++
    for (let done = 0; ; done++) {
      if (untilSettled && this.settled()) return 'settled'
      if (done === this.perSlice) return 'slice'
      const event = [...this.events].sort((a, b) => a.atNs - b.atNs)[0]
      if (!event || event.atNs >= deadlineNs) {
        if (deadlineNs > this.now && deadlineNs !== Number.POSITIVE_INFINITY) {
          this.now = deadlineNs
          this.within = false
        }
        return event ? 'deadline' : 'idle'
      }
      this.events.splice(this.events.indexOf(event), 1)
      this.now = Math.max(this.now, event.atNs)
      this.within = true
      this.host.now += this.costMs
      event.run?.()
    }
  }
  /** Something every `periodNs`, for ever. */
  tick(periodNs: number, count = { ran: 0 }): { ran: number } {
    this.events.push({
      atNs: this.now + periodNs,
      run: () => {
        count.ran++
        this.tick(periodNs, count)
      },
    })
    return count
  }
}

const unexpected = (why: Error): void => {
  throw why
}

let host: FakeHost
let world: FakeWorld
let sent: FromWorker[]
let faults: unknown[]

function start(mode: ClockMode): RunLoop {
  const loop = new RunLoop(world, {
    host,
    mode,
    send: (message) => sent.push(message),
    onFault: (error) => faults.push(error),
  })
  loop.wake()
  return loop
}

const all = <T extends FromWorker['type']>(type: T) =>
  sent.filter((message) => message.type === type) as Extract<FromWorker, { type: T }>[]

beforeEach(() => {
  host = new FakeHost()
  world = new FakeWorld(host)
  sent = []
  faults = []
})

describe('live mode', () => {
  it('follows the wall clock', () => {
    world.costMs = 0
    const count = world.tick(10 * ms)
    start('live')
    host.pass(1000)
    expect(count.ran).toBeGreaterThanOrEqual(98)
    expect(count.ran).toBeLessThanOrEqual(100)
  })

  it('sleeps until the next event and no shorter', () => {
    world.events = [{ atNs: 500 * ms }]
    start('live')
    host.turns()
    expect(host.sleeps).toEqual([500])
  })

  it('sets no timer at all when nothing will happen', () => {
    start('live')
    host.turns()
    expect(host.timers).toEqual([])
    const calls = world.calls
    host.pass(3_600_000)
    expect(world.calls).toBe(calls)
  })

  it('says before a long sleep how long it will be silent', () => {
    start('live')
    host.turns()
    expect(all('alive').at(-1)).toEqual({ type: 'alive', sleepMs: Number.POSITIVE_INFINITY })
  })

  it('is alive about once a second while events keep it busy', () => {
    world.costMs = 0
    world.tick(10 * ms)
    start('live')
    host.pass(10_000)
    expect(all('alive').length).toBeGreaterThanOrEqual(9)
    expect(all('alive').length).toBeLessThanOrEqual(12)
  })

  it('lets lost time go instead of racing to catch up', () => {
    world.costMs = 0
    const count = world.tick(10 * ms)
    start('live')
    host.pass(100)
    const before = count.ran
    // The tab is frozen for a minute: no timer fires, the clock goes on.
    host.now += 60_000
    host.pass(100)
    expect(count.ran - before).toBeLessThanOrEqual(30)
    expect(world.now).toBeLessThan(500 * ms)
  })

  it('enters input at the present of the wall clock, also after a long sleep', () => {
    const loop = start('live')
    host.turns()
    host.now = 5000
    loop.input({ kind: 'serial', line: 'com1', bytes: [13] })
    expect(world.inputs).toEqual([{ atNs: 5000 * ms, input: { kind: 'serial', line: 'com1', bytes: [13] } }])
  })

  it('does not take a sleep on purpose for lag', () => {
    world.events = [{ atNs: 2000 * ms }, { atNs: 2010 * ms }]
    start('live')
    host.pass(2100)
    expect(world.events).toEqual([])
    expect(world.now).toBeGreaterThanOrEqual(2000 * ms)
  })
})

describe('paused', () => {
  it('stands still however long it lasts, without a timer, and goes on from there', () => {
    world.costMs = 0
    const count = world.tick(10 * ms)
    const loop = start('live')
    host.pass(100)
    const { ran } = count
    loop.clock('paused')
    host.turns()
    const at = world.now
    expect(all('clock').at(-1)).toMatchObject({ mode: 'paused', nowNs: at })
    host.pass(60_000)
    expect(host.timers).toEqual([])
    expect([world.now, count.ran]).toEqual([at, ran])
    loop.clock('live')
    host.pass(100)
    expect(count.ran - ran).toBeGreaterThanOrEqual(9)
    expect(count.ran - ran).toBeLessThanOrEqual(11)
  })

  it('takes inputs at its present, to be seen when time goes on', () => {
    world.costMs = 0
    world.tick(10 * ms)
    const loop = start('paused')
    host.pass(500)
    loop.input({ kind: 'button', button: 'nmi' })
    host.pass(500)
    expect(world.inputs).toEqual([{ atNs: 0, input: { kind: 'button', button: 'nmi' } }])
    expect(world.now).toBe(0)
  })

  it('runs as far as somebody asks for, and is paused again', () => {
    world.costMs = 0
    const count = world.tick(10 * ms)
    const loop = start('paused')
    const reached: number[] = []
    loop.runFor(105 * ms, { done: (nowNs) => reached.push(nowNs), failed: unexpected })
    host.pass(1000)
    expect(reached).toEqual([105 * ms])
    expect(count.ran).toBe(10)
    expect(all('clock').at(-1)).toMatchObject({ mode: 'paused', nowNs: 105 * ms })
  })
})

describe('turbo', () => {
  it('runs freely until the machine has settled, then is live', () => {
    world.events = [{ atNs: 9_000 * ms }, { atNs: 60_000 * ms, forInput: true }]
    start('turbo')
    host.turns()
    expect(world.now).toBe(9_000 * ms)
    expect(all('clock').at(-1)).toMatchObject({ mode: 'live', settled: true })
    // The countdown of a menu then takes its time.
    expect(host.sleeps).toEqual([51_000])
  })

  it('asked for in a settled machine, waits for something to do', () => {
    const loop = start('live')
    host.turns()
    loop.clock('turbo')
    host.turns()
    expect(all('clock').at(-1)).toMatchObject({ mode: 'turbo' })
    world.events = [{ atNs: 30_000 * ms }]
    loop.wake()
    host.turns()
    expect(world.now).toBe(30_000 * ms)
    expect(all('clock').at(-1)).toMatchObject({ mode: 'live' })
  })

  it('gives messages their turn at least every 50 ms of real time', () => {
    world.tick(ms)
    start('turbo')
    let longest = 0
    for (let i = 0; i < 50; i++) {
      const before = host.now
      expect(host.turns(1)).toBe(1)
      longest = Math.max(longest, host.now - before)
    }
    expect(longest).toBeLessThan(50)
    expect(longest).toBeGreaterThan(0)
  })

  it('is alive once a second of real time', () => {
    world.tick(ms)
    start('turbo')
    while (host.now < 5000) host.turns(1)
    expect(all('alive').length).toBeGreaterThanOrEqual(4)
    expect(all('alive').length).toBeLessThanOrEqual(7)
  })
})

describe('requests', () => {
  it('run-for runs in turbo and stops at its time to the nanosecond', () => {
    world.costMs = 0
    world.tick(10 * ms)
    const loop = start('live')
    let now: number | undefined
    loop.runFor(1_234_567, {
      done: (nowNs) => {
        now = nowNs
      },
      failed: unexpected,
    })
    host.turns(3)
    expect(now).toBe(1_234_567)
  })

  it('run-for ends also when nothing happens any more', () => {
    const loop = start('live')
    const ended: number[] = []
    loop.runFor(5 * ms, { done: (nowNs) => ended.push(nowNs), failed: unexpected })
    loop.runFor(3 * ms, { done: (nowNs) => ended.push(nowNs), failed: unexpected })
    host.turns()
    expect(ended).toEqual([3 * ms, 5 * ms])
  })

  it('settled is answered when nothing is left to do, not before', () => {
    world.events = [{ atNs: 50 * ms }]
    const loop = start('live')
    const ended: number[] = []
    loop.whenSettled({ done: (nowNs) => ended.push(nowNs), failed: unexpected })
    host.pass(40)
    expect(ended).toEqual([])
    host.pass(40)
    expect(ended).toHaveLength(1)
  })

  it('a driver steps the world alone, and another is refused meanwhile', () => {
    world.tick(ms)
    const loop = start('live')
    const log: string[] = []
    function* steps() {
      for (let i = 0; i < 3; i++) {
        log.push(`step ${world.calls}`)
        yield
      }
    }
    loop.drive(steps(), (error) => log.push(`done ${error}`))
    loop.drive(steps(), (error) => log.push(String(error)))
    host.turns(1)
    expect(log).toEqual(['Error: another tape is playing', 'step 0', 'step 0', 'step 0', 'done undefined'])
  })

  describe('who looks at the world sees it between two instants', () => {
    /** Twelve events at one time, more than two slices. */
    const crowd = () => {
      for (let i = 0; i < 12; i++) world.events.push({ atNs: ms })
    }

    it('the rest of the instant is run first, once', () => {
      crowd()
      const loop = start('turbo')
      const seen: [number, number][] = []
      const look = { done: (nowNs: number) => seen.push([nowNs, world.events.length]), failed: unexpected }
      loop.observe(look)
      expect(seen).toEqual([[0, 12]])
      world.runUntil(2 * ms, () => false)
      expect(world.events).toHaveLength(7)
      loop.observe(look)
      loop.observe(look)
      expect(seen.slice(1)).toEqual([
        [ms + 1, 0],
        [ms + 1, 0],
      ])
    })

    it('while a driver steps it: when the driver has come to the end of one', () => {
      crowd()
      const loop = start('live')
      const seen: [number, number][] = []
      function* steps() {
        while (world.runUntil(2 * ms, () => false) === 'slice') {
          if (world.events.length === 7)
            loop.observe({ done: (nowNs) => seen.push([nowNs, world.events.length]), failed: unexpected })
          yield
        }
      }
      loop.drive(steps(), () => {})
      host.turns()
      expect(seen).toEqual([[2 * ms, 0]])
    })

    it('a world that throws is a fault, and who looked is told', () => {
      const loop = start('live')
      const why: string[] = []
      world.finishInstant = () => {
        throw new Error('broken invariant')
      }
      loop.observe({ done: () => why.push('done'), failed: (error) => why.push(error.message) })
      expect(why).toEqual(['the machine is gone'])
      expect(faults).toEqual([new Error('broken invariant')])
    })
  })

  it('who waits for a machine that is replaced is told so', () => {
    world.tick(ms)
    const loop = start('live')
    const why: string[] = []
    const failed = (error: unknown) => why.push(String(error))
    loop.runFor(ms, { done: () => why.push('done'), failed })
    loop.whenSettled({ done: () => why.push('done'), failed })
    loop.drive([].values(), failed)
    loop.stop(new Error('replaced'))
    expect(why).toEqual(['Error: replaced', 'Error: replaced', 'Error: replaced'])
  })

  it('a driver that throws ends with its error, and the machine goes on', () => {
    world.costMs = 0
    const count = world.tick(10 * ms)
    const loop = start('live')
    const errors: unknown[] = []
    loop.drive(
      (function* () {
        throw new Error('bad tape')
      })(),
      (error) => errors.push(error),
    )
    host.pass(100)
    expect(errors).toEqual([new Error('bad tape')])
    expect(count.ran).toBeGreaterThan(5)
    expect(faults).toEqual([])
  })
})

describe('what it sends', () => {
  it('batches console bytes, one message a frame', () => {
    world.costMs = 0
    world.perSlice = 1000
    for (let i = 0; i < 1000; i++) world.events.push({ atNs: i * ms, run: () => world.print(i & 255) })
    start('live')
    host.pass(1100)
    const messages = all('serial')
    expect(messages.length).toBeLessThanOrEqual(65)
    expect(messages.flatMap((message) => [...message.bytes])).toEqual(Array.from({ length: 1000 }, (_, i) => i & 255))
  })

  it('sends the last screen although nothing else follows', () => {
    world.costMs = 0
    for (let i = 1; i <= 5; i++) world.events.push({ atNs: i * ms, run: () => world.version++ })
    start('live')
    host.pass(100)
    expect(all('screen').at(-1)!.screen.cells[0]).toBe(5)
    expect(all('screen').length).toBeLessThan(5)
    expect(host.timers).toEqual([])
  })

  it('sends a screen a second at most while nobody looks', () => {
    world.costMs = 0
    const again = () => {
      world.version++
      world.events.push({ atNs: world.now + 20 * ms, run: again })
    }
    world.events.push({ atNs: 0, run: again })
    start('live').visible(false)
    host.pass(10_000)
    expect(all('screen').length).toBeGreaterThan(5)
    expect(all('screen').length).toBeLessThanOrEqual(12)
  })

  it('reports a world that throws as a fault, and stops', () => {
    world.events = [
      {
        atNs: 0,
        run: () => {
          throw new Error('broken invariant')
        },
      },
    ]
    const loop = start('turbo')
    host.turns()
    expect(faults).toEqual([new Error('broken invariant')])
    loop.wake()
    expect(host.turns()).toBe(0)
  })

  it('does nothing after stop', () => {
    const count = world.tick(ms)
    const loop = start('live')
    host.pass(10)
    const before = count.ran
    loop.stop()
    host.pass(100)
    expect(count.ran).toBe(before)
    expect(before).toBeGreaterThan(0)
  })
})

describe('what observers are told', () => {
  const domain = (domid: number, totPages: number): DomainProbe => ({
    domid,
    handle: `${domid}`,
    flags: 0,
    onlineVcpus: 1,
    totPages,
    maxPages: 100,
    cpuNs: 0,
    atNs: 0,
  })
  const probe = (domid: number, totPages = 0): Probe => ({ kind: 'domain', ...domain(domid, totPages) })
  const gone = (domid: number): Probe => ({ kind: 'domain-gone', domid })
  const line = (text: string): Probe => ({ kind: 'xenstore', line: text, atNs: 7 })
  const types = () => sent.filter(({ type }) => ['domains', 'xenstore', 'probe', 'state'].includes(type))

  it('a thousand changes are a few messages, and the last of each domain is told', () => {
    world.costMs = 0
    world.perSlice = 1000
    for (let i = 0; i < 1000; i++)
      world.events.push({ atNs: (i * ms) / 10, run: () => world.tell(probe(i % 3, i), line(`${i}`)) })
    start('live')
    host.pass(200)
    expect(all('domains').length).toBeLessThan(12)
    const last = new Map(all('domains').flatMap(({ changed }) => changed.map((each) => [each.domid, each.totPages])))
    expect([...last].sort()).toEqual([
      [0, 999],
      [1, 997],
      [2, 998],
    ])
    expect(all('xenstore').length).toBeLessThan(12)
    expect(all('xenstore').flatMap(({ lines }) => lines)).toEqual(Array.from({ length: 1000 }, (_, i) => `${i}`))
    expect(host.timers).toEqual([])
  })

  it('a domain that went and came again under its number is gone first', () => {
    world.events = [{ atNs: ms, run: () => world.tell(probe(1, 1), gone(1), probe(1, 2), probe(2, 1), gone(2)) }]
    start('live')
    host.pass(100)
    expect(all('domains')).toEqual([{ type: 'domains', gone: [1, 2], changed: [domain(1, 2)] }])
  })

  it('other probes go at once; a state comes after what was before it', () => {
    start('turbo')
    world.tell(probe(0), { kind: 'serial-input', owner: 'dom0' }, line('new'))
    world.becomes('off')
    expect(types()).toEqual([
      { type: 'probe', probe: { kind: 'serial-input', owner: 'dom0' } },
      { type: 'domains', gone: [], changed: [domain(0, 0)] },
      { type: 'xenstore', lines: ['new'], atNs: [7] },
      { type: 'state', state: 'off' },
    ])
  })

  it('after a rehearsal there is what that machine has, and nothing of its past', () => {
    const loop = start('turbo')
    world.tell(probe(0), probe(1), probe(2))
    world.becomes('xen')
    sent = []
    const again = new FakeWorld(host)
    loop.rehearse(again)
    again.becomes('xen')
    again.tell(probe(0, 1), probe(7), line('old'), { kind: 'panic', message: 'once' })
    again.becomes('firmware')
    again.becomes('xen')
    again.tell(line('new'), probe(0, 2), probe(2, 5), gone(2), probe(1, 3))
    expect(types()).toEqual([])
    loop.continueWith(again)
    host.pass(100)
    expect(types()).toEqual([
      { type: 'domains', gone: [0, 1, 2], changed: [domain(0, 2), domain(1, 3)] },
      { type: 'xenstore', lines: ['new'], atNs: [7] },
    ])
    again.tell({ kind: 'halted' })
    expect(types().at(-1)).toEqual({ type: 'probe', probe: { kind: 'halted' } })
  })
})
