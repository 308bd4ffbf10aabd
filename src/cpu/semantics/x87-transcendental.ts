/**
 * x87's transcendental instructions (Intel SDM volume 1, 8.3.7 to 8.3.10, and volume 2 for their special cases),
 * correctly rounded. Processors come within one unit in the last place of that, and differ among each other.
 */

import { toFormat } from '../float/convert.ts'
import { type Environment, PE, ZE } from '../float/environment.ts'
import { F80, type Float, noteDenormals, packInfinity, packZero } from '../float/format.ts'
import { bitLength } from '../float/integers.ts'
import { invalid, propagated } from '../float/nan.ts'
import { round } from '../float/round.ts'
import {
  angle,
  arctangent,
  eighths,
  type Logarithm,
  logarithm,
  logarithmOfOnePlus,
  powerMinusOne,
  type Real,
} from '../float/transcendental.ts'
import { put, type X87Action } from './x87-arithmetic.ts'
import { C2, INDEFINITE, type X87 } from './x87-file.ts'

const rounded = (env: Environment, { sign, significand, exponent }: Real, exact = false): bigint =>
  round(env, F80, sign, significand, exponent, !exact)

const one = (env: Environment, sign: 0 | 1): bigint => round(env, F80, sign, 1n, 0)
/** The exponent of the leading bit. */
const magnitude = ({ exponent, significand }: Float): number => exponent + bitLength(significand) - 1
const LIMIT = 63

/** Sines and the like of ST(0): false if it is out of range, which C2 says, and nothing happens. */
function inRange(fpu: X87): boolean {
  const a = fpu.isEmpty(0) ? undefined : fpu.number(0)
  const far = a?.kind === 'finite' && magnitude(a) >= LIMIT
  if (far) fpu.settle()
  fpu.setCodes(C2, far ? C2 : 0)
  return !far
}

function trigonometric(fpu: X87, which: 'sine' | 'cosine' | 'tangent', a: Float): bigint {
  const { env } = fpu
  const nan = propagated(env, F80, a)
  if (nan !== undefined) return nan
  if (a.kind === 'infinity') return invalid(env, F80)
  if (a.kind === 'zero') return which === 'cosine' ? one(env, 0) : packZero(F80, a.sign)
  noteDenormals(env, a)
  return rounded(env, angle(a)[which])
}

const single =
  (which: 'sine' | 'cosine'): X87Action =>
  (fpu) => {
    if (inRange(fpu)) put(fpu, 0, () => trigonometric(fpu, which, fpu.number(0)), 0)
  }

/** FPTAN and FSINCOS push a second result: 1 or the cosine. */
const pushing =
  (which: 'sine' | 'tangent', second: (fpu: X87, a: Float) => bigint): X87Action =>
  (fpu) => {
    let results = [INDEFINITE, INDEFINITE]
    const possible = fpu.present(0) && fpu.room()
    if (!possible) fpu.setCodes(C2, 0)
    else if (!inRange(fpu)) return
    if (possible) {
      const a = fpu.number(0)
      const last = second(fpu, a)
      results = [trigonometric(fpu, which, a), last]
    }
    if (!fpu.settle()) return
    fpu.set(0, results[0]!)
    fpu.push(results[1]!)
  }

const isSpecial = ({ kind }: Float): boolean => kind === 'nan' || kind === 'unsupported'
const tangentsSecond = (fpu: X87, a: Float): bigint => {
  if (isSpecial(a) || a.kind === 'infinity') return trigonometric(fpu, 'tangent', a)
  return one(fpu.env, 0)
}

/** Of ST(1) and ST(0), to ST(1), which becomes ST(0). */
const popping =
  (operation: (env: Environment, y: Float, x: Float) => bigint): X87Action =>
  (fpu) => {
    const make = (): bigint => {
      const y = fpu.number(1)
      const x = fpu.number(0)
      return propagated(fpu.env, F80, y, x) ?? operation(fpu.env, y, x)
    }
    if (put(fpu, 1, make, 0, 1)) fpu.pop()
  }

/** In eighths of a turn by two, where a coordinate is zero or infinite; by y's kind, then x's. */
function axis(y: Float, x: Float): number | undefined {
  const back = x.sign === 1
  if (y.kind === 'infinity') return x.kind === 'infinity' ? (back ? 3 : 1) : 2
  if (x.kind === 'infinity' || y.kind === 'zero') return back ? 4 : 0
  return x.kind === 'zero' ? 2 : undefined
}

