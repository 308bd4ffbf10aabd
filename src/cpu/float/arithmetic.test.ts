/**
 * IEEE 754 at its edges: results, exceptions and C1 by rounding mode. All of it, with dice, is compared with a real
 * processor in src/testing/cpu.
 */
import { describe, expect, test } from 'vitest'
import { add, div, mul, sqrt, sub } from './arithmetic.ts'
import { compare } from './compare.ts'
import { fromInteger, roundToIntegral, toFormat, toInteger } from './convert.ts'
import {
  ALL_EXCEPTIONS,
  DE,
  DOWN,
  Environment,
  IE,
  NEAREST,
  OE,
  PE,
  UE,
  type Unit,
  UP,
  ZE,
  ZERO,
} from './environment.ts'
import { F32, F64, F80, F80_DOUBLE, F80_SINGLE, type Float, type Format, unpack } from './format.ts'
import { remainder } from './remainder.ts'

type Operation = (env: Environment, format: Format, a: Float, b: Float) => bigint
interface Settings {
  readonly rounding?: number
  readonly masks?: number
  readonly flushes?: boolean
  readonly unit?: Unit
}

function environment({
  rounding = NEAREST,
  masks = ALL_EXCEPTIONS,
  flushes = false,
  unit = 'sse',
}: Settings): Environment {
  return new Environment(unit, rounding, masks, flushes, flushes)
}

const float64 = (value: number): bigint => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigUint64(0)
}

function run(operation: Operation, format: Format, a: bigint, b: bigint, settings: Settings = {}): [string, number] {
  const env = environment(settings)
  const bits = operation(env, format, unpack(env, format, a), unpack(env, format, b))
  return [bits.toString(16), env.flags]
}

const ONE = float64(1)
const MAX = float64(Number.MAX_VALUE)
const TINY = 1n
const INFINITY = float64(Number.POSITIVE_INFINITY)
const MINUS = 1n << 63n
const INDEFINITE = 'fff8000000000000'

describe('doubles', () => {
  test.each<[string, Operation, bigint, bigint, Settings, string, number]>([
    ['half a unit is rounded to even', add, ONE, float64(2 ** -53), {}, '3ff0000000000000', PE],
    ['and up', add, ONE, float64(2 ** -53), { rounding: UP }, '3ff0000000000001', PE],
    ['and down', sub, ONE, float64(2 ** -60), { rounding: DOWN }, '3fefffffffffffff', PE],
    ['and to zero', sub, ONE, float64(2 ** -200), { rounding: ZERO }, '3fefffffffffffff', PE],
    ['a far smaller one is lost', add, MAX, TINY, {}, '7fefffffffffffff', PE | DE],
    ['an exact zero', sub, ONE, ONE, {}, '0', 0],
    ['is negative, rounding down', sub, ONE, ONE, { rounding: DOWN }, '8000000000000000', 0],
    ['too much', add, MAX, MAX, {}, '7ff0000000000000', OE | PE],
    ['too much, to zero', add, MAX, MAX, { rounding: ZERO }, '7fefffffffffffff', OE | PE],
    ['too much below, up', add, MAX | MINUS, MAX | MINUS, { rounding: UP }, 'ffefffffffffffff', OE | PE],
    ['too little', mul, TINY, float64(0.5), {}, '0', UE | PE | DE],
    ['too little, up', mul, TINY, float64(0.5), { rounding: UP }, '1', UE | PE | DE],
    ['a denormal that is exact', mul, float64(2 ** -1022), float64(0.5), {}, '8000000000000', 0],
    ['which is flushed', mul, float64(2 ** -1022), float64(0.5), { flushes: true }, '0', UE | PE],
    [
      'just below the smallest normal one: not tiny after rounding',
      mul,
      0x0010000000000001n,
      0x3feffffffffffffen,
      {},
      '10000000000000',
      PE,
    ],
    ['denormal operands that are zeros', add, TINY, TINY, { flushes: true }, '0', 0],
    ['infinities of both signs', add, INFINITY, INFINITY | MINUS, {}, INDEFINITE, IE],
    ['zero by infinity', mul, 0n, INFINITY, {}, INDEFINITE, IE],
    ['zero by zero', div, 0n, 0n, {}, INDEFINITE, IE],
    ['one by minus zero', div, ONE, MINUS, {}, 'fff0000000000000', ZE],
    ['a third', div, ONE, float64(3), {}, '3fd5555555555555', PE],
    ['a third, up', div, ONE, float64(3), { rounding: UP }, '3fd5555555555556', PE],
    ['a third of a denormal', div, 3n, float64(3), {}, '1', DE],
  ])('%s', (_, operation, a, b, settings, bits, flags) => {
    expect(run(operation, F64, a, b, settings)).toEqual([bits, flags])
  })

  test.each([
    [2, '3ff6a09e667f3bcd', PE],
    [4, '4000000000000000', 0],
    [-0, '8000000000000000', 0],
    [-1, INDEFINITE, IE],
    [2 ** -1074, '1e60000000000000', DE],
  ])('the root of %d', (value, bits, flags) => {
    const env = environment({})
    expect([sqrt(env, F64, unpack(env, F64, float64(value))).toString(16), env.flags]).toEqual([bits, flags])
  })
})

