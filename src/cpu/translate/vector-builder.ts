/** The emitter's operations on vectors, as nodes: one of WebAssembly's, or a few for what only SSE has. */
import type { Size } from '../isa/insn.ts'
import type { FloatOp, VectorOp, VectorShift } from '../semantics/vector-ops.ts'
import { I32, I64, V128, type ValueType, VectorCode } from '../wasm/opcodes.ts'
import { IntegerBuilder } from './integer-builder.ts'
import { type Node, VECTOR } from './node.ts'

const EXTRACT: Readonly<Record<Size, string>> = {
  1: 'i8x16.extract_lane_u',
  2: 'i16x8.extract_lane_u',
  4: 'i32x4.extract_lane',
  8: 'i64x2.extract_lane',
}
const REPLACE: Readonly<Record<Size, string>> = {
  1: 'i8x16.replace_lane',
  2: 'i16x8.replace_lane',
  4: 'i32x4.replace_lane',
  8: 'i64x2.replace_lane',
}
const BITMASK = { 1: 'i8x16.bitmask', 4: 'i32x4.bitmask', 8: 'i64x2.bitmask' } as const

/** The upper halves of eight products of 32 bits, and the even lanes of four. */
const UPPER_HALVES = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31]
const EVEN_LANES = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]

/** What rounds the upper part of a product of words that are fractions: half of its last place. */
const HALF = [0, 0x40, 0, 0]
/** What counts of PSHUFB's selectors. WebAssembly's make zeros of all that are too large. */
const SELECTOR = [0x8f]

export class VectorBuilder extends IntegerBuilder {
  #op(name: string, type: ValueType, a?: Node, b?: Node, bytes?: readonly number[]): Node {
    const code = VectorCode[name]
    if (code === undefined) throw new Error(`no operation ${name}`)
    return this.nodes.vector(type, code, a, b, bytes)
  }

  vector(op: VectorOp, a: Node, b: Node): Node {
    switch (op) {
      case 'pmulhw':
      case 'pmulhuw': {
        const sign = op === 'pmulhw' ? 's' : 'u'
        const low = this.#op(`i32x4.extmul_low_i16x8_${sign}`, V128, a, b)
        return this.shuffle(low, this.#op(`i32x4.extmul_high_i16x8_${sign}`, V128, a, b), UPPER_HALVES)
      }
      case 'pmuludq': {
        const even = (x: Node): Node => this.shuffle(x, x, EVEN_LANES)
        return this.#op('i64x2.extmul_low_i32x4_u', V128, even(a), even(b))
      }
      case 'psadbw': {
        const most = this.#op('i8x16.max_u', V128, a, b)
        const distance = this.#op('i8x16.sub', V128, most, this.#op('i8x16.min_u', V128, a, b))
        const pairs = this.#op('i16x8.extadd_pairwise_i8x16_u', V128, distance)
        const fours = this.#op('i32x4.extadd_pairwise_i16x8_u', V128, pairs)
        const thirtyTwo = this.imm(4, 32)
        const upper = this.vectorShift('i64x2.shr_u', fours, thirtyTwo)
        const sums = this.#op('i64x2.add', V128, fours, upper)
        return this.vectorShift('i64x2.shr_u', this.vectorShift('i64x2.shl', sums, thirtyTwo), thirtyTwo)
      }
      case 'pmulhrsw': {
        const rounded = (product: Node): Node =>
          this.vectorShift('i32x4.shl', this.#op('i32x4.add', V128, product, this.#constant(HALF)), this.imm(4, 1))
        const low = rounded(this.#op('i32x4.extmul_low_i16x8_s', V128, a, b))
        return this.shuffle(low, rounded(this.#op('i32x4.extmul_high_i16x8_s', V128, a, b)), UPPER_HALVES)
      }
      case 'pshufb':
        return this.#op('i8x16.swizzle', V128, a, this.#op('v128.and', V128, b, this.#constant(SELECTOR)))
      default:
        return this.#op(op, V128, a, b)
    }
  }
  vectorShift(op: VectorShift, a: Node, count: Node): Node {
    return this.#op(op, V128, a, count)
  }
  bitmask(size: 1 | 4 | 8, vector: Node): Node {
    return this.#op(BITMASK[size], I32, vector)
  }
  lane(size: Size, vector: Node, n: number): Node {
    return this.#op(EXTRACT[size], size === 8 ? I64 : I32, vector, undefined, [n])
  }
  /** Which lane of a vector a value is that can be stored from there. */
  protected laneOf(size: Size, { op, bytes }: Node): readonly number[] | undefined {
    return size >= 4 && op === VECTOR + VectorCode[EXTRACT[size]]! ? bytes : undefined
  }
  withLane(size: Size, vector: Node, n: number, value: Node): Node {
    return this.#op(REPLACE[size], V128, vector, value, [n])
  }
  zero128(): Node {
    return this.#constant([0])
  }
  float(op: FloatOp, a: Node, b?: Node): Node {
    return this.#op(op, V128, a, b)
  }
  /** Eight bytes, twice. */
  constant128(bits: bigint): Node {
    return this.#constant(Array.from({ length: 8 }, (_, n) => Number((bits >> BigInt(8 * n)) & 0xffn)))
  }
  /** These bytes again and again. */
  #constant(bytes: readonly number[]): Node {
    const all = Array.from({ length: 16 }, (_, i) => bytes[i % bytes.length]!)
    return this.#op('v128.const', V128, undefined, undefined, all)
  }
  shuffle(a: Node, b: Node, bytes: readonly number[]): Node {
    return this.#op('i8x16.shuffle', V128, a, b, bytes)
  }
}
