/** One DEFLATE block: what was found in the input, and the cheapest of the three ways to say it. */
import type { BitWriter } from './bit-writer.ts'
import { codeLengths, codesOf } from './huffman.ts'
import { reversed } from './inflate.ts'
import {
  CODE_LENGTH_ORDER,
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  DISTANCES,
  END_OF_BLOCK,
  FIXED_DISTANCE_LENGTHS,
  FIXED_LITERAL_LENGTHS,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LITERALS,
  MAX_BITS,
} from './tables.ts'

/** Literals and matches that a block holds at most. */
const SYMBOLS_MAX = 16384
const STORED_MAX = 65535
const CODE_LENGTH_BITS_MAX = 7

/** Code number (without the 257) of a length less 3. */
const LENGTH_CODES = Uint8Array.from({ length: 256 }, (_, i) => LENGTH_BASE.findLastIndex((base) => base <= i + 3))
/** Code of a distance less 1: below 256 directly, above by its upper bits. */
const DISTANCE_CODES = Uint8Array.from({ length: 512 }, (_, i) => {
  const distance = i < 256 ? i + 1 : ((i - 256) << 7) + 1
  return DISTANCE_BASE.findLastIndex((base) => base <= distance)
})
const distanceCode = (less1: number): number => DISTANCE_CODES[less1 < 256 ? less1 : 256 + (less1 >> 7)]!

const FIXED_LITERAL_CODES = codesOf(FIXED_LITERAL_LENGTHS, reversed)
const FIXED_DISTANCE_CODES = codesOf(FIXED_DISTANCE_LENGTHS, reversed)

export class Block {
  /** Distance, or 0 for a literal; and the length less 3, or the literal. */
  readonly #distances = new Uint16Array(SYMBOLS_MAX)
  readonly #values = new Uint8Array(SYMBOLS_MAX)
  #count = 0
  readonly #literalCounts = new Uint16Array(LITERALS)
  readonly #distanceCounts = new Uint16Array(DISTANCES)

  get full(): boolean {
    return this.#count === SYMBOLS_MAX
  }

  literal(byte: number): void {
    this.#distances[this.#count] = 0
    this.#values[this.#count++] = byte
    this.#literalCounts[byte]!++
  }

  match(length: number, distance: number): void {
    this.#distances[this.#count] = distance
    this.#values[this.#count++] = length - 3
    this.#literalCounts[257 + LENGTH_CODES[length - 3]!]!++
    this.#distanceCounts[distanceCode(distance - 1)]!++
  }

  /** Write it, and begin the next. `raw` is the input it stands for, where that is still known. */
  flush(out: BitWriter, raw: Uint8Array | undefined, last: boolean): void {
    this.#literalCounts[END_OF_BLOCK] = 1
    const literals = codeLengths(this.#literalCounts, LITERALS, MAX_BITS)
    const distances = codeLengths(this.#distanceCounts, DISTANCES, MAX_BITS)
    const head = new Head(literals, distances)
    const dynamicBits = head.bits + this.#bits(literals, distances)
    const fixedBits = this.#bits(FIXED_LITERAL_LENGTHS, FIXED_DISTANCE_LENGTHS)
    const storedBits = raw ? 8 * raw.length + 40 * Math.max(1, Math.ceil(raw.length / STORED_MAX)) : Infinity
    if (raw && storedBits <= Math.min(dynamicBits, fixedBits)) store(out, raw, last)
    else if (fixedBits <= dynamicBits) {
      out.put(last ? 3 : 2, 3)
      this.#send(out, FIXED_LITERAL_LENGTHS, FIXED_LITERAL_CODES, FIXED_DISTANCE_LENGTHS, FIXED_DISTANCE_CODES)
    } else {
      out.put(last ? 5 : 4, 3)
      head.send(out)
      this.#send(out, literals, codesOf(literals, reversed), distances, codesOf(distances, reversed))
    }
    if (last) out.align()
    this.#count = 0
    this.#literalCounts.fill(0)
    this.#distanceCounts.fill(0)
  }

  /** What the symbols take. */
  #bits(literals: Uint8Array, distances: Uint8Array): number {
    let bits = 0
    for (let i = 0; i < LITERALS; i++)
      bits += this.#literalCounts[i]! * (literals[i]! + (i > END_OF_BLOCK ? LENGTH_EXTRA[i - 257]! : 0))
    for (let i = 0; i < DISTANCES; i++) bits += this.#distanceCounts[i]! * (distances[i]! + DISTANCE_EXTRA[i]!)
    return bits
  }

  #send(
    out: BitWriter,
    literalLengths: Uint8Array,
    literalCodes: Uint16Array,
    distanceLengths: Uint8Array,
    distanceCodes: Uint16Array,
  ): void {
    for (let i = 0; i < this.#count; i++) {
      const distance = this.#distances[i]!
      const value = this.#values[i]!
      if (distance === 0) {
        out.put(literalCodes[value]!, literalLengths[value]!)
        continue
      }
      const code = LENGTH_CODES[value]!
      out.put(literalCodes[257 + code]!, literalLengths[257 + code]!)
      if (LENGTH_EXTRA[code]! > 0) out.put(value + 3 - LENGTH_BASE[code]!, LENGTH_EXTRA[code]!)
      const far = distanceCode(distance - 1)
      out.put(distanceCodes[far]!, distanceLengths[far]!)
      if (DISTANCE_EXTRA[far]! > 0) out.put(distance - DISTANCE_BASE[far]!, DISTANCE_EXTRA[far]!)
    }
    out.put(literalCodes[END_OF_BLOCK]!, literalLengths[END_OF_BLOCK]!)
  }
}

