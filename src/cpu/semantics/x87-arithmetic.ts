/** x87 arithmetic, comparisons and what else works on ST(0): Intel SDM volume 1, 8.3.5 to 8.3.7, and volume 2. */
import { add, div, mul, sqrt, sub } from '../float/arithmetic.ts'
import { compare, type Order } from '../float/compare.ts'
import { fromInteger, roundToIntegral, toInteger } from '../float/convert.ts'
import { Environment, ZE, ZERO } from '../float/environment.ts'
import {
  F32,
  F64,
  F80,
  type Float,
  type Format,
  noteDenormals,
  packInfinity,
  packZero,
  unpack,
} from '../float/format.ts'
import { bitLength } from '../float/integers.ts'
import { invalid, propagated } from '../float/nan.ts'
import { remainder } from '../float/remainder.ts'
import { round } from '../float/round.ts'
import { CF, PF_FLAG, ZF } from '../state.ts'
import { setStatusFlags } from '../state-access.ts'
import { C0, C1, C2, C3, INDEFINITE, type X87 } from './x87-file.ts'

/** What an x87 instruction works on: memory (where it has any), and the first and second of its registers. */
export interface X87Operands {
  readonly address: bigint
  readonly bytes: number
  readonly to: number
  readonly from: number
}

/** What an x87 instruction does. */
export type X87Action = (fpu: X87, operands: X87Operands) => void

type Operation = (env: Environment, format: Format, a: Float, b: Float) => bigint

const loadBits = (fpu: X87, { address, bytes }: X87Operands): bigint => BigInt(fpu.cpu.load(bytes as 4 | 8, address))
export const loadReal = (fpu: X87, operands: X87Operands): Float =>
  unpack(fpu.env, operands.bytes === 4 ? F32 : F64, loadBits(fpu, operands))
export const loadInteger = (fpu: X87, operands: X87Operands): bigint =>
  BigInt.asIntN(8 * operands.bytes, BigInt(fpu.cpu.load(operands.bytes as 2 | 4 | 8, operands.address)))

/** An integer is exact in the 64 bits of an f80. */
export function integer(value: bigint): Float {
  const env = new Environment('x87', ZERO, 63)
  return unpack(env, F80, fromInteger(env, F80, value))
}

/** Puts a result into ST(i). */
export function put(fpu: X87, i: number, bits: () => bigint, ...sources: number[]): boolean {
  const result = fpu.present(...sources) ? bits() : INDEFINITE
  if (!fpu.settle()) return false
  fpu.set(i, result)
  return true
}

const withMemory =
  (operation: Operation, source: (fpu: X87, operands: X87Operands) => Float): X87Action =>
  (fpu, operands) => {
    const b = source(fpu, operands)
    put(fpu, 0, () => operation(fpu.env, fpu.format, fpu.number(0), b), 0)
  }

const withRegisters =
  (operation: Operation, pops: boolean): X87Action =>
  (fpu, { to, from }) => {
    const done = put(fpu, to, () => operation(fpu.env, fpu.format, fpu.number(to), fpu.number(from)), to, from)
    if (done && pops) fpu.pop()
  }

const loadAsFloat = (fpu: X87, operands: X87Operands): Float => integer(loadInteger(fpu, operands))
const either =
  (memory: X87Action, registers: X87Action): X87Action =>
  (fpu, operands) =>
    operands.bytes === 0 ? registers(fpu, operands) : memory(fpu, operands)

/** The four forms of an operation: with reals in memory or registers, popping, and with integers in memory. */
const forms = (name: string, operation: Operation): Record<string, X87Action> => ({
  [`f${name}`]: either(withMemory(operation, loadReal), withRegisters(operation, false)),
  [`f${name}p`]: withRegisters(operation, true),
  [`fi${name}`]: withMemory(operation, loadAsFloat),
})
const reversed =
  (operation: Operation): Operation =>
  (env, format, a, b) =>
    operation(env, format, b, a)

