/**
 * xz's filter for x86 code, undone: relative targets of CALL and JMP were made absolute, so that calls of one function look alike. Which bytes are
 * opcodes is a guess, from what the bytes around look like; packing and unpacking guess alike.
 */

/** CALL and JMP with a displacement of 32 bits. */
const isBranch = (byte: number): boolean => (byte & 0xfe) === 0xe8
const isSignByte = (byte: number): boolean => byte === 0 || byte === 0xff
/** By which of the last three bytes were taken for opcodes: whether this one still may be, and which byte of the operand tells. */
const MAY_BE = [true, true, true, false, true, false, false, false]
const TELLING = [0, 1, 2, 2, 3, 3, 3, 3]
const OPERAND_BYTES = 4

export class BcjX86 {
  readonly #out: Uint8Array
  readonly #start: number
  /** The next byte to look at. */
  at: number
  readonly #end: number
  #mask = 0
  #before: number

  /** The filter works on bytes `start` to `end` of `out`; it counts addresses from `start`. */
  constructor(out: Uint8Array, start: number, end: number) {
    this.#out = out
    this.#start = start
    this.#end = end - OPERAND_BYTES
    this.at = start
    this.#before = start - 1
  }

  get done(): boolean {
    return this.at >= this.#end
  }

  /** Look at about `count` bytes. */
  step(count: number): void {
    const out = this.#out
    const stop = Math.min(this.#end, this.at + count)
    let { at } = this
    for (; at < stop; at++) {
      if (!isBranch(out[at]!)) continue
      const gap = at - this.#before
      this.#before = at
      this.#mask = gap > 3 ? 0 : (this.#mask << (gap - 1)) & 7
      const refused = this.#mask !== 0 && (!MAY_BE[this.#mask] || isSignByte(out[at + 4 - TELLING[this.#mask]!]!))
      if (refused || !isSignByte(out[at + 4]!)) {
        this.#mask = (this.#mask << 1) | 1
        continue
      }
      const relative = this.#relative(at)
      for (let i = 0; i < OPERAND_BYTES; i++) out[at + 1 + i] = relative >>> (8 * i)
      at += OPERAND_BYTES
    }
    this.at = at
  }

  #relative(at: number): number {
    const out = this.#out
    let target = out[at + 1]! | (out[at + 2]! << 8) | (out[at + 3]! << 16) | (out[at + 4]! << 24)
    const next = at - this.#start + 5
    for (;;) {
      const relative = (target - next) | 0
      // 25 bits, the sign extended.
      const extended = (relative << 7) >> 7
      if (this.#mask === 0) return extended
      const bits = TELLING[this.#mask]! * 8
      if (!isSignByte((relative >>> (24 - bits)) & 0xff)) return extended
      target = relative ^ ((2 ** (32 - bits) - 1) | 0)
    }
  }
}
