/** Conditions of lazy flags as nodes: what each operation leaves behind (CcOp in state.ts) is compared directly, without working all six flags out. */
import type { Size } from '../isa/insn.ts'
import { AF, CcOp, CF, OF_FLAG, PF_FLAG, SF, ZF } from '../state.ts'
import { Op } from '../wasm/opcodes.ts'
import { isConstant, MASKS, type Node, type Nodes } from './node.ts'

/** Of an operation on values of `size` bytes. */
export interface FlagSource {
  readonly op: CcOp
  readonly size: Size
  readonly dst: Node
  readonly src: Node
}

const bits = (size: Size): number => 8 * size
const byteMask = (size: 1 | 2 | 4): number => MASKS[size] >>> 0

export class Conditions {
  readonly #nodes: Nodes

  constructor(nodes: Nodes) {
    this.#nodes = nodes
  }

  /** `code`: Jcc's four bits. 0 or 1. */
  condition(source: FlagSource, code: number): Node {
    const yes = this.#positive(source, code >> 1)
    return code & 1 ? this.#not(yes) : yes
  }

  carry(source: FlagSource): Node {
    const { op, size, dst, src } = source
    const n = this.#nodes
    switch (op) {
      case CcOp.flags:
        return n.binary(Op.i32_and, src, n.constant32(CF))
      case CcOp.add:
        return this.#below(size, dst, src)
      case CcOp.adc1:
        return this.#not(this.#below(size, src, dst))
      case CcOp.sub:
        return this.#below(size, this.#minuend(source), src)
      case CcOp.sbb1:
        return this.#not(this.#below(size, src, this.#minuend(source)))
      case CcOp.logic:
        return n.constant32(0)
      case CcOp.inc:
      case CcOp.dec:
        return n.binary(Op.i32_and, this.#low(size, src), n.constant32(1))
      case CcOp.shl:
        return this.#top(size, src)
      case CcOp.shr:
        return n.binary(Op.i32_and, this.#low(size, src), n.constant32(1))
      case CcOp.mul:
        return this.#not(this.#isZero(size, src))
    }
  }

  /** All six as in RFLAGS. */
  all(source: FlagSource): Node {
    const n = this.#nodes
    if (source.op === CcOp.flags) return source.src
    const parts: [Node, number][] = [
      [this.carry(source), CF],
      [this.#parity(source), PF_FLAG],
      [this.#half(source), AF],
      [this.#isZero(source.size, source.dst), ZF],
      [this.#top(source.size, source.dst), SF],
      [this.#overflow(source), OF_FLAG],
    ]
    return parts
      .map(([bit, flag]) => n.binary(Op.i32_shl, bit, n.constant32(31 - Math.clz32(flag))))
      .reduce((sum, part) => n.binary(Op.i32_or, sum, part), n.constant32(0))
  }

  /** Of six flags in a word. */
  ofFlags(flags: Node, code: number): Node {
    return this.condition({ op: CcOp.flags, size: 4, dst: flags, src: flags }, code)
  }

  #positive(source: FlagSource, which: number): Node {
    const { op, size, dst, src } = source
    const n = this.#nodes
    if (op === CcOp.flags) return this.#ofWord(src, which)
    const compares = op === CcOp.sub
    switch (which) {
      case 0:
        return this.#overflow(source)
      case 1:
        return this.carry(source)
      case 2:
        return compares ? this.#same(size, this.#minuend(source), src, dst) : this.#isZero(size, dst)
      case 3:
        return compares
          ? this.#not(this.#below(size, src, this.#minuend(source)))
          : n.binary(Op.i32_or, this.carry(source), this.#isZero(size, dst))
      case 4:
        return this.#top(size, dst)
      case 5:
        return this.#parity(source)
      case 6:
        return this.#less(source)
      default:
        return compares
          ? this.#not(this.#lessSigned(size, src, this.#minuend(source)))
          : n.binary(Op.i32_or, this.#less(source), this.#isZero(size, dst))
    }
  }

  #ofWord(flags: Node, which: number): Node {
    const bit = (flag: number): Node => this.#bit(flags, 31 - Math.clz32(flag))
    const n = this.#nodes
    switch (which) {
      case 0:
        return bit(OF_FLAG)
      case 1:
        return bit(CF)
      case 2:
        return bit(ZF)
      case 3:
        return n.binary(Op.i32_or, bit(CF), bit(ZF))
      case 4:
        return bit(SF)
      case 5:
        return bit(PF_FLAG)
      case 6:
        return n.binary(Op.i32_xor, bit(SF), bit(OF_FLAG))
      default:
        return n.binary(Op.i32_or, n.binary(Op.i32_xor, bit(SF), bit(OF_FLAG)), bit(ZF))
    }
  }

  #less(source: FlagSource): Node {
    const { op, size, dst, src } = source
    if (op === CcOp.sub) return this.#lessSigned(size, this.#minuend(source), src)
    if (op === CcOp.logic) return this.#top(size, dst)
    return this.#nodes.binary(Op.i32_xor, this.#top(size, dst), this.#overflow(source))
  }

  #overflow(source: FlagSource): Node {
    const { op, size, dst, src } = source
    const n = this.#nodes
    switch (op) {
      case CcOp.flags:
        return this.#bit(src, 31 - Math.clz32(OF_FLAG))
      case CcOp.add:
      case CcOp.adc1: {
        const a = this.#minuend(source)
        return this.#top(size, this.#and(size, this.#xor(size, a, dst), this.#xor(size, src, dst)))
      }
      case CcOp.sub:
      case CcOp.sbb1: {
        const a = this.#minuend(source)
        return this.#top(size, this.#and(size, this.#xor(size, a, src), this.#xor(size, a, dst)))
      }
      case CcOp.logic:
        return n.constant32(0)
      case CcOp.inc:
        return this.#equals(size, dst, 1n << BigInt(bits(size) - 1))
      case CcOp.dec:
        return this.#equals(size, dst, (1n << BigInt(bits(size) - 1)) - 1n)
      case CcOp.shl:
      case CcOp.shr:
        return this.#top(size, this.#xor(size, dst, src))
      case CcOp.mul:
        return this.carry(source)
    }
  }

  #half(source: FlagSource): Node {
    const { op, size, dst, src } = source
    const n = this.#nodes
    const nibble = (value: number): Node =>
      n.binary(Op.i32_eq, n.binary(Op.i32_and, this.#low(size, dst), n.constant32(15)), n.constant32(value))
    switch (op) {
      case CcOp.add:
      case CcOp.adc1:
      case CcOp.sub:
      case CcOp.sbb1:
        return this.#bit(this.#low(size, this.#xor(size, this.#xor(size, this.#minuend(source), src), dst)), 4)
      case CcOp.inc:
        return nibble(0)
      case CcOp.dec:
        return nibble(15)
      default:
        return n.constant32(0)
    }
  }

  #parity({ size, dst }: FlagSource): Node {
    const n = this.#nodes
    const low = n.binary(Op.i32_and, this.#low(size, dst), n.constant32(0xff))
    return this.#not(n.binary(Op.i32_and, n.unary(Op.i32_popcnt, low), n.constant32(1)))
  }

  /** The first operand of an addition or subtraction, found in `dst` or worked out of it. */
  #minuend({ op, size, dst, src }: FlagSource): Node {
    const n = this.#nodes
    const wide = size === 8
    const one = wide ? n.constant64(1n) : n.constant32(1)
    const plus = wide ? Op.i64_add : Op.i32_add
    const minus = wide ? Op.i64_sub : Op.i32_sub
    switch (op) {
      case CcOp.add:
        return this.#wrap(size, n.binary(minus, dst, src))
      case CcOp.adc1:
        return this.#wrap(size, n.binary(minus, n.binary(minus, dst, src), one))
      case CcOp.sbb1:
        return this.#wrap(size, n.binary(plus, n.binary(plus, dst, src), one))
      default: {
        const inner = dst.op === Op.i32_and && (size === 1 || size === 2) ? dst.a! : dst
        if (inner.op === minus && inner.b === src) return inner.a!
        if (isConstant(src)) {
          if (Number(src.value) === 0) return dst
          const added = inner.b
          if (added && isConstant(added) && wide && inner.op === plus)
            if (BigInt.asUintN(64, -(added.value as bigint)) === src.value) return inner.a!
          if (added && isConstant(added) && !wide && inner.op === minus && added.value === src.value) return inner.a!
        }
        return this.#wrap(size, n.binary(plus, dst, src))
      }
    }
  }

  #same(size: Size, a: Node, b: Node, difference: Node): Node {
    if (a === difference) return this.#isZero(size, a)
    return this.#nodes.binary(size === 8 ? Op.i64_eq : Op.i32_eq, a, b)
  }
  #equals(size: Size, a: Node, value: bigint): Node {
    return size === 8
      ? this.#nodes.binary(Op.i64_eq, a, this.#nodes.constant64(value))
      : this.#nodes.binary(Op.i32_eq, a, this.#nodes.constant32(Number(value)))
  }
  #isZero(size: Size, a: Node): Node {
    return this.#nodes.unary(size === 8 ? Op.i64_eqz : Op.i32_eqz, a)
  }
  #below(size: Size, a: Node, b: Node): Node {
    return this.#nodes.binary(size === 8 ? Op.i64_lt_u : Op.i32_lt_u, a, b)
  }
  #lessSigned(size: Size, a: Node, b: Node): Node {
    return this.#nodes.binary(size === 8 ? Op.i64_lt_s : Op.i32_lt_s, this.#signed(size, a), this.#signed(size, b))
  }
  #signed(size: Size, a: Node): Node {
    return size >= 4 ? a : this.#nodes.unary(size === 1 ? Op.i32_extend8_s : Op.i32_extend16_s, a)
  }
  #xor(size: Size, a: Node, b: Node): Node {
    return this.#nodes.binary(size === 8 ? Op.i64_xor : Op.i32_xor, a, b)
  }
  #and(size: Size, a: Node, b: Node): Node {
    return this.#nodes.binary(size === 8 ? Op.i64_and : Op.i32_and, a, b)
  }
  #wrap(size: Size, a: Node): Node {
    return size >= 4 ? a : this.#nodes.binary(Op.i32_and, a, this.#nodes.constant32(byteMask(size as 1 | 2)))
  }
  /** The low 32 bits. */
  #low(size: Size, a: Node): Node {
    return size === 8 ? this.#nodes.unary(Op.i32_wrap_i64, a) : a
  }
  #top(size: Size, a: Node): Node {
    const n = this.#nodes
    if (size === 8) return n.binary(Op.i64_lt_s, a, n.constant64(0n))
    if (size === 4) return n.binary(Op.i32_lt_s, a, n.constant32(0))
    return this.#bit(a, bits(size) - 1)
  }
  #bit(a: Node, n: number): Node {
    const nodes = this.#nodes
    return nodes.binary(Op.i32_and, nodes.binary(Op.i32_shr_u, a, nodes.constant32(n)), nodes.constant32(1))
  }
  #not(a: Node): Node {
    return this.#nodes.unary(Op.i32_eqz, a)
  }
}
