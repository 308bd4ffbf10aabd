/** Operands of integer instructions: addresses, reading, writing, the stack. AMD APM volume 1, 2.2 (addressing) and 2.3 (operands). */
import { FS, type ImmOperand, type Insn, type MemOperand, RSP, type Size, SS } from '../isa/insn.ts'
import { CcOp } from '../state.ts'
import type { Emitter, Modified } from './emitter.ts'

const LOG2 = [0, 0, 1, 0, 2, 0, 0, 0, 3] as const

/** log2 of a power of two up to eight. */
export const log2 = (size: Size): number => LOG2[size]

/** A value of another size: zeros come in, or the upper part goes. */
export function resize<V>(e: Emitter<V>, from: Size, to: Size, value: V): V {
  if (from === to) return value
  return from < to ? e.zext(from, to, value) : e.trunc(from, to, value)
}

export const signExtend = <V>(e: Emitter<V>, from: Size, to: Size, value: V): V =>
  from === to ? value : e.sext(from, to, value)

/** The offset in its segment, of the instruction's address size. */
export function effectiveAddress<V>(e: Emitter<V>, insn: Insn, mem: MemOperand): V {
  const size = insn.addressSize
  if (mem.ripRelative) return e.imm(size, e.nextRip + mem.disp)
  let sum = mem.base >= 0 ? e.reg(size, mem.base) : undefined
  if (mem.index >= 0) {
    const index = e.reg(size, mem.index)
    const scaled = mem.scale === 1 ? index : e.shl(size, index, e.imm(4, log2(mem.scale)))
    sum = sum === undefined ? scaled : e.add(size, sum, scaled)
  }
  if (sum === undefined) return e.imm(size, mem.disp)
  return mem.disp === 0n ? sum : e.add(size, sum, e.imm(size, mem.disp))
}

/** The linear address of an offset. In 64-bit mode only FS and GS have a base; otherwise the sum is of 32 bits. */
export function linear<V>(e: Emitter<V>, insn: Insn, segment: number, offset: V): V {
  const wide = resize(e, insn.addressSize, 8, offset)
  return inSegment(e, insn, segment, wide)
}

function inSegment<V>(e: Emitter<V>, insn: Insn, segment: number, offset: V): V {
  if (insn.mode === 64) return segment < FS ? offset : e.add(8, e.segmentBase(segment), offset)
  return e.zext(4, 8, e.trunc(8, 4, e.add(8, e.segmentBase(segment), offset)))
}

export const address = <V>(e: Emitter<V>, insn: Insn, mem: MemOperand): V =>
  linear(e, insn, mem.segment, effectiveAddress(e, insn, mem))

/** Bytes of an integer operand. */
export function sizeOf(insn: Insn, n: number): Size {
  const operand = insn.operands[n]!
  if (operand.kind === 'reg' || operand.kind === 'imm' || operand.kind === 'mem') return operand.size as Size
  return insn.size
}

export function memory(insn: Insn, n: number): MemOperand {
  const operand = insn.operands[n]!
  if (operand.kind !== 'mem') throw new Error(`operand ${n} is not memory: ${insn.row.text}`)
  return operand
}

export function immediate(insn: Insn, n: number): ImmOperand {
  const operand = insn.operands[n]!
  if (operand.kind !== 'imm') throw new Error(`operand ${n} is not immediate: ${insn.row.text}`)
  return operand
}

/** The value of a general register, memory, or an immediate. */
export function read<V>(e: Emitter<V>, insn: Insn, n: number): V {
  const operand = insn.operands[n]!
  switch (operand.kind) {
    case 'reg':
      return e.reg(operand.size, operand.n)
    case 'imm':
      return e.imm(operand.size, operand.value)
    case 'mem':
      return e.load(operand.size as Size, address(e, insn, operand), operand.segment === SS)
    default:
      throw new Error(`operand ${n} is not an integer: ${insn.row.text}`)
  }
}

export function write<V>(e: Emitter<V>, insn: Insn, n: number, value: V): void {
  const operand = insn.operands[n]!
  if (operand.kind === 'reg') e.setReg(operand.size, operand.n, value)
  else if (operand.kind === 'mem') {
    e.store(operand.size as Size, address(e, insn, operand), value, operand.segment === SS)
  } else throw new Error(`operand ${n} cannot be written: ${insn.row.text}`)
}

/** A destination that is read first. What memory has to say against its being written, it says here. */
export function modify<V>(e: Emitter<V>, insn: Insn, n: number): Modified<V> {
  const operand = insn.operands[n]!
  if (operand.kind === 'mem') return e.modify(operand.size as Size, address(e, insn, operand), operand.segment === SS)
  return { value: read(e, insn, n), store: (value) => write(e, insn, n, value) }
}

/** Of RSP or ESP; stack segments of compatibility mode are 32-bit ones. */
export const stackSize = (insn: Insn): 4 | 8 => (insn.mode === 64 ? 8 : 4)

/** The address of a place in the stack, whose offset is of the stack's size. */
export const inStack = <V>(e: Emitter<V>, insn: Insn, offset: V): V =>
  inSegment(e, insn, SS, resize(e, stackSize(insn), 8, offset))

/** The address of what lies `offset` bytes from the top of the stack. */
export function stackAddress<V>(e: Emitter<V>, insn: Insn, offset: number): V {
  const size = stackSize(insn)
  const top = e.reg(size, RSP)
  return inStack(e, insn, offset === 0 ? top : e.add(size, top, e.imm(size, BigInt(offset))))
}

export function moveStack<V>(e: Emitter<V>, insn: Insn, bytes: number): void {
  const size = stackSize(insn)
  e.setReg(size, RSP, e.add(size, e.reg(size, RSP), e.imm(size, BigInt(bytes))))
}

export function push<V>(e: Emitter<V>, insn: Insn, size: Size, value: V): void {
  e.store(size, stackAddress(e, insn, -size), value, true)
  moveStack(e, insn, -size)
}

/** What lies on top of the stack, or `offset` bytes above; it stays there. */
export const peek = <V>(e: Emitter<V>, insn: Insn, size: Size, offset = 0): V =>
  e.load(size, stackAddress(e, insn, offset), true)

/** Some of OSZAPC become `bits` (4 bytes), the others stay. */
export function replaceFlags<V>(e: Emitter<V>, mask: number, bits: V): void {
  const rest = e.and(4, e.flags(), e.imm(4, ~mask))
  e.setFlags(CcOp.flags, 4, e.imm(4, 0), e.or(4, rest, bits))
}

/** 1 or 0 of four bytes: the top bit. */
export function topBit<V>(e: Emitter<V>, size: Size, value: V): V {
  return resize(e, size, 4, e.shr(size, value, e.imm(4, 8 * size - 1)))
}

/** 1 or 0 of four bytes at the place of a flag. */
export const flagBit = <V>(e: Emitter<V>, bit: V, flag: number): V => e.shl(4, bit, e.imm(4, 31 - Math.clz32(flag)))
