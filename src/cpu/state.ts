/**
 * A vCPU's registers as they lie in the machine's memory, where translated code and helpers meet: byte offsets from the vCPU's `base`, which is a multiple of
 * 4096. Little-endian. What a vCPU's owner sees of them is abi/pc/ring3.ts's.
 */
import * as ring3 from '#abi/pc/ring3.ts'

export const S_GPR = ring3.R_GPR
export const S_RIP = ring3.R_RIP
/**
 * The flags OSZAPC, lazily: which operation came last (CcOp * 4 + log2 of its size), its result and a source. `flags.ts` says what each means and works
 * them out.
 */
export const S_CC_OP = 136
export const S_CC_DST = 144
/** Between runs the flags are not lazy, and all of RFLAGS is where CC_DST was. */
export const S_RFLAGS = ring3.R_RFLAGS
export const S_CC_SRC = 152
/** All other bits of RFLAGS: TF IF DF IOPL NT RF AC ID, and bit 1. */
export const S_FLAGS = 160
/** What is left of `run`'s budget: i64; within a helper that translated code calls, what is left of that code's: i32. */
export const S_BUDGET = 168
/** Why the last run ended (Exit), and its details: vector or number, error code (-1: none), CR2. */
export const S_EXIT = 176
export const S_EXIT_VECTOR = ring3.R_TRAP_VECTOR
export const S_EXIT_CODE = ring3.R_TRAP_CODE
export const S_EXIT_ADDRESS = ring3.R_TRAP_ADDRESS
/** 64 or 32. */
export const S_MODE = 200
/** 6 times: selector u16. */
export const S_SELECTORS = ring3.R_SELECTORS
/** 6 times 8 bytes: the segments' bases; limits are 4 GiB or none. */
export const S_SEGMENT_BASES = ring3.R_SEGMENT_BASES
/** 1: CR0.TS, the first use of x87 or SSE is #NM. */
export const S_TS = ring3.R_TS
export const S_MXCSR = ring3.R_MXCSR
/** 16 times 16 bytes. */
export const S_XMM = ring3.R_XMM
/** Eight 80-bit registers, 16 bytes each, by physical number (not by TOP). */
export const S_FPR = 544
export const S_FCW = 672
/** TOP included. */
export const S_FSW = 674
/** As fxsave has it: a bit a physical register, 1: not empty. */
export const S_FTW = 676
export const S_FOP = 678
export const S_FIP = 680
export const S_FDP = 688
/** What is below is what a program can tell; from here on it is the translator's own: why translated code gave up (0: it did not), where this context's TLB is, its generation of chained addresses, room for a load across pages, and for the two vectors of a calculation, the first of which its result replaces. */
export const S_TRANSLATOR = 704
export const S_LEAVE = S_TRANSLATOR
export const S_TLB_AT = 708
export const S_GENERATION = 712
/** The lower half of where the last jump led that said its target only then; not that of a return. */
export const S_INDIRECT = 716
export const S_SCRATCH = 720
export const S_OPERANDS = 736
export const S_END = 768
/** DR0 to DR3, four times 8 bytes; DR6 and DR7, u32 each (debug-registers.ts). */
export const S_DR = 1024
export const S_DR6 = S_DR + 32
export const S_DR7 = S_DR6 + 4
export const S_DR_END = S_DR7 + 4
/** Two contexts' (tlb.ts). */
export const S_TLB = 4096
/** Where addresses are chained to translated code (translate/runtime.ts). */
export const S_CHAINS = S_TLB + 2 * 32768
/** Bytes of a vCPU's area. */
export const S_BYTES = S_CHAINS + 16384 * 16

/** Why a run ended. */
export const Exit = {
  /** The budget is used up. */
  budget: 0,
  /** S_EXIT_VECTOR, _CODE, _ADDRESS; RIP is the instruction's. */
  fault: 1,
  /** `int3`, `into`, `int n`: a trap through the gate S_EXIT_VECTOR; RIP is the next instruction's. */
  interrupt: 2,
  /** `syscall`: RCX and R11 are set, RIP is the next instruction's. */
  syscall: 3,
  /** An instruction of CPL 0, or I/O: for whoever emulates it, who reads it at RIP. #GP(0), if nobody does. */
  privileged: 4,
  /** Somebody has asked for it from within a helper (RDTSC emulation, page-table writes). */
  asked: 5,
} as const
export type Exit = (typeof Exit)[keyof typeof Exit]

/** Flags of RFLAGS. */
export const CF = 1 << 0
export const PF_FLAG = 1 << 2
export const AF = 1 << 4
export const ZF = 1 << 6
export const SF = 1 << 7
export const TF = 1 << 8
export const IF = 1 << 9
export const DF = 1 << 10
export const OF_FLAG = 1 << 11
export const IOPL = 3 << 12
export const NT = 1 << 14
export const RF = 1 << 16
export const AC_FLAG = 1 << 18
export const ID = 1 << 21
export const OSZAPC = OF_FLAG | SF | ZF | AF | PF_FLAG | CF

/** What set the flags last. The number in memory is this times four plus log2 of the operand's bytes. */
export const CcOp = {
  /** CC_SRC has the six flags, as in RFLAGS. */
  flags: 0,
  /** DST = a + b; SRC = b. */
  add: 1,
  /** DST = a + b + 1; SRC = b. (With a carry in of 0 it is `add`.) */
  adc1: 2,
  /** DST = a - b; SRC = b. */
  sub: 3,
  /** DST = a - b - 1; SRC = b. */
  sbb1: 4,
  /** DST = result; CF, OF and AF are 0. */
  logic: 5,
  /** DST = a + 1 or a - 1; SRC = the carry as it was. */
  inc: 6,
  dec: 7,
  /** DST = result; SRC = what was shifted one less: its top bit is CF. OF as for a shift by one (undefined otherwise). AF 0. */
  shl: 8,
  /** DST = result; SRC = what was shifted one less: its bottom bit is CF. OF = top bits of SRC and DST differ. AF 0. */
  shr: 9,
  /** DST = low half; SRC not 0: CF and OF. SF, ZF, PF of DST, AF 0. */
  mul: 10,
} as const
export type CcOp = (typeof CcOp)[keyof typeof CcOp]
