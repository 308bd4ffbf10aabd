/**
 * Sines, arctangents, powers and logarithms of exact arguments to far more bits than any format has: what is rounded
 * from that is the correctly rounded result. Series and reductions are the usual ones (Handbook of Floating-Point
 * Arithmetic, chapter 11), on fixed-point BigInts.
 */
import { bitLength, integerRoot } from './integers.ts'

/** Bits of the fixed-point numbers' fractions. */
const FRACTION = 320
const SHIFT = BigInt(FRACTION)
const ONE = 1n << SHIFT
/**
 * Pi to 66 bits of fraction: by this, processors reduce arguments (Intel SDM volume 1, 8.3.8), so that it is what sines
 * and the like are of.
 */
const REDUCING_FRACTION = 66
const REDUCING_PI = 0xc90fdaa22168c234cn
const PI = 0x3243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89452821e638d01377n
const LN2 = 0xb17217f7d1cf79abc9e3b39803f2f6af40f343267298b62d8a0d175b8baafa2be7b876206debac98n
const LOG2_E = 0x171547652b82fe1777d0ffda0d23a7d11d6aef551bad2b4b1164a2cd9a342648fbc3887eeaa2ed9acn

/** A positive number or zero: exact, or with something irrational below its last bit. */
interface Magnitude {
  readonly significand: bigint
  readonly exponent: number
}
export interface Real extends Magnitude {
  readonly sign: 0 | 1
}

const times = (a: bigint, b: bigint): bigint => (a * b) >> SHIFT
const over = (a: bigint, b: bigint): bigint => (a << SHIFT) / b
const at = (exponent: number, value: bigint): bigint =>
  exponent >= 0 ? value << BigInt(exponent) : value >> BigInt(-exponent)
const fixed = ({ significand, exponent }: Magnitude): bigint => at(exponent + FRACTION, significand)
const real = (sign: 0 | 1, significand: bigint): Real => ({ sign, significand, exponent: -FRACTION })

/** A little less, or a little more, than a number that is exact. */
const barely = ({ significand, exponent }: Magnitude, sign: 0 | 1, less: boolean): Real => ({
  sign,
  significand: (significand << 128n) - (less ? 1n : 0n),
  exponent: exponent - 128,
})
/** Below 2^-80 the second term of a series is nothing but a little less or more. */
const isTiny = (a: Magnitude): boolean => a.exponent < -80 && a.significand >> BigInt(-80 - a.exponent) === 0n

/** The sum of `first`, `first * step(1)`, `first * step(1) * step(2)`, and so on. */
function series(first: bigint, step: (term: bigint, n: bigint) => bigint): bigint {
  let sum = first
  let term = first
  for (let n = 1n; term !== 0n; n++) {
    term = step(term, n)
    sum += term
    // A negative number's shift never reaches zero.
    if (term === -1n) return sum
  }
  return sum
}

const sineOf = (r: bigint): bigint => {
  const square = times(r, r)
  return series(r, (term, n) => -times(term, square) / (2n * n * (2n * n + 1n)))
}
const cosineOf = (r: bigint): bigint => {
  const square = times(r, r)
  return series(ONE, (term, n) => -times(term, square) / ((2n * n - 1n) * 2n * n))
}

interface Angle {
  readonly sine: Real
  readonly cosine: Real
  readonly tangent: Real
}

const signed = (value: bigint, flip: boolean): Real => real(value < 0n === flip ? 0 : 1, value < 0n ? -value : value)

/** Of an argument below 2^63. */
export function angle(a: Real): Angle {
  if (isTiny(a)) {
    const one = barely({ significand: 1n, exponent: 0 }, 0, true)
    return { sine: barely(a, a.sign, true), cosine: one, tangent: barely(a, a.sign, false) }
  }
  const argument = fixed(a)
  const quarter = at(FRACTION - REDUCING_FRACTION - 1, REDUCING_PI)
  const quarters = (2n * argument + quarter) / (2n * quarter)
  const rest = argument - quarters * quarter
  const sine = sineOf(rest)
  const cosine = cosineOf(rest)
  const quadrant = Number(quarters & 3n)
  const [s, c] = [
    [sine, cosine],
    [cosine, -sine],
    [-sine, -cosine],
    [-cosine, sine],
  ][quadrant] as [bigint, bigint]
  const negative = a.sign === 1
  return { sine: signed(s, negative), cosine: signed(c, false), tangent: signed(over(s, c), negative) }
}

/** How often the argument is halved before the series. */
const HALVINGS = 4

