/**
 * Where real time meets virtual time (design D5). Live mode follows the wall clock: it may lag, and then lets the lost time go instead of
 * racing to catch up. Turbo runs freely until the machine has settled, then is live. Paused stands still until told otherwise. A machine that
 * waits for nothing but input costs no timer at all.
 */
import type { ClockMode, Input, MachineState } from '#protocol/machine.ts'
import type { StopReason, SyncMachine } from '#protocol/sync-machine.ts'
import type { XrayWatch } from '#protocol/xray.ts'
import type { Host } from './host.ts'
import { createOutbox, type Outbox, type Send } from './outbox.ts'
import type { TracedWorld } from './xray.ts'

/** What the loop asks of a world. */
export interface LoopWorld extends SyncMachine, TracedWorld {
  /** With `untilSettled`, also ends as soon as the machine has settled. */
  runUntil(deadlineNs: number, stop: () => boolean, untilSettled?: boolean): StopReason
  /** Nothing is runnable and only input timers are left. */
  settled(): boolean
  /** Virtual time of the next thing that happens without input; Infinity when nothing will. */
  nextNs(): number
  /** Changes with every visible change of the monitor. */
  screenVersion(): number
  /** Part of the disk is on its way, and something needs it: nothing goes on until somebody calls `wake`. */
  waitsForDisk(): boolean
  /** To the end of the present instant, if part of it is over. */
  finishInstant(): void
  onState(listener: (state: MachineState) => void): () => void
}

/** Somebody who steps the world himself, such as a tape: each `next()` takes at most one slice of real time. */
export type Driver = Iterator<unknown, unknown>

/** Whoever waits for a virtual time, or learns that it never comes. */
export interface Waiter {
  readonly done: (nowNs: number) => void
  readonly failed: (why: Error) => void
}

/** Real time that one turn may take before messages get theirs. */
const turnMs = 12
/** How far live mode may lag before the lost time is let go. */
const lagNsMax = 100_000_000
/** Shortest sleep of live mode: a processor that never idles is woken this often. */
const liveSleepMs = 4
/** Between two `alive` of a busy loop. */
const aliveMs = 1000
/** Between two `clock` messages that tell only the time. */
const clockMs = 200

const never = () => false

export class RunLoop {
  #world: LoopWorld
  readonly #host: Host
  readonly #send: Send
  readonly #outbox: Outbox
  readonly #onFault: (error: unknown) => void
  #mode: ClockMode
  /** Live: virtual time `#anchorNs` was at real time `#anchorMs`. */
  #anchorMs: number
  #anchorNs: number
  /** Turbo has had something to do: the next time that the machine settles, turbo ends. */
  #turboRan = true
  #driver: { readonly steps: Driver; readonly done: (error?: unknown) => void } | undefined
  /** Turbo until a virtual time, for somebody who waits for it. */
  #runs: { readonly untilNs: number; readonly waiter: Waiter }[] = []
  #settledWaiters: Waiter[] = []
  /** Who wants the world between two instants, while a driver may not lose a step of its own. */
  #observers: Waiter[] = []
  /** A turn is under way or queued: nobody else needs to queue one. */
  #queued = false
  #cancelSleep: (() => void) | undefined
  #aliveSentMs = Number.NEGATIVE_INFINITY
  #clockSent: { mode: ClockMode; nowNs: number; settled: boolean; atMs: number } | undefined
  #stopped = false

  constructor(
    world: LoopWorld,
    parts: {
      readonly host: Host
      readonly send: Send
      readonly mode: ClockMode
      /** What of the trace the page wants to see. */
      readonly xray?: XrayWatch | undefined
      /** The world itself threw: our bug, not a guest's. The loop has stopped. */
      readonly onFault: (error: unknown) => void
    },
  ) {
    this.#world = world
    this.#host = parts.host
    this.#send = parts.send
    this.#onFault = parts.onFault
    this.#mode = parts.mode
    this.#outbox = createOutbox(parts.send)
    this.#anchorMs = parts.host.nowMs()
    this.#anchorNs = world.nowNs()
    world.onSerial((line, byte) => this.#outbox.serial(line, byte, world.nowNs()))
    this.#observe(world)
    if (parts.xray) this.xray(parts.xray)
  }

  /** `world` is about to do from its record what this one has done; `continueWith` it follows. */
  rehearse(world: LoopWorld): void {
    this.#outbox.observed.rehearse()
    this.#outbox.xray.rehearse()
    this.#observe(world)
  }

  #observe(world: LoopWorld): void {
    const { observed, xray } = this.#outbox
    world.onProbe((probe) => observed.probe(probe))
    world.onState((state) => {
      observed.state(state)
      xray.state(state)
    })
    xray.follow(world)
  }