describe('NaNs', () => {
  const [quiet, larger, signalling] = [0x7ff8000000000001n, 0x7ff8000000000002n, 0x7ff0000000000003n]
  test.each<[Unit, bigint, bigint, bigint, number]>([
    ['sse', quiet, larger, quiet, 0],
    ['sse', signalling, quiet, 0x7ff8000000000003n, IE],
    ['sse', quiet, signalling, quiet, IE],
    ['sse', ONE, signalling, 0x7ff8000000000003n, IE],
    ['x87', quiet, larger, larger, 0],
    ['x87', signalling, quiet, quiet, IE],
    ['x87', quiet | MINUS, quiet, quiet, 0],
  ])('%s: %d and %d', (unit, a, b, expected, flags) => {
    expect(run(sub, F64, a, b, { unit })).toEqual([expected.toString(16), flags])
  })

  test('go from format to format', () => {
    const env = environment({})
    expect(toFormat(env, F64, unpack(env, F32, 0x7f800001n)).toString(16)).toBe('7ff8000020000000')
    expect(toFormat(env, F80, unpack(env, F32, 0xffc00001n)).toString(16)).toBe('ffffc000010000000000')
    expect(env.flags).toBe(IE)
  })
})

describe('x87', () => {
  const f80 = (format: Format, value: bigint): Float => unpack(environment({}), format, value)
  const [one, three] = [f80(F80, 0x3fff8000000000000000n), f80(F80, 0x4000c000000000000000n)]
  test.each([
    [F80, '3ffdaaaaaaaaaaaaaaab', true],
    [F80_DOUBLE, '3ffdaaaaaaaaaaaaa800', false],
    [F80_SINGLE, '3ffdaaaaab0000000000', true],
  ])('a third in %o', (format, bits, up) => {
    const env = environment({ unit: 'x87' })
    expect([div(env, format, one, three).toString(16), env.flags, env.roundedUp]).toEqual([bits, PE, up])
  })

  test('what is too large or too small and not masked has another exponent', () => {
    const large = f80(F80, 0x7ffe8000000000000000n)
    const small = f80(F80, 0x00018000000000000000n)
    const env = environment({ unit: 'x87', masks: ALL_EXCEPTIONS & ~(OE | UE) })
    expect(mul(env, F80, large, large).toString(16)).toBe('5ffd8000000000000000')
    expect(mul(env, F80, small, small).toString(16)).toBe('20038000000000000000')
    expect(env.unmasked()).toBe(OE | UE)
  })

  test('encodings without their integer bit are invalid', () => {
    const env = environment({ unit: 'x87' })
    expect(add(env, F80, f80(F80, 0x3fff0000000000000000n), one).toString(16)).toBe('ffffc000000000000000')
    expect(env.flags).toBe(IE)
  })

  test.each([
    [7n, false, '3fff8000000000000000', 2n],
    [8n, true, 'bfff8000000000000000', 3n],
    [1n << 70n, false, '401f8000000000000000', undefined],
  ])('the remainder of %d and 3', (value, nearest, bits, quotient) => {
    const env = environment({ unit: 'x87' })
    const a = f80(F80, fromInteger(env, F80, value))
    const found = remainder(env, F80, a, three, nearest)
    expect([found.bits.toString(16), found.quotient]).toEqual([bits, quotient])
  })
})

describe('integers', () => {
  test.each([
    [2.5, NEAREST, 2n, PE],
    [3.5, NEAREST, 4n, PE],
    [-2.5, DOWN, -3n, PE],
    [-2.5, UP, -2n, PE],
    [2 ** -1074, UP, 1n, PE],
    [-0, UP, 0n, 0],
    [2147483647.5, ZERO, 2147483647n, PE],
    [2147483647.5, NEAREST, -2147483648n, IE],
    [-2147483648, NEAREST, -2147483648n, 0],
    [Number.NaN, NEAREST, -2147483648n, IE],
    [2 ** 1000, NEAREST, -2147483648n, IE],
  ])('of %d, rounding %d', (value, rounding, expected, flags) => {
    const env = environment({ rounding })
    expect([toInteger(env, unpack(env, F64, float64(value)), 32), env.flags]).toEqual([expected, flags])
  })

  test.each([
    [2.5, 2],
    [-0.5, -0],
    [2 ** 52 + 1, 2 ** 52 + 1],
    [0.75, 1],
  ])('integral numbers near %d', (value, expected) => {
    const env = environment({})
    expect(roundToIntegral(env, F64, unpack(env, F64, float64(value)))).toBe(float64(expected))
  })

  test('make singles, rounded', () => {
    const env = environment({})
    expect([fromInteger(env, F32, -16777217n).toString(16), env.flags]).toEqual(['cb800000', PE])
  })
})

test.each([
  [1, 2, 'less', 0],
  [-1, -2, 'greater', 0],
  [0, -0, 'equal', 0],
  [-0, 2 ** -1074, 'less', DE],
  [-(2 ** 1000), 2 ** -1000, 'less', 0],
  [2 ** 1000, 2 ** -1000, 'greater', 0],
  [Number.POSITIVE_INFINITY, 1, 'greater', 0],
  [Number.NEGATIVE_INFINITY, 0, 'less', 0],
  [Number.NaN, 1, 'unordered', IE],
])('%d and %d: %s', (a, b, order, flags) => {
  const env = environment({})
  expect(compare(env, unpack(env, F64, float64(a)), unpack(env, F64, float64(b)), false)).toBe(order)
  expect(env.flags).toBe(flags)
})
