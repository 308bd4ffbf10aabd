/** FPREM and FPREM1 (Intel SDM volume 2): partial remainders, exact. */
import type { Environment } from './environment.ts'
import { type Float, type Format, packZero } from './format.ts'
import { bitLength } from './integers.ts'
import { round } from './round.ts'

interface Remainder {
  readonly bits: bigint
  /** Of the quotient, whose low three bits are wanted; undefined: the reduction is not complete. */
  readonly quotient: bigint | undefined
}

/** Of two finite numbers, or of zero and a finite one. `nearest`: the quotient is rounded as IEEE 754 wants it. */
export function remainder(env: Environment, format: Format, a: Float, b: Float, nearest: boolean): Remainder {
  if (a.kind === 'zero') return { bits: packZero(format, a.sign), quotient: 0n }
  const distance = a.exponent + bitLength(a.significand) - b.exponent - bitLength(b.significand)
  if (distance < -1) return { bits: round(env, format, a.sign, a.significand, a.exponent), quotient: 0n }
  if (distance >= 64) {
    const reduced = 32 + (distance % 32)
    const scale = distance - reduced
    // Subtracting multiples of b * 2^scale: the same as if b had that exponent.
    const { rest } = divide(a, { ...b, exponent: b.exponent + scale })
    return { bits: pack(env, format, a.sign, rest), quotient: undefined }
  }
  const { quotient, rest, divisor } = divide(a, b)
  if (!nearest) return { bits: pack(env, format, a.sign, rest), quotient }
  const twice = 2n * rest.significand
  const up = twice > divisor || (twice === divisor && (quotient & 1n) === 1n)
  if (!up) return { bits: pack(env, format, a.sign, rest), quotient }
  const over = { ...rest, significand: divisor - rest.significand }
  return { bits: pack(env, format, a.sign === 0 ? 1 : 0, over), quotient: quotient + 1n }
}

interface Rest {
  readonly significand: bigint
  readonly exponent: number
}

function divide(a: Rest, b: Rest): { quotient: bigint; rest: Rest; divisor: bigint } {
  const exponent = Math.min(a.exponent, b.exponent)
  const dividend = a.significand << BigInt(a.exponent - exponent)
  const divisor = b.significand << BigInt(b.exponent - exponent)
  const quotient = dividend / divisor
  return { quotient, rest: { significand: dividend - quotient * divisor, exponent }, divisor }
}

function pack(env: Environment, format: Format, sign: 0 | 1, { significand, exponent }: Rest): bigint {
  return significand === 0n ? packZero(format, sign) : round(env, format, sign, significand, exponent)
}
