/**
 * Decompression of DEFLATE (RFC 1951) in pieces: whoever calls brings input as it comes, and takes output as it is made. Each `run` does a
 * bounded piece of work, so that a program can be preempted between two.
 */
import {
  CODE_LENGTH_ORDER,
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  DISTANCES,
  END_OF_BLOCK,
  FIXED_LITERAL_LENGTHS,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LITERALS,
  MAX_BITS,
  MAX_MATCH,
  WINDOW_BYTES,
} from './tables.ts'

/** Bytes that are no DEFLATE, or its end before its end. */
export class InflateError extends Error {
  /** Whether more input might have helped. */
  readonly truncated: boolean
  constructor(message: string, truncated = false) {
    super(message)
    this.truncated = truncated
  }
}

/** A canonical Huffman code: short codes by one look, long ones bit by bit. */
interface Code {
  /** By the next FAST_BITS bits: symbol * 16 + length; 0 for longer codes. */
  readonly fast: Uint16Array
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
}

const FAST_BITS = 9
const FAST_MASK = (1 << FAST_BITS) - 1
/** Output that one run makes at most. */
const PIECE_BYTES = 32768
/** Blocks that one run begins at most: they may be empty. */
const BLOCKS_PER_RUN = 256
/** A dynamic block's head is no longer than this: 14 bits, 19 lengths of 3, 316 lengths of 7 + 7. */
const HEAD_BYTES_MAX = 576
/** A length and a distance: 15 + 5 + 15 + 13 bits. */
const PAIR_BYTES_MAX = 8

type Phase = 'block' | 'stored' | 'codes' | 'done'

export class Inflater {
  #input: Uint8Array = new Uint8Array(0)
  #at = 0
  #ended = false
  /** Bits read ahead, lowest first. */
  #hold = 0
  #bits = 0
  /** What was made: the last WINDOW_BYTES before `#start`, and then what nobody has taken. */
  readonly #out = new Uint8Array(WINDOW_BYTES + PIECE_BYTES + MAX_MATCH)
  #position = 0
  #phase: Phase = 'block'
  #last = false
  #storedLeft = 0
  #literals: Code = FIXED_LITERALS
  #distances: Code = FIXED_DISTANCES

  /** More input; what was not used yet is kept. */
  push(bytes: Uint8Array): void {
    const left = this.#input.length - this.#at
    if (left === 0) this.#input = bytes
    else {
      const all = new Uint8Array(left + bytes.length)
      all.set(this.#input.subarray(this.#at))
      all.set(bytes, left)
      this.#input = all
    }
    this.#at = 0
  }

  /** There is no more input. */
  end(): void {
    this.#ended = true
  }

  /** The last block is out. */
  get done(): boolean {
    return this.#phase === 'done'
  }

  /** After `done`: what came behind. */
  rest(): Uint8Array {
    const back = this.#bits >> 3
    return this.#input.subarray(this.#at - back)
  }

  /** Work until there is a piece of output, or no input is left: then the result is shorter than a piece. A copy. InflateError. */
  run(): { readonly bytes: Uint8Array; readonly wantsInput: boolean } {
    const start = this.#slide()
    const end = start + PIECE_BYTES
    let wantsInput = false
    for (let blocks = 0; this.#position < end && this.#phase !== 'done' && blocks < BLOCKS_PER_RUN; ) {
      if (this.#phase === 'block') {
        blocks++
        wantsInput = !this.#beginBlock()
      } else wantsInput = !(this.#phase === 'stored' ? this.#copyStored(end) : this.#decode(end))
      if (wantsInput) break
    }
    return { bytes: this.#out.slice(start, this.#position), wantsInput }
  }

  /** Room for a piece behind the window. */
  #slide(): number {
    if (this.#position > WINDOW_BYTES) {
      this.#out.copyWithin(0, this.#position - WINDOW_BYTES, this.#position)
      this.#position = WINDOW_BYTES
    }
    return this.#position
  }

  /** Whether so many bytes are here, or all that there will ever be. */
  #has(bytes: number): boolean {
    return this.#ended || this.#input.length - this.#at >= bytes
  }

  #take(count: number): number {
    while (this.#bits < count) {
      if (this.#at >= this.#input.length) throw new InflateError('unexpected end of data', true)
      this.#hold |= this.#input[this.#at++]! << this.#bits
      this.#bits += 8
    }
    const value = this.#hold & ((1 << count) - 1)
    this.#hold >>>= count
    this.#bits -= count
    return value
  }

  /** False where input is missing. */
  #beginBlock(): boolean {
    if (!this.#has(HEAD_BYTES_MAX)) {
      // Small blocks at the very end must not wait for bytes that never come: the caller says `end` for that.
      return false
    }
    this.#last = this.#take(1) === 1
    const type = this.#take(2)
    if (type === 3) throw new InflateError('invalid block type')
    if (type === 0) {
      this.#take(this.#bits & 7)
      const length = this.#take(16)
      if ((length ^ this.#take(16)) !== 0xffff) throw new InflateError('invalid stored block lengths')
      this.#storedLeft = length
      this.#phase = 'stored'
      return true
    }
    if (type === 1) {
      this.#literals = FIXED_LITERALS
      this.#distances = FIXED_DISTANCES
    } else this.#readCodes()
    this.#phase = 'codes'
    return true
  }

  #readCodes(): void {
    const literals = this.#take(5) + 257
    const distances = this.#take(5) + 1
    const count = this.#take(4) + 4
    if (literals > LITERALS || distances > DISTANCES) throw new InflateError('too many length or distance symbols')
    const lengths = new Uint8Array(19)
    for (let i = 0; i < count; i++) lengths[CODE_LENGTH_ORDER[i]!] = this.#take(3)
    const code = makeCode(lengths, 'complete')
    const all = new Uint8Array(literals + distances)
    for (let i = 0; i < all.length; ) {
      const symbol = this.#symbol(code)
      if (symbol < 16) {
        all[i++] = symbol
        continue
      }
      if (symbol === 16 && i === 0) throw new InflateError('invalid bit length repeat')
      const value = symbol === 16 ? all[i - 1]! : 0
      const times = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7)
      if (i + times > all.length) throw new InflateError('invalid bit length repeat')
      all.fill(value, i, i + times)
      i += times
    }
    if (all[END_OF_BLOCK] === 0) throw new InflateError('missing end-of-block')
    this.#literals = makeCode(all.subarray(0, literals), 'single')
    this.#distances = makeCode(all.subarray(literals), 'single')
  }

