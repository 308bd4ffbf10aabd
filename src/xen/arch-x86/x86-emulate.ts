/**
 * xen/arch/x86/x86_emulate.c, as far as a page table is ever written: an instruction of a guest's kernel is executed in its place, with its memory as `ops` has it. Registers and flags
 * change after the memory has.
 */
import { RAX, RBX, RCX, RDI, RDX, RSI, SEG_CS } from '#abi/pc/ring3.ts'
import type { Xen } from '../xen.ts'
import { type Alu, binary, CF, decremented, incremented, mask, negated, plain, ZF } from './alu.ts'
import { inLongMode } from './descriptors.ts'
import { reg, rflags, selector, setReg, setRflags, setRip, stepOf, X86_EFLAGS_RF, type X86Vcpu } from './guest-regs.ts'
import { GuestPageFault } from './mm.ts'
import { Decoded, TWO_BYTES, vaddrOf } from './x86-decode.ts'

/** The memory that the instruction works on. What throws ends it, and nothing has happened. */
export interface EmulateOps {
  read(va: number, bytes: number): bigint
  write(va: number, bytes: number, value: bigint): void
  /** Returns what was there; where that is `old`, now `wanted` is. */
  cmpxchg(va: number, bytes: number, old: bigint, wanted: bigint): bigint
}

/** For `ops` to throw: the access cannot be. */
export class EmulationFailed extends Error {}

/** x86_emulate. False: it is an instruction that writes no memory, none that is known here, or one that `ops` will not have; nothing has happened then. */
export function x86Emulate(xen: Xen, vcpu: X86Vcpu, ops: EmulateOps): boolean {
  try {
    return inLongMode(xen, vcpu, selector(vcpu, SEG_CS)) && emulated(vcpu, ops)
  } catch (thrown) {
    if (thrown instanceof EmulationFailed || thrown instanceof GuestPageFault) return false
    throw thrown
  }
}

function emulated(vcpu: X86Vcpu, ops: EmulateOps): boolean {
  const insn = new Decoded(vcpu)
  const { opcode } = insn
  if (opcode === 0xa4 || opcode === 0xa5 || opcode === 0xaa || opcode === 0xab) string(vcpu, insn, ops)
  else {
    const run = insn.va === undefined ? undefined : operation(insn)
    if (!run) return false
    run(vcpu, insn, ops, vaddrOf(insn.va!))
    setRip(vcpu, insn.next)
  }
  setRflags(vcpu, rflags(vcpu) & ~X86_EFLAGS_RF)
  return true
}

type Operation = (vcpu: X86Vcpu, insn: Decoded, ops: EmulateOps, va: number) => void

/** What the opcode says; undefined: nothing that is known here. */
function operation({ opcode, register }: Decoded): Operation | undefined {
  // ADD to XOR with memory as their first operand.
  if (opcode < 0x38 && (opcode & 7) < 2)
    return modify((insn, old, carry) =>
      binary(opcode >> 3, old, insn.read(insn.register, insn.bytes), carry, insn.bytes),
    )
  switch (opcode) {
    case 0x80:
    case 0x81:
    case 0x83:
      if ((register & 7) === 7) return undefined
      return modify((insn, old, carry) => binary(register & 7, old, immediate(insn), carry, insn.bytes))
    case 0x86:
    case 0x87:
      return exchange
    case 0x88:
    case 0x89:
      return (_vcpu, insn, ops, va) => ops.write(va, insn.bytes, insn.read(insn.register, insn.bytes))
    case 0xa2:
    case 0xa3:
      return (_vcpu, insn, ops, va) => ops.write(va, insn.bytes, insn.read(RAX, insn.bytes))
    case 0xc6:
    case 0xc7:
      return (register & 7) === 0 ? (_vcpu, insn, ops, va) => ops.write(va, insn.bytes, immediate(insn)) : undefined
    case 0xf6:
    case 0xf7:
      if ((register & 7) === 2) return modify((insn, old) => plain(~old & mask(insn.bytes)))
      return (register & 7) === 3 ? modify((insn, old) => negated(old, insn.bytes)) : undefined
    case 0xfe:
    case 0xff:
      if ((register & 7) === 0) return modify((insn, old) => incremented(old, insn.bytes))
      return (register & 7) === 1 ? modify((insn, old) => decremented(old, insn.bytes)) : undefined
    case TWO_BYTES | 0xab:
    case TWO_BYTES | 0xb3:
    case TWO_BYTES | 0xbb:
      return bitByRegister
    case TWO_BYTES | 0xba:
      return (register & 7) > 4
        ? (vcpu, insn, ops, va) => bit(vcpu, insn, ops, va, register & 3, insn.immediate)
        : undefined
    case TWO_BYTES | 0xb0:
    case TWO_BYTES | 0xb1:
      return compareExchange
    case TWO_BYTES | 0xc0:
    case TWO_BYTES | 0xc1:
      return exchangeAdd
    case TWO_BYTES | 0xc3:
      return (_vcpu, insn, ops, va) => ops.write(va, insn.operand, insn.read(insn.register, insn.operand))
    case TWO_BYTES | 0xc7:
      return (register & 7) === 1 ? compareExchangeTwice : undefined
    default:
      return undefined
  }
}

