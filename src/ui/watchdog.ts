/** Takes a long silence of the worker for what it is. Armed only while the worker has said that it will speak again. */

/** Silence beyond what the worker announced. */
const patienceMs = 10_000
/** A frozen tab wakes with its timers first and its messages after: look twice. */
const secondLookMs = 1000

export interface Watchdog {
  /** The worker spoke, and means to be silent for `sleepMs`. */
  heard(sleepMs: number): void
  /** Something was sent: an answer of some kind is due. */
  asked(): void
  stop(): void
}

export interface Timers {
  setTimeout(run: () => void, ms: number): number
  clearTimeout(id: number): void
}

export function createWatchdog(onHung: () => void, timers: Timers): Watchdog {
  let timer: number | undefined
  let waiting = false

  function disarm(): void {
    if (timer !== undefined) timers.clearTimeout(timer)
    timer = undefined
  }

  function arm(ms: number): void {
    disarm()
    timer = timers.setTimeout(() => {
      timer = timers.setTimeout(onHung, secondLookMs)
    }, ms)
  }

  return {
    heard(sleepMs) {
      waiting = false
      disarm()
      if (sleepMs !== Number.POSITIVE_INFINITY) arm(sleepMs + patienceMs)
    },
    asked() {
      // The first unanswered question counts: who keeps asking must not keep the dog asleep.
      if (waiting) return
      waiting = true
      arm(patienceMs)
    },
    stop: disarm,
  }
}
