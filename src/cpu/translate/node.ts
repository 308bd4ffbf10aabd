/**
 * The graph of a block: nodes are values, pure ones computed where they are first needed (or never), pinned ones by the statement they belong to. Values of up to four
 * bytes are i32 with zeros above their size.
 */
import type { Size } from '../isa/insn.ts'
import { I32, I64, Op, type ValueType } from '../wasm/opcodes.ts'
import { BINARY_I64, COMMUTES, COMPARISONS, FOLD_32, FOLD_64, INVERSE, UNARY_I64 } from './folding.ts'

export const Kind = {
  constant: 0,
  /** What a slot (a register's local) held when the block began, or when an `if` or a helper had changed it. */
  slot: 1,
  /** By a statement: a load, a helper's result. */
  pinned: 2,
  unary: 3,
  binary: 4,
  select: 5,
  /** An operation on vectors with an immediate (a lane, or sixteen bytes) or without. */
  vector: 6,
  /** All six flags, or the carry alone, of flags that are in the slots. */
  flags: 7,
  carry: 8,
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** A place that outlives a block: a general or XMM register, a part of the lazy flags, a variable. */
export interface Slot {
  readonly type: ValueType
  /** Offset from `base` of where it is between regions; -1: nowhere. */
  readonly offset: number
  /** Its number among the function's locals. */
  readonly local: number
  /** Among the region's slots. */
  readonly number: number
}

export class Node {
  readonly kind: Kind
  readonly type: ValueType
  /** WebAssembly's code of the operation. */
  readonly op: number
  readonly a: Node | undefined
  readonly b: Node | undefined
  readonly c: Node | undefined
  readonly value: number | bigint
  readonly slot: Slot | undefined
  readonly bytes: readonly number[] | undefined
  /** Of this block's nodes, in the order in which they were made. */
  readonly id: number
  /** It depends on flags that were in their slots. */
  readonly lazy: boolean

  /** While lowering: uses still to come, whether any of them is on the straight way, and the local that has the value. */
  uses = 0
  hot = false
  local = -1
  /** Of an offset in the memory: so much further is what is meant. */
  offset = 0

  constructor(
    id: number,
    kind: Kind,
    type: ValueType,
    op: number,
    a?: Node,
    b?: Node,
    c?: Node,
    value: number | bigint = 0,
    slot?: Slot,
    bytes?: readonly number[],
  ) {
    this.id = id
    this.kind = kind
    this.type = type
    this.op = op
    this.a = a
    this.b = b
    this.c = c
    this.value = value
    this.slot = slot
    this.bytes = bytes
    this.lazy = kind >= Kind.flags || !!a?.lazy || !!b?.lazy || !!c?.lazy
  }
}

export const MASKS = [0, 0xff, 0xffff, 0, 0xffffffff] as const
/** What node.ts adds to the codes of operations on vectors. */
export const VECTOR = 0xfd00
const ALL_64 = 0xffffffffffffffffn

export const isConstant = (node: Node): boolean => node.kind === Kind.constant

/** Makes nodes, simpler ones where operands are known. */
export class Nodes {
  count = 0

  constant32(value: number): Node {
    return new Node(this.count++, Kind.constant, I32, Op.i32_const, undefined, undefined, undefined, value >>> 0)
  }
  constant64(value: bigint): Node {
    const wrapped = BigInt.asUintN(64, value)
    return new Node(this.count++, Kind.constant, I64, Op.i64_const, undefined, undefined, undefined, wrapped)
  }
  constant(size: Size, value: number | bigint): Node {
    if (size === 8) return this.constant64(BigInt(value))
    return this.constant32(typeof value === 'number' ? value & MASKS[size] : Number(BigInt.asUintN(8 * size, value)))
  }
  ofSlot(slot: Slot): Node {
    return new Node(this.count++, Kind.slot, slot.type, 0, undefined, undefined, undefined, 0, slot)
  }
  pinned(type: ValueType): Node {
    return new Node(this.count++, Kind.pinned, type, 0)
  }
  /** `code`: VectorCode's; kept apart from Op's numbers. */
  vector(type: ValueType, code: number, a?: Node, b?: Node, bytes?: readonly number[]): Node {
    return new Node(this.count++, Kind.vector, type, VECTOR + code, a, b, undefined, 0, undefined, bytes)
  }
  /** Of the lazy flags in the slots: the six flags, or the carry. */
  lazy(kind: typeof Kind.flags | typeof Kind.carry, op: Node, dst: Node, src: Node): Node {
    return new Node(this.count++, kind, I32, 0, op, dst, src)
  }
  select(condition: Node, yes: Node, no: Node): Node {
    if (isConstant(condition)) return condition.value !== 0 ? yes : no
    return yes === no ? yes : new Node(this.count++, Kind.select, yes.type, Op.select, yes, no, condition)
  }

  unary(op: number, a: Node): Node {
    if (isConstant(a)) {
      const { value } = a
      switch (op) {
        case Op.i32_wrap_i64:
          return this.constant32(Number((value as bigint) & 0xffffffffn))
        case Op.i64_extend_i32_u:
          return this.constant64(BigInt(value))
        case Op.i64_extend_i32_s:
          return this.constant64(BigInt((value as number) | 0))
        case Op.i32_eqz:
          return this.constant32(value === 0 ? 1 : 0)
        case Op.i32_extend8_s:
          return this.constant32(((value as number) << 24) >> 24)
        case Op.i32_extend16_s:
          return this.constant32(((value as number) << 16) >> 16)
      }
    }
    if (op === Op.i32_wrap_i64) {
      if (a.op === Op.i64_extend_i32_u || a.op === Op.i64_extend_i32_s) return a.a!
      // What was put into the upper half does not matter.
      if (a.op === Op.i64_or || a.op === Op.i64_and) {
        const { a: x, b: y } = a
        if (isConstant(y!) || isConstant(x!) || y!.op === Op.i64_extend_i32_u)
          return this.binary(a.op === Op.i64_or ? Op.i32_or : Op.i32_and, this.unary(op, x!), this.unary(op, y!))
      }
    }
    if (op === Op.i32_eqz && a.kind === Kind.binary) {
      const inverse = INVERSE[a.op]
      if (inverse !== undefined) return this.binary(inverse, a.a!, a.b!)
    }
    return new Node(this.count++, Kind.unary, UNARY_I64.has(op) ? I64 : I32, op, a)
  }

  binary(op: number, a: Node, b: Node): Node {
    if (isConstant(b)) {
      const simple = a.type === I32 ? this.#simple32(op, a, b) : this.#simple64(op, a, b)
      if (simple) return simple
    } else if (isConstant(a) && COMMUTES.has(op)) return this.binary(op, b, a)
    if (a === b) {
      if (op === Op.i32_xor || op === Op.i32_sub) return this.constant32(0)
      if (op === Op.i64_xor || op === Op.i64_sub) return this.constant64(0n)
      if (op === Op.i32_and || op === Op.i64_and || op === Op.i32_or || op === Op.i64_or) return a
    }
    return new Node(this.count++, Kind.binary, BINARY_I64.has(op) ? I64 : I32, op, a, b)
  }

  #simple32(op: number, a: Node, b: Node): Node | undefined {
    const y = b.value as number
    if (isConstant(a)) {
      const fold = FOLD_32[op]
      if (fold) return this.constant32(fold(a.value as number, y))
    }
    switch (op) {
      case Op.i32_add:
      case Op.i32_sub:
      case Op.i32_or:
      case Op.i32_xor:
      case Op.i32_shl:
      case Op.i32_shr_u:
      case Op.i32_shr_s:
      case Op.i32_rotl:
      case Op.i32_rotr:
        return y === 0 ? a : undefined
      case Op.i32_and:
        if (y === 0) return b
        if (y === 0xffffffff || (onesOf(a) & ~y) === 0) return a
        return a.op === Op.i32_and && isConstant(a.b!)
          ? this.binary(Op.i32_and, a.a!, this.constant32((a.b!.value as number) & y))
          : undefined
      case Op.i32_ne:
        return y === 0 && onesOf(a) >>> 0 === 1 ? a : undefined
      case Op.i32_eq:
        return y === 0 ? this.unary(Op.i32_eqz, a) : undefined
    }
    return undefined
  }

  #simple64(op: number, a: Node, b: Node): Node | undefined {
    const y = b.value as bigint
    if (isConstant(a)) {
      const fold = FOLD_64[op]
      if (fold) return this.constant64(fold(a.value as bigint, y))
    }
    switch (op) {
      case Op.i64_add:
        if (y === 0n) return a
        return a.op === Op.i64_add && isConstant(a.b!)
          ? this.binary(op, a.a!, this.constant64((a.b!.value as bigint) + y))
          : undefined
      case Op.i64_sub:
        return y === 0n ? a : this.binary(Op.i64_add, a, this.constant64(-y))
      case Op.i64_eq:
        return y === 0n ? this.unary(Op.i64_eqz, a) : undefined
      case Op.i64_or:
      case Op.i64_xor:
      case Op.i64_shl:
      case Op.i64_shr_u:
      case Op.i64_shr_s:
      case Op.i64_rotl:
      case Op.i64_rotr:
        return y === 0n ? a : undefined
      case Op.i64_and:
        if (y === 0n) return b
        return y === ALL_64 || (y === 0xffffffffn && a.op === Op.i64_extend_i32_u) ? a : undefined
    }
    return undefined
  }
}

/** Bits that may be ones in an i32. */
function onesOf(node: Node): number {
  if (node.kind === Kind.constant) return node.value as number
  if (node.op === Op.i32_and && isConstant(node.b!)) return node.b!.value as number
  return COMPARISONS.has(node.op) ? 1 : 0xffffffff
}
