/**
 * Arithmetic by the engine's own numbers, where that is exact: JavaScript's numbers are IEEE 754 doubles, and their
 * operations round to nearest. So with MXCSR rounding to nearest, and operands and results that are normal numbers or
 * exact zeros, the result is the processor's, and the only exception is PE, which is found by the error of the
 * operation: another exact computation (Knuth's TwoSum, Dekker's product; Handbook of Floating-Point Arithmetic,
 * chapter 4). Everything else is left to BigInts.
 *
 * Singles are computed as doubles and rounded once more: 53 bits are at least twice 24 and two, so that for these five
 * operations this gives the correctly rounded result (Figueroa, "When is double rounding innocuous?").
 *
 * A translator may do the same in line with f64.add and so on: where PE is set already and masked, the test of the
 * operands' and the result's exponents is all it takes.
 */

/** The operation's result was rounded. */
export let inexact = false

/** What is given by who cannot say. */
const UNKNOWN = Number.NaN

/** Doubles in this range are normal, and so are their products' and quotients' error terms. */
const LOW = 2 ** -400
const HIGH = 2 ** 400
/** Singles that are normal, with one binary digit to spare. */
const LOW_SINGLE = 2 ** -125
const HIGH_SINGLE = 2 ** 127

const inRange = (a: number): boolean => {
  const magnitude = Math.abs(a)
  return (magnitude > LOW && magnitude < HIGH) || a === 0
}

/** The error of a product. */
function productError(a: number, b: number, product: number): number {
  const splitter = 2 ** 27 + 1
  const ca = splitter * a
  const highA = ca - (ca - a)
  const lowA = a - highA
  const cb = splitter * b
  const highB = cb - (cb - b)
  const lowB = b - highB
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB)
}

function sumError(a: number, b: number, sum: number): number {
  const other = sum - a
  return a - (sum - other) + (b - other)
}

export interface Exact {
  readonly double: (a: number, b: number) => number
  readonly single: (a: number, b: number) => number
}

/** A result of singles, which `isExact` says to be what it should be before it is rounded. */
function single(wide: number, isExact: (rounded: number) => boolean): number {
  const rounded = Math.fround(wide)
  const magnitude = Math.abs(rounded)
  if (!((magnitude > LOW_SINGLE && magnitude < HIGH_SINGLE) || wide === 0)) return UNKNOWN
  inexact = !isExact(rounded)
  return rounded
}

function double(result: number, error: (result: number) => number): number {
  if (!inRange(result)) return UNKNOWN
  inexact = error(result) !== 0
  return result
}

/** Both operands are normal or zero. */
export const singles = (a: number, b: number): boolean => normalSingle(a) && normalSingle(b)
const normalSingle = (a: number): boolean => {
  const magnitude = Math.abs(a)
  return (magnitude > LOW_SINGLE && magnitude < HIGH_SINGLE) || a === 0
}
export const doubles = (a: number, b: number): boolean => inRange(a) && inRange(b)

const plus = (a: number, b: number): number => double(a + b, (sum) => sumError(a, b, sum))
const plusSingle = (a: number, b: number): number => {
  const wide = a + b
  return single(wide, (rounded) => rounded === wide && sumError(a, b, wide) === 0)
}

/** MIN and MAX: the second operand, unless the first one is strictly less or greater. */
const chosen = (choose: (a: number, b: number) => number): Exact => {
  const exact = (a: number, b: number): number => {
    inexact = false
    return choose(a, b)
  }
  return { double: exact, single: exact }
}
export const EXACT_MIN = chosen((a, b) => (a < b ? a : b))
export const EXACT_MAX = chosen((a, b) => (a > b ? a : b))

const area = new DataView(new ArrayBuffer(8))

/** The number that bits of a single or a double are; of a NaN, some NaN. */
export function numberOf(bytes: 4 | 8, bits: bigint): number {
  if (bytes === 8) {
    area.setBigUint64(0, bits)
    return area.getFloat64(0)
  }
  area.setUint32(0, Number(bits))
  return area.getFloat32(0)
}

/** Of a number that is none of the NaNs, and a single where its bits are wanted. */
export function bitsOf(bytes: 4 | 8, value: number): bigint {
  if (bytes === 8) {
    area.setFloat64(0, value)
    return area.getBigUint64(0)
  }
  area.setFloat32(0, value)
  return BigInt(area.getUint32(0))
}

/** No NaN, no infinity, and no denormal, nor (for singles) the smallest and largest of all others. */
export function isPlain(bytes: 4 | 8, value: number): boolean {
  if (bytes === 4) return normalSingle(value)
  const magnitude = Math.abs(value)
  return (magnitude >= 2 ** -1022 && magnitude <= Number.MAX_VALUE) || value === 0
}

export const EXACT = {
  add: { double: plus, single: plusSingle },
  sub: { double: (a, b) => plus(a, -b), single: (a, b) => plusSingle(a, -b) },
  mul: {
    double: (a, b) =>
      a * b === 0 && a !== 0 && b !== 0 ? UNKNOWN : double(a * b, (product) => productError(a, b, product)),
    single: (a, b) => single(a * b, (rounded) => rounded === a * b),
  },
  div: {
    double: (a, b) =>
      b === 0 ? UNKNOWN : double(a / b, (quotient) => (quotient * b === a ? productError(quotient, b, a) : 1)),
    single: (a, b) => (b === 0 ? UNKNOWN : single(a / b, (rounded) => rounded * b === a)),
  },
  sqrt: {
    double: (_, b) =>
      b <= 0 ? UNKNOWN : double(Math.sqrt(b), (root) => (root * root === b ? productError(root, root, b) : 1)),
    single: (_, b) => (b <= 0 ? UNKNOWN : single(Math.sqrt(b), (rounded) => rounded * rounded === b)),
  },
} as const satisfies Record<string, Exact>
