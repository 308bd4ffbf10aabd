/**
 * The page walk of long mode as CPL 3 sees it (AMD APM volume 2, 5.3 to 5.6; Intel SDM volume 3, 4.5 to 4.8): four levels, pages of 4 KiB, 2 MiB and 1 GiB, NX, accessed
 * and dirty bits. Addresses come as their 32-bit halves, so that no walk needs a BigInt.
 */
import { Fault, GP, PF, PF_FETCH, PF_PRESENT, PF_RESERVED, PF_USER, PF_WRITE, SS_FAULT } from './fault.ts'

const PRESENT = 1 << 0
const WRITABLE = 1 << 1
const USER = 1 << 2
const ACCESSED = 1 << 5
const DIRTY = 1 << 6
const PAGE_SIZE = 1 << 7
/** In the upper half. */
const NO_EXECUTE = 0x80000000
/** Bits 51 to 40, in the upper half: physical addresses have 40 bits. */
const RESERVED_HIGH = 0x000fff00
const ADDRESS_HIGH = 0x000000ff

/** What the processor is for: to look, without a trace and without faults; or as an access does it. */
export type WalkAccess = 'peek' | 'read' | 'write' | 'fetch'

/**
 * Where a machine frame lies in the memory, with its bytes as they should be: before a frame is read, and before it is written to, somebody may have to do something.
 * Negative: there is no RAM.
 */
export type PageOf = (frame: number, write: boolean) => number

export const isCanonical = (high: number): boolean => {
  const upper = high >> 15
  return upper === 0 || upper === -1
}

/** #GP(0), or #SS(0) for stack accesses. */
export const notCanonical = (stack: boolean): Fault => new Fault(stack ? SS_FAULT : GP, 0)

export class Mmu {
  readonly #view: DataView
  readonly #pageOf: PageOf
  readonly #wrote: (at: number, length: number) => void
  /** Offsets of the entries on the last walk's way down, and which of them was the page's own. */
  readonly path: number[] = [0, 0, 0, 0]
  leaf = 0

  /** `wrote`: told of entries whose accessed and dirty bits have changed. */
  constructor(view: DataView, pageOf: PageOf, wrote: (at: number, length: number) => void) {
    this.#view = view
    this.#pageOf = pageOf
    this.#wrote = wrote
  }

  /** Offset in the memory of the page (of 4 KiB) that an address lies in; -1 for a `peek` that would fault. `cr3`: the top table's frame. */
  walk(cr3: number, low: number, high: number, access: WalkAccess): number {
    const view = this.#view
    let frame = cr3
    let rights = WRITABLE | USER
    let noExecute = false
    for (let level = 0; level < 4; level++) {
      const table = this.#pageOf(frame, true)
      const index =
        level === 0 ? high >>> 7 : level === 1 ? (high << 2) | (low >>> 30) : low >>> (level === 2 ? 21 : 12)
      const at = table + (index & 511) * 8
      const entry = table < 0 ? 0 : view.getUint32(at, true)
      const upper = table < 0 ? 0 : view.getUint32(at + 4, true)
      if ((entry & PRESENT) === 0) return this.#fault(0, low, high, access)
      if ((upper & RESERVED_HIGH) !== 0 || (level === 0 && (entry & PAGE_SIZE) !== 0))
        return this.#fault(PF_PRESENT | PF_RESERVED, low, high, access)
      rights &= entry
      noExecute ||= (upper & NO_EXECUTE) !== 0
      this.path[level] = at
      frame = (upper & ADDRESS_HIGH) * 2 ** 20 + (entry >>> 12)
      const large = (level === 1 || level === 2) && (entry & PAGE_SIZE) !== 0
      if (large) {
        const mask = level === 1 ? 0x3ffff : 0x1ff
        // Bit 12 is PAT; between it and the address, zeros.
        if ((frame & mask & ~1) !== 0) return this.#fault(PF_PRESENT | PF_RESERVED, low, high, access)
        frame = frame - (frame & mask) + ((low >>> 12) & mask & 0x3ffff)
      }
      if (large || level === 3) return this.#leaf(frame, level, rights, noExecute, low, high, access)
    }
    return -1
  }

  #leaf(
    frame: number,
    level: number,
    rights: number,
    noExecute: boolean,
    low: number,
    high: number,
    access: WalkAccess,
  ): number {
    const allowed =
      (rights & USER) !== 0 && (access !== 'write' || (rights & WRITABLE) !== 0) && !(noExecute && access === 'fetch')
    if (!allowed) return this.#fault(PF_PRESENT, low, high, access)
    const page = this.#pageOf(frame, access === 'write')
    if (page < 0) return this.#fault(PF_PRESENT | PF_RESERVED, low, high, access)
    if (access === 'peek') return page
    this.leaf = level
    const view = this.#view
    for (let n = 0; n <= level; n++) {
      const at = this.path[n]!
      const entry = view.getUint32(at, true)
      const wanted = entry | ACCESSED | (n === level && access === 'write' ? DIRTY : 0)
      if (wanted === entry) continue
      view.setUint32(at, wanted, true)
      this.#wrote(at, 4)
    }
    return page
  }

  #fault(code: number, low: number, high: number, access: WalkAccess): -1 {
    if (access === 'peek') return -1
    const why = PF_USER | (access === 'write' ? PF_WRITE : access === 'fetch' ? PF_FETCH : 0)
    throw new Fault(PF, code | why, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))
  }
}
