/** The literals section of a Zstandard block, and its Huffman codes (RFC 8878, 3.1.1.3.1 and 4.2). */
import { backwardBits, corrupted, highBit, readFseTable } from './zstd-bits.ts'

const RAW = 0
const RLE = 1
const COMPRESSED = 2
const CODE_BITS_MAX = 11
const WEIGHTS_LOG_MAX = 6
const WEIGHTS_MAX = 255

export interface HuffmanTable {
  readonly bits: number
  /** By the next `bits` bits. */
  readonly symbols: Uint8Array
  readonly lengths: Uint8Array
}

export interface Literals {
  readonly bytes: Uint8Array
  /** For blocks that use it again. */
  readonly table: HuffmanTable | undefined
  /** What is behind the section. */
  readonly at: number
}

export function readLiterals(
  input: Uint8Array,
  at: number,
  end: number,
  before: HuffmanTable | undefined,
  maxBytes: number,
): Literals {
  const head = input[at]!
  const kind = head & 3
  const format = (head >> 2) & 3
  const word = (bytes: number): number => {
    if (at + bytes > end) throw corrupted()
    let value = 0
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + input[at + i]!
    return value
  }
  if (kind === RAW || kind === RLE) {
    const headBytes = format === 1 ? 2 : format === 3 ? 3 : 1
    const size = word(headBytes) >> (headBytes === 1 ? 3 : 4)
    const from = at + headBytes
    const to = from + (kind === RLE ? 1 : size)
    if (to > end || size > maxBytes) throw corrupted()
    const bytes = kind === RLE ? new Uint8Array(size).fill(input[from]!) : input.subarray(from, to)
    return { bytes, table: before, at: to }
  }
  const headBytes = format < 2 ? 3 : format + 2
  const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18
  const sizes = Math.floor(word(headBytes) / 16)
  const size = sizes % 2 ** sizeBits
  const packed = Math.floor(sizes / 2 ** sizeBits)
  let from = at + headBytes
  const to = from + packed
  if (to > end || size > maxBytes) throw corrupted()
  let table = before
  if (kind === COMPRESSED) [table, from] = readHuffman(input, from, to)
  if (!table) throw corrupted()
  const bytes = new Uint8Array(size)
  if (format === 0) decodeStream(input, from, to, table, bytes, 0, size)
  else {
    // Three sizes, then four streams; the first three hold the same number of bytes.
    const part = (size + 3) >> 2
    let start = from + 6
    if (start > to || 3 * part > size) throw corrupted()
    for (let i = 0; i < 4; i++) {
      const stop = i === 3 ? to : start + (input[from + 2 * i]! | (input[from + 2 * i + 1]! << 8))
      if (stop > to) throw corrupted()
      decodeStream(input, start, stop, table, bytes, i * part, i === 3 ? size : (i + 1) * part)
      start = stop
    }
  }
  return { bytes, table, at: to }
}

function decodeStream(
  input: Uint8Array,
  start: number,
  end: number,
  { bits, symbols, lengths }: HuffmanTable,
  out: Uint8Array,
  from: number,
  to: number,
): void {
  const stream = backwardBits(input, start, end)
  for (let at = from; at < to; at++) {
    const index = stream.peek(bits)
    out[at] = symbols[index]!
    stream.skip(lengths[index]!)
    if (stream.left() < 0) throw corrupted()
  }
  if (stream.left() !== 0) throw corrupted()
}

/** A tree's description: the table, and what is behind it. */
function readHuffman(input: Uint8Array, at: number, end: number): readonly [HuffmanTable, number] {
  if (at >= end) throw corrupted()
  const head = input[at++]!
  const direct = head >= 128
  const count = head - 127
  const behind = at + (direct ? (count + 1) >> 1 : head)
  if (behind > end) throw corrupted()
  const weights: number[] = []
  if (direct) {
    for (let i = 0; i < count; i++) {
      const pair = input[at + (i >> 1)]!
      weights.push(i & 1 ? pair & 15 : pair >> 4)
    }
  } else readWeights(input, at, behind, weights)
  return [huffmanTable(weights), behind]
}

/** Two states take turns until the bits are used up. */
function readWeights(input: Uint8Array, at: number, end: number, weights: number[]): void {
  const [table, from] = readFseTable(input, at, end, WEIGHTS_LOG_MAX, WEIGHTS_MAX)
  const stream = backwardBits(input, from, end)
  const states = [stream.read(table.log), stream.read(table.log)]
  if (stream.left() < 0) throw corrupted()
  for (let turn = 0; ; turn ^= 1) {
    const state = states[turn]!
    weights.push(table.symbols[state]!)
    if (weights.length > WEIGHTS_MAX) throw corrupted()
    const bits = table.bits[state]!
    if (bits > stream.left()) {
      weights.push(table.symbols[states[turn ^ 1]!]!)
      return
    }
    states[turn] = table.bases[state]! + stream.read(bits)
  }
}

/** A weight w stands for 2^(w-1) of all codes; the last symbol's is what is missing. */
function huffmanTable(weights: number[]): HuffmanTable {
  let sum = 0
  for (const weight of weights) {
    if (weight > CODE_BITS_MAX) throw corrupted()
    sum += weight === 0 ? 0 : 1 << (weight - 1)
  }
  if (sum === 0) throw corrupted()
  const bits = highBit(sum) + 1
  const missing = (1 << bits) - sum
  if (bits > CODE_BITS_MAX || weights.length > WEIGHTS_MAX || (missing & (missing - 1)) !== 0) throw corrupted()
  weights.push(highBit(missing) + 1)
  const symbols = new Uint8Array(1 << bits)
  const lengths = new Uint8Array(1 << bits)
  let at = 0
  for (let weight = 1; weight <= bits; weight++)
    for (const [symbol, own] of weights.entries()) {
      if (own !== weight) continue
      const to = at + (1 << (weight - 1))
      symbols.fill(symbol, at, to)
      lengths.fill(bits + 1 - weight, at, to)
      at = to
    }
  return { bits, symbols, lengths }
}
