/** A case and its result as bytes: what native-runner.c reads and writes, and where the memory lies that instructions see. Little-endian. */
import type { Mode } from '#cpu/isa/insn.ts'

export const PAGE = 4096
/** Bytes of data and of the stack that a case fills and a result has. The rest of their pages is zero. */
export const WINDOW = 128
/** An FXSAVE image. Of it, what lies behind XMM15 is nobody's. */
export const FX_BYTES = 512
export const FX_USED = 416

/** A page of INT3 with the instruction in the middle. */
export const CODE = 0x10000000n
export const INSTRUCTION = CODE + 0x800n
/** A page to write to, whose end is the window, and a page that can only be read. Nothing around them. The base of GS, too. */
export const DATA = 0x20000000n
export const READ_ONLY = DATA + 0x1000n
export const DATA_WINDOW = READ_ONLY - BigInt(WINDOW)
/** A page with the window in the middle. */
export const STACK = 0x30000000n
export const STACK_WINDOW = STACK + 0x800n

/** What an instruction begins with. */
export interface Case {
  readonly mode: Mode
  /** Up to 15 bytes. */
  readonly code: Uint8Array
  /** By number. */
  readonly gpr: BigUint64Array
  /** OSZAPC and DF. */
  flags: number
  readonly data: Uint8Array
  readonly stack: Uint8Array
  /** An FXSAVE image, where x87, MMX or SSE come in. */
  readonly fx?: Uint8Array
}

export const IN_BYTES = 16 + 8 + 17 * 8 + 2 * WINDOW + FX_BYTES

/** Offsets in a result. */
export const R_VECTOR = 0
export const R_ERROR = 4
export const R_CR2 = 8
export const R_RIP = 16
export const R_FLAGS = 24
export const R_GPR = 32
export const R_DATA = R_GPR + 16 * 8
export const R_STACK = R_DATA + WINDOW
export const R_FX = R_STACK + WINDOW
export const OUT_BYTES = R_FX + FX_BYTES

/** The vector of a result that did not fault. */
export const NO_FAULT = 255

export function writeCase(case_: Case, into: Uint8Array, at: number): void {
  const view = new DataView(into.buffer, into.byteOffset + at, IN_BYTES)
  into.fill(0xcc, at, at + 16)
  into.set(case_.code, at)
  view.setUint32(16, case_.mode, true)
  view.setUint32(20, case_.fx ? 1 : 0, true)
  for (const [n, value] of case_.gpr.entries()) view.setBigUint64(24 + 8 * n, value, true)
  view.setBigUint64(24 + 128, BigInt(case_.flags), true)
  const windows = at + 24 + 17 * 8
  into.set(case_.data, windows)
  into.set(case_.stack, windows + WINDOW)
  if (case_.fx) into.set(case_.fx, windows + 2 * WINDOW)
}