function store(out: BitWriter, raw: Uint8Array, last: boolean): void {
  for (let at = 0; at === 0 || at < raw.length; at += STORED_MAX) {
    const part = raw.subarray(at, at + STORED_MAX)
    out.put(last && at + STORED_MAX >= raw.length ? 1 : 0, 3)
    out.align()
    out.put(part.length, 16)
    out.put(part.length ^ 0xffff, 16)
    out.copy(part)
  }
}

/** A dynamic block's head: its two codes, run-length coded, under a third code. */
class Head {
  readonly #literals: number
  readonly #distances: number
  /** Symbol, and the extra bits' value. */
  readonly #runs: (readonly [symbol: number, extra: number])[] = []
  readonly #lengths: Uint8Array
  readonly #count: number

  constructor(literals: Uint8Array, distances: Uint8Array) {
    this.#literals = Math.max(257, literals.findLastIndex((length) => length > 0) + 1)
    this.#distances = Math.max(1, distances.findLastIndex((length) => length > 0) + 1)
    const all = new Uint8Array(this.#literals + this.#distances)
    all.set(literals.subarray(0, this.#literals))
    all.set(distances.subarray(0, this.#distances), this.#literals)
    for (let i = 0; i < all.length; ) {
      const value = all[i]!
      let same = 1
      while (i + same < all.length && all[i + same] === value) same++
      i += same
      if (value !== 0) {
        this.#runs.push([value, 0])
        same--
      }
      while (same >= 3) {
        const times = Math.min(same, value !== 0 ? 6 : 138)
        this.#runs.push(value !== 0 ? [16, times - 3] : times > 10 ? [18, times - 11] : [17, times - 3])
        same -= times
      }
      for (; same > 0; same--) this.#runs.push([value, 0])
    }
    const counts = new Uint16Array(19)
    for (const [symbol] of this.#runs) counts[symbol]!++
    this.#lengths = codeLengths(counts, 19, CODE_LENGTH_BITS_MAX)
    this.#count = Math.max(4, CODE_LENGTH_ORDER.findLastIndex((symbol) => this.#lengths[symbol]! > 0) + 1)
  }

  get bits(): number {
    let bits = 14 + 3 * this.#count
    for (const [symbol] of this.#runs) bits += this.#lengths[symbol]! + EXTRA_BITS(symbol)
    return bits
  }

  send(out: BitWriter): void {
    out.put(this.#literals - 257, 5)
    out.put(this.#distances - 1, 5)
    out.put(this.#count - 4, 4)
    for (let i = 0; i < this.#count; i++) out.put(this.#lengths[CODE_LENGTH_ORDER[i]!]!, 3)
    const codes = codesOf(this.#lengths, reversed)
    for (const [symbol, extra] of this.#runs) {
      out.put(codes[symbol]!, this.#lengths[symbol]!)
      if (symbol >= 16) out.put(extra, EXTRA_BITS(symbol))
    }
  }
}

const EXTRA_BITS = (symbol: number): number => (symbol === 16 ? 2 : symbol === 17 ? 3 : symbol === 18 ? 7 : 0)
