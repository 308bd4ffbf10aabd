/**
 * Decoded instructions, by where their bytes lie in the machine's memory. The bytes are compared each time: whatever changes code or page tables, nobody has to tell.
 *
 * A place is eight words of one array, which is nothing to a garbage collector however many there are. Places are taken one after the other, so that what is executed in a row lies in a
 * row, as memory likes it; with all of them taken the oldest go. A hash table leads to them where there has been a jump.
 */
import type { Cpu } from '../cpu.ts'
import { decode, decodeAt } from '../isa/decode.ts'
import { MAX_LENGTH } from '../isa/decoding.ts'
import { CS, type Insn, type Mode } from '../isa/insn.ts'
import type { Semantics } from '../semantics/emitter.ts'
import { semanticsOf } from '../semantics/index.ts'
import { S_END, S_MODE, S_RIP, S_SEGMENT_BASES } from '../state.ts'

/** Words of a place: where the instruction lies (-1: nothing does), its address, the place of what came after it the last time, and its bytes. */
const AT = 0
const LOW = 1
const HIGH = 2
const NEXT = 3
const WORD = 4
const SECOND = 5
/** Its bytes, and 16 more in compatibility mode. */
const LENGTH = 6
const SHORT_MODE = 16
/** The next place of the same bucket. */
const CHAIN = 7
const PLACE_LOG2 = 3
const BYTES_COMPARED = 16

const PLACES_LOG2_FIRST = 8
const PLACES_LOG2_MAX = 18
/** 2^32 divided by the golden ratio. */
const SPREAD = 0x9e3779b1

const UNKNOWN: Semantics = () => {}

const PAGE = 4096
const NONE = -1
/** What leaves out of a word the bytes that are not an instruction's own, by its length and SHORT_MODE. */
const maskOf = (bytes: number): number => (bytes >= 4 ? -1 : bytes <= 0 ? 0 : (1 << (8 * bytes)) - 1)
const masksFrom = (first: number): Int32Array =>
  Int32Array.from({ length: 2 * SHORT_MODE }, (_, n) => maskOf((n % SHORT_MODE) - first))
const FIRST_MASKS = masksFrom(0)
const SECOND_MASKS = masksFrom(4)
const THIRD_MASKS = masksFrom(8)
const FOURTH_MASKS = masksFrom(12)

const RIP = S_RIP / 4
const MODE = S_MODE / 4
const CS_BASE = (S_SEGMENT_BASES + 8 * CS) / 4

const emptyWords = (log2: number): Int32Array => new Int32Array(1 << log2).fill(NONE)

export class InsnCache {
  readonly #cpu: Cpu
  readonly #view: DataView
  readonly #bytes: Uint8Array
  readonly #state: Int32Array
  #placesLog2 = PLACES_LOG2_FIRST
  #words = emptyWords(PLACES_LOG2_FIRST + PLACE_LOG2)
  /** By place, two words: its bytes beyond eight. Most have none. */
  #tails = emptyWords(PLACES_LOG2_FIRST + 1)
  /** By place. */
  readonly #insns: Insn[] = []
  readonly #semantics: Semantics[] = []
  /** The one that is taken next. */
  #free = 0
  /** As many as there are places: the first place of each. */
  #buckets = emptyWords(PLACES_LOG2_FIRST)
  /** The place of what `next` or `following` gave the last time; NONE: it has none. */
  #place = NONE
  /** What it means, and its address. */
  semantics: Semantics = UNKNOWN
  low = 0
  high = 0

  constructor(cpu: Cpu) {
    this.#cpu = cpu
    this.#view = cpu.view
    this.#bytes = new Uint8Array(cpu.view.buffer)
    this.#state = new Int32Array(cpu.view.buffer, cpu.base, S_END / 4)
  }

