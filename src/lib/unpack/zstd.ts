/** Zstandard (RFC 8878): frames and blocks, without dictionaries. The words are libzstd's. */
import { type Decoder, UnpackError } from './decoder.ts'
import { type Xxh64, xxh64 } from './xxh64.ts'
import { corrupted } from './zstd-bits.ts'
import { type HuffmanTable, readLiterals } from './zstd-literals.ts'
import { freshState, runSequences, type SequenceState } from './zstd-sequences.ts'

const MAGIC = 0xfd2fb528
/** Sixteen magic numbers of frames for others to read. */
const SKIPPABLE = 0x184d2a50
const BLOCK_BYTES_MAX = 128 * 1024

const RAW = 0
const RLE = 1
const COMPRESSED = 2

/** The frame header's descriptor. */
const SINGLE_SEGMENT = 0x20
const RESERVED = 0x08
const CHECKSUM = 0x04
const DICTIONARY = 0x03

const short = (): UnpackError => new UnpackError('Src size is incorrect', true)

interface Frame {
  /** Where its content begins, in the output. */
  readonly start: number
  readonly checksum: boolean
  readonly contentBytes: number | undefined
  readonly sum: Xxh64
  readonly sequences: SequenceState
  huffman: HuffmanTable | undefined
}

export class ZstdDecoder implements Decoder {
  readonly #input: Uint8Array
  readonly room = BLOCK_BYTES_MAX
  at = 0
  done = false
  #frame: Frame | undefined

  constructor(input: Uint8Array) {
    this.#input = input
  }

  step(out: Uint8Array, length: number): number {
    if (this.#frame) return this.#block(this.#frame, out, length)
    this.#beginFrame(length)
    return length
  }

  /** A number of `bytes` bytes. */
  #number(bytes: number): number {
    if (this.at + bytes > this.#input.length) throw short()
    let value = 0
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + this.#input[this.at + i]!
    this.at += bytes
    return value
  }

  #beginFrame(length: number): void {
    const magic = this.#number(4)
    if (magic >= SKIPPABLE && magic < SKIPPABLE + 16) {
      const bytes = this.#number(4)
      if (this.at + bytes > this.#input.length) throw short()
      this.at += bytes
      this.done = this.at === this.#input.length
      return
    }
    if (magic !== MAGIC) throw new UnpackError('Unknown frame descriptor')
    const descriptor = this.#number(1)
    if (descriptor & RESERVED) throw new UnpackError('Unsupported frame parameter')
    const single = (descriptor & SINGLE_SEGMENT) !== 0
    // The window: all of the output is there to be copied from.
    if (!single) this.#number(1)
    if (this.#number([0, 1, 2, 4][descriptor & DICTIONARY]!) !== 0) throw new UnpackError('Dictionary mismatch')
    const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!
    const size = this.#number(sizeBytes) + (sizeBytes === 2 ? 256 : 0)
    this.#frame = {
      start: length,
      checksum: (descriptor & CHECKSUM) !== 0,
      contentBytes: sizeBytes > 0 ? size : undefined,
      sum: xxh64(),
      sequences: freshState(),
      huffman: undefined,
    }
  }

  #block(frame: Frame, out: Uint8Array, length: number): number {
    const head = this.#number(3)
    const kind = (head >> 1) & 3
    const bytes = head >> 3
    const packed = kind === RLE ? 1 : bytes
    if (kind > COMPRESSED || bytes > BLOCK_BYTES_MAX) throw corrupted()
    const from = this.at
    const end = from + packed
    if (end > this.#input.length) throw short()
    const limit = Math.min(out.length, length + BLOCK_BYTES_MAX)
    let made = length
    if (kind === COMPRESSED) made = this.#compressed(frame, end, out.subarray(0, limit), length)
    else {
      if (bytes > limit - length) throw new UnpackError('Destination buffer is too small')
      made += bytes
      if (kind === RAW) out.set(this.#input.subarray(from, end), length)
      else out.fill(this.#input[from]!, length, made)
    }
    this.at = end
    if (frame.checksum) frame.sum.update(out.subarray(length, made))
    if (head & 1) this.#endFrame(frame, made)
    return made
  }

  #compressed(frame: Frame, end: number, out: Uint8Array, length: number): number {
    if (this.at === end) throw corrupted()
    const { bytes, table, at } = readLiterals(this.#input, this.at, end, frame.huffman, BLOCK_BYTES_MAX)
    frame.huffman = table
    return runSequences(this.#input, at, end, frame.sequences, bytes, out, frame.start, length)
  }

  #endFrame({ start, checksum, contentBytes, sum }: Frame, length: number): void {
    if ((contentBytes ?? length - start) !== length - start) throw corrupted()
    if (checksum && this.#number(4) !== sum.digest()) throw new UnpackError("Restored data doesn't match checksum")
    this.#frame = undefined
    this.done = this.at === this.#input.length
  }
}