  /** One symbol, bit by bit: for heads and for codes longer than FAST_BITS. */
  #symbol({ counts, symbols }: Code): number {
    let code = 0
    let first = 0
    let index = 0
    for (let length = 1; length <= MAX_BITS; length++) {
      code |= this.#take(1)
      const count = counts[length]!
      if (code - first < count) return symbols[index + code - first]!
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    throw new InflateError('invalid code')
  }

  #copyStored(end: number): boolean {
    while (this.#storedLeft > 0 && this.#position < end) {
      // What was read ahead goes first.
      if (this.#bits > 0) {
        this.#out[this.#position++] = this.#take(8)
        this.#storedLeft--
        continue
      }
      const count = Math.min(this.#storedLeft, end - this.#position, this.#input.length - this.#at)
      if (count === 0) {
        if (this.#ended) throw new InflateError('unexpected end of data', true)
        return false
      }
      this.#out.set(this.#input.subarray(this.#at, this.#at + count), this.#position)
      this.#at += count
      this.#position += count
      this.#storedLeft -= count
    }
    if (this.#storedLeft === 0) this.#phase = this.#last ? 'done' : 'block'
    return true
  }

  /** Literals and matches of a block. The bits are kept in local variables: this is where the time goes. */
  #decode(end: number): boolean {
    const input = this.#input
    const out = this.#out
    const literals = this.#literals.fast
    const distances = this.#distances.fast
    let at = this.#at
    let hold = this.#hold
    let bits = this.#bits
    let position = this.#position
    let complete = true
    const safe = input.length - PAIR_BYTES_MAX
    while (position < end) {
      if (at > safe && !this.#ended) {
        complete = false
        break
      }
      // Zeros stand for bytes behind the end; whoever uses them is found out below.
      while (bits <= 24) {
        hold |= (at < input.length ? input[at]! : 0) << bits
        at++
        bits += 8
      }
      let entry = literals[hold & FAST_MASK]!
      if (entry === 0) {
        this.#restore(at, hold, bits)
        entry = this.#symbol(this.#literals) << 4
        at = this.#at
        hold = this.#hold
        bits = this.#bits
      } else {
        hold >>>= entry & 15
        bits -= entry & 15
      }
      const symbol = entry >> 4
      if (symbol < END_OF_BLOCK) {
        out[position++] = symbol
        continue
      }
      if (symbol === END_OF_BLOCK) {
        this.#phase = this.#last ? 'done' : 'block'
        break
      }
      if (symbol >= LITERALS) throw new InflateError('invalid literal/length code')
      while (bits <= 24) {
        hold |= (at < input.length ? input[at]! : 0) << bits
        at++
        bits += 8
      }
      const lengthBits = LENGTH_EXTRA[symbol - 257]!
      const length = LENGTH_BASE[symbol - 257]! + (hold & ((1 << lengthBits) - 1))
      hold >>>= lengthBits
      bits -= lengthBits
      entry = distances[hold & FAST_MASK]!
      if (entry === 0) {
        this.#restore(at, hold, bits)
        entry = this.#symbol(this.#distances) << 4
        at = this.#at
        hold = this.#hold
        bits = this.#bits
      } else {
        hold >>>= entry & 15
        bits -= entry & 15
      }
      while (bits <= 24) {
        hold |= (at < input.length ? input[at]! : 0) << bits
        at++
        bits += 8
      }
      if (entry >> 4 >= DISTANCES) throw new InflateError('invalid distance code')
      const distanceBits = DISTANCE_EXTRA[entry >> 4]!
      const distance = DISTANCE_BASE[entry >> 4]! + (hold & ((1 << distanceBits) - 1))
      hold >>>= distanceBits
      bits -= distanceBits
      if (distance > position) throw new InflateError('invalid distance too far back')
      if (distance >= length) {
        out.copyWithin(position, position - distance, position - distance + length)
        position += length
      } else for (const stop = position + length; position < stop; position++) out[position] = out[position - distance]!
    }
    this.#restore(at, hold, bits)
    this.#position = position
    return complete
  }

  /** Locals of `#decode` back; bytes behind the end are given back first, and missed if they were used. */
  #restore(at: number, hold: number, bits: number): void {
    const over = at - this.#input.length
    if (over > 0) {
      at -= over
      bits -= 8 * over
      if (bits < 0) throw new InflateError('unexpected end of data', true)
    }
    // Whole bytes that nobody looked at go back: `rest` and stored blocks count on bytes.
    const back = bits >> 3
    bits -= 8 * back
    this.#at = at - back
    this.#hold = hold & ((1 << bits) - 1)
    this.#bits = bits
  }
}

