/** Singles and doubles at the edges of what an engine's own arithmetic can be relied on for, as bits and in vectors. */
import type { Rng } from '#lib/prng.ts'
import { float } from './fpu-family.ts'

export interface Format {
  readonly bytes: 4 | 8
  /** Stored bits of the fraction; the exponent's largest value, which is that of infinity. */
  readonly fraction: number
  readonly special: number
}
export const SINGLE: Format = { bytes: 4, fraction: 23, special: 0xff }
export const DOUBLE: Format = { bytes: 8, fraction: 52, special: 0x7ff }

export const bitsOf = ({ fraction }: Format, exponent: number, low: bigint): bigint =>
  (BigInt(exponent) << BigInt(fraction)) | low

/** Both signs of: zero, denormals, the smallest binades with their first and last numbers, around one, the largest binade, integers that just fit or do not, infinity, NaNs. */
export function edges(format: Format): readonly bigint[] {
  const { special, fraction, bytes } = format
  const all = (1n << BigInt(fraction)) - 1n
  const bias = special >> 1
  const numbers = [0, 1, 2, 3, bias >> 1, bias - 1, bias, bias + 1, special - 2, special - 1].flatMap((exponent) =>
    [0n, 1n, all].map((low) => bitsOf(format, exponent, low)),
  )
  const limits = [30, 31, 62, 63].flatMap((power) => [
    bitsOf(format, bias + power, 0n),
    bitsOf(format, bias + power - 1, all),
  ])
  const quiet = 1n << BigInt(fraction - 1)
  const strange = [bitsOf(format, special, 0n), bitsOf(format, special, 5n), bitsOf(format, special, quiet | 9n)]
  return [...numbers, ...limits, ...strange].flatMap((bits) => [bits, bits | (1n << BigInt(8 * bytes - 1))])
}

/** Whose sum, product and quotient are around the smallest binades or the largest one, or cancel. */
export function pair(rng: Rng, format: Format): readonly [bigint, bigint] {
  const { fraction, special, bytes } = format
  const bias = special >> 1
  const low = (): bigint => BigInt.asUintN(fraction, rng.below(3) === 0 ? 0n : float(rng, bytes))
  const sign = (): bigint => BigInt(rng.below(2)) << BigInt(8 * bytes - 1)
  const made = (exponent: number): bigint =>
    sign() | bitsOf(format, Math.max(0, Math.min(special - 1, exponent)), low())
  const near = rng.below(7) - 3
  const first = 1 + rng.below(special - 2)
  switch (rng.below(6)) {
    case 5: {
      const whole = (): bigint =>
        (bytes === 4 ? single : double)(rng.pick([1, 3, 5, 81, 2 ** 20 + 1]) * 2 ** (rng.below(20) - 10))
      return [whole() | sign(), whole() | sign()]
    }
    case 0:
      return [made(first), made(bias - first + near)]
    case 1:
      return [made(first), made(first + bias + near)]
    case 2:
      return [made(first), made(2 * bias + bias - first + near)]
    case 3: {
      const a = made(1 + rng.below(60))
      return [a, a ^ BigInt(rng.below(8)) ^ sign()]
    }
    default:
      return [float(rng, bytes), float(rng, bytes)]
  }
}

export const single = (value: number): bigint => BigInt(new Uint32Array(Float32Array.of(value).buffer)[0]!)
export const double = (value: number): bigint => new BigUint64Array(Float64Array.of(value).buffer)[0]!

/** So many as there is room for. */
export function vectorOf({ bytes }: Format, lanes: readonly bigint[]): Uint8Array {
  const vector = new Uint8Array(16)
  const view = new DataView(vector.buffer)
  for (const [n, bits] of lanes.slice(0, 16 / bytes).entries())
    if (bytes === 4) view.setUint32(4 * n, Number(bits), true)
    else view.setBigUint64(8 * n, bits, true)
  return vector
}
