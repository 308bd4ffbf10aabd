/**
 * Far transfers at CPL 3: JMP, CALL and RET between code segments, which is between 64-bit and compatibility mode, and IRET (Intel SDM volume 2). Helpers do them whole: what may fault
 * comes first, then the segments, RSP and the flags; they give the new RIP. The mode may be another one afterwards.
 */
import type { Cpu } from '../cpu.ts'
import { Fault, GP, SS_FAULT } from '../fault.ts'
import { CS, type Insn, type Mode, RSP, type Size, SS } from '../isa/insn.ts'
import { NT, OSZAPC } from '../state.ts'
import {
  gpr,
  modeOf,
  otherFlags,
  segmentBase,
  selector,
  setGpr,
  setOtherFlags,
  setStatusFlags,
} from '../state-access.ts'
import type { Emitter, Semantics } from './emitter.ts'
import { helper } from './helper.ts'
import { address, immediate, memory, resize } from './operands.ts'
import { checkTarget, codeSegment, isCanonical, loadSegment, modeOfCode, setCode, setSegment } from './segments.ts'
import { POPF_MASK } from './stack.ts'

/** The linear address of what lies `offset` bytes from the stack's top; #SS(0) where it is not canonical. */
function stackAt(cpu: Cpu, offset: number, mode: Mode = modeOf(cpu)): bigint {
  if (mode === 32) return BigInt.asUintN(32, segmentBase(cpu, SS) + BigInt.asUintN(32, gpr(cpu, RSP) + BigInt(offset)))
  const at = BigInt.asUintN(64, gpr(cpu, RSP) + BigInt(offset))
  if (!isCanonical(at)) throw new Fault(SS_FAULT, 0)
  return at
}

function moveStack(cpu: Cpu, bytes: number): void {
  setGpr(cpu, RSP, BigInt.asUintN(modeOf(cpu), gpr(cpu, RSP) + BigInt(bytes)))
}

const pop = (cpu: Cpu, size: Size, n: number): bigint => BigInt(cpu.load(size, stackAt(cpu, n * size)))
const wordOf = (size: Size, value: bigint): number | bigint =>
  size === 8 ? value : Number(BigInt.asUintN(8 * size, value))

/** `jmpf`: a selector and an offset. */
const farJump = helper('far.jump', (cpu, value, offset) => {
  const descriptor = codeSegment(cpu, value as number)
  checkTarget(descriptor, offset as bigint)
  setCode(cpu, value as number, descriptor)
  return offset
})

/** `callf`: CS and the next instruction's address go onto the stack, which is the new mode's already. */
const farCall = helper('far.call', (cpu, value, offset, next, bytes) => {
  const size = bytes as Size
  const descriptor = codeSegment(cpu, value as number)
  const mode = modeOfCode(descriptor)
  const slots = [stackAt(cpu, -size, mode), stackAt(cpu, -2 * size, mode)] as const
  for (const at of slots) cpu.writable(size, at)
  checkTarget(descriptor, offset as bigint)
  cpu.store(size, slots[0], wordOf(size, BigInt(selector(cpu, CS))))
  cpu.store(size, slots[1], wordOf(size, next as bigint))
  setCode(cpu, value as number, descriptor)
  moveStack(cpu, -2 * size)
  return offset
})

/** To CPL 3: nothing else is outside. Another level's RSP and SS would be `outer` bytes up the stack, and are read before it is refused. */
function codeToReturnTo(cpu: Cpu, value: number, size: Size, outer: number): bigint {
  if ((value & 3) === 3) return codeSegment(cpu, value)
  for (const offset of [outer + size, outer]) cpu.load(size, stackAt(cpu, offset))
  throw new Fault(GP, value & ~3)
}

const farReturn = helper('far.return', (cpu, bytes, more) => {
  const size = bytes as Size
  const used = 2 * size + (more as number)
  const value = Number(pop(cpu, size, 1) & 0xffffn)
  const offset = pop(cpu, size, 0)
  const descriptor = codeToReturnTo(cpu, value, size, used)
  checkTarget(descriptor, offset)
  moveStack(cpu, used)
  setCode(cpu, value, descriptor)
  return offset
})

/** In 64-bit mode RSP and SS come back as well; else they would only for an outer level, which there is none of. */
const interruptReturn = helper('far.interrupt-return', (cpu, bytes) => {
  const size = bytes as Size
  if ((otherFlags(cpu) & NT) !== 0) throw new Fault(GP, 0)
  const flags = Number(pop(cpu, size, 2) & 0xffffffffn)
  const value = Number(pop(cpu, size, 1) & 0xffffn)
  const offset = pop(cpu, size, 0)
  const isLong = modeOf(cpu) === 64
  const stack = isLong ? { selector: Number(pop(cpu, size, 4) & 0xffffn), top: pop(cpu, size, 3) } : undefined
  const descriptor = codeToReturnTo(cpu, value, size, 3 * size)
  checkTarget(descriptor, offset)
  if (stack) {
    setSegment(cpu, SS, stack.selector)
    setGpr(cpu, RSP, stack.top)
  } else moveStack(cpu, 3 * size)
  setCode(cpu, value, descriptor)
  const mask = size === 2 ? POPF_MASK & 0xffff : POPF_MASK
  setStatusFlags(cpu, flags & OSZAPC)
  setOtherFlags(cpu, (otherFlags(cpu) & ~mask) | (flags & mask & ~OSZAPC))
  return offset
})

const farSize = ({ size }: Insn): 2 | 4 => (size === 2 ? 2 : 4)

/** Selector and offset of a far pointer in memory: of 4 bytes, and of 2 or 4. REX.W makes it no longer on AMD's processors. */
function farPointer<V>(e: Emitter<V>, insn: Insn, n: number): { selector: V; offset: V; size: Size } {
  const operand = insn.operands[n]!
  if (operand.kind === 'imm') {
    return {
      selector: e.imm(4, immediate(insn, n + 1).value),
      offset: e.imm(operand.size, operand.value),
      size: operand.size,
    }
  }
  const size = farSize(insn)
  const at = address(e, insn, memory(insn, n))
  const stack = memory(insn, n).segment === SS
  const offset = e.load(size, at, stack)
  return { offset, size, selector: e.zext(2, 4, e.load(2, e.add(8, at, e.imm(8, size)), stack)) }
}

export const jmpf: Semantics = (e, insn) => {
  const { selector, offset, size } = farPointer(e, insn, 0)
  e.jump(e.helper(farJump, 8, selector, resize(e, size, 8, offset)))
}

export const callf: Semantics = (e, insn) => {
  const { selector, offset, size } = farPointer(e, insn, 0)
  e.jump(e.helper(farCall, 8, selector, resize(e, size, 8, offset), e.imm(8, e.nextRip), e.imm(4, insn.size)))
}

export const retf: Semantics = (e, insn) => {
  const more = insn.operands.length > 0 ? immediate(insn, 0).value : 0n
  e.jump(e.helper(farReturn, 8, e.imm(4, insn.size), e.imm(4, more)))
}

export const iret: Semantics = (e, insn) => e.jump(e.helper(interruptReturn, 8, e.imm(4, insn.size)))

/** LES, LDS, LSS, LFS, LGS. */
export const loadFarPointer =
  (segment: number): Semantics =>
  (e, insn) => {
    const { selector, offset, size } = farPointer(e, insn, 1)
    e.helper(loadSegment, 0, e.imm(4, segment), selector)
    const destination = insn.operands[0]!
    if (destination.kind === 'reg') e.setReg(insn.size, destination.n, resize(e, size, insn.size, offset))
  }