/** `lengths` as a code. `single`: one code of one bit, or none at all, may stand alone. */
function makeCode(lengths: Uint8Array, kind: 'complete' | 'single'): Code {
  const counts = new Uint16Array(MAX_BITS + 1)
  for (let i = 0; i < lengths.length; i++) counts[lengths[i]!]!++
  let left = 1
  for (let length = 1; length <= MAX_BITS; length++) {
    left = (left << 1) - counts[length]!
    if (left < 0) throw new InflateError('over-subscribed code')
  }
  const used = lengths.length - counts[0]!
  const alone = kind === 'single' && (used === 0 || (used === 1 && counts[1] === 1))
  if (left > 0 && !alone) throw new InflateError('incomplete code')
  counts[0] = 0
  const offsets = new Uint16Array(MAX_BITS + 2)
  const next = new Uint16Array(MAX_BITS + 2)
  for (let length = 1; length <= MAX_BITS; length++) {
    offsets[length + 1] = offsets[length]! + counts[length]!
    next[length + 1] = (next[length]! + counts[length]!) << 1
  }
  const symbols = new Uint16Array(used)
  const fast = new Uint16Array(1 << FAST_BITS)
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!
    if (length === 0) continue
    symbols[offsets[length]!++] = symbol
    const code = next[length]!++
    if (length > FAST_BITS) continue
    for (let i = reversed(code, length); i < 1 << FAST_BITS; i += 1 << length) fast[i] = (symbol << 4) | length
  }
  return { fast, counts, symbols }
}

/** Codes go out highest bit first, everything else lowest first. */
export function reversed(code: number, length: number): number {
  let value = 0
  for (let i = 0; i < length; i++) value |= ((code >> i) & 1) << (length - 1 - i)
  return value
}

const FIXED_LITERALS = makeCode(FIXED_LITERAL_LENGTHS, 'complete')
const FIXED_DISTANCES = makeCode(new Uint8Array(32).fill(5), 'complete')
