/**
 * What calculations can do themselves where the cheap test of sse-quick.ts has failed: zeros, and results that are exact while PE is not set yet, so that it stays so. That follows from the error
 * term of the operation, as in float/exact.ts: of doubles by TwoSum and Dekker's product, of singles by doubles, which have their sums (with an error term) and products.
 */
import { ROUNDING } from '../float/mxcsr.ts'
import type { Calculated, Calculation, Calculator, FloatNative } from './emitter.ts'
import { isRounded, type Lanes, placed, type Quick, type Rounded, rounded, Tests } from './float-tests.ts'
import { chosen } from './packed.ts'

/** The whole test. Products and quotients are rounded, and whether before or after that they were too small must not matter; small sums are exact. */
function isRight<V>(t: Tests<V>, quick: Rounded, a: V, b: V, result: V): V {
  if (quick === 'sqrt') return t.and(t.isPlain(b), t.isFinite(result))
  const magnitude = t.op('abs', result)
  const operands = t.and(t.isPlain(a), t.isPlain(b))
  if (quick === 'add' || quick === 'sub') return t.and(operands, t.and(t.isPlain(result), t.isFinite(magnitude)))
  const isExactZero = t.and(t.isZero(result), t.or(t.isZero(a), t.isZero(b)))
  return t.and(operands, t.or(t.and(t.reaches('safe', magnitude), t.isFinite(magnitude)), isExactZero))
}

const bitsOf = (power: number): bigint => BigInt(1023 + power) << 52n
/** Doubles in this range are normal, and so are their products' and quotients' error terms. */
const LOW = bitsOf(-400)
const HIGH = bitsOf(400)
/** 2^27 + 1: halves a double's significand. */
const SPLITTER = bitsOf(27) | (1n << 25n)

/** Of doubles: where the product is exact. */
function isProduct<V>(t: Tests<V>, a: V, b: V, product: V): V {
  const minus = (x: V, y: V): V => t.op('sub', x, y)
  const times = (x: V, y: V): V => t.op('mul', x, y)
  const halves = (x: V): readonly [high: V, low: V] => {
    const split = times(x, t.native.constant(SPLITTER))
    const high = minus(split, minus(split, x))
    return [high, minus(x, high)]
  }
  const isInRange = (x: V): V => {
    const magnitude = t.op('abs', x)
    const isBetween = t.and(
      t.op('le', t.native.constant(LOW), magnitude),
      t.op('le', magnitude, t.native.constant(HIGH)),
    )
    return t.or(isBetween, t.isZero(x))
  }
  const [highA, lowA] = halves(a)
  const [highB, lowB] = halves(b)
  const rest = minus(minus(minus(product, times(highA, highB)), times(lowA, highB)), times(highA, lowB))
  return t.and(t.op('eq', rest, times(lowA, lowB)), t.and(isInRange(product), t.and(isInRange(a), isInRange(b))))
}

/** The same of the sum, or of the difference. */
function isSum<V>(t: Tests<V>, quick: 'add' | 'sub', a: V, b: V, sum: V): V {
  const minus = (x: V, y: V): V => t.op('sub', x, y)
  const other = minus(sum, a)
  const restOfA = minus(a, minus(sum, other))
  return quick === 'add' ? t.op('eq', restOfA, minus(other, b)) : t.isZero(minus(restOfA, t.op('add', b, other)))
}

function isExactDouble<V>(t: Tests<V>, quick: Rounded, a: V, b: V, result: V): V {
  switch (quick) {
    case 'add':
    case 'sub':
      return isSum(t, quick, a, b, result)
    case 'mul':
      return isProduct(t, a, b, result)
    case 'div':
      return t.and(t.op('eq', t.op('mul', result, b), a), isProduct(t, result, b, a))
    case 'sqrt':
      return t.and(t.op('eq', t.op('mul', result, result), b), isProduct(t, result, result, b))
  }
}

/** Of singles as doubles. */
function isExactSingle<V>(t: Tests<V>, quick: Rounded, a: V, b: V, result: V): V {
  const product = (x: V, y: V, z: V): V => t.op('eq', t.op('mul', x, y), z)
  switch (quick) {
    case 'add':
    case 'sub':
      return t.and(t.op('eq', t.op(quick, a, b), result), isSum(t, quick, a, b, result))
    case 'mul':
      return product(a, b, result)
    case 'div':
      return product(result, b, a)
    case 'sqrt':
      return product(result, result, b)
  }
}

/** 1 where the result that is right but for PE is exact, in all lanes that count. */
function isExact<V>(t: Tests<V>, { bytes, lanes }: Lanes, quick: Rounded, a: V, b: V, result: V): V {
  const doubles = new Tests(t.e, t.native, 8)
  const count = lanes === 1 ? 1 : 2
  if (bytes === 8) return doubles.everywhere(count, isExactDouble(doubles, quick, a, b, result))
  const wide = (x: V): V => t.native.op('f64x2.promote_low_f32x4', x)
  const low = isExactSingle(doubles, quick, wide(a), wide(b), wide(result))
  if (lanes === 1) return doubles.everywhere(count, low)
  const upper = (x: V): V => wide(t.e.shuffle(x, x, chosen(8, [1, 1])))
  const high = isExactSingle(doubles, quick, upper(a), upper(b), upper(result))
  return doubles.everywhere(count, doubles.and(low, high))
}

/** In this order. */
export function natively(type: Lanes, quick: Quick): Calculation['natively'] {
  if (!isRounded(quick)) return []
  const tried =
    (test: <V>(t: Tests<V>, right: V, a: V, b: V, result: V) => V) =>
    <V>(e: Calculator<V>, native: FloatNative<V>, a: V, b: V): Calculated<V> => {
      const t = new Tests(e, native, type.bytes)
      const result = rounded(t, quick, a, b)
      return { condition: test(t, isRight(t, quick, a, b, result), a, b, result), result: placed(e, type, a, result) }
    }
  return [
    tried((t, right) => t.everywhereQuietly(type.lanes, right)),
    tried((t, right, a, b, result) => {
      const isNearest = t.native.mxcsrIs(ROUNDING, 0)
      const isRightExactly = t.e.and(4, t.everywhere(type.lanes, right), isExact(t, type, quick, a, b, result))
      return t.e.and(4, isRightExactly, isNearest)
    }),
  ]
}
