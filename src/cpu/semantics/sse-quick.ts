/**
 * SSE's floating point by the engine's own native, as vectors: where the operands are not denormal, and the result is a number that is not near the smallest ones, it is the processor's, and
 * the only exception that there can be is PE. That is set already, and masked, or another way is taken (ADR 0011, "Floating point"). No NaN passes.
 */
import { PE } from '../float/environment.ts'
import { PRECISION_MASK, ROUNDING } from '../float/mxcsr.ts'
import { CF, ZF } from '../state.ts'
import type { Emitter, Native } from './emitter.ts'
import { chosen } from './packed.ts'

/** What WebAssembly's vectors of it are called, and its bits: the smallest normal number, twice that, infinity; in both halves of eight bytes where it has four. */
interface Kind {
  readonly name: 'f32x4' | 'f64x2'
  readonly bytes: 4 | 8
  readonly smallest: bigint
  readonly safe: bigint
  readonly infinity: bigint
}
const twice = (bits: bigint): bigint => (bits << 32n) | bits
const SINGLE: Kind = {
  name: 'f32x4',
  bytes: 4,
  smallest: twice(0x00800000n),
  safe: twice(0x01000000n),
  infinity: twice(0x7f800000n),
}
const DOUBLE: Kind = { name: 'f64x2', bytes: 8, smallest: 1n << 52n, safe: 1n << 53n, infinity: 0x7ff0n << 48n }
const kindOf = (bytes: 4 | 8): Kind => (bytes === 4 ? SINGLE : DOUBLE)

export const QUICK = ['add', 'sub', 'mul', 'div', 'sqrt', 'min', 'max', 'cmp'] as const
export type Quick = (typeof QUICK)[number]

/** A scalar counts alone: the lanes above it are as it is. */
const scalar = <V>(e: Emitter<V>, bytes: 4 | 8, a: V): V =>
  e.shuffle(a, a, chosen(bytes, bytes === 4 ? [0, 0, 0, 0] : [0, 0]))

/** Tests whose lanes are ones where something holds, over one kind of native. */
class Tests<V> {
  readonly e: Emitter<V>
  readonly native: Native<V>
  readonly kind: Kind

  constructor(e: Emitter<V>, native: Native<V>, kind: Kind) {
    this.e = e
    this.native = native
    this.kind = kind
  }
  op(
    name: 'eq' | 'ne' | 'lt' | 'le' | 'ge' | 'abs' | 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'pmin' | 'pmax',
    a: V,
    b?: V,
  ): V {
    return this.native.op(`${this.kind.name}.${name}`, a, b)
  }
  and(a: V, b: V): V {
    return this.e.vector('v128.and', a, b)
  }
  or(a: V, b: V): V {
    return this.e.vector('v128.or', a, b)
  }
  not(a: V): V {
    return this.native.op('v128.not', a)
  }
  isDenormal(a: V): V {
    const isSmall = this.op('lt', this.op('abs', a), this.native.constant(this.kind.smallest))
    return this.and(isSmall, this.op('ne', a, this.e.zero128()))
  }
  isNan(a: V): V {
    return this.op('ne', a, a)
  }
  isZero(a: V): V {
    return this.op('eq', a, this.e.zero128())
  }
  isFinite(a: V): V {
    return this.op('lt', this.op('abs', a), this.native.constant(this.kind.infinity))
  }
  /** Rounded, and whether before or after that it was too small does not matter. */
  isSafe(a: V): V {
    return this.and(this.op('ge', this.op('abs', a), this.native.constant(this.kind.safe)), this.isFinite(a))
  }
  nowhere(a: V): V {
    return this.e.eq(4, this.native.any(a), this.e.imm(4, 0))
  }
}

/** To nearest, and nothing more to be said of results that are not exact. */
function roundsQuietly<V>(e: Emitter<V>, native: Native<V>, rounds = true): V {
  const mask = PRECISION_MASK | PE | (rounds ? ROUNDING : 0)
  return e.eq(4, e.and(4, native.mxcsr(), e.imm(4, mask)), e.imm(4, PRECISION_MASK | PE))
}

/** All predicates of numbers that are none of them NaNs: equal, less, less or equal, unordered; and what is not. */
function predicate<V>(t: Tests<V>, selector: number, a: V, b: V): V {
  const holds = (selector & 3) === 3 ? t.e.zero128() : t.op((['eq', 'lt', 'le'] as const)[selector & 3]!, a, b)
  return (selector & 4) === 0 ? holds : t.not(holds)
}

/** The result, and where it cannot be relied on. */
function calculated<V>(t: Tests<V>, quick: Quick, selector: number, a: V, b: V): readonly [result: V, wrong: V] {
  const denormal = t.or(t.isDenormal(a), t.isDenormal(b))
  switch (quick) {
    case 'add':
    case 'sub': {
      const result = t.op(quick, a, b)
      return [result, t.or(t.or(denormal, t.isDenormal(result)), t.not(t.isFinite(result)))]
    }
    case 'mul':
    case 'div': {
      const result = t.op(quick, a, b)
      const isExactZero = t.and(t.isZero(result), t.or(t.isZero(a), t.isZero(b)))
      return [result, t.or(denormal, t.not(t.or(t.isSafe(result), isExactZero)))]
    }
    case 'sqrt': {
      const result = t.op('sqrt', b)
      return [result, t.or(t.isDenormal(b), t.not(t.isFinite(result)))]
    }
    case 'min':
    case 'max': {
      // WebAssembly's take their first operand where SSE's take their second one.
      const result = t.op(quick === 'min' ? 'pmin' : 'pmax', b, a)
      return [result, t.or(denormal, t.or(t.isNan(a), t.isNan(b)))]
    }
    case 'cmp':
      return [predicate(t, selector, a, b), t.or(denormal, t.or(t.isNan(a), t.isNan(b)))]
  }
}

