/** The operations of IEEE 754 on numbers taken apart; each gives bits of `format`, rounded once. */
import { DOWN, type Environment, ZE } from './environment.ts'
import { type Float, type Format, negated, noteDenormals, packInfinity, packZero } from './format.ts'
import { bitLength, integerRoot } from './integers.ts'
import { invalid, propagated } from './nan.ts'
import { round } from './round.ts'

/** Beyond this distance the smaller operand of an addition is only something below the larger one's last bit. */
const FAR = 140
/** More bits than any format's precision and two. */
const ENOUGH = 67

const product = (a: Float, b: Float): 0 | 1 => (a.sign === b.sign ? 0 : 1)

/** The bits of a finite number, of another format perhaps. */
const rounded = (env: Environment, format: Format, { sign, significand, exponent }: Float): bigint =>
  round(env, format, sign, significand, exponent)

export function add(env: Environment, format: Format, a: Float, b: Float): bigint {
  const nan = propagated(env, format, a, b)
  if (nan !== undefined) return nan
  if (a.kind === 'infinity' && b.kind === 'infinity' && a.sign !== b.sign) return invalid(env, format)
  noteDenormals(env, a, b)
  if (a.kind === 'infinity') return packInfinity(format, a.sign)
  if (b.kind === 'infinity') return packInfinity(format, b.sign)
  if (a.kind === 'zero' && b.kind === 'zero' && a.sign === b.sign) return packZero(format, a.sign)
  if (b.kind === 'zero' && a.kind !== 'zero') return rounded(env, format, a)
  if (a.kind === 'zero' && b.kind !== 'zero') return rounded(env, format, b)
  return addFinite(env, format, a, b)
}

function addFinite(env: Environment, format: Format, a: Float, b: Float): bigint {
  const [large, small] =
    a.exponent + bitLength(a.significand) >= b.exponent + bitLength(b.significand) ? [a, b] : [b, a]
  const same = a.sign === b.sign
  if (large.exponent - small.exponent > FAR) {
    const above = large.significand << BigInt(ENOUGH)
    return round(env, format, large.sign, same ? above : above - 1n, large.exponent - ENOUGH, true)
  }
  const exponent = Math.min(a.exponent, b.exponent)
  const x = large.significand << BigInt(large.exponent - exponent)
  const y = small.significand << BigInt(small.exponent - exponent)
  const sum = same ? x + y : x - y
  // An exact zero is positive, unless rounding goes down.
  if (sum === 0n) return packZero(format, env.rounding === DOWN ? 1 : 0)
  if (sum < 0n) return round(env, format, large.sign === 0 ? 1 : 0, -sum, exponent)
  return round(env, format, large.sign, sum, exponent)
}

export function sub(env: Environment, format: Format, a: Float, b: Float): bigint {
  return add(env, format, a, b.kind === 'nan' ? b : negated(b))
}

export function mul(env: Environment, format: Format, a: Float, b: Float): bigint {
  const nan = propagated(env, format, a, b)
  if (nan !== undefined) return nan
  const infinite = a.kind === 'infinity' || b.kind === 'infinity'
  const zero = a.kind === 'zero' || b.kind === 'zero'
  if (infinite && zero) return invalid(env, format)
  noteDenormals(env, a, b)
  const sign = product(a, b)
  if (infinite) return packInfinity(format, sign)
  if (zero) return packZero(format, sign)
  return round(env, format, sign, a.significand * b.significand, a.exponent + b.exponent)
}

export function div(env: Environment, format: Format, a: Float, b: Float): bigint {
  const nan = propagated(env, format, a, b)
  if (nan !== undefined) return nan
  if (a.kind === b.kind && a.kind !== 'finite') return invalid(env, format)
  const sign = product(a, b)
  if (a.kind === 'finite' && b.kind === 'zero') {
    env.flags |= ZE
    return packInfinity(format, sign)
  }
  noteDenormals(env, a, b)
  if (a.kind === 'infinity') return packInfinity(format, sign)
  if (a.kind === 'zero' || b.kind === 'infinity') return packZero(format, sign)
  const shift = Math.max(0, ENOUGH + bitLength(b.significand) - bitLength(a.significand))
  const dividend = a.significand << BigInt(shift)
  const quotient = dividend / b.significand
  const sticky = quotient * b.significand !== dividend
  return round(env, format, sign, quotient, a.exponent - b.exponent - shift, sticky)
}

export function sqrt(env: Environment, format: Format, a: Float): bigint {
  const nan = propagated(env, format, a)
  if (nan !== undefined) return nan
  if (a.kind === 'zero') return packZero(format, a.sign)
  if (a.sign === 1) return invalid(env, format)
  noteDenormals(env, a)
  if (a.kind === 'infinity') return packInfinity(format, 0)
  const shift = Math.max(0, 2 * ENOUGH - bitLength(a.significand))
  // The exponent must be even.
  const even = shift + ((a.exponent - shift) & 1)
  const radicand = a.significand << BigInt(even)
  const root = integerRoot(radicand)
  return round(env, format, 0, root, (a.exponent - even) / 2, root * root !== radicand)
}
