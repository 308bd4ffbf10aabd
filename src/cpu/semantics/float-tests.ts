/** What is asked of floats and vectors of them before the engine's own arithmetic is relied on (sse-quick.ts): tests whose lanes are ones where something holds. */
import { PE } from '../float/environment.ts'
import { PRECISION_MASK, ROUNDING } from '../float/mxcsr.ts'
import type { Calculator, FloatNative } from './emitter.ts'
import { chosen } from './packed.ts'
import type { FloatOpOfEither } from './vector-ops.ts'

/** What WebAssembly's vectors of it are called, and its bits: the smallest normal number, twice that, infinity; in both halves of eight bytes where it has four. */
interface Kind {
  readonly name: 'f32x4' | 'f64x2'
  readonly bytes: 4 | 8
  readonly smallest: bigint
  readonly safe: bigint
  readonly infinity: bigint
}
export const twice = (bits: bigint): bigint => (bits << 32n) | bits
const SINGLE: Kind = {
  name: 'f32x4',
  bytes: 4,
  smallest: twice(0x00800000n),
  safe: twice(0x01000000n),
  infinity: twice(0x7f800000n),
}
const DOUBLE: Kind = { name: 'f64x2', bytes: 8, smallest: 1n << 52n, safe: 1n << 53n, infinity: 0x7ff0n << 48n }
const kindOf = (bytes: 4 | 8): Kind => (bytes === 4 ? SINGLE : DOUBLE)

/** Of MXCSR. */
const QUIET_MASK = PRECISION_MASK | PE | ROUNDING

const ROUNDED = ['add', 'sub', 'mul', 'div', 'sqrt'] as const
export const QUICK = [...ROUNDED, 'min', 'max', 'cmp'] as const
export type Quick = (typeof QUICK)[number]
export type Rounded = (typeof ROUNDED)[number]
export const isRounded = (quick: Quick): quick is Rounded => ROUNDED.some((rounded) => rounded === quick)

/** What an instruction works on; `lanes`: 1, or all. */
export interface Lanes {
  readonly bytes: 4 | 8
  readonly lanes: number
}

/** Tests whose lanes are ones where something holds, over one kind of native. */
export class Tests<V> {
  readonly e: Calculator<V>
  readonly native: FloatNative<V>
  readonly kind: Kind

  constructor(e: Calculator<V>, native: FloatNative<V>, bytes: 4 | 8) {
    this.e = e
    this.native = native
    this.kind = kindOf(bytes)
  }
  op(name: FloatOpOfEither, a: V, b?: V): V {
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
  isZero(a: V): V {
    return this.op('eq', a, this.e.zero128())
  }
  reaches(limit: 'smallest' | 'safe', magnitude: V): V {
    return this.op('ge', magnitude, this.native.constant(this.kind[limit]))
  }
  isFinite(magnitude: V): V {
    return this.op('lt', magnitude, this.native.constant(this.kind.infinity))
  }
  /** Neither denormal nor a NaN. */
  isPlain(a: V): V {
    return this.or(this.reaches('smallest', this.op('abs', a)), this.isZero(a))
  }
  /** In all lanes that count. */
  everywhere(lanes: number, a: V): V {
    const bits = this.e.bitmask(this.kind.bytes, a)
    return lanes === 1 ? this.e.and(4, bits, this.e.imm(4, 1)) : this.e.eq(4, bits, this.e.imm(4, (1 << lanes) - 1))
  }
  /** The same, and rounding to nearest, and nothing more to be said of results that are not exact. */
  everywhereQuietly(lanes: number, a: V, mask = QUIET_MASK): V {
    const isQuiet = this.native.mxcsrIs(mask, PRECISION_MASK | PE)
    const bits = this.e.bitmask(this.kind.bytes, a)
    return this.e.and(4, lanes === 1 ? bits : this.everywhere(lanes, a), isQuiet)
  }
}

export const rounded = <V>(t: Tests<V>, quick: Rounded, a: V, b: V): V =>
  quick === 'sqrt' ? t.op('sqrt', b) : t.op(quick, a, b)

/** A vector with the lowest lane of another one. */
export function lowest<V>(e: Calculator<V>, bytes: 4 | 8, vector: V, from: V): V {
  return e.shuffle(vector, from, [
    ...chosen(bytes, [16 / bytes]),
    ...Array.from({ length: 16 - bytes }, (_, n) => bytes + n),
  ])
}
export const placed = <V>(e: Calculator<V>, { bytes, lanes }: Lanes, before: V, result: V): V =>
  lanes === 1 ? lowest(e, bytes, before, result) : result
