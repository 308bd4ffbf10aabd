/** The emitter's arithmetic on integers, as nodes. Values of one and two bytes are kept masked. */
import type { Size } from '../isa/insn.ts'
import { Op } from '../wasm/opcodes.ts'
import { MASKS, type Node, Nodes } from './node.ts'

export class IntegerBuilder {
  readonly nodes = new Nodes()

  imm(size: Size, value: number | bigint): Node {
    return this.nodes.constant(size, value)
  }

  #binary(size: Size, op32: number, op64: number, a: Node, b: Node): Node {
    return this.nodes.binary(size === 8 ? op64 : op32, a, b)
  }
  #wrapped(size: Size, value: Node): Node {
    return size >= 4 ? value : this.nodes.binary(Op.i32_and, value, this.imm(4, MASKS[size as 1 | 2]))
  }
  #signed(size: Size, value: Node): Node {
    return size >= 4 ? value : this.nodes.unary(size === 1 ? Op.i32_extend8_s : Op.i32_extend16_s, value)
  }

  add(size: Size, a: Node, b: Node): Node {
    return this.#wrapped(size, this.#binary(size, Op.i32_add, Op.i64_add, a, b))
  }
  sub(size: Size, a: Node, b: Node): Node {
    return this.#wrapped(size, this.#binary(size, Op.i32_sub, Op.i64_sub, a, b))
  }
  mul(size: Size, a: Node, b: Node): Node {
    return this.#wrapped(size, this.#binary(size, Op.i32_mul, Op.i64_mul, a, b))
  }
  mulhu(size: 4 | 8, a: Node, b: Node): Node {
    if (size === 4) {
      const product = this.mul(8, this.zext(4, 8, a), this.zext(4, 8, b))
      return this.trunc(8, 4, this.shr(8, product, this.imm(4, 32)))
    }
    // Knuth's method with two digits of 32 bits.
    const low = (x: Node): Node => this.and(8, x, this.imm(8, 0xffffffffn))
    const high = (x: Node): Node => this.shr(8, x, this.imm(4, 32))
    const first = this.mul(8, low(a), low(b))
    const second = this.add(8, this.mul(8, high(a), low(b)), high(first))
    const third = this.add(8, this.mul(8, low(a), high(b)), low(second))
    return this.add(8, this.add(8, this.mul(8, high(a), high(b)), high(second)), high(third))
  }
  mulhs(size: 4 | 8, a: Node, b: Node): Node {
    if (size === 4) {
      const product = this.mul(8, this.sext(4, 8, a), this.sext(4, 8, b))
      return this.trunc(8, 4, this.sar(8, product, this.imm(4, 32)))
    }
    const ifNegative = (x: Node, y: Node): Node => this.and(8, this.sar(8, x, this.imm(4, 63)), y)
    return this.sub(8, this.sub(8, this.mulhu(8, a, b), ifNegative(a, b)), ifNegative(b, a))
  }
  and(size: Size, a: Node, b: Node): Node {
    return this.#binary(size, Op.i32_and, Op.i64_and, a, b)
  }
  or(size: Size, a: Node, b: Node): Node {
    return this.#binary(size, Op.i32_or, Op.i64_or, a, b)
  }
  xor(size: Size, a: Node, b: Node): Node {
    return this.#binary(size, Op.i32_xor, Op.i64_xor, a, b)
  }
  not(size: Size, a: Node): Node {
    return this.xor(size, a, size === 8 ? this.imm(8, -1n) : this.imm(4, MASKS[size]))
  }
  neg(size: Size, a: Node): Node {
    return this.sub(size, this.imm(size, 0), a)
  }

  #shift(size: Size, op32: number, op64: number, a: Node, count: Node): Node {
    return this.#binary(size, op32, op64, a, size === 8 ? this.zext(4, 8, count) : count)
  }
  shl(size: Size, a: Node, count: Node): Node {
    return this.#wrapped(size, this.#shift(size, Op.i32_shl, Op.i64_shl, a, count))
  }
  shr(size: Size, a: Node, count: Node): Node {
    return this.#shift(size, Op.i32_shr_u, Op.i64_shr_u, a, count)
  }
  sar(size: Size, a: Node, count: Node): Node {
    return this.#wrapped(size, this.#shift(size, Op.i32_shr_s, Op.i64_shr_s, this.#signed(size, a), count))
  }
  rol(size: Size, a: Node, count: Node): Node {
    if (size >= 4) return this.#shift(size, Op.i32_rotl, Op.i64_rotl, a, count)
    return this.or(4, this.shl(size, a, count), this.shr(size, a, this.sub(4, this.imm(4, 8 * size), count)))
  }
  ror(size: Size, a: Node, count: Node): Node {
    if (size >= 4) return this.#shift(size, Op.i32_rotr, Op.i64_rotr, a, count)
    return this.or(4, this.shr(size, a, count), this.shl(size, a, this.sub(4, this.imm(4, 8 * size), count)))
  }
  clz(size: 4 | 8, a: Node): Node {
    return this.#count(size, Op.i32_clz, Op.i64_clz, a)
  }
  ctz(size: 4 | 8, a: Node): Node {
    return this.#count(size, Op.i32_ctz, Op.i64_ctz, a)
  }
  popcnt(size: 4 | 8, a: Node): Node {
    return this.#count(size, Op.i32_popcnt, Op.i64_popcnt, a)
  }
  #count(size: 4 | 8, op32: number, op64: number, a: Node): Node {
    return size === 4 ? this.nodes.unary(op32, a) : this.trunc(8, 4, this.nodes.unary(op64, a))
  }

  eq(size: Size, a: Node, b: Node): Node {
    return this.#binary(size, Op.i32_eq, Op.i64_eq, a, b)
  }
  ne(size: Size, a: Node, b: Node): Node {
    return this.#binary(size, Op.i32_ne, Op.i64_ne, a, b)
  }
  ltu(size: Size, a: Node, b: Node): Node {
    return this.#binary(size, Op.i32_lt_u, Op.i64_lt_u, a, b)
  }
  lts(size: Size, a: Node, b: Node): Node {
    return this.#binary(size, Op.i32_lt_s, Op.i64_lt_s, this.#signed(size, a), this.#signed(size, b))
  }
  select(_size: Size, condition: Node, yes: Node, no: Node): Node {
    return this.nodes.select(condition, yes, no)
  }

  zext(from: Size, to: Size, a: Node): Node {
    return from === 8 || to !== 8 ? a : this.nodes.unary(Op.i64_extend_i32_u, a)
  }
  sext(from: Size, to: Size, a: Node): Node {
    if (from === 8 || (from === 4 && to === 4)) return a
    const signed = this.#signed(from, a)
    return to === 8 ? this.nodes.unary(Op.i64_extend_i32_s, signed) : this.#wrapped(to, signed)
  }
  trunc(from: Size, to: Size, a: Node): Node {
    if (to === 8) return a
    return this.#wrapped(to, from === 8 ? this.nodes.unary(Op.i32_wrap_i64, a) : a)
  }
}
