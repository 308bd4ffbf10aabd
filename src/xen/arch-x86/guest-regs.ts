/**
 * xen/include/asm-x86: the registers of a vCPU that executes machine code (cpu_user_regs). They lie where the machine keeps them; words of 64 bits are `bigint`
 * where all bits matter, signed numbers where they are addresses or arguments.
 */
import { R_GPR, R_RFLAGS, R_RIP, R_SEGMENT_BASES, R_SELECTORS, type Ring3, SEG_CS, SEG_SS } from '#abi/pc/ring3.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import type { Vcpu } from '../common/domain.ts'

/** Its kernel is machine code. */
export type X86Vcpu = Vcpu & { readonly ring3: Ring3 }
export const isX86 = (vcpu: Vcpu): vcpu is X86Vcpu => vcpu.ring3 !== undefined

export const X86_EFLAGS_TF = 0x100
export const X86_EFLAGS_IF = 0x200
export const X86_EFLAGS_DF = 0x400
export const X86_EFLAGS_IOPL = 0x3000
export const X86_EFLAGS_NT = 0x4000
export const X86_EFLAGS_RF = 0x10000
export const X86_EFLAGS_VM = 0x20000
export const X86_EFLAGS_AC = 0x40000
/** Those that there are. */
export const X86_EFLAGS_ALL = 0x3f7fd5

/** Both halves of a word as a signed number. Beyond 53 bits it is rounded, and no address. */
export const signedWord = (low: number, high: number): number => (high | 0) * 2 ** 32 + low

export const reg = ({ ring3 }: X86Vcpu, n: number): bigint => ring3.registers.read64(R_GPR + 8 * n)
export const setReg = ({ ring3 }: X86Vcpu, n: number, value: bigint): void =>
  ring3.registers.write64(R_GPR + 8 * n, BigInt.asUintN(64, value))
export const reg32 = ({ ring3 }: X86Vcpu, n: number): number => ring3.registers.read32(R_GPR + 8 * n)
export const regHigh = ({ ring3 }: X86Vcpu, n: number): number => ring3.registers.read32(R_GPR + 8 * n + 4)
export const regNumber = (vcpu: X86Vcpu, n: number): number => signedWord(reg32(vcpu, n), regHigh(vcpu, n))
/** As an instruction of 32 bits writes it: the upper half is 0. */
export function setReg32({ ring3 }: X86Vcpu, n: number, value: number): void {
  ring3.registers.write32(R_GPR + 8 * n, value >>> 0)
  ring3.registers.write32(R_GPR + 8 * n + 4, 0)
}
/** A signed number, sign-extended. */
export function setRegNumber({ ring3 }: X86Vcpu, n: number, value: number): void {
  ring3.registers.write32(R_GPR + 8 * n, value >>> 0)
  ring3.registers.write32(R_GPR + 8 * n + 4, Math.floor(value / 2 ** 32) >>> 0)
}

export const ripWord = ({ ring3 }: X86Vcpu): bigint => ring3.registers.read64(R_RIP)
export const setRipWord = ({ ring3 }: X86Vcpu, value: bigint): void => ring3.registers.write64(R_RIP, value)
export const rip = ({ ring3 }: X86Vcpu): Vaddr =>
  signedWord(ring3.registers.read32(R_RIP), ring3.registers.read32(R_RIP + 4))
export function setRip({ ring3 }: X86Vcpu, value: Vaddr): void {
  ring3.registers.write32(R_RIP, value >>> 0)
  ring3.registers.write32(R_RIP + 4, Math.floor(value / 2 ** 32) >>> 0)
}

export const rflags = ({ ring3 }: X86Vcpu): number => ring3.registers.read32(R_RFLAGS)
/** Interrupts are on, whatever a guest says: its IF is the upcall mask. Bit 1 is always there. */
export function setRflags({ ring3 }: X86Vcpu, value: number): void {
  const kept = value & X86_EFLAGS_ALL & ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM)
  ring3.registers.write32(R_RFLAGS, kept | X86_EFLAGS_IF | 2)
  ring3.registers.write32(R_RFLAGS + 4, 0)
}

/** How far a string instruction goes with each of its elements. */
export const stepOf = (vcpu: X86Vcpu, bytes: number): number => (rflags(vcpu) & X86_EFLAGS_DF ? -bytes : bytes)

export const selector = ({ ring3 }: X86Vcpu, segment: number): number =>
  ring3.registers.read16(R_SELECTORS + 2 * segment)
export const segmentBase = ({ ring3 }: X86Vcpu, segment: number): bigint =>
  ring3.registers.read64(R_SEGMENT_BASES + 8 * segment)
export const setSegmentBase = ({ ring3 }: X86Vcpu, segment: number, base: bigint): void =>
  ring3.registers.write64(R_SEGMENT_BASES + 8 * segment, BigInt.asUintN(64, base))

/** What the trap has pushed: from here on the frame says what the guest returns to, and IRET looks at it anew. */
export function takeFrame(vcpu: X86Vcpu): void {
  const { frame } = vcpu
  frame.cs = selector(vcpu, SEG_CS)
  frame.ss = selector(vcpu, SEG_SS)
  frame.sysret = false
}
