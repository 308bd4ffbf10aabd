/** Zstandard's bit streams, read from their end to their beginning, and its finite state entropy codes (RFC 8878, 4.1 and 5.2). */
import { UnpackError } from './decoder.ts'

export const corrupted = (): UnpackError => new UnpackError('Data corruption detected')

export const highBit = (value: number): number => 31 - Math.clz32(value)

/** Bits of a stream whose last byte ends in a one and then zeros: what is below the one is read first. No class, as in lzma.ts. */
export interface BackwardBits {
  /** Bits that are left. Negative: more was asked for than there is. */
  left(): number
  /** `count` bits, 24 at most. Behind the end there are zeros. */
  peek(count: number): number
  skip(count: number): void
  read(count: number): number
}

export function backwardBits(bytes: Uint8Array, start: number, end: number): BackwardBits {
  const last = end > start ? (bytes[end - 1] ?? 0) : 0
  if (last === 0) throw corrupted()
  let left = (end - start - 1) * 8 + highBit(last)

  function get(from: number, count: number): number {
    const at = start + (from >> 3)
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    return (word >>> (from & 7)) & ((1 << count) - 1)
  }

  function peek(count: number): number {
    const from = left - count
    return from >= 0 ? get(from, count) : left > 0 ? get(0, left) << -from : 0
  }

  function read(count: number): number {
    if (count > 16) {
      const high = read(count - 16)
      return high * 65536 + read(16)
    }
    const value = peek(count)
    left -= count
    return value
  }

  return {
    left: () => left,
    peek,
    skip: (count) => {
      left -= count
    },
    read,
  }
}

/** For each state: its symbol, and how many bits to add to which base for the next. */
export interface FseTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly bases: Uint16Array
}

/** `probabilities` add up to 2^log; -1 stands for less than one. */
export function fseTable(probabilities: readonly number[], log: number): FseTable {
  const size = 1 << log
  const symbols = new Uint8Array(size)
  const next = probabilities.map((count) => Math.abs(count))
  let top = size
  for (const [symbol, count] of probabilities.entries()) if (count === -1) symbols[--top] = symbol
  const step = (size >> 1) + (size >> 3) + 3
  let at = 0
  for (const [symbol, count] of probabilities.entries())
    for (let i = 0; i < count; i++) {
      symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at >= top)
    }
  if (at !== 0) throw corrupted()
  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  for (let state = 0; state < size; state++) {
    const value = next[symbols[state]!]!++
    bits[state] = log - highBit(value)
    bases[state] = (value << bits[state]!) - size
  }
  return { log, symbols, bits, bases }
}

/** One symbol, always. */
export const fseSingle = (symbol: number): FseTable => ({
  log: 0,
  symbols: Uint8Array.of(symbol),
  bits: new Uint8Array(1),
  bases: new Uint16Array(1),
})

/** A table's description, at `at` of `bytes`: the table, and what is behind it. */
export function readFseTable(
  bytes: Uint8Array,
  at: number,
  end: number,
  maxLog: number,
  maxSymbol: number,
): readonly [FseTable, number] {
  let bit = at * 8
  const peek = (count: number): number => {
    const from = bit >> 3
    const word = (bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8) | ((bytes[from + 2] ?? 0) << 16)
    return (word >>> (bit & 7)) & ((1 << count) - 1)
  }
  const log = peek(4) + 5
  bit += 4
  if (log > maxLog) throw corrupted()
  const probabilities: number[] = []
  for (let left = 1 << log; left > 0; ) {
    if (probabilities.length > maxSymbol || bit > end * 8) throw corrupted()
    const count = highBit(left + 1) + 1
    const low = (1 << (count - 1)) - 1
    // Values that cannot be spare others a bit.
    const spare = (1 << count) - 1 - (left + 1)
    let value = peek(count)
    if ((value & low) < spare) {
      value &= low
      bit += count - 1
    } else {
      if (value > low) value -= spare
      bit += count
    }
    const probability = value - 1
    left -= Math.abs(probability)
    probabilities.push(probability)
    if (probability !== 0) continue
    for (let repeat = 3; repeat === 3; ) {
      repeat = peek(2)
      bit += 2
      for (let i = 0; i < repeat; i++) probabilities.push(0)
      if (probabilities.length > maxSymbol + 1) throw corrupted()
    }
  }
  const behind = (bit + 7) >> 3
  if (behind > end || probabilities.length > maxSymbol + 1) throw corrupted()
  return [fseTable(probabilities, log), behind]
}
