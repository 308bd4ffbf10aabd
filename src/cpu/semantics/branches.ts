/**
 * Near jumps, calls and returns, and what leaves the program on purpose. Intel SDM volume 2. In 64-bit mode a near branch is of 64 bits; with 66 of sixteen, as AMD's
 * processors have it (AMD APM volume 3: JMP, near).
 */
import { BR, GP, UD } from '../fault.ts'
import { type Insn, RCX } from '../isa/insn.ts'
import { CONDITIONS } from '../isa/row.ts'
import { Exit, OF_FLAG, RF, ZF } from '../state.ts'
import type { Emitter, Semantics } from './emitter.ts'
import { allFlags } from './moves.ts'
import { address, immediate, memory, moveStack, peek, push, read, resize, sizeOf, stackAddress } from './operands.ts'

/** Where a relative jump leads. */
function relativeTarget<V>(e: Emitter<V>, insn: Insn): bigint {
  const operand = insn.operands[0]!
  if (operand.kind !== 'rel') throw new Error(`no distance: ${insn.row.text}`)
  return BigInt.asUintN(8 * insn.size, e.nextRip + operand.value)
}

/** #GP(0) where an address is not canonical: the branch itself faults, not what it leads to. */
function checkCanonical<V>(e: Emitter<V>, insn: Insn, target: V): void {
  if (insn.mode === 32 || insn.size !== 8) return
  const extended = e.sar(8, e.shl(8, target, e.imm(4, 16)), e.imm(4, 16))
  e.if(e.ne(8, extended, target), () => e.fault(GP, 0))
}

/** `target` is of the operation's size; the next instruction's address goes onto the stack. */
function transfer<V>(e: Emitter<V>, insn: Insn, isCall: boolean, target: V): void {
  const { size } = insn
  if (isCall) push(e, insn, size, e.imm(size, e.nextRip))
  e.jump(resize(e, size, 8, target))
}

const near =
  (isCall: boolean): Semantics =>
  (e, insn) => {
    if (insn.operands[0]?.kind === 'rel') {
      transfer(e, insn, isCall, e.imm(insn.size, relativeTarget(e, insn)))
      return
    }
    const target = read(e, insn, 0)
    // A stack that cannot be written counts before the target.
    if (isCall) e.writable(insn.size, stackAddress(e, insn, -insn.size), true)
    checkCanonical(e, insn, target)
    transfer(e, insn, isCall, target)
  }
export const jmp = near(false)
export const call = near(true)

export const ret: Semantics = (e, insn) => {
  const { size } = insn
  const target = peek(e, insn, size)
  checkCanonical(e, insn, target)
  moveStack(e, insn, size + (insn.operands.length > 0 ? Number(immediate(insn, 0).value) : 0))
  e.jump(resize(e, size, 8, target))
}

/** Jcc by mnemonic. */
export const CONDITIONAL_JUMPS: readonly (readonly [string, Semantics])[] = CONDITIONS.map((name, n) => [
  `j${name}`,
  (e, insn) => e.branch(e.condition(n), relativeTarget(e, insn)),
])

/** rCX is of the address size, and no flag is changed. */
const loopWhile =
  (isZero: boolean | undefined): Semantics =>
  (e, insn) => {
    const size = insn.addressSize
    const left = e.sub(size, e.reg(size, RCX), e.imm(size, 1))
    e.setReg(size, RCX, left)
    const isLeft = e.ne(size, left, e.imm(size, 0))
    if (isZero === undefined) {
      e.branch(isLeft, relativeTarget(e, insn))
      return
    }
    const wanted = e.eq(4, e.and(4, e.flags(), e.imm(4, ZF)), e.imm(4, isZero ? ZF : 0))
    e.branch(e.and(4, isLeft, wanted), relativeTarget(e, insn))
  }
export const loop = loopWhile(undefined)
export const loope = loopWhile(true)
export const loopne = loopWhile(false)

export const jcxz: Semantics = (e, insn) => {
  const size = insn.addressSize
  e.branch(e.eq(size, e.reg(size, RCX), e.imm(size, 0)), relativeTarget(e, insn))
}

/** Traps, not faults: RIP is the next instruction's. */
export const int3: Semantics = (e) => e.exit(Exit.interrupt, 3)
export const int1: Semantics = (e) => e.exit(Exit.interrupt, 1)
export const int: Semantics = (e, insn) => e.exit(Exit.interrupt, Number(immediate(insn, 0).value))
export const into: Semantics = (e) => e.if(e.and(4, e.flags(), e.imm(4, OF_FLAG)), () => e.exit(Exit.interrupt, 4))

export const undefinedInstruction: Semantics = (e) => e.fault(UD)

/** #BR where the index is below the first of two numbers in memory or above the second. */
export const bound: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const at = address(e, insn, memory(insn, 1))
  const lower = e.load(size, at)
  const upper = e.load(size, e.zext(4, 8, e.trunc(8, 4, e.add(8, at, e.imm(8, size)))))
  const index = read(e, insn, 0)
  e.if(e.or(4, e.lts(size, index, lower), e.lts(size, upper, index)), () => e.fault(BR))
}

/** What it leads to is the hypervisor's: RCX and R11 tell how to come back. */
export const syscall: Semantics = (e) => {
  const flags = e.and(4, allFlags(e), e.imm(4, ~RF))
  e.setReg(8, RCX, e.imm(8, e.nextRip))
  e.setReg(8, 11, e.zext(4, 8, flags))
  e.exit(Exit.syscall)
}