const immediate = (insn: Decoded): bigint => insn.immediate & mask(insn.bytes)

/** Read, compute, and write back: with LOCK by one access. */
function replace(insn: Decoded, ops: EmulateOps, va: number, bytes: number, old: bigint, result: bigint): void {
  if (insn.lock) ops.cmpxchg(va, bytes, old, result)
  else ops.write(va, bytes, result)
}

function setFlags(vcpu: X86Vcpu, { flags, changes }: Pick<Alu, 'flags' | 'changes'>): void {
  setRflags(vcpu, (rflags(vcpu) & ~changes) | (flags & changes))
}

const modify =
  (compute: (insn: Decoded, old: bigint, carry: bigint) => Alu): Operation =>
  (vcpu, insn, ops, va) => {
    const old = ops.read(va, insn.bytes)
    const alu = compute(insn, old, BigInt(rflags(vcpu) & CF))
    replace(insn, ops, va, insn.bytes, old, alu.result)
    setFlags(vcpu, alu)
  }

/** XCHG with memory is locked without being told. */
const exchange: Operation = (_vcpu, insn, ops, va) => {
  const old = ops.read(va, insn.bytes)
  ops.cmpxchg(va, insn.bytes, old, insn.read(insn.register, insn.bytes))
  insn.write(insn.register, insn.bytes, old)
}

const exchangeAdd: Operation = (vcpu, insn, ops, va) => {
  const old = ops.read(va, insn.bytes)
  const alu = binary(0, old, insn.read(insn.register, insn.bytes), 0n, insn.bytes)
  replace(insn, ops, va, insn.bytes, old, alu.result)
  insn.write(insn.register, insn.bytes, old)
  setFlags(vcpu, alu)
}

const compareExchange: Operation = (vcpu, insn, ops, va) => {
  const old = ops.read(va, insn.bytes)
  const expected = insn.read(RAX, insn.bytes)
  const alu = binary(7, expected, old, 0n, insn.bytes)
  if (old === expected) replace(insn, ops, va, insn.bytes, old, insn.read(insn.register, insn.bytes))
  else insn.write(RAX, insn.bytes, old)
  setFlags(vcpu, alu)
}

/** CMPXCHG8B, and 16B with REX.W: the result is in ZF alone. */
const compareExchangeTwice: Operation = (vcpu, insn, ops, va) => {
  const half = insn.operand === 8 ? 8 : 4
  const shift = BigInt(8 * half)
  const low = mask(half)
  const both = (upper: number, lower: number): bigint => ((reg(vcpu, upper) & low) << shift) | (reg(vcpu, lower) & low)
  const old = ops.read(va, 2 * half)
  const equal = old === both(RDX, RAX)
  if (equal) replace(insn, ops, va, 2 * half, old, both(RCX, RBX))
  else {
    setReg(vcpu, RAX, old & low)
    setReg(vcpu, RDX, old >> shift)
  }
  setFlags(vcpu, { flags: equal ? ZF : 0, changes: ZF })
}

/** A bit of a register's number may lie outside of the operand. */
const bitByRegister: Operation = (vcpu, insn, ops, va) => {
  const bits = BigInt(8 * insn.operand)
  const number = BigInt.asIntN(8 * insn.operand, insn.read(insn.register, insn.operand))
  const words = number < 0n ? -((-number + bits - 1n) / bits) : number / bits
  bit(vcpu, insn, ops, va + Number(words) * insn.operand, (insn.opcode >> 3) & 3, number)
}

/** BTS (1), BTR (2), BTC (3). */
function bit(vcpu: X86Vcpu, insn: Decoded, ops: EmulateOps, va: number, what: number, number: bigint): void {
  const bytes = insn.operand
  const one = 1n << (number & BigInt(8 * bytes - 1))
  const old = ops.read(va, bytes)
  replace(insn, ops, va, bytes, old, what === 1 ? old | one : what === 2 ? old & ~one : old ^ one)
  setFlags(vcpu, { flags: old & one ? CF : 0, changes: CF })
}

/** MOVS and STOS: one element. With REP the instruction is there again for the others. */
function string(vcpu: X86Vcpu, insn: Decoded, ops: EmulateOps): void {
  const { bytes, opcode, rep, address } = insn
  const pointers = mask(address)
  if (rep && (reg(vcpu, RCX) & pointers) === 0n) {
    setRip(vcpu, insn.next)
    return
  }
  const moves = opcode < 0xaa
  const value = moves ? ops.read(vaddrOf(insn.pointer(RSI)), bytes) : insn.read(RAX, bytes)
  ops.write(vaddrOf(reg(vcpu, RDI) & pointers), bytes, value)
  const step = BigInt(stepOf(vcpu, bytes))
  setReg(vcpu, RDI, (reg(vcpu, RDI) + step) & pointers)
  if (moves) setReg(vcpu, RSI, (reg(vcpu, RSI) + step) & pointers)
  const left = (reg(vcpu, RCX) - 1n) & pointers
  if (rep) setReg(vcpu, RCX, left)
  if (!rep || left === 0n) setRip(vcpu, insn.next)
}