  /** The instruction at RIP; undefined is #UD. Throws Fault. */
  next(): Insn | undefined {
    const state = this.#state
    const low = state[RIP]!
    const high = state[RIP + 1]!
    const isLong = state[MODE] === 64
    const at = isLong ? this.#cpu.fetch(low, high) : this.#cpu.fetch((low + state[CS_BASE]!) | 0, 0)
    const before = this.#place
    this.low = low
    this.high = high
    let place = before < 0 ? NONE : this.#words[(before << PLACE_LOG2) + NEXT]!
    if (place < 0 || !this.#isThere(place, at, low, high, isLong)) place = this.#findMoved(at, low, high, isLong)
    this.#place = place
    const insn = place < 0 ? this.#decode(at, low, high, isLong ? 64 : 32) : this.#found(place)
    if (before >= 0) this.#words[(before << PLACE_LOG2) + NEXT] = this.#place
    return insn
  }

  /**
   * The same where the last one has not jumped, and nothing has happened since to where addresses lead: what lies behind it, on the same page. Undefined: `next` has to look.
   */
  following(): Insn | undefined {
    const words = this.#words
    if (this.#place < 0) return undefined
    const last = this.#place << PLACE_LOG2
    const place = words[last + NEXT]!
    const coded = words[last + LENGTH]!
    const low = (words[last + LOW]! + (coded & (SHORT_MODE - 1))) | 0
    const at = words[last + AT]! + (coded & (SHORT_MODE - 1))
    // Its first bytes are on the next page, or nobody knows what came after it.
    if ((at & (PAGE - 1)) === 0 || place < 0) return undefined
    if (!this.#isThere(place, at >>> 0, low, this.high, coded < SHORT_MODE)) return undefined
    this.low = low
    this.#place = place
    return this.#found(place)
  }

  #found(place: number): Insn {
    this.semantics = this.#semantics[place]!
    return this.#insns[place]!
  }

  /** The instruction there, if it has been interpreted at this address and is still the same. */
  known(at: number, low: number, high: number, mode: Mode): Insn | undefined {
    const place = this.#find(at)
    return place >= 0 && this.#isThere(place, at, low, high, mode === 64) ? this.#insns[place] : undefined
  }

  #find(at: number): number {
    const words = this.#words
    let place = this.#buckets[this.#bucketOf(at)]!
    while (place >= 0 && words[(place << PLACE_LOG2) + AT] !== (at | 0)) place = words[(place << PLACE_LOG2) + CHAIN]!
    return place
  }

  /** The place of what lies there. Another program may have it at another address: it is the same instruction. */
  #findMoved(at: number, low: number, high: number, isLong: boolean): number {
    const place = this.#find(at)
    if (place < 0 || !this.#isSame(place, at, isLong)) return NONE
    this.#words[(place << PLACE_LOG2) + LOW] = low
    this.#words[(place << PLACE_LOG2) + HIGH] = high
    return place
  }

  #bucketOf(at: number): number {
    return Math.imul(at, SPREAD) >>> (32 - this.#placesLog2)
  }

  #isThere(place: number, at: number, low: number, high: number, isLong: boolean): boolean {
    const words = this.#words
    const i = place << PLACE_LOG2
    if (words[i + AT] !== (at | 0) || words[i + LOW] !== low || words[i + HIGH] !== high) return false
    return this.#isSame(place, at, isLong)
  }