/** `lanes`: 1, or all. `otherwise`: the helper. */
export function arithmetic<V>(
  e: Emitter<V>,
  { bytes, lanes }: { readonly bytes: 4 | 8; readonly lanes: number },
  quick: Quick,
  selector: number,
  to: number,
  source: V,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const t = new Tests(e, native, kindOf(bytes))
    const before = e.xmm(to)
    const [a, b] = lanes === 1 ? [scalar(e, bytes, before), scalar(e, bytes, source)] : [before, source]
    const [result, wrong] = calculated(t, quick, selector, a, b)
    const isRight = t.nowhere(wrong)
    const rounds = quick !== 'min' && quick !== 'max' && quick !== 'cmp'
    return {
      condition: rounds ? e.and(4, isRight, roundsQuietly(e, native)) : isRight,
      act: () => e.setXmm(to, lanes === 1 ? lowest(e, bytes, before, result) : result),
    }
  }, otherwise)
}

/** A vector with the lowest lane of another one. */
function lowest<V>(e: Emitter<V>, bytes: 4 | 8, vector: V, from: V): V {
  return e.shuffle(vector, from, [
    ...chosen(bytes, [16 / bytes]),
    ...Array.from({ length: 16 - bytes }, (_, n) => bytes + n),
  ])
}

/** UCOMISS and its kin: `set` gets what becomes of ZF and CF. */
export function comparison<V>(
  e: Emitter<V>,
  bytes: 4 | 8,
  x: V,
  y: V,
  set: (flags: V) => void,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const t = new Tests(e, native, kindOf(bytes))
    const [a, b] = [scalar(e, bytes, x), scalar(e, bytes, y)]
    const wrong = t.or(t.or(t.isDenormal(a), t.isDenormal(b)), t.or(t.isNan(a), t.isNan(b)))
    const bit = (test: V, flag: number): V => e.and(4, e.lane(4, test, 0), e.imm(4, flag))
    return {
      condition: t.nowhere(wrong),
      act: () => set(e.or(4, bit(t.op('lt', a, b), CF), bit(t.op('eq', a, b), ZF))),
    }
  }, otherwise)
}

/** CVTSI2SD and CVTSI2SS of 4 or 8 bytes: integers that the floats have. */
export function fromInteger<V>(
  e: Emitter<V>,
  size: 4 | 8,
  bytes: 4 | 8,
  value: V,
  to: number,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const low = size === 8 ? e.trunc(8, 4, value) : value
    const isShort = size === 8 ? e.eq(8, e.sext(4, 8, low), value) : e.imm(4, 1)
    const isSmall = e.ltu(4, e.add(4, low, e.imm(4, 1 << 24)), e.imm(4, 1 << 25))
    const vector = e.withLane(4, e.zero128(), 0, low)
    const op = bytes === 8 ? 'f64x2.convert_low_i32x4_s' : 'f32x4.convert_i32x4_s'
    return {
      condition: bytes === 8 ? isShort : e.and(4, isShort, isSmall),
      act: () => e.setXmm(to, lowest(e, bytes, e.xmm(to), native.op(op, vector))),
    }
  }, otherwise)
}

const LIMIT = { 4: twice(0x4f000000n), 8: 0x41e0n << 48n } as const

/** CVTTSD2SI and CVTTSS2SI, where 4 bytes are enough: exact, or quietly not. */
export function toInteger<V>(
  e: Emitter<V>,
  bytes: 4 | 8,
  source: V,
  set: (value: V) => void,
  otherwise: () => void,
): void {
  e.quickly((native) => {
    const t = new Tests(e, native, kindOf(bytes))
    const a = scalar(e, bytes, source)
    const fits = t.op('lt', t.op('abs', a), native.constant(LIMIT[bytes]))
    const whole = native.op(bytes === 8 ? 'i32x4.trunc_sat_f64x2_s_zero' : 'i32x4.trunc_sat_f32x4_s', a)
    return {
      condition: e.and(4, native.any(fits), roundsQuietly(e, native, false)),
      act: () => set(e.lane(4, whole, 0)),
    }
  }, otherwise)
}

/** CVTSS2SD and CVTSD2SS. */
export function otherWidth<V>(e: Emitter<V>, from: 4 | 8, source: V, to: number, otherwise: () => void): void {
  e.quickly((native) => {
    const wide = new Tests(e, native, kindOf(from))
    const other = new Tests(e, native, kindOf(from === 4 ? 8 : 4))
    const a = scalar(e, from, source)
    const result = native.op(from === 4 ? 'f64x2.promote_low_f32x4' : 'f32x4.demote_f64x2_zero', a)
    const isExactZero = wide.isZero(a)
    const all = scalar(e, from === 4 ? 8 : 4, result)
    const wrong =
      from === 4 ? wide.or(wide.isDenormal(a), wide.isNan(a)) : wide.not(wide.or(other.isSafe(all), isExactZero))
    const isRight = wide.nowhere(wrong)
    return {
      condition: from === 4 ? isRight : e.and(4, isRight, roundsQuietly(e, native)),
      act: () => e.setXmm(to, lowest(e, from === 4 ? 8 : 4, e.xmm(to), result)),
    }
  }, otherwise)
}
