/** What the instruction table's rows and decoded instructions are; the decoder makes the latter of the former (ADR 0011). */

/** Bytes of an integer operand. */
export type Size = 1 | 2 | 4 | 8

/** General registers by number: RAX RCX RDX RBX RSP RBP RSI RDI R8-R15; as byte registers without REX, 16-19 are AH CH DH BH. */
export const RAX = 0
export const RCX = 1
export const RDX = 2
export const RBX = 3
export const RSP = 4
export const RBP = 5
export const RSI = 6
export const RDI = 7
export const AH = 16

/** Segment registers by number, as in Sreg fields. */
export const ES = 0
export const CS = 1
export const SS = 2
export const DS = 3
export const FS = 4
export const GS = 5

/** How the processor decodes: 64-bit mode, or compatibility mode with a 32-bit code segment. */
export type Mode = 64 | 32

/** What stands before the opcode: nothing, 0F, 0F 38, or 0F 3A. */
export type OpcodeMap = 0 | 1 | 2 | 3
/** The bytes that lead there. */
export const MAP_ESCAPES: readonly (readonly number[])[] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]]

/** Where a row is in the opcode maps: see row.ts. */
export interface Encoding {
  /** '': any that no other row of the opcode has. */
  readonly prefix: '' | 'np' | '66' | 'f2' | 'f3'
  readonly map: OpcodeMap
  readonly opcode: number
  /** In the opcode's low three bits. */
  readonly registerInOpcode: boolean
  /** All of ModRM, and its reg field; -1: as it likes. */
  readonly modrm: number
  readonly reg: number
  /** What ModRM's rm must be. */
  readonly rm: 'reg' | 'mem' | 'any'
}

/** A row of the table, parsed. */
export interface Row {
  /** As in the opcode map, lower case: the mnemonic without size suffixes, which names the semantics as well. */
  readonly mnemonic: string
  /** What the disassembler calls it, where that is something else. */
  readonly name: string
  /** Operands in the notation of the manuals' opcode maps: Ev, Gb, Iz, Wss, ... */
  readonly operands: readonly string[]
  /** EFLAGS that it changes, that it reads, and that it leaves undefined: subsets of `oszapcd`. */
  readonly writes: string
  readonly reads: string
  readonly undefined: string
  /** What else there is to say: `lock`, `d64`, `f64`, `i64`, `o64`, `rep`, `priv`, `sse`, `sse2`, `x87`, ... */
  readonly attributes: ReadonlySet<string>
  readonly encoding: Encoding
  /** The row's text, for messages. */
  readonly text: string
}

export interface RegOperand {
  readonly kind: 'reg'
  readonly size: Size
  readonly n: number
}

export interface MemOperand {
  readonly kind: 'mem'
  /** Of the access; 16, 10, 28, 512, ... for vectors, x87 and areas; 0 where there is none (lea, invlpg, prefetch). */
  readonly size: number
  /** -1: none. */
  readonly base: number
  /** -1: none. */
  readonly index: number
  readonly scale: 1 | 2 | 4 | 8
  /** Signed; with `ripRelative` from the next instruction. 64 bits only for moffs. */
  readonly disp: bigint
  readonly ripRelative: boolean
  /** Segment whose base counts: FS or GS in 64-bit mode, any in compatibility mode. */
  readonly segment: number
}

export interface ImmOperand {
  readonly kind: 'imm'
  readonly size: Size
  /** Sign-extended to the operation's size, then wrapped to it: never negative. */
  readonly value: bigint
}

/** A jump's distance from the next instruction. */
export interface RelOperand {
  readonly kind: 'rel'
  readonly value: bigint
}

/** XMM, MMX, ST(i), segment, control and debug registers. */
export interface FileOperand {
  readonly kind: 'xmm' | 'mmx' | 'st' | 'sreg' | 'creg' | 'dreg'
  readonly n: number
}

export type Operand = RegOperand | MemOperand | ImmOperand | RelOperand | FileOperand

export interface Insn {
  readonly row: Row
  /** Bytes, prefixes included: 1 to 15. */
  readonly length: number
  readonly mode: Mode
  /** Of the operation: 2, 4 or 8 (1 where the row says so). */
  readonly size: Size
  readonly addressSize: 4 | 8 | 2
  readonly operands: readonly Operand[]
  /** Undefined where it is a mandatory prefix or ignored. */
  readonly repeat: 'rep' | 'repne' | undefined
  readonly lock: boolean
}
