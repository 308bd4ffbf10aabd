/**
 * SSE's floating point by the engine's own native, as vectors: where the operands are not denormal, and the result is a number that is not near the smallest ones, it is the processor's, and
 * the only exception that there can be is PE. That is set already, and masked, or another way is taken (ADR 0011, "Floating point"). No NaN passes.
 *
 * Translated code has a cheap test, which zeros fail where rounding is; the rest is out of line (`Calculation`), which tries again with tests that they pass (sse-exact.ts). Of a scalar
 * only the lowest lane's test counts, whatever becomes of the others.
 */
import { PE } from '../float/environment.ts'
import { PRECISION_MASK, ROUNDING } from '../float/mxcsr.ts'
import { CF, ZF } from '../state.ts'
import type { Calculated, Calculation, Emitter } from './emitter.ts'
import {
  isRounded,
  type Lanes,
  lowest,
  placed,
  type Quick,
  type Rounded,
  rounded,
  Tests,
  twice,
} from './float-tests.ts'

/** All predicates of numbers that are none of them NaNs: equal, less, less or equal, unordered; and what is not. */
function predicate<V>(t: Tests<V>, selector: number, a: V, b: V): V {
  const holds = (selector & 3) === 3 ? t.e.zero128() : t.op((['eq', 'lt', 'le'] as const)[selector & 3]!, a, b)
  return (selector & 4) === 0 ? holds : t.not(holds)
}

/**
 * The cheap test: neither operands nor result are zeros or too small, and the result is finite, so that the operands are (but for a divisor that makes a zero). Less itself it is a zero then, and
 * else a NaN, for which no other constant is needed. Roots are of positive numbers, or infinity, and large enough.
 */
function isSafe<V>(t: Tests<V>, quick: Rounded, a: V, b: V, result: V): V {
  if (quick === 'sqrt') return t.reaches('safe', b)
  const zeroOrNan = t.op('sub', result, result)
  const first = t.op('abs', a)
  const operands = a === b ? first : t.op('pmin', first, t.op('abs', b))
  return t.reaches('safe', t.op('add', t.op('pmin', operands, t.op('abs', result)), zeroOrNan))
}

/** The result and the test. */
function calculated<V>(t: Tests<V>, { lanes }: Lanes, quick: Quick, selector: number, a: V, b: V): Calculated<V> {
  if (isRounded(quick)) {
    const result = rounded(t, quick, a, b)
    return { result, condition: t.everywhereQuietly(lanes, isSafe(t, quick, a, b, result)) }
  }
  const condition = t.everywhere(lanes, t.and(t.isPlain(a), t.isPlain(b)))
  if (quick === 'cmp') return { result: predicate(t, selector, a, b), condition }
  // WebAssembly's take their first operand where SSE's take their second one.
  return { result: t.op(quick === 'min' ? 'pmin' : 'pmax', b, a), condition }
}

/** `otherwise`: the helper, where nothing is native. */
export function arithmetic<V>(
  e: Emitter<V>,
  type: Lanes,
  quick: Quick,
  selector: number,
  to: number,
  source: V,
  calculation: Calculation,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const t = new Tests(e, native, type.bytes)
    const before = e.xmm(to)
    const { condition, result } = calculated(t, type, quick, selector, before, source)
    return {
      condition,
      act: () => e.setXmm(to, placed(e, type, before, result)),
      otherwise: () => e.setXmm(to, native.calculate(calculation, before, source, selector)),
    }
  }, otherwise)
}

/** UCOMISS and its kin: `set` gets what becomes of ZF and CF, or what the calculation says. */
export function comparison<V>(
  e: Emitter<V>,
  bytes: 4 | 8,
  a: V,
  b: V,
  set: (flags: V) => void,
  calculation: Calculation,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const t = new Tests(e, native, bytes)
    const bit = (test: V, flag: number): V => e.and(4, e.lane(4, test, 0), e.imm(4, flag))
    return {
      condition: t.everywhere(1, t.and(t.isPlain(a), t.isPlain(b))),
      act: () => set(e.or(4, bit(t.op('lt', a, b), CF), bit(t.op('eq', a, b), ZF))),
      otherwise: () => set(e.lane(4, native.calculate(calculation, a, b, 0), 0)),
    }
  }, otherwise)
}

