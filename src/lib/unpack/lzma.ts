/**
 * LZMA's core, as LZMA2 uses it: a range coder over adaptive bits, and what the bits say. A function and its variables, not a class: an image's classes
 * are made anew whenever it is started, and engines look private fields of the second such class up the slow way, which costs ten times as much here.
 */
import { copyMatch, UnpackError } from './decoder.ts'

const STATES = 12
const POS_STATES = 16
/** States from here on follow a match. */
const AFTER_MATCH = 7
const LEN_LOW = 2
const LEN_MID = LEN_LOW + POS_STATES * 8
const LEN_HIGH = LEN_MID + POS_STATES * 8
const LEN_PROBS = LEN_HIGH + 256
const MATCH_MIN = 2
const DIST_STATES = 4
/** Distances from this slot on have direct bits, and four aligned ones. */
const DIRECT_SLOT = 14
const ALIGN_BITS = 4
const LITERAL_PROBS = 0x300

/** Where each kind of probability lies in the one array of them. */
const IS_MATCH = 0
const IS_REP = IS_MATCH + STATES * POS_STATES
const IS_REP0 = IS_REP + STATES
const IS_REP1 = IS_REP0 + STATES
const IS_REP2 = IS_REP1 + STATES
const IS_REP0_LONG = IS_REP2 + STATES
const DIST_SLOT = IS_REP0_LONG + STATES * POS_STATES
const DIST_SPECIAL = DIST_SLOT + DIST_STATES * 64
const DIST_ALIGN = DIST_SPECIAL + 128
const MATCH_LEN = DIST_ALIGN + (1 << ALIGN_BITS)
const REP_LEN = MATCH_LEN + LEN_PROBS
const LITERALS = REP_LEN + LEN_PROBS
const PROBS = LITERALS + (LITERAL_PROBS << 4)

const PROB_BITS = 11
const PROB_INIT = 1 << (PROB_BITS - 1)
const ADAPT_BITS = 5
const RANGE_TOP = 0x1000000
const RANGE = 0
const CODE = 1

export const corrupt = (): UnpackError => new UnpackError('File is corrupt')

/** A decoder of one stream's chunks. */
export interface Lzma {
  /** lc, lp and pb in one byte. False: no such. */
  setProperties(byte: number): boolean
  resetState(): void
  /** The range coder reads the input from `from` to `to`. */
  begin(from: number, to: number): void
  /** Go on at `out[length]` until `stop` is reached; a match may go beyond it, but not beyond `limit`. `start`: where the dictionary begins. */
  decode(out: Uint8Array, start: number, length: number, stop: number, limit: number): number
  /** Whether all of the input is used up, as it must be at the end of what was packed. */
  finished(): boolean
}

