/** The .xz container with what kernels have in it: LZMA2, perhaps behind the filter for x86, checked by CRC-32 or by nothing. The words are liblzma's. */
import { crc32 } from '../crc32.ts'
import { BcjX86 } from './bcj-x86.ts'
import { type Decoder, STEP_BYTES, UnpackError } from './decoder.ts'
import { corrupt, type Lzma, lzma } from './lzma.ts'

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
const HEADER_BYTES = 12
const FOOTER_BYTES = 12
const CHECK_NONE = 0
const CHECK_CRC32 = 1
const FILTER_X86 = 4
const FILTER_LZMA2 = 0x21
/** Filter count; whether the header has the sizes. */
const FILTERS = 3
const RESERVED = 0x3c
const HAS_PACKED = 0x40
const HAS_UNPACKED = 0x80

/** What a chunk holds at most. */
const CHUNK_BYTES_MAX = 1 << 21
/** LZMA2's control byte: what is reset before a chunk of LZMA, and the two kinds of plain chunks. */
const PLAIN_RESET_DICT = 1
const PLAIN = 2
const RESETS_STATE = 0xa0
const NEW_PROPERTIES = 0xc0
const RESETS_DICT = 0xe0

const truncated = (): UnpackError => new UnpackError('Unexpected end of input', true)
const unsupported = (): UnpackError => new UnpackError('Unsupported compression options')

interface Block {
  /** Where its header begins, in the input. */
  readonly from: number
  readonly dataFrom: number
  /** In the output. */
  readonly start: number
  readonly filtered: boolean
  readonly packed: number | undefined
  readonly unpacked: number | undefined
}

interface Chunk {
  readonly end: number
  readonly limit: number
}

export class XzDecoder implements Decoder {
  readonly #input: Uint8Array
  readonly #lzma: Lzma
  readonly #check: number
  readonly room = CHUNK_BYTES_MAX
  at: number
  done = false
  #block: Block | undefined
  #chunk: Chunk | undefined
  #filter: BcjX86 | undefined
  #phase: 'block' | 'chunks' | 'filter' | 'check' = 'block'
  #dictStart = 0
  #needsDict = true
  #needsProperties = true
  #needsState = true
  /** Checked so far: up to which byte of the output, and with which sum. */
  #checkedTo = 0
  #sum = 0
  readonly #records: { readonly packed: number; readonly unpacked: number }[] = []

