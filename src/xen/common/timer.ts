/** xen/common/timer.c: one processor's timers, in order of expiry. */

export interface XenTimer {
  /** What key a calls it. */
  readonly name: string
  /** System time, ns. */
  expiresNs: number
  readonly run: () => void
}

export class TimerQueue {
  readonly #timers: XenTimer[] = []

  set(timer: XenTimer, expiresNs: number): void {
    this.stop(timer)
    timer.expiresNs = expiresNs
    const at = this.#timers.findIndex((other) => other.expiresNs > expiresNs)
    if (at < 0) this.#timers.push(timer)
    else this.#timers.splice(at, 0, timer)
  }

  stop(timer: XenTimer): void {
    const at = this.#timers.indexOf(timer)
    if (at >= 0) this.#timers.splice(at, 1)
  }

  /** In order of expiry. */
  all(): readonly XenTimer[] {
    return this.#timers
  }

  /** When the next one is due; undefined when none is set. */
  nextNs(): number | undefined {
    return this.#timers[0]?.expiresNs
  }

  /** Run what is due by `nowNs`. */
  runDue(nowNs: number): void {
    // Timers set meanwhile for a time that has come run too, as in the real loop; a timer that always does so would hang it there too.
    for (let i = 0; i < DUE_MAX; i++) {
      const timer = this.#timers[0]
      if (!timer || timer.expiresNs > nowNs) return
      this.#timers.shift()
      timer.run()
    }
  }
}

const DUE_MAX = 10_000
