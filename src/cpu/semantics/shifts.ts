/**
 * Shifts and rotations (Intel SDM volume 2: SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD). Counts are taken modulo 32, or 64 for eight bytes; a count of zero leaves the
 * flags alone, but the destination is written.
 */
import type { Insn, Size } from '../isa/insn.ts'
import { CcOp, CF, OF_FLAG } from '../state.ts'
import type { Emitter, Semantics } from './emitter.ts'
import { flagBit, modify, read, replaceFlags, resize, signExtend, sizeOf, topBit } from './operands.ts'

/** A count that is known while decoding, or one that is not. */
interface Count<V> {
  readonly value: V
  readonly constant: number | undefined
}

function countOf<V>(e: Emitter<V>, insn: Insn, n: number, size: Size): Count<V> {
  const mask = size === 8 ? 63 : 31
  const operand = insn.operands[n]!
  if (operand.kind === 'imm') {
    const constant = Number(operand.value) & mask
    return { constant, value: e.imm(4, constant) }
  }
  return { constant: undefined, value: e.and(4, e.zext(1, 4, read(e, insn, n)), e.imm(4, mask)) }
}

/** What happens only if the count is not zero. */
function unlessZero<V>(e: Emitter<V>, count: Count<V>, then: () => void): void {
  if (count.constant === undefined) e.if(e.ne(4, count.value, e.imm(4, 0)), then)
  else if (count.constant !== 0) then()
}

/** Bytes and words are shifted as four bytes: counts go up to 31. */
const width = (size: Size): 4 | 8 => (size === 8 ? 8 : 4)

const shift =
  (op: 'shl' | 'shr' | 'sar'): Semantics =>
  (e, insn) => {
    const size = sizeOf(insn, 0)
    const wide = width(size)
    const count = countOf(e, insn, 1, size)
    const dst = modify(e, insn, 0)
    const value = (op === 'sar' ? signExtend : resize)(e, size, wide, dst.value)
    const result = resize(e, wide, size, e[op](wide, value, count.value))
    dst.store(result)
    unlessZero(e, count, () => {
      const before = resize(e, wide, size, e[op](wide, value, e.sub(4, count.value, e.imm(4, 1))))
      e.setFlags(op === 'shl' ? CcOp.shl : CcOp.shr, size, result, before)
    })
  }
export const shl = shift('shl')
export const shr = shift('shr')
export const sar = shift('sar')

/** CF, and OF where it is defined (rotations by one): whether the top bit changed. */
function setRotated<V>(e: Emitter<V>, carry: V, overflow: V): void {
  replaceFlags(e, CF | OF_FLAG, e.or(4, carry, flagBit(e, overflow, OF_FLAG)))
}

const lowBit = <V>(e: Emitter<V>, size: Size, value: V): V => resize(e, size, 4, e.and(size, value, e.imm(size, 1)))

export const rol: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const count = countOf(e, insn, 1, size)
  const dst = modify(e, insn, 0)
  const result = e.rol(size, dst.value, e.and(4, count.value, e.imm(4, 8 * size - 1)))
  dst.store(result)
  unlessZero(e, count, () => {
    const carry = lowBit(e, size, result)
    setRotated(e, carry, e.xor(4, carry, topBit(e, size, result)))
  })
}

/** The second highest bit, as 0 or 1. */
const secondBit = <V>(e: Emitter<V>, size: Size, value: V): V =>
  lowBit(e, size, e.shr(size, value, e.imm(4, 8 * size - 2)))

export const ror: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const count = countOf(e, insn, 1, size)
  const dst = modify(e, insn, 0)
  const result = e.ror(size, dst.value, e.and(4, count.value, e.imm(4, 8 * size - 1)))
  dst.store(result)
  unlessZero(e, count, () => {
    const carry = topBit(e, size, result)
    setRotated(e, carry, e.xor(4, carry, secondBit(e, size, result)))
  })
}

/** What is left of a count of up to 31 modulo 9 or 17: bytes and words rotate with the carry. The product with 512/9 or 512/17 is the quotient. */
function throughCarry<V>(e: Emitter<V>, size: Size, count: V): V {
  if (size > 2) return count
  const period = size === 1 ? 9 : 17
  const quotient = e.shr(4, e.mul(4, count, e.imm(4, size === 1 ? 57 : 31)), e.imm(4, 9))
  return e.sub(4, count, e.mul(4, quotient, e.imm(4, period)))
}

