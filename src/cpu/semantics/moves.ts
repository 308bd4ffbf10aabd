/** Moves, exchanges and conditions as values. Intel SDM volume 2. */
import { AH, type Insn, RAX, RBX } from '../isa/insn.ts'
import { CONDITIONS } from '../isa/row.ts'
import { AF, CcOp, CF, DF, OSZAPC, PF_FLAG, SF, ZF } from '../state.ts'
import type { Emitter, Semantics } from './emitter.ts'
import {
  effectiveAddress,
  linear,
  memory,
  modify,
  read,
  replaceFlags,
  resize,
  signExtend,
  sizeOf,
  write,
} from './operands.ts'
import { loadSegment, selectorOf } from './segments.ts'

/** Selectors go through the descriptor tables; into a register they are zero-extended, into memory two bytes. */
export const mov: Semantics = (e, insn) => {
  const [dst, src] = insn.operands
  if (dst?.kind === 'sreg') e.helper(loadSegment, 0, e.imm(4, dst.n), resize(e, sizeOf(insn, 1), 4, read(e, insn, 1)))
  else if (src?.kind === 'sreg')
    write(e, insn, 0, resize(e, 4, sizeOf(insn, 0), e.helper(selectorOf, 4, e.imm(4, src.n))))
  else write(e, insn, 0, read(e, insn, 1))
}

export const movzx: Semantics = (e, insn) =>
  write(e, insn, 0, resize(e, sizeOf(insn, 1), sizeOf(insn, 0), read(e, insn, 1)))

/** MOVSXD without REX.W copies 32 bits, with 66 sixteen. */
export const movsx: Semantics = (e, insn) => {
  const from = sizeOf(insn, 1)
  const to = sizeOf(insn, 0)
  const value = read(e, insn, 1)
  write(e, insn, 0, from < to ? signExtend(e, from, to, value) : resize(e, from, to, value))
}

export const lea: Semantics = (e, insn) =>
  write(e, insn, 0, resize(e, insn.addressSize, sizeOf(insn, 0), effectiveAddress(e, insn, memory(insn, 1))))

export const xchg: Semantics = (e, insn) => {
  const source = read(e, insn, 1)
  const dst = modify(e, insn, 0)
  dst.store(source)
  write(e, insn, 1, dst.value)
}

/** The offset is rBX and AL. */
export const xlat: Semantics = (e, insn) => {
  const size = insn.addressSize
  const index = e.zext(1, size, e.reg(1, RAX))
  const offset = e.add(size, e.reg(size, RBX), index)
  e.setReg(1, RAX, e.load(1, linear(e, insn, memory(insn, 0).segment, offset)))
}

/** The source is read whether the condition holds or not, and 32-bit destinations lose their upper half. */
function cmov<V>(e: Emitter<V>, insn: Insn, condition: number): void {
  const size = sizeOf(insn, 0)
  const source = read(e, insn, 1)
  write(e, insn, 0, e.select(size, e.condition(condition), source, read(e, insn, 0)))
}

/** CMOVcc and SETcc by mnemonic. */
export const CONDITIONAL_MOVES: readonly (readonly [string, Semantics])[] = CONDITIONS.flatMap((name, n) => [
  [`cmov${name}`, (e, insn) => cmov(e, insn, n)] as const,
  [`set${name}`, (e, insn) => write(e, insn, 0, e.trunc(4, 1, e.condition(n)))] as const,
])

/** AL becomes the carry in all its bits. */
export const salc: Semantics = (e) => e.setReg(1, RAX, e.trunc(4, 1, e.neg(4, e.carry())))

/** Bit 1 of RFLAGS is always one. */
export const lahf: Semantics = (e) => e.setReg(1, AH, e.trunc(4, 1, e.or(4, e.flags(), e.imm(4, 2))))

const SAHF = SF | ZF | AF | PF_FLAG | CF
export const sahf: Semantics = (e) => replaceFlags(e, SAHF, e.and(4, e.zext(1, 4, e.reg(1, AH)), e.imm(4, SAHF)))

export const clc: Semantics = (e) => replaceFlags(e, CF, e.imm(4, 0))
export const stc: Semantics = (e) => replaceFlags(e, CF, e.imm(4, CF))
export const cmc: Semantics = (e) => e.setFlags(CcOp.flags, 4, e.imm(4, 0), e.xor(4, e.flags(), e.imm(4, CF)))
export const cld: Semantics = (e) => e.setOtherFlags(e.and(4, e.otherFlags(), e.imm(4, ~DF)))
export const std: Semantics = (e) => e.setOtherFlags(e.or(4, e.otherFlags(), e.imm(4, DF)))

/** RFLAGS as software sees it. */
export const allFlags = <V>(e: Emitter<V>): V => e.or(4, e.flags(), e.otherFlags())

/** What a program at CPL 3 may change is changed: `mask` has it. */
export function setAllFlags<V>(e: Emitter<V>, mask: number, value: V): void {
  e.setFlags(CcOp.flags, 4, e.imm(4, 0), e.and(4, value, e.imm(4, OSZAPC)))
  const kept = e.and(4, e.otherFlags(), e.imm(4, ~mask))
  e.setOtherFlags(e.or(4, kept, e.and(4, value, e.imm(4, mask & ~OSZAPC))))
}
