/**
 * String instructions, one iteration at a time (Intel SDM volume 2: MOVS, CMPS, STOS, LODS, SCAS, REP): whoever runs them comes back to them as long as they say `again`.
 * An iteration that faults has not happened; those before have.
 */
import { type Insn, RAX, RCX, RDI, RSI, type Size } from '../isa/insn.ts'
import { CcOp, DF, ZF } from '../state.ts'
import type { Emitter, Semantics } from './emitter.ts'
import { address, log2, memory, read, resize, sizeOf } from './operands.ts'

/** Forth or back, as DF says. */
function advance<V>(e: Emitter<V>, insn: Insn, bytes: number, registers: readonly number[]): void {
  const size = insn.addressSize
  const isBack = e.and(4, e.otherFlags(), e.imm(4, DF))
  const step = e.select(size, isBack, e.imm(size, BigInt(-bytes)), e.imm(size, bytes))
  for (const n of registers) e.setReg(size, n, e.add(size, e.reg(size, n), step))
}

/** As often as rCX says; comparisons end with what they found, too. `before`: the first iteration. */
function repeated<V>(e: Emitter<V>, insn: Insn, compares: boolean, iteration: () => void, before?: () => void): void {
  if (insn.repeat === undefined) {
    iteration()
    return
  }
  const size = insn.addressSize
  e.if(e.ne(size, e.reg(size, RCX), e.imm(size, 0)), () => {
    before?.()
    iteration()
    const left = e.sub(size, e.reg(size, RCX), e.imm(size, 1))
    e.setReg(size, RCX, left)
    const isLeft = e.ne(size, left, e.imm(size, 0))
    const isZero = e.ne(4, e.and(4, e.flags(), e.imm(4, ZF)), e.imm(4, 0))
    const goesOn = insn.repeat === 'rep' ? isZero : e.eq(4, isZero, e.imm(4, 0))
    e.if(compares ? e.and(4, isLeft, goesOn) : isLeft, () => e.again())
  })
}

const string =
  (compares: boolean, iteration: <V>(e: Emitter<V>, insn: Insn, size: Size) => void): Semantics =>
  (e, insn) =>
    repeated(e, insn, compares, () => iteration(e, insn, sizeOf(insn, 0)))

/** Of a repeated MOVS or STOS: many iterations at once, if the emitter knows how. `registers`: those that advance. */
function inBulk<V>(e: Emitter<V>, insn: Insn, source: { value: V } | { from: V }, registers: readonly number[]): void {
  const bytes = sizeOf(insn, 0)
  const size = insn.addressSize
  const wide = resize(e, size, 8, e.reg(size, RCX))
  const done = e.bulk(bytes, wide, address(e, insn, memory(insn, 0)), source)
  if (done === undefined) return
  const count = resize(e, 8, size, done)
  e.setReg(size, RCX, e.sub(size, e.reg(size, RCX), count))
  const passed = e.shl(size, count, e.imm(4, log2(bytes)))
  for (const n of registers) e.setReg(size, n, e.add(size, e.reg(size, n), passed))
}

/** Comparisons set the flags of `a - b`. */
function compare<V>(e: Emitter<V>, size: Size, a: V, b: V): void {
  e.setFlags(CcOp.sub, size, e.sub(size, a, b), b)
}

export const movs: Semantics = (e, insn) => {
  const registers = [RSI, RDI]
  const size = sizeOf(insn, 0)
  const iteration = (): void => {
    const value = read(e, insn, 1)
    e.store(size, address(e, insn, memory(insn, 0)), value)
    advance(e, insn, size, registers)
  }
  const before = (): void => inBulk(e, insn, { from: address(e, insn, memory(insn, 1)) }, registers)
  repeated(e, insn, false, iteration, before)
}

export const cmps = string(true, (e, insn, size) => {
  // What is at rDI comes first, if neither can be read.
  const b = read(e, insn, 1)
  const a = read(e, insn, 0)
  advance(e, insn, size, [RSI, RDI])
  compare(e, size, a, b)
})

export const stos: Semantics = (e, insn) => {
  const registers = [RDI]
  const size = sizeOf(insn, 0)
  const value = e.reg(size, RAX)
  const iteration = (): void => {
    e.store(size, address(e, insn, memory(insn, 0)), value)
    advance(e, insn, size, registers)
  }
  repeated(e, insn, false, iteration, () => inBulk(e, insn, { value }, registers))
}

export const lods = string(false, (e, insn, size) => {
  const value = read(e, insn, 1)
  advance(e, insn, size, [RSI])
  e.setReg(size, RAX, value)
})

export const scas = string(true, (e, insn, size) => {
  const value = read(e, insn, 1)
  advance(e, insn, size, [RDI])
  compare(e, size, e.reg(size, RAX), value)
})