  constructor(input: Uint8Array) {
    this.#input = input
    if (input.length < HEADER_BYTES) throw truncated()
    if (MAGIC.some((byte, i) => input[i] !== byte)) throw new UnpackError('File format not recognized')
    if (crc32(input.subarray(6, 8)) !== this.#word(8)) throw corrupt()
    this.#check = input[7]!
    if (input[6] !== 0 || (this.#check !== CHECK_NONE && this.#check !== CHECK_CRC32)) throw unsupported()
    this.#lzma = lzma(input)
    this.at = HEADER_BYTES
  }

  step(out: Uint8Array, length: number): number {
    switch (this.#phase) {
      case 'block':
        if (this.#byte(this.at) === 0) this.#indexAndFooter()
        else this.#beginBlock(length)
        return length
      case 'chunks':
        return this.#chunks(out, length)
      case 'filter':
        this.#filter ??= new BcjX86(out, this.#block!.start, length)
        this.#filter.step(STEP_BYTES)
        if (this.#filter.done) {
          this.#filter = undefined
          this.#phase = 'check'
        }
        return length
      case 'check': {
        const to = Math.min(length, this.#checkedTo + STEP_BYTES)
        if (this.#check === CHECK_CRC32) this.#sum = crc32(out.subarray(this.#checkedTo, to), this.#sum)
        this.#checkedTo = to
        if (to === length) this.#endBlock(length)
        return length
      }
    }
  }

  #byte(at: number): number {
    const byte = this.#input[at]
    if (byte === undefined) throw truncated()
    return byte
  }

  #word(at: number): number {
    const byte = (i: number): number => this.#byte(at + i)
    return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0
  }

  /** A number of up to 63 bits, seven in a byte: its value, and what is behind it. */
  #number(at: number): readonly [number, number] {
    let value = 0
    for (let i = 0; i < 9; i++) {
      const byte = this.#byte(at + i)
      if (i > 0 && byte === 0) throw corrupt()
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return [value, at + i + 1]
    }
    throw corrupt()
  }

  #beginBlock(length: number): void {
    const from = this.at
    const end = from + (this.#byte(from) + 1) * 4
    if (end > this.#input.length) throw truncated()
    if (crc32(this.#input.subarray(from, end - 4)) !== this.#word(end - 4)) throw corrupt()
    const flags = this.#byte(from + 1)
    if (flags & RESERVED) throw unsupported()
    let at = from + 2
    const number = (): number => {
      const [value, next] = this.#number(at)
      at = next
      if (at > end - 4) throw corrupt()
      return value
    }
    const packed = flags & HAS_PACKED ? number() : undefined
    const unpacked = flags & HAS_UNPACKED ? number() : undefined
    const filters: number[] = []
    for (let i = 0; i <= (flags & FILTERS); i++) {
      const id = number()
      const bytes = number()
      // The size of the dictionary says nothing here: all of the output is one. A start offset for addresses nobody uses.
      if (id === FILTER_LZMA2 ? bytes !== 1 : id !== FILTER_X86 || bytes !== 0) throw unsupported()
      filters.push(id)
      at += bytes
    }
    if (filters.pop() !== FILTER_LZMA2 || filters.length > 1 || filters.includes(FILTER_LZMA2)) throw unsupported()
    for (; at < end - 4; at++) if (this.#byte(at) !== 0) throw unsupported()
    this.#block = { from, dataFrom: end, start: length, filtered: filters.length > 0, packed, unpacked }
    this.at = end
    this.#phase = 'chunks'
    this.#needsDict = this.#needsProperties = this.#needsState = true
    this.#checkedTo = length
    this.#sum = 0
  }

  /** A chunk's head, or a part of what is in it. */
  #chunks(out: Uint8Array, length: number): number {
    if (!this.#chunk) return this.#beginChunk(out, length)
    const { end, limit } = this.#chunk
    const made = this.#lzma.decode(out, this.#dictStart, length, Math.min(limit, length + STEP_BYTES / 2), limit)
    if (made < limit) return made
    if (!this.#lzma.finished()) throw corrupt()
    this.at = end
    this.#chunk = undefined
    return made
  }

  #beginChunk(out: Uint8Array, length: number): number {
    const { at } = this
    const control = this.#byte(at)
    if (control === 0) {
      this.at++
      this.#phase = this.#block!.filtered ? 'filter' : 'check'
      return length
    }
    if (control >= RESETS_DICT || control === PLAIN_RESET_DICT) {
      this.#dictStart = length
      this.#needsDict = false
      this.#needsProperties = this.#needsState = true
    } else if (this.#needsDict) throw corrupt()
    if (control < 0x80) {
      if (control > PLAIN) throw corrupt()
      return this.#plain(out, length)
    }
    const bytes = (((control & 0x1f) << 16) | (this.#byte(at + 1) << 8) | this.#byte(at + 2)) + 1
    const packed = ((this.#byte(at + 3) << 8) | this.#byte(at + 4)) + 1
    let from = at + 5
    if (control >= NEW_PROPERTIES) {
      if (!this.#lzma.setProperties(this.#byte(from++))) throw corrupt()
      this.#needsProperties = false
    } else if (this.#needsProperties) throw corrupt()
    if (control >= RESETS_STATE) {
      this.#lzma.resetState()
      this.#needsState = false
    } else if (this.#needsState) throw corrupt()
    if (from + packed > this.#input.length) throw truncated()
    if (bytes > out.length - length) throw corrupt()
    this.#lzma.begin(from, from + packed)
    this.#chunk = { end: from + packed, limit: length + bytes }
    return length
  }

  #plain(out: Uint8Array, length: number): number {
    const bytes = ((this.#byte(this.at + 1) << 8) | this.#byte(this.at + 2)) + 1
    const from = this.at + 3
    if (from + bytes > this.#input.length) throw truncated()
    if (bytes > out.length - length) throw corrupt()
    out.set(this.#input.subarray(from, from + bytes), length)
    this.at = from + bytes
    return length + bytes
  }

  #endBlock(length: number): void {
    const { from, dataFrom, start, packed, unpacked } = this.#block!
    const bytes = this.at - dataFrom
    if ((packed ?? bytes) !== bytes || (unpacked ?? length - start) !== length - start) throw corrupt()
    const checkBytes = this.#check === CHECK_CRC32 ? 4 : 0
    this.#records.push({ packed: this.at - from + checkBytes, unpacked: length - start })
    this.#padding(dataFrom)
    if (this.#check === CHECK_CRC32 && this.#word(this.at) !== this.#sum) throw corrupt()
    this.at += checkBytes
    this.#phase = 'block'
  }

  /** Zeros, to a multiple of four from `from` on. */
  #padding(from: number): void {
    for (; (this.at - from) & 3; this.at++) if (this.#byte(this.at) !== 0) throw corrupt()
  }

  #indexAndFooter(): void {
    const from = this.at
    this.at++
    const number = (): number => {
      const [value, next] = this.#number(this.at)
      this.at = next
      return value
    }
    if (number() !== this.#records.length) throw corrupt()
    for (const { packed, unpacked } of this.#records) if (number() !== packed || number() !== unpacked) throw corrupt()
    this.#padding(from)
    if (crc32(this.#input.subarray(from, this.at)) !== this.#word(this.at)) throw corrupt()
    this.at += 4
    const footer = this.at
    const bytes = this.#input.subarray(footer, footer + FOOTER_BYTES)
    if (bytes.length < FOOTER_BYTES) throw truncated()
    const good =
      crc32(bytes.subarray(4, 10)) === this.#word(footer) &&
      (this.#word(footer + 4) + 1) * 4 === footer - from &&
      bytes[8] === 0 &&
      bytes[9] === this.#check &&
      bytes[10] === 0x59 &&
      bytes[11] === 0x5a
    if (!good) throw corrupt()
    this.at += FOOTER_BYTES
    this.done = true
  }
}
