/** Addition, subtraction, logic and comparison. Intel SDM volume 2; AMD APM volume 3, chapter 3. */
import { GP } from '../fault.ts'
import { type Insn, RAX, RBX, RCX, RDX, type Size, SS } from '../isa/insn.ts'
import { CcOp, ZF } from '../state.ts'
import type { Emitter, Semantics } from './emitter.ts'
import { address, flagBit, memory, modify, read, replaceFlags, resize, sizeOf } from './operands.ts'

export const add: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const b = read(e, insn, 1)
  const dst = modify(e, insn, 0)
  const sum = e.add(size, dst.value, b)
  dst.store(sum)
  e.setFlags(CcOp.add, size, sum, b)
}

export const sub: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const b = read(e, insn, 1)
  const dst = modify(e, insn, 0)
  const difference = e.sub(size, dst.value, b)
  dst.store(difference)
  e.setFlags(CcOp.sub, size, difference, b)
}

export const adc: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const b = read(e, insn, 1)
  const dst = modify(e, insn, 0)
  const carry = e.carry()
  const sum = e.add(size, e.add(size, dst.value, b), resize(e, 4, size, carry))
  dst.store(sum)
  e.if(
    carry,
    () => e.setFlags(CcOp.adc1, size, sum, b),
    () => e.setFlags(CcOp.add, size, sum, b),
  )
}

export const sbb: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const b = read(e, insn, 1)
  const dst = modify(e, insn, 0)
  const carry = e.carry()
  const difference = e.sub(size, e.sub(size, dst.value, b), resize(e, 4, size, carry))
  dst.store(difference)
  e.if(
    carry,
    () => e.setFlags(CcOp.sbb1, size, difference, b),
    () => e.setFlags(CcOp.sub, size, difference, b),
  )
}

const logic =
  (op: 'and' | 'or' | 'xor'): Semantics =>
  (e, insn) => {
    const size = sizeOf(insn, 0)
    const b = read(e, insn, 1)
    const dst = modify(e, insn, 0)
    const result = e[op](size, dst.value, b)
    dst.store(result)
    e.setFlags(CcOp.logic, size, result, result)
  }
export const and = logic('and')
export const or = logic('or')

/** Of a register with itself it is zero, whatever that register was: no read, which the translator need not see through. */
export const xor: Semantics = (e, insn) => {
  const [a, b] = insn.operands
  if (a?.kind === 'reg' && b?.kind === 'reg' && a.n === b.n) {
    const zero = e.imm(a.size, 0)
    e.setReg(a.size, a.n, zero)
    e.setFlags(CcOp.logic, a.size, zero, zero)
  } else logic('xor')(e, insn)
}

export const cmp: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const a = read(e, insn, 0)
  const b = read(e, insn, 1)
  e.setFlags(CcOp.sub, size, e.sub(size, a, b), b)
}

export const test: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const result = e.and(size, read(e, insn, 0), read(e, insn, 1))
  e.setFlags(CcOp.logic, size, result, result)
}

export const not: Semantics = (e, insn) => {
  const dst = modify(e, insn, 0)
  dst.store(e.not(sizeOf(insn, 0), dst.value))
}

/** 0 - a. */
export const neg: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const dst = modify(e, insn, 0)
  const result = e.neg(size, dst.value)
  dst.store(result)
  e.setFlags(CcOp.sub, size, result, dst.value)
}

const step =
  (op: 'add' | 'sub', flags: CcOp): Semantics =>
  (e, insn) => {
    const size = sizeOf(insn, 0)
    const dst = modify(e, insn, 0)
    const result = e[op](size, dst.value, e.imm(size, 1))
    const carry = resize(e, 4, size, e.carry())
    dst.store(result)
    e.setFlags(flags, size, result, carry)
  }
export const inc = step('add', CcOp.inc)
export const dec = step('sub', CcOp.dec)

/** Memory is written whether they are equal or not; of registers only the one that changes. */
export const cmpxchg: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const replacement = read(e, insn, 1)
  const dst = modify(e, insn, 0)
  const old = dst.value
  const accumulator = e.reg(size, RAX)
  const equal = e.eq(size, accumulator, old)
  const isMemory = insn.operands[0]!.kind === 'mem'
  if (isMemory) dst.store(e.select(size, equal, replacement, old))
  e.if(
    equal,
    () => {
      if (!isMemory) dst.store(replacement)
    },
    () => e.setReg(size, RAX, old),
  )
  e.setFlags(CcOp.sub, size, e.sub(size, accumulator, old), old)
}

/** The sum is written last: `xadd %eax,%eax` leaves it. */
export const xadd: Semantics = (e, insn) => {
  const size = sizeOf(insn, 0)
  const b = read(e, insn, 1)
  const dst = modify(e, insn, 0)
  const sum = e.add(size, dst.value, b)
  const source = insn.operands[1]!
  if (source.kind === 'reg') e.setReg(size, source.n, dst.value)
  dst.store(sum)
  e.setFlags(CcOp.add, size, sum, b)
}

/** EDX:EAX or RDX:RAX with memory of twice the size, and ECX:EBX or RCX:RBX into it. */
function compareAndExchangeTwo<V>(e: Emitter<V>, insn: Insn, size: Size): void {
  const mem = memory(insn, 0)
  const low = address(e, insn, mem)
  const stack = mem.segment === SS
  if (size === 8) {
    e.if(e.ne(8, e.and(8, low, e.imm(8, 15)), e.imm(8, 0)), () => e.fault(GP, 0))
  }
  e.writable(2 * size, low, stack)
  const high = e.add(8, low, e.imm(8, size))
  const oldLow = e.load(size, low, stack)
  const oldHigh = e.load(size, high, stack)
  const equal = e.and(4, e.eq(size, oldLow, e.reg(size, RAX)), e.eq(size, oldHigh, e.reg(size, RDX)))
  e.store(size, low, e.select(size, equal, e.reg(size, RBX), oldLow), stack)
  e.store(size, high, e.select(size, equal, e.reg(size, RCX), oldHigh), stack)
  e.if(
    equal,
    () => {},
    () => {
      e.setReg(size, RAX, oldLow)
      e.setReg(size, RDX, oldHigh)
    },
  )
  replaceFlags(e, ZF, flagBit(e, equal, ZF))
}
export const cmpxchg8b: Semantics = (e, insn) => compareAndExchangeTwo(e, insn, 4)
export const cmpxchg16b: Semantics = (e, insn) => compareAndExchangeTwo(e, insn, 8)

/** CBW CWDE CDQE: AL, AX or EAX with its sign into the double. */
export const cbw: Semantics = (e, insn) => {
  const half = (insn.size / 2) as Size
  e.setReg(insn.size, RAX, e.sext(half, insn.size, e.reg(half, RAX)))
}

/** CWD CDQ CQO: rDX becomes the sign of rAX. */
export const cwd: Semantics = (e, insn) => {
  const { size } = insn
  e.setReg(size, RDX, e.sar(size, e.reg(size, RAX), e.imm(4, 8 * size - 1)))
}
