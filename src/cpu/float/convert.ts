/** Conversions between formats, to and from integers, and rounding to integral numbers. */
import { type Environment, IE, PE } from './environment.ts'
import { type Float, type Format, packFinite, packInfinity, packZero } from './format.ts'
import { bitLength } from './integers.ts'
import { propagated } from './nan.ts'
import { round, roundAt } from './round.ts'

/** A number in another format; denormal operands are the caller's to note. */
export function toFormat(env: Environment, format: Format, a: Float): bigint {
  const nan = propagated(env, format, a)
  if (nan !== undefined) return nan
  if (a.kind === 'zero') return packZero(format, a.sign)
  if (a.kind === 'infinity') return packInfinity(format, a.sign)
  return round(env, format, a.sign, a.significand, a.exponent)
}

export function fromInteger(env: Environment, format: Format, value: bigint): bigint {
  if (value === 0n) return packZero(format, 0)
  return value < 0n ? round(env, format, 1, -value, 0) : round(env, format, 0, value, 0)
}

/**
 * The whole number that a finite number rounds to, its magnitude; PE and C1 as it goes. Only for numbers below
 * 2^`limit`, else undefined.
 */
function whole(env: Environment, a: Float, rounding: number, limit: number): bigint | undefined {
  if (a.exponent + bitLength(a.significand) > limit) return undefined
  // What is far below one half is as good as a little more than nothing.
  const tiny = a.exponent < -200
  const { significand, exact, up } = roundAt(
    rounding,
    a.sign,
    tiny ? 1n : a.significand,
    tiny ? 200 : -a.exponent,
    false,
  )
  if (!exact) env.flags |= PE
  env.roundedUp = up
  return significand
}

/** A signed integer of so many bits; its smallest (the manuals' integer indefinite) where there is none. */
export function toInteger(env: Environment, a: Float, bits: number, rounding = env.rounding): bigint {
  const smallest = -1n << BigInt(bits - 1)
  if (a.kind === 'zero') return 0n
  if (a.kind === 'finite') {
    const { flags } = env
    const magnitude = whole(env, a, rounding, bits)
    if (magnitude !== undefined) {
      const value = a.sign === 1 ? -magnitude : magnitude
      if (value >= smallest && value < -smallest) return value
    }
    env.flags = flags
    env.roundedUp = false
  }
  env.flags |= IE
  return smallest
}

/** A finite number, rounded to an integral one of the same format. */
export function roundToIntegral(env: Environment, format: Format, a: Float): bigint {
  if (a.exponent >= 0) return packFinite(format, a.sign, a.significand, a.exponent)
  const magnitude = whole(env, a, env.rounding, format.precision)
  if (magnitude === undefined || magnitude === 0n) return packZero(format, a.sign)
  const spare = format.precision - bitLength(magnitude)
  return packFinite(format, a.sign, magnitude << BigInt(spare), -spare)
}
