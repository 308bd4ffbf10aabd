/** The stack: PUSH, POP, their kin, ENTER and LEAVE. Intel SDM volume 2. */
import { type MemOperand, RBP, RSP, SS } from '../isa/insn.ts'
import { AC_FLAG, DF, ID, NT, OSZAPC, RF, TF } from '../state.ts'
import type { Semantics } from './emitter.ts'
import { allFlags, setAllFlags } from './moves.ts'
import {
  address,
  immediate,
  inStack,
  moveStack,
  peek,
  push,
  read,
  resize,
  stackAddress,
  stackSize,
} from './operands.ts'
import { loadSegment, selectorOf } from './segments.ts'

/** Selectors are zero-extended. */
export const pushOperand: Semantics = (e, insn) => {
  const operand = insn.operands[0]!
  const { size } = insn
  if (operand.kind === 'sreg') push(e, insn, size, resize(e, 4, size, e.helper(selectorOf, 4, e.imm(4, operand.n))))
  else push(e, insn, size, operand.kind === 'imm' ? e.imm(size, operand.value) : read(e, insn, 0))
}

/** An address that is made of rSP counts with rSP as it is afterwards. */
const afterPop = (mem: MemOperand, bytes: number): MemOperand =>
  mem.base === RSP ? { ...mem, disp: mem.disp + BigInt(bytes) } : mem

export const popOperand: Semantics = (e, insn) => {
  const operand = insn.operands[0]!
  const { size } = insn
  const value = peek(e, insn, size)
  if (operand.kind === 'mem') {
    e.store(size, address(e, insn, afterPop(operand, size)), value, operand.segment === SS)
  } else if (operand.kind === 'sreg') {
    e.helper(loadSegment, 0, e.imm(4, operand.n), resize(e, size, 4, value))
  }
  moveStack(e, insn, size)
  if (operand.kind === 'reg') e.setReg(size, operand.n, value)
}

/** All eight, rSP as it was before. */
export const pusha: Semantics = (e, insn) => {
  const { size } = insn
  for (let n = 0; n < 8; n++) e.writable(size, stackAddress(e, insn, -(n + 1) * size), true)
  for (let n = 0; n < 8; n++) e.store(size, stackAddress(e, insn, -(n + 1) * size), e.reg(size, n), true)
  moveStack(e, insn, -8 * size)
}

/** What is there for rSP is passed over. */
export const popa: Semantics = (e, insn) => {
  const { size } = insn
  const values = Array.from({ length: 8 }, (_, n) => peek(e, insn, size, n * size))
  moveStack(e, insn, 8 * size)
  for (const [n, value] of values.entries()) if (7 - n !== RSP) e.setReg(size, 7 - n, value)
}

/** RF is not shown. */
export const pushf: Semantics = (e, insn) => {
  const flags = e.and(4, allFlags(e), e.imm(4, ~RF))
  push(e, insn, insn.size, resize(e, 4, insn.size, flags))
}

/** At CPL 3 with IOPL below it, neither IF nor IOPL change. */
export const POPF_MASK = OSZAPC | TF | DF | NT | AC_FLAG | ID

export const popf: Semantics = (e, insn) => {
  const { size } = insn
  const value = resize(e, size, 4, peek(e, insn, size))
  moveStack(e, insn, size)
  setAllFlags(e, size === 2 ? POPF_MASK & 0xffff : POPF_MASK, value)
}

/**
 * Level 0 is a plain frame; above, frame pointers of the outer levels are copied, one after the other. The new top of the stack must be writable. Of one that faults
 * memory below the stack may have changed, as with the processors there are; no register has.
 */
export const enter: Semantics = (e, insn) => {
  const { size } = insn
  const wide = stackSize(insn)
  const bytes = Number(immediate(insn, 0).value & 0xffffn)
  const level = Number(immediate(insn, 1).value & 31n)
  let used = 0
  const put = (value: ReturnType<typeof e.reg>): void => {
    used += size
    e.store(size, stackAddress(e, insn, -used), value, true)
  }
  put(e.reg(size, RBP))
  for (let i = 1; i < level; i++) {
    const outer = e.sub(wide, e.reg(wide, RBP), e.imm(wide, i * size))
    put(e.load(size, inStack(e, insn, outer), true))
  }
  const frame = e.sub(wide, e.reg(wide, RSP), e.imm(wide, size))
  if (level > 0) put(resize(e, wide, size, frame))
  e.writable(size, stackAddress(e, insn, -used - bytes), true)
  moveStack(e, insn, -used - bytes)
  e.setReg(size, RBP, resize(e, wide, size, frame))
}

export const leave: Semantics = (e, insn) => {
  const { size } = insn
  const wide = stackSize(insn)
  const frame = e.reg(wide, RBP)
  const value = e.load(size, inStack(e, insn, frame), true)
  e.setReg(wide, RSP, e.add(wide, frame, e.imm(wide, size)))
  e.setReg(size, RBP, value)
}