export function lzma(input: Uint8Array): Lzma {
  const probs = new Uint16Array(PROBS)
  /** Range and code: variables would be objects on the heap above 2^31. */
  const rc = new Uint32Array(2)
  let at = 0
  let end = 0
  let lc = 0
  let lpMask = 0
  let pbMask = 0
  let state = 0
  let rep0 = 0
  let rep1 = 0
  let rep2 = 0
  let rep3 = 0

  function setProperties(byte: number): boolean {
    const lp = Math.floor(byte / 9) % 5
    const pb = Math.floor(byte / 45)
    if (pb > 4 || (byte % 9) + lp > 4) return false
    lc = byte % 9
    lpMask = (1 << lp) - 1
    pbMask = (1 << pb) - 1
    return true
  }

  function resetState(): void {
    probs.fill(PROB_INIT)
    state = rep0 = rep1 = rep2 = rep3 = 0
  }

  function begin(from: number, to: number): void {
    if (to - from < 5 || input[from] !== 0) throw corrupt()
    rc[RANGE] = 0xffffffff
    rc[CODE] = 0
    at = from + 1
    end = to
    for (let i = 0; i < 4; i++) rc[CODE] = (rc[CODE]! << 8) | input[at++]!
  }

  function finished(): boolean {
    if (rc[RANGE]! < RANGE_TOP) normalize()
    return at === end && rc[CODE] === 0
  }

  function decode(out: Uint8Array, start: number, length: number, stop: number, limit: number): number {
    while (length < stop) {
      const position = length - start
      const posState = position & pbMask
      if (decodeBit(IS_MATCH + state * POS_STATES + posState) === 0) {
        out[length] = literal(out, position, length)
        length++
        continue
      }
      const count = decodeBit(IS_REP + state) === 0 ? match(posState) : repeat(posState)
      if (rep0 >= position || count > limit - length) throw corrupt()
      copyMatch(out, length, rep0 + 1, count)
      length += count
    }
    return length
  }

  function normalize(): void {
    if (at >= end) throw corrupt()
    rc[RANGE]! <<= 8
    rc[CODE] = (rc[CODE]! << 8) | input[at++]!
  }

  /** A bit whose probability is the `index`th, which learns from it. */
  function decodeBit(index: number): number {
    if (rc[RANGE]! < RANGE_TOP) normalize()
    const prob = probs[index]!
    const bound = (rc[RANGE]! >>> PROB_BITS) * prob
    if (rc[CODE]! < bound) {
      rc[RANGE] = bound
      probs[index] = prob + (((1 << PROB_BITS) - prob) >> ADAPT_BITS)
      return 0
    }
    rc[RANGE]! -= bound
    rc[CODE]! -= bound
    probs[index] = prob - (prob >> ADAPT_BITS)
    return 1
  }

  /**
   * `bits` bits, the highest first, each with a probability of its own for what came before. Most bits are literals' and come through here: what
   * `decodeBit` does stands here once more, on local variables.
   */
  function tree(base: number, bits: number): number {
    const top = 1 << bits
    let range = rc[RANGE]!
    let code = rc[CODE]!
    let symbol = 1
    while (symbol < top) {
      if (range < RANGE_TOP) {
        if (at >= end) throw corrupt()
        range = (range << 8) >>> 0
        code = ((code << 8) | input[at++]!) >>> 0
      }
      const prob = probs[base + symbol]!
      const bound = (range >>> PROB_BITS) * prob
      if (code < bound) {
        range = bound
        probs[base + symbol] = prob + (((1 << PROB_BITS) - prob) >> ADAPT_BITS)
        symbol <<= 1
      } else {
        range -= bound
        code -= bound
        probs[base + symbol] = prob - (prob >> ADAPT_BITS)
        symbol = (symbol << 1) | 1
      }
    }
    rc[RANGE] = range
    rc[CODE] = code
    return symbol - top
  }

  /** The same, the lowest bit first. */
  function reverseTree(base: number, bits: number): number {
    let symbol = 1
    let value = 0
    for (let i = 0; i < bits; i++) {
      const bit = decodeBit(base + symbol)
      symbol = (symbol << 1) | bit
      value |= bit << i
    }
    return value
  }

  function directBits(bits: number): number {
    let value = 0
    for (let i = 0; i < bits; i++) {
      if (rc[RANGE]! < RANGE_TOP) normalize()
      rc[RANGE]! >>>= 1
      const bit = rc[CODE]! >= rc[RANGE]! ? 1 : 0
      if (bit) rc[CODE]! -= rc[RANGE]!
      value = (value << 1) | bit
    }
    return value
  }

  function literal(out: Uint8Array, position: number, length: number): number {
    const last = position > 0 ? out[length - 1]! : 0
    const context = ((position & lpMask) << lc) + (last >> (8 - lc))
    const base = LITERALS + LITERAL_PROBS * context
    const before = state
    state = before < 4 ? 0 : before < 10 ? before - 3 : before - 6
    if (before < AFTER_MATCH) return tree(base, 8)
    // The byte that a match would have had is what this one is not: as long as the bits agree, it says which probabilities count.
    if (rep0 >= position) throw corrupt()
    let matched = out[length - rep0 - 1]! << 1
    let offset = 0x100
    let symbol = 1
    while (symbol < 0x100) {
      const matchBit = matched & offset
      matched <<= 1
      if (decodeBit(base + offset + matchBit + symbol)) {
        symbol = (symbol << 1) | 1
        offset &= matchBit
      } else {
        symbol <<= 1
        offset &= ~matchBit
      }
    }
    return symbol & 0xff
  }

  function matchLength(base: number, posState: number): number {
    if (decodeBit(base) === 0) return MATCH_MIN + tree(base + LEN_LOW + posState * 8, 3)
    if (decodeBit(base + 1) === 0) return MATCH_MIN + 8 + tree(base + LEN_MID + posState * 8, 3)
    return MATCH_MIN + 16 + tree(base + LEN_HIGH, 8)
  }

  /** A match at a new distance: its length. */
  function match(posState: number): number {
    state = state < AFTER_MATCH ? 7 : 10
    rep3 = rep2
    rep2 = rep1
    rep1 = rep0
    const count = matchLength(MATCH_LEN, posState)
    const slot = tree(DIST_SLOT + Math.min(count - MATCH_MIN, DIST_STATES - 1) * 64, 6)
    if (slot < 4) rep0 = slot
    else {
      const bits = (slot >> 1) - 1
      const high = 2 | (slot & 1)
      if (slot < DIRECT_SLOT) {
        const first = high << bits
        rep0 = first + reverseTree(DIST_SPECIAL + first - slot, bits)
      } else {
        const direct = ((high << (bits - ALIGN_BITS)) | directBits(bits - ALIGN_BITS)) >>> 0
        rep0 = direct * (1 << ALIGN_BITS) + reverseTree(DIST_ALIGN, ALIGN_BITS)
      }
    }
    return count
  }

  /** A match at one of the last four distances: its length. */
  function repeat(posState: number): number {
    if (decodeBit(IS_REP0 + state) === 0) {
      if (decodeBit(IS_REP0_LONG + state * POS_STATES + posState) === 0) {
        state = state < AFTER_MATCH ? 9 : 11
        return 1
      }
    } else {
      let distance = rep1
      if (decodeBit(IS_REP1 + state) === 1) {
        if (decodeBit(IS_REP2 + state) === 0) distance = rep2
        else {
          distance = rep3
          rep3 = rep2
        }
        rep2 = rep1
      }
      rep1 = rep0
      rep0 = distance
    }
    state = state < AFTER_MATCH ? 8 : 11
    return matchLength(REP_LEN, posState)
  }

  return { setProperties, resetState, begin, decode, finished }
}
