/**
 * RCPPS and RSQRTPS: approximations whose relative error is below 1.5 * 2^-12 (Intel SDM volume 2). Which ones is each
 * processor's own business; these are the true values, rounded to 12 bits. They raise nothing, know neither rounding
 * modes nor masks, and take denormals for zeros.
 */
import { div, sqrt } from './arithmetic.ts'
import { toFormat } from './convert.ts'
import { ALL_EXCEPTIONS, Environment, NEAREST } from './environment.ts'
import { F32, F80, type Float, type Format, packInfinity, unpack } from './format.ts'

/** As far as the exponents of singles go, stored as f80. */
const TWELVE_BITS: Format = { ...F32, precision: 12, bits: 80 }
const ONE: Float = { kind: 'finite', sign: 0, exponent: 0, significand: 1n, denormal: false }

/** A new one each time: its flags are of no use. */
const approximate = (): Environment => new Environment('sse', NEAREST, ALL_EXCEPTIONS, true, true)

const single = (env: Environment, bits: bigint): bigint => toFormat(env, F32, unpack(env, F80, bits))
const flushed = (a: Float): Float => (a.denormal ? { ...a, kind: 'zero' } : a)

export function reciprocal(a: Float): bigint {
  const env = approximate()
  return single(env, div(env, TWELVE_BITS, ONE, flushed(a)))
}

export function reciprocalRoot(a: Float): bigint {
  const env = approximate()
  const operand = flushed(a)
  if (operand.kind === 'zero') return packInfinity(F32, a.sign)
  const root = unpack(env, F80, sqrt(env, F80, operand))
  return single(env, div(env, TWELVE_BITS, ONE, root))
}
