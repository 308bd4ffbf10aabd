/**
 * Machine code in ring 3, as its supervisor has it (Intel SDM volume 3, chapters 5 and 6): a context of registers and address spaces that IRET enters and a trap leaves. A hypervisor keeps
 * one for each virtual processor that executes x86-64 code; it runs on whichever processor enters it.
 */
import type { Mem } from '../mem.ts'

/** The register file: byte offsets in `Ring3.registers`, little-endian. Sixteen times 8 bytes, by the number in ModRM: RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15. */
export const R_GPR = 0
export const R_RIP = 128
/** u64, whole at every return from `enter`, with RF as the trap pushes it; what is written counts at the next `enter`. */
export const R_RFLAGS = 144
/** Six times u16: ES CS SS DS FS GS. To be read; `loadSegment` writes them. */
export const R_SELECTORS = 208
/** Six times 8 bytes: the segments' bases. Those of FS and GS may be written. */
export const R_SEGMENT_BASES = 224
/** u32; 1: CR0.TS, the first use of x87, MMX or SSE is #NM. */
export const R_TS = 280
export const R_MXCSR = 284
/** 16 times 16 bytes. */
export const R_XMM = 288
/** After a trap: its vector, u32; its error code, i32, -1: none; the address of a page fault, u64. */
export const R_TRAP_VECTOR = 180
export const R_TRAP_CODE = 184
export const R_TRAP_ADDRESS = 192

export const RAX = 0
export const RCX = 1
export const RDX = 2
export const RBX = 3
export const RSP = 4
export const RBP = 5
export const RSI = 6
export const RDI = 7
export const R8 = 8
export const R9 = 9
export const R10 = 10
export const R11 = 11
export const R12 = 12
export const R13 = 13
export const R14 = 14
export const R15 = 15

export const SEG_ES = 0
export const SEG_CS = 1
export const SEG_SS = 2
export const SEG_DS = 3
export const SEG_FS = 4
export const SEG_GS = 5

/** Why `enter` came back. */
export const Trap = {
  /** The deadline: nothing has happened. */
  none: 0,
  /**
   * A fault or a trap of the processor's (R_TRAP_*). A fault's RIP is its instruction's, as is that of #DB by an instruction breakpoint; #DB by single step, by a watched access and by `int1` has
   * the next one's.
   */
  exception: 1,
  /** `int3`, `into`, `int n` (R_TRAP_VECTOR): RIP is the next instruction's. */
  interrupt: 2,
  /** `syscall`: RCX and R11 are set, RIP is the next instruction's. */
  syscall: 3,
  /** #GP(0) of an instruction that needs CPL 0 or IOPL 3: RIP is its own. */
  privileged: 4,
} as const
export type Trap = (typeof Trap)[keyof typeof Trap]

export interface Ring3 {
  /** The register file. */
  readonly registers: Mem
  /** The address space that is in use from now on: 0 or 1. Each has a root and a TLB of its own. */
  selectSpace(space: 0 | 1): void
  /** MOV to CR3 in a space: the frame of its level 4 table. What its TLB held is forgotten. */
  setRoot(space: 0 | 1, mfn: number): void
  /** What both TLBs hold is forgotten. */
  flush(): void
  /** INVLPG, in both spaces. `va` is signed. */
  flushPage(va: number): void
  /** LGDT and LLDT: machine frames with 512 descriptors each, and how many descriptors count. A frame of 0 has none. */
  setGdt(frames: readonly number[], entries: number): void
  setLdt(frames: readonly number[], entries: number): void
  /**
   * Load a segment register as ring 3 would: null selectors for data segments, descriptors of code or data, present, with DPL 3. CS sets 64-bit or compatibility mode too. False: #GP or #NP, and nothing
   * has changed.
   */
  loadSegment(segment: number, selector: number): boolean
  /** MOV from and to a debug register: 0 to 3, 6 or 7 (debug-registers.ts). What is reserved is as it has to be, and what DR7 enables counts from the next `enter` on. */
  debugRegister(n: number): bigint
  setDebugRegister(n: number, value: bigint): void
  /** FXSAVE and FXRSTOR's 512 bytes, whatever CR0.TS is. */
  fxsave(): Uint8Array
  fxrstor(image: Uint8Array): void
  /** IRET: execute until a trap, or until `deadlineNs` of this processor's time. What is executed is charged. */
  enter(deadlineNs: number): Trap
  /** It is never entered again. */
  release(): void
}
