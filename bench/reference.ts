/**
 * The yardstick: a fixed piece of work whose time is measured beside every figure, so that figures of different machines and hours can be
 * compared as ratios. About 100 ms on a machine of 2026.
 */
export function referenceWork(): number {
  const words = new Uint32Array(1 << 20)
  let x = 0x9e3779b9
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < words.length; i++) {
      x ^= x << 13
      x ^= x >>> 17
      x ^= x << 5
      words[i] = (words[i]! + x) >>> 0
    }
  }
  return words[12345]!
}

export const millis = (run: () => unknown): number => {
  const from = performance.now()
  run()
  return performance.now() - from
}

/** The middle one of several runs. */
export function median(runs: number, measure: () => number): number {
  const times = Array.from({ length: runs }, measure).sort((a, b) => a - b)
  return times[runs >> 1]!
}

/** The reference's time now, in ms. The first call also warms it up. */
export const referenceMs = (): number => median(5, () => millis(referenceWork))

/** One line of the report: what it took, and how many references that is. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: 'ms' | 'us' | 'ns' | 'x' | 'KiB' | 'MiB' | 'count' | '%'
  /** What it is to be compared with. */
  readonly note?: string
}
