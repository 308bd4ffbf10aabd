/** An instruction while it is being decoded: its bytes, and what has been found out so far. */
import { Fault, GP } from '../fault.ts'
import type { MemOperand, Mode, OpcodeMap, Size } from './insn.ts'

/** Gives the byte so many bytes behind the instruction's first one. Throws Fault. */
export type Fetch = (offset: number) => number

/** No instruction is longer. */
export const MAX_LENGTH = 15

/** Signed bytes: most distances and immediates are one of these, and need not have a BigInt each. */
const SMALL = Array.from({ length: 256 }, (_, n) => BigInt((n << 24) >> 24))

const NO_BYTES = new Uint8Array(0)

/** The bytes, one after the other: as they are given, or of a memory. */
class Cursor {
  readonly #fetch: Fetch | undefined
  readonly #memory: Uint8Array
  readonly #from: number
  at = 0

  constructor(source: Fetch | Uint8Array, from: number) {
    const isMemory = typeof source !== 'function'
    this.#fetch = isMemory ? undefined : source
    this.#memory = isMemory ? source : NO_BYTES
    this.#from = from
  }

  u8(): number {
    const at = this.at
    if (at === MAX_LENGTH) throw new Fault(GP, 0)
    this.at = at + 1
    return this.#fetch === undefined ? this.#memory[this.#from + at]! : this.#fetch(at)
  }

  u16(): number {
    return this.u8() | (this.u8() << 8)
  }

  i32(): number {
    return this.u16() | (this.u16() << 16)
  }

  /** Sign-extended, of 1, 2, 4 or 8 bytes. */
  signed(bytes: number): bigint {
    if (bytes === 1) return SMALL[this.u8()]!
    if (bytes === 2) return BigInt((this.u16() << 16) >> 16)
    if (bytes === 4) return BigInt(this.i32())
    const low = this.i32() >>> 0
    return (BigInt(this.i32()) << 32n) | BigInt(low)
  }
}

/** What has been found out so far. */
export class Decoding {
  readonly bytes: Cursor
  readonly mode: Mode
  rex = 0
  operandSize = false
  addressSize: 8 | 4 | 2
  repeat: 'rep' | 'repne' | undefined
  lock = false
  /** Of an override; -1: none. */
  segment = -1
  opcode = 0
  map: OpcodeMap = 0
  modrm = 0
  size: Size = 4
  /** ModRM's memory operand: `hasMemory`, and what is in a MemOperand, besides the segment if no prefix overrides it. */
  hasMemory = false
  base = -1
  index = -1
  scale: MemOperand['scale'] = 1
  disp = 0n
  ripRelative = false

  /** `source`: who gives the bytes, or the memory where they lie, from `from` on. */
  constructor(source: Fetch | Uint8Array, from: number, mode: Mode) {
    this.bytes = new Cursor(source, from)
    this.mode = mode
    this.addressSize = mode === 64 ? 8 : 4
  }

  get w(): boolean {
    return (this.rex & 8) !== 0
  }

  get reg(): number {
    return ((this.modrm >> 3) & 7) | ((this.rex & 4) << 1)
  }

  get rm(): number {
    return (this.modrm & 7) | ((this.rex & 1) << 3)
  }
}