/** CVTSI2SD and CVTSI2SS of 4 or 8 bytes: integers that the floats have. The calculation gets eight bytes. */
export function fromInteger<V>(
  e: Emitter<V>,
  size: 4 | 8,
  bytes: 4 | 8,
  value: V,
  to: number,
  calculation: Calculation,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const before = e.xmm(to)
    const low = size === 8 ? e.trunc(8, 4, value) : value
    const isShort = size === 8 ? e.eq(8, e.sext(4, 8, low), value) : e.imm(4, 1)
    const isSmall = e.ltu(4, e.add(4, low, e.imm(4, 1 << 24)), e.imm(4, 1 << 25))
    const vector = e.withLane(4, e.zero128(), 0, low)
    const op = bytes === 8 ? 'f64x2.convert_low_i32x4_s' : 'f32x4.convert_i32x4_s'
    const whole = e.withLane(8, e.zero128(), 0, size === 8 ? value : e.zext(4, 8, value))
    return {
      condition: bytes === 8 ? isShort : e.and(4, isShort, isSmall),
      act: () => e.setXmm(to, lowest(e, bytes, before, native.op(op, vector))),
      otherwise: () => e.setXmm(to, native.calculate(calculation, before, whole, 0)),
    }
  }, otherwise)
}

const LIMIT = { 4: twice(0x4f000000n), 8: 0x41e0n << 48n } as const

/** CVTTSD2SI and CVTSD2SI and their kin, where 4 bytes are enough: exact, or quietly not. */
export function toInteger<V>(
  e: Emitter<V>,
  size: 4 | 8,
  bytes: 4 | 8,
  truncates: boolean,
  source: V,
  set: (value: V) => void,
  calculation: Calculation,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const t = new Tests(e, native, bytes)
    const number = truncates ? source : t.op('nearest', source)
    const fits = t.op('lt', t.op('abs', number), native.constant(LIMIT[bytes]))
    const whole = native.op(bytes === 8 ? 'i32x4.trunc_sat_f64x2_s_zero' : 'i32x4.trunc_sat_f32x4_s', number)
    return {
      condition: t.everywhereQuietly(1, fits, PRECISION_MASK | PE | (truncates ? 0 : ROUNDING)),
      act: () => set(size === 8 ? e.sext(4, 8, e.lane(4, whole, 0)) : e.lane(4, whole, 0)),
      otherwise: () => set(e.lane(size, native.calculate(calculation, source, source, 0), 0)),
    }
  }, otherwise)
}

/** CVTSS2SD and CVTSD2SS. */
export function otherWidth<V>(
  e: Emitter<V>,
  from: 4 | 8,
  source: V,
  to: number,
  calculation: Calculation,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const wide = new Tests(e, native, from)
    const before = e.xmm(to)
    const result = native.op(from === 4 ? 'f64x2.promote_low_f32x4' : 'f32x4.demote_f64x2_zero', source)
    const other = new Tests(e, native, from === 4 ? 8 : 4)
    const magnitude = other.op('abs', result)
    const isSafe = other.and(other.reaches('safe', magnitude), other.isFinite(magnitude))
    const isExactZero = wide.isZero(source)
    return {
      condition:
        from === 4
          ? wide.everywhere(1, wide.isPlain(source))
          : other.everywhereQuietly(1, other.or(isSafe, isExactZero)),
      act: () => e.setXmm(to, lowest(e, from === 4 ? 8 : 4, before, result)),
      otherwise: () => e.setXmm(to, native.calculate(calculation, before, source, 0)),
    }
  }, otherwise)
}
