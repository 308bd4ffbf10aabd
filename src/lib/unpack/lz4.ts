/** LZ4: blocks, in the framing that kernels have (`lz4 -l`: a magic number and lengths) or in the frame format (`lz4`), with the words of libxc. */
import { copyMatch, type Decoder, STEP_BYTES, UnpackError } from './decoder.ts'

export const LZ4_LEGACY_MAGIC = 0x184c2102
export const LZ4_FRAME_MAGIC = 0x184d2204

/** What a block holds at most; frames have smaller ones. */
const BLOCK_BYTES_MAX = 8 << 20
const MIN_MATCH = 4
const LONG = 15

/** FLG of a frame. */
const VERSION_MASK = 0xc0
const VERSION_1 = 0x40
const BLOCK_CHECKSUMS = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const RESERVED = 0x02
const DICTIONARY = 0x01
/** In a block's length: its bytes are no LZ4. */
const STORED = 0x80000000

const failed = (): UnpackError => new UnpackError('decoding failed')
const missing = (): UnpackError => new UnpackError('missing data', true)

export class Lz4Decoder implements Decoder {
  readonly #input: Uint8Array
  readonly #frame: boolean
  #blockChecksums = false
  #contentChecksum = false
  readonly room = BLOCK_BYTES_MAX
  at: number
  done = false
  /** Of the block that is being read: undefined between two. */
  #blockEnd: number | undefined
  #blockStart = 0

  constructor(input: Uint8Array) {
    this.#input = input
    this.at = 0
    const magic = this.#word()
    this.#frame = magic === LZ4_FRAME_MAGIC
    if (this.#frame) this.#descriptor()
    else if (magic !== LZ4_LEGACY_MAGIC) throw new UnpackError('invalid header')
  }

  step(out: Uint8Array, length: number): number {
    if (this.#blockEnd === undefined) return this.#block(out, length)
    const made = this.#sequences(out, length, this.#blockEnd)
    if (this.at === this.#blockEnd) this.#endOfBlock()
    return made
  }

  /** The next block's head; a stored block at once. */
  #block(out: Uint8Array, length: number): number {
    const size = this.#word()
    if (this.#frame && size === 0) {
      if (this.#contentChecksum) this.#word()
      this.done = true
      return length
    }
    // Files that were made one by one may lie one behind the other.
    if (!this.#frame && size === LZ4_LEGACY_MAGIC) return length
    const stored = this.#frame && size >= STORED
    const bytes = stored ? size - STORED : size
    if (bytes > this.#input.length - this.at) throw new UnpackError('insufficient input data', true)
    this.#blockEnd = this.at + bytes
    this.#blockStart = this.#frame ? 0 : length
    if (stored) {
      if (bytes > out.length - length) throw failed()
      out.set(this.#input.subarray(this.at, this.#blockEnd), length)
      this.at = this.#blockEnd
      this.#endOfBlock()
      return length + bytes
    }
    if (bytes === 0) throw failed()
    return length
  }

  #endOfBlock(): void {
    this.#blockEnd = undefined
    if (this.#frame) {
      if (this.#blockChecksums) this.#word()
    } else this.done = this.at === this.#input.length
  }

  /** Literals and matches, up to the block's end or for one step. */
  #sequences(out: Uint8Array, length: number, end: number): number {
    const input = this.#input
    const start = this.#blockStart
    const stop = length + STEP_BYTES
    let at = this.at
    while (at < end && length < stop) {
      const token = input[at++]!
      let literals = token >> 4
      if (literals === LONG) {
        let more = 255
        while (more === 255) {
          if (at >= end || literals > out.length) throw failed()
          more = input[at++]!
          literals += more
        }
      }
      if (literals > end - at || literals > out.length - length) throw failed()
      if (literals < LONG) for (let i = 0; i < literals; i++) out[length + i] = input[at + i]!
      else out.set(input.subarray(at, at + literals), length)
      at += literals
      length += literals
      // The last sequence has nothing but literals.
      if (at === end) break
      if (end - at < 2) throw failed()
      const distance = input[at]! | (input[at + 1]! << 8)
      at += 2
      let match = token & 15
      if (match === LONG) {
        let more = 255
        while (more === 255) {
          if (at >= end || match > out.length) throw failed()
          more = input[at++]!
          match += more
        }
      }
      match += MIN_MATCH
      // A block ends with literals.
      if (at === end || match > out.length - length) throw failed()
      if (distance === 0 || distance > length - start) throw failed()
      copyMatch(out, length, distance, match)
      length += match
    }
    this.at = at
    return length
  }

  #descriptor(): void {
    const flags = this.#input[this.at] ?? 0
    if ((flags & VERSION_MASK) !== VERSION_1 || flags & (RESERVED | DICTIONARY)) throw new UnpackError('invalid header')
    this.#blockChecksums = (flags & BLOCK_CHECKSUMS) !== 0
    this.#contentChecksum = (flags & CONTENT_CHECKSUM) !== 0
    // FLG, BD, the size, and a checksum of them.
    this.at += 3 + (flags & CONTENT_SIZE ? 8 : 0)
  }

  #word(): number {
    const input = this.#input
    const { at } = this
    if (input.length - at < 4) throw missing()
    this.at += 4
    return (input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24)) >>> 0
  }
}