  /** The bytes are what they were. */
  #isSame(place: number, at: number, isLong: boolean): boolean {
    const words = this.#words
    const view = this.#view
    const i = place << PLACE_LOG2
    const length = words[i + LENGTH]!
    if (isLong !== length < SHORT_MODE) return false
    if (((view.getInt32(at, true) ^ words[i + WORD]!) & FIRST_MASKS[length]!) !== 0) return false
    const second = SECOND_MASKS[length]!
    if (second === 0) return true
    if (((view.getInt32(at + 4, true) ^ words[i + SECOND]!) & second) !== 0) return false
    return second !== -1 || this.#isTail(place, at + 8, length)
  }
  #isTail(place: number, at: number, length: number): boolean {
    const view = this.#view
    const third = (view.getInt32(at, true) ^ this.#tails[2 * place]!) & THIRD_MASKS[length]!
    return third === 0 && ((view.getInt32(at + 4, true) ^ this.#tails[2 * place + 1]!) & FOURTH_MASKS[length]!) === 0
  }

  #decode(at: number, low: number, high: number, mode: Mode): Insn | undefined {
    const left = PAGE - (at % PAGE)
    const isWhole = left >= MAX_LENGTH && this.#isComparable(at)
    const insn = isWhole ? decodeAt(this.#bytes, at, mode) : this.#decodeSlowly(at, left, low, high, mode)
    const semantics = insn && semanticsOf(insn.row)
    if (!semantics) return undefined
    this.semantics = semantics
    if (insn.length <= left && this.#isComparable(at)) this.#keep(insn, semantics, at, low, high)
    return insn
  }
  /** There is as much memory as comparing reads. */
  #isComparable(at: number): boolean {
    return at + BYTES_COMPARED <= this.#bytes.length
  }

  /** Byte by byte: it may go on on the next page. */
  #decodeSlowly(at: number, left: number, low: number, high: number, mode: Mode): Insn | undefined {
    const start = mode === 64 ? low : low + this.#state[CS_BASE]!
    return decode((offset) => {
      const where = offset < left ? at + offset : this.#behind(start, high, offset, mode)
      return this.#view.getUint8(where)
    }, mode)
  }
  /** Where a byte lies that is on the next page. */
  #behind(low: number, high: number, offset: number, mode: Mode): number {
    const linear = BigInt(low >>> 0) + BigInt(offset) + (mode === 64 ? BigInt(high) << 32n : 0n)
    return this.#cpu.translate(BigInt.asUintN(mode, linear), 'fetch')
  }

  #keep(insn: Insn, semantics: Semantics, at: number, low: number, high: number): void {
    const place = this.#take()
    // Whoever asks for what lies there would find only one of the two.
    this.#remove(at | 0)
    const view = this.#view
    const i = place << PLACE_LOG2
    const words = this.#words
    words[i + AT] = at
    words[i + LOW] = low
    words[i + HIGH] = high
    // Most often it is what is decoded next.
    words[i + NEXT] = (place + 1) % (1 << this.#placesLog2)
    words[i + WORD] = view.getInt32(at, true)
    words[i + SECOND] = view.getInt32(at + 4, true)
    words[i + LENGTH] = insn.length + (insn.mode === 64 ? 0 : SHORT_MODE)
    this.#tails[2 * place] = view.getInt32(at + 8, true)
    this.#tails[2 * place + 1] = view.getInt32(at + 12, true)
    this.#insns[place] = insn
    this.#semantics[place] = semantics
    this.#place = place
    this.#enter(place)
  }

  /** A place that nothing has; the oldest one's, if all are taken. */
  #take(): number {
    if (this.#free === 1 << PLACES_LOG2_MAX) this.#free = 0
    const place = this.#free++
    if (place === 1 << this.#placesLog2) this.#grow()
    const at = this.#words[(place << PLACE_LOG2) + AT]!
    if (at !== NONE) this.#remove(at)
    return place
  }

  #enter(place: number): void {
    const i = place << PLACE_LOG2
    const bucket = this.#bucketOf(this.#words[i + AT]!)
    this.#words[i + CHAIN] = this.#buckets[bucket]!
    this.#buckets[bucket] = place
  }

  /** Nobody finds any more what lies there: neither by its place in memory nor as what follows on something else. */
  #remove(at: number): void {
    const words = this.#words
    const bucket = this.#bucketOf(at)
    let before = NONE
    for (let place = this.#buckets[bucket]!; place >= 0; place = words[(place << PLACE_LOG2) + CHAIN]!) {
      const i = place << PLACE_LOG2
      if (words[i + AT] === at) {
        if (before < 0) this.#buckets[bucket] = words[i + CHAIN]!
        else words[before + CHAIN] = words[i + CHAIN]!
        words[i + AT] = NONE
        return
      }
      before = i
    }
  }

  #grow(): void {
    const words = this.#words
    const places = 1 << this.#placesLog2
    this.#placesLog2++
    this.#words = emptyWords(this.#placesLog2 + PLACE_LOG2)
    this.#words.set(words)
    const tails = this.#tails
    this.#tails = emptyWords(this.#placesLog2 + 1)
    this.#tails.set(tails)
    this.#buckets = emptyWords(this.#placesLog2)
    for (let place = 0; place < places; place++) if (words[(place << PLACE_LOG2) + AT] !== NONE) this.#enter(place)
  }
}