const CODES: Record<Order, number> = { greater: 0, less: C0, equal: C3, unordered: C0 | C2 | C3 }
const FLAGS: Record<Order, number> = { greater: 0, less: CF, equal: ZF, unordered: ZF | PF_FLAG | CF }

function order(fpu: X87, quiet: boolean, other: () => Float, ...sources: number[]): Order {
  return fpu.present(...sources) ? compare(fpu.env, fpu.number(0), other(), quiet) : 'unordered'
}

/** The condition codes are set even where an exception is not masked; popping is not done then. */
function compared(fpu: X87, result: Order, pops: number): void {
  const done = fpu.settle()
  fpu.setCodes(C0 | C2 | C3, CODES[result])
  if (done) for (let i = 0; i < pops; i++) fpu.pop()
}

const comparison =
  (quiet: boolean, pops: number): X87Action =>
  (fpu, operands) => {
    if (operands.bytes !== 0) {
      const memory = loadReal(fpu, operands)
      compared(
        fpu,
        order(fpu, quiet, () => memory, 0),
        pops,
      )
    } else {
      const from = pops === 2 ? 1 : operands.from
      compared(
        fpu,
        order(fpu, quiet, () => fpu.number(from), 0, from),
        pops,
      )
    }
  }

const integerComparison =
  (pops: number): X87Action =>
  (fpu, operands) => {
    const memory = loadAsFloat(fpu, operands)
    compared(
      fpu,
      order(fpu, false, () => memory, 0),
      pops,
    )
  }

/** FCOMI and its kin set ZF, PF and CF, and clear the others. C1 stays as it is. */
const flagsComparison =
  (quiet: boolean, pops: number): X87Action =>
  (fpu, { from }) => {
    const kept = fpu.status & C1
    const result = order(fpu, quiet, () => fpu.number(from), 0, from)
    const done = fpu.settle()
    if (!fpu.stackFault) fpu.setCodes(C1, kept)
    setStatusFlags(fpu.cpu, FLAGS[result])
    if (done && pops === 1) fpu.pop()
  }

const ZERO_FLOAT: Float = { kind: 'zero', sign: 0, exponent: 0, significand: 0n, denormal: false }

function integral(fpu: X87): bigint {
  const { env } = fpu
  const a = fpu.number(0)
  const nan = propagated(env, F80, a)
  if (nan !== undefined) return nan
  noteDenormals(env, a)
  return a.kind === 'finite' ? roundToIntegral(env, F80, a) : fpu.bits(0)
}

function partialRemainder(nearest: boolean): X87Action {
  return (fpu) => {
    let codes: number | undefined
    const make = (): bigint => {
      const { env } = fpu
      const a = fpu.number(0)
      const b = fpu.number(1)
      const nan = propagated(env, F80, a, b)
      if (nan !== undefined) return nan
      if (a.kind === 'infinity' || b.kind === 'zero') return invalid(env, F80)
      noteDenormals(env, a, b)
      codes = 0
      if (b.kind === 'infinity') return fpu.bits(0)
      const { bits, quotient } = remainder(env, F80, a, b, nearest)
      codes = quotient === undefined ? C2 : quotientCodes(quotient)
      return bits
    }
    const done = put(fpu, 0, make, 0, 1)
    // Without a quotient, the codes that would have it stay as they are.
    if (done && codes !== undefined) fpu.setCodes(C0 | C1 | C2 | C3, codes)
    else fpu.setCodes(C2, 0)
  }
}

const quotientCodes = (quotient: bigint): number =>
  ((quotient & 1n) !== 0n ? C1 : 0) | ((quotient & 2n) !== 0n ? C3 : 0) | ((quotient & 4n) !== 0n ? C0 : 0)

/** FSCALE's exponents beyond this give the same as this one. */
const SCALE_MAX = 0x10000

