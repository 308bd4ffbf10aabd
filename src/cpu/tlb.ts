/**
 * The software TLB as it lies in the memory: for each page of linear addresses that it has, one tag for reads and one for writes (the page's address, or all ones), and
 * what has to be added to an address, modulo 2^32, to find its byte in the memory. Translated code looks at it in line; only vcpu.ts and mmu.ts fill it.
 */

export const TLB_READ = 0
export const TLB_WRITE = 8
export const TLB_ADDEND = 16
/** 1: the page may be written to, even if its tag for writes is not there because it has translated code. */
const TLB_WRITABLE = 20
const ENTRY_BYTES = 32
const ENTRIES = 1024
export const TLB_BYTES = ENTRIES * ENTRY_BYTES
/** An entry's offset is (address >> 7) & 0x7fe0: bits 12 to 21 of the address. */
export const TLB_INDEX_SHIFT = 7
export const TLB_INDEX_MASK = (ENTRIES - 1) * ENTRY_BYTES
/** No page's address, since they end in zeros. */
const NOTHING = -1
/** As long as so few entries are in use, they are emptied one by one. */
const FEW = 128

export class Tlb {
  readonly #words: Int32Array
  readonly #first: number
  /** Entries that are in use, by their first word's index; more than FEW: too many to remember. */
  readonly #used: number[] = []

  /** `at`: offset in the memory, a multiple of 8. */
  constructor(memory: ArrayBuffer, at: number) {
    this.#words = new Int32Array(memory)
    this.#first = at >>> 2
    this.#words.fill(NOTHING, this.#first, this.#first + TLB_BYTES / 4)
  }

  #entry(low: number): number {
    return this.#first + (((low >>> TLB_INDEX_SHIFT) & TLB_INDEX_MASK) >>> 2)
  }

  /** Offset in the memory of an address, given as its halves; -1: not here. */
  find(low: number, high: number, write: boolean): number {
    const words = this.#words
    const at = this.#entry(low)
    if (words[at] !== (low & ~0xfff) || words[at + 1] !== (high | 0)) return -1
    if (write && words[at + (TLB_WRITABLE >>> 2)] !== 1) return -1
    return (low + words[at + (TLB_ADDEND >>> 2)]!) >>> 0
  }

  /**
   * The page of `low` and `high` begins at offset `page` of the memory. Once it may be written to, that remains so until it is flushed. `guarded`: it has code, translated
   * stores have to ask.
   */
  fill(low: number, high: number, page: number, write: boolean, guarded: boolean): void {
    const words = this.#words
    const at = this.#entry(low)
    const tag = low & ~0xfff
    const writable = write || this.find(low, high, true) >= 0
    words[at] = tag
    words[at + 1] = high | 0
    words[at + (TLB_ADDEND >>> 2)] = (page - tag) | 0
    words[at + (TLB_WRITABLE >>> 2)] = writable ? 1 : 0
    const writeTag = at + (TLB_WRITE >>> 2)
    const open = writable && !guarded
    words[writeTag] = open ? tag : NOTHING
    words[writeTag + 1] = open ? high | 0 : NOTHING
    if (this.#used.length <= FEW) this.#used.push(at)
  }

  flush(): void {
    if (this.#used.length > FEW) this.#words.fill(NOTHING, this.#first, this.#first + TLB_BYTES / 4)
    else for (const at of this.#used) this.#empty(at)
    this.#used.length = 0
  }

  flushPage(low: number, high: number): void {
    const at = this.#entry(low)
    if (this.#words[at] === (low & ~0xfff) && this.#words[at + 1] === (high | 0)) this.#empty(at)
  }

  /** Whatever page of linear addresses leads to this page of the memory is not written to without asking. */
  protect(page: number): void {
    const words = this.#words
    for (let at = this.#first; at < this.#first + TLB_BYTES / 4; at += ENTRY_BYTES / 4) {
      const writeTag = at + (TLB_WRITE >>> 2)
      const low = words[writeTag]!
      if (low === NOTHING || (low + words[at + (TLB_ADDEND >>> 2)]!) >>> 0 !== page) continue
      words[writeTag] = NOTHING
      words[writeTag + 1] = NOTHING
    }
  }

  #empty(at: number): void {
    this.#words.fill(NOTHING, at, at + ENTRY_BYTES / 4)
  }
}
