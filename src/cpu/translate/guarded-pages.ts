/** Pages of the memory with translated code: which regions have bytes there, so that whoever writes to them makes nobody run what is no more. */
import type { KeptRegion } from './library.ts'

/** A region where the memory has its bytes. */
export interface Translated {
  readonly region: KeptRegion
  /** Pages of linear addresses, and where they lie. */
  readonly pages: ReadonlyMap<number, number>
  /** In the dispatcher's table. */
  readonly index: number
}

interface GuardedPage {
  readonly regions: Set<Translated>
  /** Which of its lines have code. */
  readonly lines: Uint8Array
}

const PAGE_BYTES = 4096
const LINE_BYTES = 64
const NONE: ReadonlySet<Translated> = new Set()

export class GuardedPages {
  readonly #pages = new Map<number, GuardedPage>()
  readonly #guarding: (page: number, hasCode: boolean) => void

  /** `guarding`: told of pages that have code from now on, or none any more. */
  constructor(guarding: (page: number, hasCode: boolean) => void) {
    this.#guarding = guarding
  }

  has(page: number): boolean {
    return this.#pages.has(page)
  }

  /** Whether there is code near these bytes, which are of one page. */
  hasCode(at: number, length: number): boolean {
    const offset = at % PAGE_BYTES
    const guarded = this.#pages.get(at - offset)
    if (!guarded) return false
    const last = Math.floor((offset + length - 1) / LINE_BYTES)
    for (let line = Math.floor(offset / LINE_BYTES); line <= last; line++) if (guarded.lines[line] !== 0) return true
    return false
  }

  /** Regions with any of these bytes, which are of one page. */
  regionsAt(at: number, length: number): Translated[] {
    const { regions } = this.#pages.get(at - (at % PAGE_BYTES)) ?? { regions: NONE }
    return [...regions].filter((each) =>
      placesOf(each).some(([from, bytes]) => from < at + length && at < from + bytes),
    )
  }

  add(each: Translated): void {
    for (const at of each.pages.values()) {
      const there = this.#pages.get(at)
      if (there) there.regions.add(each)
      else {
        this.#pages.set(at, { regions: new Set([each]), lines: new Uint8Array(PAGE_BYTES / LINE_BYTES) })
        this.#guarding(at, true)
      }
    }
    this.#mark(each)
  }

  remove(each: Translated): void {
    for (const at of each.pages.values()) {
      const there = this.#pages.get(at)!
      there.regions.delete(each)
      if (there.regions.size === 0) {
        this.#pages.delete(at)
        this.#guarding(at, false)
      } else there.lines.fill(0)
    }
    for (const at of each.pages.values()) for (const other of this.#pages.get(at)?.regions ?? []) this.#mark(other)
  }

  #mark(each: Translated): void {
    for (const [from, bytes] of placesOf(each))
      for (let at = from - (from % LINE_BYTES); at < from + bytes; at += LINE_BYTES)
        this.#pages.get(at - (at % PAGE_BYTES))!.lines[(at % PAGE_BYTES) / LINE_BYTES] = 1
  }
}

/** Where its bytes lie in the memory. */
const placesOf = ({ region, pages }: Translated): readonly (readonly [at: number, bytes: number])[] =>
  region.pieces.map(({ page, offset, bytes }) => [pages.get(page)! + offset, bytes.length])
