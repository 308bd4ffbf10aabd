/** Comparison of numbers taken apart (IEEE 754; Intel SDM volume 1, 4.8.3 and 8.3.6). */
import { type Environment, IE } from './environment.ts'
import { type Float, noteDenormals, signalling } from './format.ts'

export type Order = 'less' | 'equal' | 'greater' | 'unordered'

/** Of two finite positive numbers. */
function magnitudes(a: Float, b: Float): number {
  const exponent = Math.min(a.exponent, b.exponent)
  // Numbers so far apart that it would cost much to align them differ by their exponents.
  if (Math.abs(a.exponent - b.exponent) > 200) return a.exponent - b.exponent
  const difference = (a.significand << BigInt(a.exponent - exponent)) - (b.significand << BigInt(b.exponent - exponent))
  return difference < 0n ? -1 : difference === 0n ? 0 : 1
}

const RANK = { zero: 0, finite: 1, infinity: 2, nan: 3, unsupported: 3 } as const

/** Quiet comparisons (UCOMIS, FUCOM) are invalid only with signalling NaNs. */
export function compare(env: Environment, a: Float, b: Float, quiet: boolean): Order {
  if (a.kind === 'unsupported' || b.kind === 'unsupported') env.flags |= IE
  else if (signalling(a) || signalling(b)) env.flags |= IE
  if (RANK[a.kind] === 3 || RANK[b.kind] === 3) {
    if (!quiet) env.flags |= IE
    return 'unordered'
  }
  noteDenormals(env, a, b)
  if (a.kind === 'zero' && b.kind === 'zero') return 'equal'
  const signA = a.kind === 'zero' ? b.sign ^ 1 : a.sign
  const signB = b.kind === 'zero' ? a.sign ^ 1 : b.sign
  if (signA !== signB) return signA === 0 ? 'greater' : 'less'
  const difference = a.kind === 'finite' && b.kind === 'finite' ? magnitudes(a, b) : RANK[a.kind] - RANK[b.kind]
  if (difference === 0) return 'equal'
  return difference > 0 === (signA === 0) ? 'greater' : 'less'
}
