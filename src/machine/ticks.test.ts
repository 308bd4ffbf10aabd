import { expect, test } from 'vitest'
import { nsOfTick, ticksAt } from './ticks.ts'

test.each([1193182, 3579545, 14318180, 1193182 / 65536])('%d Hz: the first ns of a tick is the first', (hz) => {
  for (const tick of [1, 2, 3, 1000, 59659, 12_345_678, 123_456_789_012]) {
    // Time is exact to the ns for 104 days.
    if (tick / hz > 104 * 86400) continue
    const ns = nsOfTick(tick, hz)
    expect(Number.isInteger(ns)).toBe(true)
    expect(ticksAt(ns, hz)).toBeGreaterThanOrEqual(tick)
    expect(ticksAt(ns - 1, hz)).toBeLessThan(tick)
  }
})
