/**
 * The three formats of binary floating point (Intel SDM volume 1, sections 4.2.2 and 4.8), taken apart and put
 * together. Bits are BigInts of 32, 64 and 80 bits.
 */
import { DE, type Environment } from './environment.ts'

export interface Format {
  /** Bits of the significand, the integer bit included. */
  readonly precision: number
  /** Exponents of the smallest and the largest normal number. */
  readonly minExponent: number
  readonly maxExponent: number
  /** How it is stored; a format that only rounds (x87's precision control) is stored as f80. */
  readonly bits: 32 | 64 | 80
}

export const F32: Format = { precision: 24, minExponent: -126, maxExponent: 127, bits: 32 }
export const F64: Format = { precision: 53, minExponent: -1022, maxExponent: 1023, bits: 64 }
export const F80: Format = { precision: 64, minExponent: -16382, maxExponent: 16383, bits: 80 }
/** x87's precision control: significands of f32 and f64 with the exponents of f80. */
export const F80_SINGLE: Format = { ...F80, precision: 24 }
export const F80_DOUBLE: Format = { ...F80, precision: 53 }

/** `unsupported`: encodings of f80 without the integer bit that they should have. */
export type Kind = 'zero' | 'finite' | 'infinity' | 'nan' | 'unsupported'

/** A number taken apart. Finite: its value is `significand` times 2 to the `exponent`, signed. */
export interface Float {
  readonly kind: Kind
  readonly sign: 0 | 1
  readonly exponent: number
  /** Of a NaN: as f80 has it, so that it can go from format to format. */
  readonly significand: bigint
  readonly denormal: boolean
}

const INTEGER_BIT = 1n << 63n
const QUIET_BIT = 1n << 62n
/** The largest biased exponent of f80. */
const F80_SPECIAL = 0x7fff

const special = (kind: Kind, sign: 0 | 1, significand = 0n): Float => ({
  kind,
  sign,
  exponent: 0,
  significand,
  denormal: false,
})

export const signalling = ({ kind, significand }: Float): boolean => kind === 'nan' && (significand & QUIET_BIT) === 0n
export const negated = (a: Float): Float => ({ ...a, sign: a.sign === 0 ? 1 : 0 })

/** Takes bits apart; denormals are zeros where the environment says so. Raises nothing. */
export function unpack(env: Environment, { bits, precision, minExponent }: Format, value: bigint): Float {
  const sign = value >> BigInt(bits - 1) === 0n ? 0 : 1
  const stored = bits === 80 ? 64 : precision - 1
  const fraction = BigInt.asUintN(stored, value)
  const exponentBits = bits - 1 - stored
  const biased = Number(BigInt.asUintN(exponentBits, value >> BigInt(stored)))
  if (biased === 0) {
    if (fraction === 0n || env.denormalsAreZero) return special('zero', sign)
    return { kind: 'finite', sign, exponent: minExponent - precision + 1, significand: fraction, denormal: true }
  }
  const isSpecial = biased === (1 << exponentBits) - 1
  if (bits === 80) {
    if ((fraction & INTEGER_BIT) === 0n) return special('unsupported', sign)
    if (isSpecial) return fraction === INTEGER_BIT ? special('infinity', sign) : special('nan', sign, fraction)
    return { kind: 'finite', sign, exponent: biased - 16383 - 63, significand: fraction, denormal: false }
  }
  if (isSpecial) {
    if (fraction === 0n) return special('infinity', sign)
    return special('nan', sign, (fraction << BigInt(63 - stored)) | INTEGER_BIT)
  }
  const exponent = biased - 1 + minExponent - precision + 1
  return { kind: 'finite', sign, exponent, significand: fraction | (1n << BigInt(stored)), denormal: false }
}

const signed = (bits: number, sign: 0 | 1): bigint => (sign === 0 ? 0n : 1n << BigInt(bits - 1))

/**
 * A finite number whose significand has the format's precision (or less, with the smallest exponent: a denormal), or
 * zero; `exponent` is that of the significand's lowest bit and within the format.
 */
export function packFinite(format: Format, sign: 0 | 1, significand: bigint, exponent: number): bigint {
  const { bits, precision, minExponent } = format
  if (bits === 80) {
    // A narrower significand (precision control) has its integer bit on top all the same.
    const whole = significand << BigInt(64 - precision)
    const normal = (whole & INTEGER_BIT) !== 0n
    const biased = normal ? exponent + precision - 1 + 16383 : 0
    return signed(80, sign) | (BigInt(biased) << 64n) | whole
  }
  const stored = BigInt(precision - 1)
  const biased = significand >> stored === 0n ? 0 : exponent + precision - 1 - minExponent + 1
  return signed(bits, sign) | (BigInt(biased) << stored) | BigInt.asUintN(precision - 1, significand)
}

export function packInfinity({ bits, precision }: Format, sign: 0 | 1): bigint {
  if (bits === 80) return signed(80, sign) | (BigInt(F80_SPECIAL) << 64n) | INTEGER_BIT
  const stored = precision - 1
  return signed(bits, sign) | (BigInt((1 << (bits - 1 - stored)) - 1) << BigInt(stored))
}

export const packZero = ({ bits }: Format, sign: 0 | 1): bigint => signed(bits, sign)

/** Quiet: what a signalling NaN becomes. */
export function packNan(format: Format, sign: 0 | 1, significand: bigint): bigint {
  const quiet = significand | QUIET_BIT
  if (format.bits === 80) return signed(80, sign) | (BigInt(F80_SPECIAL) << 64n) | quiet
  return packInfinity(format, sign) | (BigInt.asUintN(63, quiet) >> BigInt(64 - format.precision))
}

/** The default NaN, which the manuals call the real indefinite. */
export const indefinite = (format: Format): bigint => packNan(format, 1, INTEGER_BIT)

/** A denormal operand is an exception of its own, wherever no NaN and no invalid operation comes before it. */
export function noteDenormals(env: Environment, a: Float, b?: Float): void {
  if (a.denormal || b?.denormal === true) env.flags |= DE
}
