/**
 * The pages that instructions have been fetched from through one page table, where they lie, and the entries of page tables that say so. As long as a flush finds all of these
 * as they were, a walk would come to the same places again and leave no trace: then the pages are kept, as if they had been fetched from anew at once, which a processor may do
 * at any time. So addresses need not be chained to translated code anew after each of a kernel's many flushes. Otherwise all is forgotten.
 */

/** In an entry's lower half, what a fetch neither asks for nor changes: WRITABLE, DIRTY, and what is for software. */
const OF_NO_MATTER = (1 << 1) | (1 << 6) | (7 << 9)
const WORDS = 3
/** If the pages depend on more entries than that, no flush looks at them: they are forgotten. */
const ENTRIES_MAX = 4096

const TABLE_BYTES = 4096

export class CodePages {
  /** By address / 4096. */
  readonly #places = new Map<number, number>()
  /** The memory's words. */
  readonly #words: Int32Array
  /** Offset of the top page table. */
  #root = -1
  /** The top table's entries, by their offsets in it, and those of all others, by their offsets in the memory: their numbers. */
  readonly #ofRoot = new Map<number, number>()
  readonly #ofTables = new Map<number, number>()
  /** For each entry: its first word's index (in the top table, if it is of that), and what its two were. */
  readonly #entries = new Int32Array(WORDS * ENTRIES_MAX)
  readonly #isOfRoot = new Uint8Array(ENTRIES_MAX)
  #count = 0
  /** An entry has changed while pages depended on it, or there are too many. */
  #isLost = false

  constructor(memory: ArrayBuffer) {
    this.#words = new Int32Array(memory)
  }

  get isEmpty(): boolean {
    return this.#places.size === 0
  }
  /** Where a page lies; undefined: nothing has been fetched from it. */
  get(page: number): number | undefined {
    return this.#places.get(page)
  }

  /** `path`: the entries from the top table down to the page's own, which is number `leaf`, just after a fetch has walked there. */
  add(page: number, at: number, path: readonly number[], leaf: number): void {
    this.#places.set(page, at)
    const top = path[0]!
    this.#root = top - (top % TABLE_BYTES)
    this.#depend(this.#ofRoot, top % TABLE_BYTES, top, 1)
    for (let level = 1; level <= leaf; level++) this.#depend(this.#ofTables, path[level]!, path[level]!, 0)
  }

  #depend(known: Map<number, number>, key: number, at: number, isOfRoot: number): void {
    const low = this.#words[at >>> 2]! & ~OF_NO_MATTER
    const high = this.#words[(at >>> 2) + 1]!
    const n = known.get(key)
    if (n !== undefined) {
      // The other pages have come another way: that this entry may be as it was once more does not make both right.
      const i = n * WORDS
      if (this.#entries[i + 1] !== low || this.#entries[i + 2] !== high) this.#isLost = true
    } else if (this.#count === ENTRIES_MAX) this.#isLost = true
    else {
      known.set(key, this.#count)
      this.#entries.set([key >>> 2, low, high], this.#count * WORDS)
      this.#isOfRoot[this.#count] = isOfRoot
      this.#count++
    }
  }

  /** Whether walks from a top table, by its offset (negative: it is no RAM), find all pages where they lie, without a trace. */
  isSameFrom(root: number): boolean {
    if (this.#isLost || root < 0) return false
    const words = this.#words
    const entries = this.#entries
    for (let n = 0, i = 0; n < this.#count; n++, i += WORDS) {
      const at = this.#isOfRoot[n] === 1 ? (root >>> 2) + entries[i]! : entries[i]!
      if ((words[at]! & ~OF_NO_MATTER) !== entries[i + 1] || words[at + 1] !== entries[i + 2]) return false
    }
    this.#root = root
    return true
  }
  /** The same, from the top table that it was. */
  isSame(): boolean {
    return this.isSameFrom(this.#root)
  }

  clear(): void {
    this.#places.clear()
    this.#ofRoot.clear()
    this.#ofTables.clear()
    this.#count = 0
    this.#isLost = false
  }
}
