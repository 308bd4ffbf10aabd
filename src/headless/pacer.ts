/**
 * Real time and virtual time under Node. Live: virtual time follows the wall clock; what was lost to a slow turn or a suspended process beyond
 * `LAG_NS_MAX` is let go, never raced after. Turbo: freely until the machine has settled, then live.
 */
import type { Input } from '#protocol/machine.ts'
import type { SyncMachine } from '#protocol/sync-machine.ts'

export interface PacedWorld extends SyncMachine {
  /** Nothing is runnable and only input timers are left. */
  settled(): boolean
  /** Virtual time of the next thing that happens without input; Infinity when nothing will. */
  nextNs(): number
}

export const LAG_NS_MAX = 50_000_000
/** Real time that one turn may take before the terminal gets its due. */
const TURN_MS = 10
/** Shortest sleep of live mode: a machine that is never idle is woken this often. */
const SLEEP_MS_MIN = 2

const never = (): boolean => false

export class Pacer {
  readonly #world: PacedWorld
  readonly #nowMs: () => number
  #turbo: boolean
  /** Live: virtual time `#anchorNs` was at real time `#anchorMs`. */
  #anchorMs: number
  #anchorNs: number

  constructor(world: PacedWorld, nowMs: () => number, turbo: boolean) {
    this.#world = world
    this.#nowMs = nowMs
    this.#turbo = turbo
    this.#anchorMs = nowMs()
    this.#anchorNs = world.nowNs()
  }

  /** Input enters at the present of the wall clock, not at that of the last event. */
  input(input: Input): void {
    if (!this.#turbo) this.#world.runUntil(this.#targetNs(), never)
    this.#world.input(input)
  }

  /** One turn of at most about TURN_MS. How long to sleep then: 0 to go on at once, Infinity until there is input. */
  turn(): number {
    const startMs = this.#nowMs()
    do {
      if (this.#turbo) {
        const reason = this.#world.runUntil(Number.POSITIVE_INFINITY, never, true)
        this.#anchor()
        if (reason !== 'slice') this.#turbo = false
      } else if (this.#world.runUntil(this.#targetNs(), never) !== 'slice') return this.#sleepMs()
    } while (this.#nowMs() - startMs < TURN_MS)
    return 0
  }

  /** To the end of the present instant: a record that ended within one could not be replayed. */
  finish(): void {
    const endNs = this.#world.nowNs() + 1
    while (this.#world.runUntil(endNs, never) === 'slice');
  }

  #anchor(): void {
    this.#anchorMs = this.#nowMs()
    this.#anchorNs = this.#world.nowNs()
  }

  #targetNs(): number {
    const wallNs = this.#anchorNs + Math.round((this.#nowMs() - this.#anchorMs) * 1e6)
    // Having slept up to the next event is no lag.
    const next = this.#world.nextNs()
    const latestNs = (next === Number.POSITIVE_INFINITY ? wallNs : Math.max(this.#world.nowNs(), next)) + LAG_NS_MAX
    if (wallNs <= latestNs) return wallNs
    this.#anchorMs = this.#nowMs()
    this.#anchorNs = latestNs
    return latestNs
  }

  #sleepMs(): number {
    const next = this.#world.nextNs()
    if (next === Number.POSITIVE_INFINITY) return next
    const dueMs = this.#anchorMs + (next - this.#anchorNs) / 1e6
    return Math.max(SLEEP_MS_MIN, Math.ceil(dueMs - this.#nowMs()))
  }
}