function arctangentOf(t: bigint): bigint {
  let reduced = t
  for (let i = 0; i < HALVINGS; i++) reduced = over(reduced, ONE + integerRoot((ONE << SHIFT) + reduced * reduced))
  const square = times(reduced, reduced)
  let power = reduced
  let sum = reduced
  for (let n = 3n; power !== 0n && power !== -1n; n += 2n) {
    power = -times(power, square)
    sum += power / n
  }
  return sum << BigInt(HALVINGS)
}

const quotient = (a: Magnitude, b: Magnitude): Magnitude => ({
  significand: (a.significand << 256n) / b.significand,
  exponent: a.exponent - b.exponent - 256,
})

/** Multiples of a quarter of pi. */
export const eighths = (n: number, sign: 0 | 1): Real => real(sign, (PI * BigInt(n)) / 4n)

/** The angle of a point: of positive numbers that are not zero, with the signs that the coordinates have. */
export function arctangent(y: Real, x: Real): Real {
  const steep = exceeds(y, x)
  const t = steep ? quotient(x, y) : quotient(y, x)
  if (!steep && x.sign === 0 && isTiny(t)) return { ...barely(t, y.sign, true), sign: y.sign }
  const acute = arctangentOf(fixed(t))
  const first = steep ? PI / 2n - acute : acute
  return real(y.sign, x.sign === 0 ? first : PI - first)
}

/** Whether |y| > |x|. */
function exceeds(y: Magnitude, x: Magnitude): boolean {
  const exponent = Math.min(y.exponent, x.exponent)
  if (Math.abs(y.exponent - x.exponent) > 200) return y.exponent > x.exponent
  return y.significand << BigInt(y.exponent - exponent) > x.significand << BigInt(x.exponent - exponent)
}

/** 2^a - 1 for |a| <= 1, not zero. */
export function powerMinusOne(a: Real): Real {
  const z = times(fixed(a), LN2)
  const argument = a.sign === 0 ? z : -z
  // (e^z - 1) / z, so that small arguments keep all their bits.
  const ratio = series(ONE, (term, n) => (term * argument) / (ONE * (n + 1n)))
  return { sign: a.sign, significand: a.significand * times(LN2, ratio), exponent: a.exponent - FRACTION }
}

/** The binary logarithm of 1 + a, for -1/4 <= a <= 1/2, not zero: a times a positive number. */
function smallLogarithm(a: Real): Real {
  const u = a.sign === 0 ? fixed(a) : -fixed(a)
  // 2 artanh(w) with w = u / (2 + u); over u, that is 2 / (2 + u) times the series of artanh(w) / w.
  const w = over(u, 2n * ONE + u)
  const square = times(w, w)
  let power = ONE
  let sum = ONE
  for (let n = 3n; power !== 0n; n += 2n) {
    power = times(power, square)
    sum += power / n
  }
  const ratio = times(over(2n * ONE, 2n * ONE + u), times(sum, LOG2_E))
  return { sign: a.sign, significand: a.significand * ratio, exponent: a.exponent - FRACTION }
}

export interface Logarithm {
  readonly value: Real
  readonly exact: boolean
}

/** The binary logarithm of a positive number: of a power of two it is exact (and may be zero). */
export function logarithm({ significand, exponent }: Magnitude): Logarithm {
  const length = bitLength(significand)
  // significand / 2^top is between 3/4 and 3/2.
  const top = significand >> BigInt(length - 2) === 3n && length > 1 ? length : length - 1
  const power = BigInt(exponent + top)
  const off = significand - (1n << BigInt(top))
  const sign = off < 0n ? 1 : 0
  if (off === 0n) {
    return { value: { sign: power < 0n ? 1 : 0, significand: power < 0n ? -power : power, exponent: 0 }, exact: true }
  }
  const part = smallLogarithm({ sign, significand: sign === 1 ? -off : off, exponent: -top })
  if (power === 0n) return { value: part, exact: false }
  const sum = (power << SHIFT) + (sign === 1 ? -fixed(part) : fixed(part))
  return { value: signed(sum, false), exact: false }
}

/** Of 1 + a, for a > -1, not zero. */
export function logarithmOfOnePlus(a: Real): Logarithm {
  const top = a.exponent + bitLength(a.significand)
  if (top < -1) return { value: smallLogarithm(a), exact: false }
  // Where 1 is below all bits of a, it is too little to be seen.
  if (top > 200) return { value: logarithm(a).value, exact: false }
  const unit = Math.min(0, a.exponent)
  const shifted = at(a.exponent - unit, a.significand)
  const sum = at(-unit, 1n) + (a.sign === 0 ? shifted : -shifted)
  return logarithm({ significand: sum, exponent: unit })
}
