/**
 * Compression to DEFLATE (RFC 1951): LZ77 over a window of 32 KiB with hash chains and lazy matching, after the algorithm that RFC 1951
 * describes and gzip's table of levels. Each `run` does a bounded piece of work, so that a program can be preempted between two.
 */
import { BitWriter } from './bit-writer.ts'
import { Block } from './block.ts'
import { MAX_MATCH, MIN_MATCH, WINDOW_BYTES } from './tables.ts'

/** How hard to look: [a match this good is looked beyond less, how long to be lazy for, long enough, links of the chain]. gzip's deflate.c. */
const LEVELS: readonly (readonly [good: number, lazy: number, nice: number, chain: number])[] = [
  [4, 4, 8, 4],
  [4, 5, 16, 8],
  [4, 6, 32, 32],
  [4, 4, 16, 16],
  [8, 16, 32, 32],
  [8, 16, 128, 128],
  [8, 32, 128, 256],
  [32, 128, 258, 1024],
  [32, 258, 258, 4096],
]
/** Levels below this take the first match they find. */
const LAZY_FROM = 4
const HASH_SIZE = 32768
const WINDOW_MASK = WINDOW_BYTES - 1
const MIN_LOOKAHEAD = MAX_MATCH + MIN_MATCH + 1
const MAX_DISTANCE = WINDOW_BYTES - MIN_LOOKAHEAD
/** A match of three bytes from further away costs more than three literals. */
const TOO_FAR = 4096
const NONE = -1
/** Comparisons of one run, more or less. */
const WORK_PER_RUN = 200_000

export class Deflater {
  readonly #good: number
  readonly #lazy: number
  readonly #nice: number
  readonly #chain: number
  readonly #isLazy: boolean
  readonly #window = new Uint8Array(2 * WINDOW_BYTES)
  /** The last position with this hash; and for each position the one before it with the same. */
  readonly #heads = new Int32Array(HASH_SIZE).fill(NONE)
  readonly #before = new Int32Array(WINDOW_BYTES).fill(NONE)
  readonly #block = new Block()
  readonly #out = new BitWriter()
  #input: Uint8Array = new Uint8Array(0)
  #inputAt = 0
  #ended = false
  #finished = false
  #filled = 0
  #at = 0
  #blockStart = 0
  #held = false
  #heldLength = MIN_MATCH - 1
  #heldStart = 0
  /** What `#longest` found. */
  #matchStart = 0
  #work = 0

  constructor(level: number) {
    const row = LEVELS[level - 1]
    if (!row) throw new RangeError('level is not 1 to 9')
    this.#good = row[0]
    this.#lazy = row[1]
    this.#nice = row[2]
    this.#chain = row[3]
    this.#isLazy = level >= LAZY_FROM
  }

