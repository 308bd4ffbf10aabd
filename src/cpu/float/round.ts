/**
 * Rounding of an exact value to a format (IEEE 754; Intel SDM volume 1, sections 4.8.4 and 4.9.1): x86 detects tininess
 * after rounding.
 */
import { DOWN, type Environment, NEAREST, OE, PE, UE, UP } from './environment.ts'
import { type Format, packFinite, packInfinity, packZero } from './format.ts'
import { bitLength } from './integers.ts'

/**
 * By how much the exponent of a result is off that an unmasked overflow or underflow of x87 leaves in its register (SDM
 * volume 1, 8.5.4); SSE has no result then.
 */
const EXPONENT_ADJUSTMENT = 24576

interface Rounded {
  readonly significand: bigint
  readonly exact: boolean
  readonly up: boolean
}

/** To a multiple of 2^`drop`; `sticky`: there is something positive below the lowest bit. */
export function roundAt(rounding: number, sign: 0 | 1, significand: bigint, drop: number, sticky: boolean): Rounded {
  if (drop <= 0) return { significand: significand << BigInt(-drop), exact: !sticky, up: false }
  const shift = BigInt(drop)
  const kept = significand >> shift
  const rest = significand - (kept << shift)
  if (rest === 0n && !sticky) return { significand: kept, exact: true, up: false }
  let up: boolean
  if (rounding === NEAREST) {
    const half = 1n << (shift - 1n)
    up = rest > half || (rest === half && (sticky || (kept & 1n) === 1n))
  } else up = rounding === (sign === 0 ? UP : DOWN)
  return { significand: up ? kept + 1n : kept, exact: false, up }
}

function overflow(env: Environment, format: Format, sign: 0 | 1): bigint {
  env.flags |= OE | PE
  const toInfinity = env.rounding === NEAREST || env.rounding === (sign === 0 ? UP : DOWN)
  env.roundedUp = toInfinity
  if (toInfinity) return packInfinity(format, sign)
  const { precision, maxExponent } = format
  return packFinite(format, sign, (1n << BigInt(precision)) - 1n, maxExponent - precision + 1)
}

/**
 * The bits of `significand` (not 0) times 2 to the `exponent`, and of a little more if `sticky`: then the significand
 * must have two bits more than the format's precision.
 */
export function round(
  env: Environment,
  format: Format,
  sign: 0 | 1,
  significand: bigint,
  exponent: number,
  sticky = false,
): bigint {
  const { precision, minExponent, maxExponent } = format
  const drop = bitLength(significand) - precision
  const free = roundAt(env.rounding, sign, significand, drop, sticky)
  // Where all bits are ones, rounding up gives one bit more, and all of it zeros but the first.
  const carried = free.significand >> BigInt(precision) !== 0n
  const whole = carried ? free.significand >> 1n : free.significand
  const lowest = exponent + drop + (carried ? 1 : 0)
  const top = lowest + precision - 1
  if (top > maxExponent) {
    if ((env.masks & OE) !== 0) return overflow(env, format, sign)
    env.flags |= OE
    // FSCALE can go so far that adjusting does not help.
    if (top - EXPONENT_ADJUSTMENT > maxExponent) return beyond(env, packInfinity(format, sign), true)
    return settle(env, format, sign, free, whole, lowest - EXPONENT_ADJUSTMENT)
  }
  if (top >= minExponent) return settle(env, format, sign, free, whole, lowest)
  if ((env.masks & UE) === 0) {
    env.flags |= UE
    if (top + EXPONENT_ADJUSTMENT < minExponent) return beyond(env, packZero(format, sign), false)
    return settle(env, format, sign, free, whole, lowest + EXPONENT_ADJUSTMENT)
  }
  if (env.flushToZero) {
    env.flags |= UE | PE
    return packZero(format, sign)
  }
  const floor = minExponent - precision + 1
  const tiny = roundAt(env.rounding, sign, significand, floor - exponent, sticky)
  if (!tiny.exact) env.flags |= UE
  return settle(env, format, sign, tiny, tiny.significand, floor)
}

function beyond(env: Environment, bits: bigint, up: boolean): bigint {
  env.flags |= PE
  env.roundedUp = up
  return bits
}

function settle(
  env: Environment,
  format: Format,
  sign: 0 | 1,
  { exact, up }: Rounded,
  significand: bigint,
  lowest: number,
): bigint {
  if (!exact) env.flags |= PE
  env.roundedUp = up
  return packFinite(format, sign, significand, lowest)
}