function fpatan(env: Environment, y: Float, x: Float): bigint {
  noteDenormals(env, y, x)
  const n = axis(y, x)
  if (n === 0) return packZero(F80, y.sign)
  return rounded(env, n === undefined ? arctangent(y, x) : eighths(n, y.sign))
}

/** The product of a number and a logarithm, which is inexact to processors even where it is not. */
function product(env: Environment, y: Float, { value, exact }: Logarithm): bigint {
  env.flags |= PE
  const sign = y.sign === value.sign ? 0 : 1
  const exponent = y.exponent + value.exponent
  return rounded(env, { sign, significand: y.significand * value.significand, exponent }, exact)
}

/** What a logarithm that is zero or infinite makes of y; `sign` is its sign. */
function extreme(env: Environment, y: Float, kind: 'zero' | 'infinity', sign: 0 | 1): bigint {
  if (kind === 'zero' ? y.kind === 'infinity' : y.kind === 'zero') return invalid(env, F80)
  noteDenormals(env, y)
  const together = y.sign === sign ? 0 : 1
  return kind === 'zero' ? packZero(F80, together) : packInfinity(F80, together)
}

function fyl2x(env: Environment, y: Float, x: Float): bigint {
  if (x.kind === 'zero') {
    if (y.kind === 'finite') env.flags |= ZE
    if (y.kind === 'finite') return packInfinity(F80, y.sign === 0 ? 1 : 0)
    return extreme(env, y, 'infinity', 1)
  }
  if (x.sign === 1) return invalid(env, F80)
  if (x.kind === 'infinity') return extreme(env, y, 'infinity', 0)
  const found = logarithm(x)
  const { value } = found
  if (value.significand === 0n) return extreme(env, y, 'zero', 0)
  noteDenormals(env, y, x)
  if (y.kind === 'infinity') return packInfinity(F80, y.sign === value.sign ? 0 : 1)
  if (y.kind === 'zero') return packZero(F80, y.sign === value.sign ? 0 : 1)
  return product(env, y, found)
}

function fyl2xp1(env: Environment, y: Float, x: Float): bigint {
  if (x.kind === 'zero') return extreme(env, y, 'zero', x.sign)
  if (x.kind === 'infinity') return x.sign === 1 ? invalid(env, F80) : extreme(env, y, 'infinity', 0)
  noteDenormals(env, y, x)
  // Below -1 the manuals leave the result open: it is x, inexact.
  if (x.sign === 1 && magnitude(x) >= 0) {
    env.flags |= PE
    return toFormat(env, F80, x)
  }
  if (y.kind === 'infinity') return packInfinity(F80, y.sign === x.sign ? 0 : 1)
  if (y.kind === 'zero') return packZero(F80, y.sign === x.sign ? 0 : 1)
  return product(env, y, logarithmOfOnePlus(x))
}

/** Beyond one the manuals leave the result open: it is the operand, inexact. */
function f2xm1(fpu: X87): bigint {
  const { env } = fpu
  const a = fpu.number(0)
  const nan = propagated(env, F80, a)
  if (nan !== undefined) return nan
  if (a.kind === 'zero') return fpu.bits(0)
  if (a.kind === 'infinity') return a.sign === 1 ? one(env, 1) : fpu.bits(0)
  noteDenormals(env, a)
  const size = magnitude(a)
  if (size > 0 || (size === 0 && a.significand !== 1n << BigInt(bitLength(a.significand) - 1))) {
    env.flags |= PE
    return fpu.bits(0)
  }
  if (size === 0) return a.sign === 0 ? one(env, 0) : round(env, F80, 1, 1n, -1)
  return rounded(env, powerMinusOne(a))
}

export const X87_TRANSCENDENTAL: Record<string, X87Action> = {
  fsin: single('sine'),
  fcos: single('cosine'),
  fsincos: pushing('sine', (fpu, a) => trigonometric(fpu, 'cosine', a)),
  fptan: pushing('tangent', tangentsSecond),
  fpatan: popping(fpatan),
  fyl2x: popping(fyl2x),
  fyl2xp1: popping(fyl2xp1),
  f2xm1: (fpu) => put(fpu, 0, () => f2xm1(fpu), 0),
}