  /** The same machine once more, made from its record: it goes on where the other has stopped. */
  continueWith(world: LoopWorld): void {
    this.#outbox.observed.rehearsed()
    this.#outbox.xray.rehearsed()
    this.#world = world
    this.#anchor()
    world.onSerial((line, byte) => this.#outbox.serial(line, byte, world.nowNs()))
    this.wake()
  }

  /** Begin, or go on at once after something outside has changed. */
  wake(): void {
    if (this.#queued || this.#stopped) return
    this.#queued = true
    this.#cancelSleep?.()
    this.#cancelSleep = undefined
    this.#host.soon(() => this.#turn())
  }

  /** Give up for good: no turn follows, and who waits is told `why`. */
  stop(why = new Error('the machine is gone')): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#cancelSleep?.()
    this.#outbox.flush(this.#host.nowMs(), true)
    const waiters = [...this.#runs.map((run) => run.waiter), ...this.#settledWaiters, ...this.#observers]
    this.#observers = []
    this.#runs = []
    this.#settledWaiters = []
    for (const { failed } of waiters) failed(why)
    const driver = this.#driver
    this.#driver = undefined
    driver?.done(why)
  }

  input(input: Input): void {
    // Somebody who types now types at the present of the wall clock, not at that of the last event.
    if (this.#pacing() === 'live') this.#guard(() => this.#world.runUntil(this.#liveTargetNs(), never))
    this.#guard(() => this.#world.input(input))
    this.wake()
  }

  clock(mode: ClockMode): void {
    this.#mode = mode
    this.#turboRan = false
    this.#anchor()
    this.wake()
  }

  visible(visible: boolean): void {
    this.#outbox.visible(visible)
    this.wake()
  }

  /** From now on that of the trace is told. */
  xray(watch: XrayWatch | undefined): void {
    this.#outbox.xray.watch(watch)
  }

  /** Turbo for `ns` of virtual time. */
  runFor(ns: number, waiter: Waiter): void {
    this.#runs.push({ untilNs: this.#world.nowNs() + ns, waiter })
    this.wake()
  }

  whenSettled(waiter: Waiter): void {
    this.#settledWaiters.push(waiter)
    this.wake()
  }

  /** For who looks at the world between two instants: as it is within one, a replay of its record would not show it. */
  observe(waiter: Waiter): void {
    if (this.#driver) {
      this.#observers.push(waiter)
      this.#tellObservers()
    } else if (this.#guard(() => this.#world.finishInstant())) waiter.done(this.#world.nowNs())
    else waiter.failed(new Error('the machine is gone'))
  }

  /** A driver is not deprived of a step of its own: what is left of the instant is left to it. */
  #tellObservers(): void {
    const world = this.#world
    if (this.#observers.length === 0 || world.nextNs() <= world.nowNs()) return
    world.finishInstant()
    const observers = this.#observers
    this.#observers = []
    for (const { done } of observers) done(world.nowNs())
  }

  /** Let `steps` step the world until it is done; refused while another does. */
  drive(steps: Driver, done: (error?: unknown) => void): void {
    if (this.#driver) {
      done(new Error('another tape is playing'))
      return
    }
    this.#driver = { steps, done }
    this.wake()
  }

  #pacing(): 'driven' | 'turbo' | 'live' | 'paused' {
    if (this.#driver) return 'driven'
    if (this.#runs.length > 0) return 'turbo'
    if (this.#mode === 'paused') return 'paused'
    return this.#mode === 'turbo' && !this.#world.settled() ? 'turbo' : 'live'
  }

  #anchor(): void {
    this.#anchorMs = this.#host.nowMs()
    this.#anchorNs = this.#world.nowNs()
  }

  /** Where live mode should be now. Time that was lost (a frozen tab, a slow turn) is let go beyond `lagNsMax`. */
  #liveTargetNs(): number {
    const wallNs = this.#anchorNs + Math.round((this.#host.nowMs() - this.#anchorMs) * 1e6)
    // Sleep up to the next event is no lag: the loop slept on purpose.
    const latestNs = Math.max(this.#world.nowNs(), this.#world.nextNs()) + lagNsMax
    if (wallNs <= latestNs) return wallNs
    this.#anchorMs = this.#host.nowMs()
    this.#anchorNs = latestNs
    return latestNs
  }

  #turn(): void {
    this.#queued = false
    if (this.#stopped) return
    const startMs = this.#host.nowMs()
    let again = false
    const ran = this.#guard(() => {
      do again = this.#slice()
      while (again && this.#host.nowMs() - startMs < turnMs)
    })
    if (!ran) return
    this.#afterTurn(again)
  }

  /** One slice of whoever sets the pace. True when there is more to do at once. */
  #slice(): boolean {
    const world = this.#world
    const pacing = this.#pacing()
    if (pacing === 'driven') {
      const { steps, done } = this.#driver!
      let finished = false
      try {
        finished = steps.next().done === true
      } catch (error) {
        this.#driver = undefined
        this.#tellObservers()
        done(error)
        return true
      }
      this.#tellObservers()
      if (finished) {
        this.#driver = undefined
        this.#anchor()
        done()
      }
      return true
    }
    if (pacing === 'turbo') {
      this.#turboRan = true
      const untilNs = Math.min(...this.#runs.map((run) => run.untilNs))
      const reason = world.runUntil(untilNs, never, this.#runs.length === 0)
      this.#anchor()
      if (reason === 'disk') return false
      if (reason === 'deadline' || reason === 'idle') this.#finishRuns(reason === 'idle' ? untilNs : world.nowNs())
      return this.#pacing() === 'turbo' || reason === 'slice'
    }
    if (pacing === 'paused') return false
    return world.runUntil(this.#liveTargetNs(), never) === 'slice'
  }

  #finishRuns(reachedNs: number): void {
    const finished = this.#runs.filter((run) => run.untilNs <= reachedNs)
    this.#runs = this.#runs.filter((run) => run.untilNs > reachedNs)
    for (const { waiter } of finished) waiter.done(this.#world.nowNs())
  }

  #afterTurn(again: boolean): void {
    const world = this.#world
    const nowMs = this.#host.nowMs()
    const settled = world.settled()
    if (settled) {
      if (this.#mode === 'turbo' && this.#turboRan && !this.#driver) this.#mode = 'live'
      const waiters = this.#settledWaiters
      this.#settledWaiters = []
      for (const { done } of waiters) done(world.nowNs())
    }
    this.#outbox.screen(world.screenVersion(), () => world.screen())
    const flushMs = this.#outbox.flush(nowMs)
    this.#tellClock(nowMs, settled)
    const pacing = this.#pacing()
    if (!world.waitsForDisk() && (again || pacing === 'driven' || pacing === 'turbo')) {
      if (nowMs - this.#aliveSentMs >= aliveMs) this.#tellAlive(nowMs, 0)
      this.wake()
    } else this.#sleep(nowMs, flushMs)
  }

  /** Until the next event of the world or of the outbox; without either until somebody calls. */
  #sleep(nowMs: number, flushMs: number): void {
    const eventMs = this.#anchorMs + (this.#world.nextNs() - this.#anchorNs) / 1e6
    const still = this.#world.waitsForDisk() || this.#pacing() === 'paused'
    const worldMs = still ? Number.POSITIVE_INFINITY : Math.max(eventMs - nowMs, liveSleepMs)
    const delayMs = Math.min(worldMs, Math.max(flushMs - nowMs, 1))
    // Before a long sleep the page is told of it; short ones are told of once a second.
    if (delayMs >= aliveMs || nowMs - this.#aliveSentMs >= aliveMs) this.#tellAlive(nowMs, delayMs)
    if (delayMs === Number.POSITIVE_INFINITY) return
    this.#cancelSleep = this.#host.after(Math.ceil(delayMs), () => this.wake())
  }

  #tellAlive(nowMs: number, sleepMs: number): void {
    this.#aliveSentMs = nowMs
    this.#send({ type: 'alive', sleepMs })
  }

  #tellClock(nowMs: number, settled: boolean): void {
    const sent = this.#clockSent
    const nowNs = this.#world.nowNs()
    const changed = sent === undefined || sent.mode !== this.#mode || sent.settled !== settled
    if (!changed && (nowNs === sent.nowNs || nowMs - sent.atMs < clockMs)) return
    this.#clockSent = { mode: this.#mode, nowNs, settled, atMs: nowMs }
    this.#send({ type: 'clock', mode: this.#mode, nowNs, settled })
  }

  /** Run `act`; false when it threw, and then the loop has stopped. */
  #guard(act: () => void): boolean {
    try {
      act()
      return true
    } catch (error) {
      this.stop()
      this.#onFault(error)
      return false
    }
  }
}