  /** More input, when `run` wants some. Kept, not copied. */
  push(bytes: Uint8Array): void {
    if (this.#inputAt < this.#input.length) throw new RangeError('there is still input')
    this.#input = bytes
    this.#inputAt = 0
  }

  /** There is no more input. */
  end(): void {
    this.#ended = true
  }

  /** The last block is out. */
  get done(): boolean {
    return this.#finished
  }

  /** Work for a while: what came out of it, and whether input is wanted. */
  run(): { readonly bytes: Uint8Array; readonly wantsInput: boolean } {
    this.#work = WORK_PER_RUN
    let wantsInput = false
    while (this.#work > 0 && !this.#finished) {
      this.#fill()
      if (this.#filled - this.#at < MIN_LOOKAHEAD && !this.#ended) {
        wantsInput = true
        break
      }
      if (this.#filled === this.#at && this.#inputAt === this.#input.length) {
        if (this.#held) this.#block.literal(this.#window[this.#at - 1]!)
        this.#held = false
        this.#flush(true)
        this.#finished = true
      } else if (this.#isLazy) this.#lazily()
      else this.#greedily()
    }
    return { bytes: this.#out.take(), wantsInput }
  }

  /** Input into the window, which slides when its upper half is nearly used. */
  #fill(): void {
    if (this.#filled - this.#at >= MIN_LOOKAHEAD) return
    if (this.#at >= WINDOW_BYTES + MAX_DISTANCE) {
      this.#window.copyWithin(0, WINDOW_BYTES, this.#filled)
      this.#filled -= WINDOW_BYTES
      this.#at -= WINDOW_BYTES
      this.#blockStart -= WINDOW_BYTES
      this.#heldStart -= WINDOW_BYTES
      this.#matchStart -= WINDOW_BYTES
      const heads = this.#heads
      for (let i = 0; i < heads.length; i++) heads[i] = Math.max(NONE, heads[i]! - WINDOW_BYTES)
      const before = this.#before
      for (let i = 0; i < before.length; i++) before[i] = Math.max(NONE, before[i]! - WINDOW_BYTES)
      this.#work -= 1000
    }
    const count = Math.min(this.#window.length - this.#filled, this.#input.length - this.#inputAt)
    this.#window.set(this.#input.subarray(this.#inputAt, this.#inputAt + count), this.#filled)
    this.#filled += count
    this.#inputAt += count
  }

  /** Enter the three bytes at `at`; the result is where the same hash was last. */
  #insert(at: number): number {
    const window = this.#window
    const hash = ((window[at]! << 10) ^ (window[at + 1]! << 5) ^ window[at + 2]!) & (HASH_SIZE - 1)
    const last = this.#heads[hash]!
    this.#before[at & WINDOW_MASK] = last
    this.#heads[hash] = at
    return last
  }

  /** The longest match of what is at `#at`, longer than `least`, along the chain from `candidate`; or `least`. */
  #longest(candidate: number, least: number): number {
    const window = this.#window
    const before = this.#before
    const at = this.#at
    const room = Math.min(MAX_MATCH, this.#filled - at)
    const limit = Math.max(0, at - MAX_DISTANCE)
    const nice = Math.min(this.#nice, room)
    let links = least >= this.#good ? this.#chain >> 2 : this.#chain
    let best = least
    if (best >= room) return best
    let work = 0
    while (candidate >= limit && links-- > 0) {
      work++
      if (window[candidate + best] === window[at + best] && window[candidate] === window[at]) {
        let length = 1
        while (length < room && window[candidate + length] === window[at + length]) length++
        work += length
        if (length > best) {
          best = length
          this.#matchStart = candidate
          if (length >= nice) break
        }
      }
      const next = before[candidate & WINDOW_MASK]!
      if (next >= candidate) break
      candidate = next
    }
    this.#work -= work
    return best
  }

  #greedily(): void {
    this.#work--
    const left = this.#filled - this.#at
    const candidate = left >= MIN_MATCH ? this.#insert(this.#at) : NONE
    const length = candidate === NONE ? 0 : this.#longest(candidate, MIN_MATCH - 1)
    if (length >= MIN_MATCH) {
      this.#block.match(length, this.#at - this.#matchStart)
      // Long runs are not worth entering at every byte.
      if (length <= this.#lazy) this.#skip(this.#at + 1, this.#at + length)
      this.#at += length
    } else this.#block.literal(this.#window[this.#at++]!)
    if (this.#block.full) this.#flush(false)
  }

  /** A match is taken only if the next byte does not begin a longer one. */
  #lazily(): void {
    this.#work--
    const left = this.#filled - this.#at
    const previous = this.#heldLength
    const previousStart = this.#heldStart
    const candidate = left >= MIN_MATCH ? this.#insert(this.#at) : NONE
    let length = MIN_MATCH - 1
    if (candidate !== NONE && previous < this.#lazy) {
      length = this.#longest(candidate, Math.max(previous, MIN_MATCH - 1))
      if (length <= previous) length = MIN_MATCH - 1
      else if (length === MIN_MATCH && this.#at - this.#matchStart > TOO_FAR) length = MIN_MATCH - 1
    }
    if (previous >= MIN_MATCH && length <= previous) {
      this.#block.match(previous, this.#at - 1 - previousStart)
      this.#skip(this.#at + 1, this.#at - 1 + previous)
      this.#at += previous - 1
      this.#held = false
      this.#heldLength = MIN_MATCH - 1
    } else {
      if (this.#held) this.#block.literal(this.#window[this.#at - 1]!)
      this.#held = true
      this.#heldLength = length
      this.#heldStart = this.#matchStart
      this.#at++
    }
    if (this.#block.full) this.#flush(false)
  }

  /** Enter positions that a match covers. */
  #skip(from: number, to: number): void {
    const end = Math.min(to, this.#filled - MIN_MATCH + 1)
    for (let at = from; at < end; at++) this.#insert(at)
    this.#work -= (to - from) >> 2
  }

  #flush(last: boolean): void {
    // A byte that is held back belongs to the next block.
    const end = this.#held ? this.#at - 1 : this.#at
    const raw = this.#blockStart >= 0 ? this.#window.subarray(this.#blockStart, end) : undefined
    this.#block.flush(this.#out, raw, last)
    this.#blockStart = end
    this.#work -= 5000
  }
}
