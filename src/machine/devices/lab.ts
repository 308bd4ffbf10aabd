/** A bench for trying out one chip: a clock to run by hand, and a probe on its output pins. */
import type { Line } from '../device.ts'
import { EventQueue } from '../events.ts'

export interface Lab {
  readonly clock: EventQueue
  /** Let `ns` pass, with all events in it. */
  run(ns: number): void
  /** A processor that polls: time goes on to `ns` from now, and events wait. */
  poll<T>(ns: number, look: () => T): T
  /** A line whose level can be read back; `edges` counts how often it rose. */
  line(): Line & { readonly high: () => boolean; readonly edges: () => number }
}

export function lab(): Lab {
  const clock = new EventQueue()
  return {
    clock,
    run(ns) {
      const until = clock.now() + ns
      while (clock.nextNs() <= until) clock.runNext()
      clock.advance(until)
    },
    poll(ns, look) {
      const at = clock.now() + ns
      clock.followCpu(() => at)
      const seen = look()
      clock.followCpu(undefined)
      return seen
    },
    line() {
      let high = false
      let edges = 0
      const set = (value: boolean): void => {
        if (value && !high) edges++
        high = value
      }
      return Object.assign(set, { high: () => high, edges: () => edges })
    },
  }
}