function scaled(fpu: X87): bigint {
  const { env } = fpu
  const a = fpu.number(0)
  const b = fpu.number(1)
  const nan = propagated(env, F80, a, b)
  if (nan !== undefined) return nan
  if (b.kind === 'infinity') {
    if (b.sign === 0 ? a.kind === 'zero' : a.kind === 'infinity') return invalid(env, F80)
    noteDenormals(env, a)
    return b.sign === 0 ? packInfinity(F80, a.sign) : packZero(F80, a.sign)
  }
  noteDenormals(env, a, b)
  if (a.kind !== 'finite') return fpu.bits(0)
  const truncating = new Environment('x87', ZERO, 63)
  const far = b.kind === 'finite' && b.exponent + bitLength(b.significand) > 17
  const by = far ? (b.sign === 0 ? SCALE_MAX : -SCALE_MAX) : Number(toInteger(truncating, b, 32))
  return round(env, F80, a.sign, a.significand, a.exponent + by)
}

/** ST(0) becomes the exponent, and the significand is pushed. */
const extract: X87Action = (fpu) => {
  const { env } = fpu
  let exponent = INDEFINITE
  let significand = INDEFINITE
  if (fpu.present(0) && fpu.room()) {
    const a = fpu.number(0)
    const nan = propagated(env, F80, a)
    if (nan !== undefined) exponent = significand = nan
    else if (a.kind === 'zero') {
      env.flags |= ZE
      exponent = packInfinity(F80, 1)
      significand = fpu.bits(0)
    } else if (a.kind === 'infinity') {
      exponent = packInfinity(F80, 0)
      significand = fpu.bits(0)
    } else {
      noteDenormals(env, a)
      const length = bitLength(a.significand)
      exponent = fromInteger(env, F80, BigInt(a.exponent + length - 1))
      significand = round(env, F80, a.sign, a.significand, 1 - length)
    }
  }
  if (!fpu.settle()) return
  fpu.set(0, exponent)
  fpu.push(significand)
}

/** C3, C2 and C0 by class; C1 is the sign, of an empty register too. */
const EXAMINED = { unsupported: 0, nan: C0, finite: C2, infinity: C2 | C0, zero: C3 } as const

const examine: X87Action = (fpu) => {
  const a = fpu.number(0)
  const code = fpu.isEmpty(0) ? C3 | C0 : a.denormal ? C3 | C2 : EXAMINED[a.kind]
  fpu.setCodes(C0 | C1 | C2 | C3, code | (a.sign === 1 ? C1 : 0))
}

const SIGN = 1n << 79n

export const X87_ARITHMETIC: Record<string, X87Action> = {
  ...forms('add', add),
  ...forms('mul', mul),
  ...forms('sub', sub),
  ...forms('subr', reversed(sub)),
  ...forms('div', div),
  ...forms('divr', reversed(div)),
  fcom: comparison(false, 0),
  fcomp: comparison(false, 1),
  fcompp: comparison(false, 2),
  fucom: comparison(true, 0),
  fucomp: comparison(true, 1),
  fucompp: comparison(true, 2),
  ficom: integerComparison(0),
  ficomp: integerComparison(1),
  fcomi: flagsComparison(false, 0),
  fcomip: flagsComparison(false, 1),
  fucomi: flagsComparison(true, 0),
  fucomip: flagsComparison(true, 1),
  ftst: (fpu) =>
    compared(
      fpu,
      order(fpu, false, () => ZERO_FLOAT, 0),
      0,
    ),
  fxam: examine,
  fchs: (fpu) => put(fpu, 0, () => fpu.bits(0) ^ SIGN, 0),
  fabs: (fpu) => put(fpu, 0, () => fpu.bits(0) & ~SIGN, 0),
  fsqrt: (fpu) => put(fpu, 0, () => sqrt(fpu.env, fpu.format, fpu.number(0)), 0),
  frndint: (fpu) => put(fpu, 0, () => integral(fpu), 0),
  fprem: partialRemainder(false),
  fprem1: partialRemainder(true),
  fscale: (fpu) => put(fpu, 0, () => scaled(fpu), 0, 1),
  fxtract: extract,
}
