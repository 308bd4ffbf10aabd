/** Counters that are computed from the time instead of being counted: how far a clock of `hz` has come, and when it gets there. */

/** Whole ticks that a clock of `hz` has made by `ns`. Never falls as `ns` rises. */
export const ticksAt = (ns: number, hz: number): number => Math.floor((ns / 1e9) * hz)

/** The first whole ns at which `ticksAt` is `tick` or more. Beyond 104 days a ns can no longer be told from the next: then about there. */
export function nsOfTick(tick: number, hz: number): number {
  let ns = Math.max(0, Math.floor((tick / hz) * 1e9))
  if (ns >= Number.MAX_SAFE_INTEGER) return ns
  while (ticksAt(ns, hz) < tick) ns++
  while (ns > 0 && ticksAt(ns - 1, hz) >= tick) ns--
  return ns
}