/** Value and carry rotated left by a count of up to the number of the value's bits. */
function rotateWithCarry<V>(e: Emitter<V>, size: Size, value: V, count: V): { result: V; carry: V } {
  const bits = 8 * size
  const carry = e.zext(4, 8, e.carry())
  if (size < 8) {
    const whole = e.or(8, e.zext(size, 8, value), e.shl(8, carry, e.imm(4, bits)))
    const back = e.sub(4, e.imm(4, bits + 1), count)
    const turned = e.or(8, e.shl(8, whole, count), e.shr(8, whole, back))
    return { result: e.trunc(8, size, turned), carry: bit(e, turned, e.imm(4, bits)) }
  }
  const last = e.sub(4, count, e.imm(4, 1))
  const low = e.shr(8, e.shr(8, value, e.imm(4, 1)), e.sub(4, e.imm(4, 63), last))
  const high = e.shl(8, e.shl(8, value, last), e.imm(4, 1))
  const result = e.or(8, e.or(8, high, e.shl(8, carry, last)), low)
  return { result, carry: bit(e, value, e.sub(4, e.imm(4, 63), last)) }
}

const bit = <V>(e: Emitter<V>, value: V, n: V): V => e.and(4, e.trunc(8, 4, e.shr(8, value, n)), e.imm(4, 1))

const carryRotation =
  (left: boolean): Semantics =>
  (e, insn) => {
    const size = sizeOf(insn, 0)
    const bits = 8 * size
    const count = countOf(e, insn, 1, size)
    const dst = modify(e, insn, 0)
    const turns = throughCarry(e, size, count.value)
    const result = e.variable(size, dst.value)
    const carry = e.variable(4, e.carry())
    e.if(e.ne(4, turns, e.imm(4, 0)), () => {
      const turned = rotateWithCarry(e, size, dst.value, left ? turns : e.sub(4, e.imm(4, bits + 1), turns))
      result.set(turned.result)
      carry.set(turned.carry)
    })
    const value = result.get()
    dst.store(value)
    unlessZero(e, count, () => {
      const other = left ? carry.get() : secondBit(e, size, value)
      setRotated(e, carry.get(), e.xor(4, topBit(e, size, value), other))
    })
  }
export const rcl = carryRotation(true)
export const rcr = carryRotation(false)

/** A word and the word that comes in, which comes twice: counts go up to 31, and beyond 16 manuals leave it undefined. AMD's processors do this. */
function shiftWord<V>(e: Emitter<V>, left: boolean, value: V, filler: V, count: V): V {
  const a = e.zext(2, 8, value)
  const b = e.zext(2, 8, filler)
  const twice = e.or(8, b, e.shl(8, b, e.imm(4, 16)))
  const whole = left ? e.or(8, e.shl(8, a, e.imm(4, 32)), twice) : e.or(8, a, e.shl(8, twice, e.imm(4, 16)))
  return e.trunc(8, 2, e.shr(8, whole, left ? e.sub(4, e.imm(4, 32), count) : count))
}

/** Four or eight bytes. The filler is shifted twice, since a count of zero would be one of all its bits. */
function shiftTwo<V>(e: Emitter<V>, size: Size, left: boolean, value: V, filler: V, count: V): V {
  const one = e.imm(4, 1)
  const back = e.sub(4, e.imm(4, 8 * size - 1), count)
  if (left) return e.or(size, e.shl(size, value, count), e.shr(size, e.shr(size, filler, one), back))
  return e.or(size, e.shr(size, value, count), e.shl(size, e.shl(size, filler, one), back))
}

const doubleShift =
  (left: boolean): Semantics =>
  (e, insn) => {
    const size = sizeOf(insn, 0)
    const count = countOf(e, insn, 2, size)
    const filler = read(e, insn, 1)
    const dst = modify(e, insn, 0)
    const { value } = dst
    const result =
      size === 2 ? shiftWord(e, left, value, filler, count.value) : shiftTwo(e, size, left, value, filler, count.value)
    dst.store(result)
    unlessZero(e, count, () => {
      // The bit that goes out last is one of the first operand's, or none.
      const wide = width(size)
      const less = e.sub(4, count.value, e.imm(4, 1))
      const before = e[left ? 'shl' : 'shr'](wide, resize(e, size, wide, value), less)
      e.setFlags(left ? CcOp.shl : CcOp.shr, size, result, resize(e, wide, size, before))
    })
  }
export const shld = doubleShift(true)
export const shrd = doubleShift(false)
