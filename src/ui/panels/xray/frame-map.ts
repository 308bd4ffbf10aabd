/**
 * Who owns the machine's frames, counted, and which cells of the picture have changed: frames change hands by the ten thousand when a domain is made,
 * and only what changed is drawn again.
 */
import { TRACE_NO_RAM } from '#abi/tracer.ts'

/** What a cell's frames are: owners with their counts, most frames first. */
export type CellOwners = readonly (readonly [owner: number, frames: number])[]

export class FrameMap {
  #owners: Uint16Array = new Uint16Array(0)
  readonly #counts = new Map<number, number>()
  #framesPerCell = 1
  /** By cell: when it changed last, in ms of the page; below 0: not since it was looked at first. */
  #changedAt = new Float64Array(0)
  #isPending = new Uint8Array(0)
  #pending: number[] = []
  /** Nothing drawn so far is worth keeping. */
  isNew = true

  get owners(): Uint16Array {
    return this.#owners
  }

  /** Frames by owner. */
  get counts(): ReadonlyMap<number, number> {
    return this.#counts
  }

  /** All is new: `owners` is a view that changes under this map, by what `change` is told right before. */
  reset(owners: Uint16Array): void {
    this.#owners = owners
    this.#counts.clear()
    // A few runs, each of thousands.
    for (let i = 0; i < owners.length; ) {
      const owner = owners[i]!
      let end = i + 1
      while (end < owners.length && owners[end] === owner) end++
      this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + end - i)
      i = end
    }
    this.grain(this.#framesPerCell)
  }

  /** From now on cells are of so many frames. */
  grain(framesPerCell: number): void {
    this.#framesPerCell = framesPerCell
    const cells = Math.ceil(this.#owners.length / framesPerCell)
    this.#changedAt = new Float64Array(cells).fill(-1)
    this.#isPending = new Uint8Array(cells)
    this.#pending = []
    this.isNew = true
  }

  /** Frames of this map are about to be `owner`'s. False when they lie beyond it: after that it has to be reset. */
  change(first: number, count: number, owner: number, nowMs: number): boolean {
    const end = first + count
    if (first < 0 || end > this.#owners.length) return false
    let moved = 0
    for (let mfn = first; mfn < end; mfn++) {
      const before = this.#owners[mfn]!
      if (before === owner) continue
      this.#counts.set(before, this.#counts.get(before)! - 1)
      moved++
      this.#mark(Math.floor(mfn / this.#framesPerCell), nowMs)
    }
    if (moved > 0) this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + moved)
    return true
  }

  #mark(cell: number, nowMs: number): void {
    this.#changedAt[cell] = nowMs
    if (this.#isPending[cell]) return
    this.#isPending[cell] = 1
    this.#pending.push(cell)
  }

  /** Cells to draw; they are forgotten unless `again` is called for them. */
  takePending(): readonly number[] {
    const taken = this.#pending
    this.#pending = []
    for (const cell of taken) this.#isPending[cell] = 0
    return taken
  }

  /** Draw it once more next time: it still flashes. */
  again(cell: number): void {
    if (this.#isPending[cell]) return
    this.#isPending[cell] = 1
    this.#pending.push(cell)
  }

  changedAt(cell: number): number {
    return this.#changedAt[cell] ?? -1
  }

  /** The owner of a cell whose frames are one's; undefined: there are several. */
  soleOwner(cell: number): number | undefined {
    const first = cell * this.#framesPerCell
    const end = Math.min(first + this.#framesPerCell, this.#owners.length)
    const owner = this.#owners[first]
    for (let mfn = first + 1; mfn < end; mfn++) if (this.#owners[mfn] !== owner) return undefined
    return owner
  }

  cellOwners(cell: number): CellOwners {
    const first = cell * this.#framesPerCell
    const end = Math.min(first + this.#framesPerCell, this.#owners.length)
    const counts = new Map<number, number>()
    for (let mfn = first; mfn < end; mfn++) counts.set(this.#owners[mfn]!, (counts.get(this.#owners[mfn]!) ?? 0) + 1)
    return [...counts].sort(([, a], [, b]) => b - a)
  }
}

export interface LegendRow {
  readonly owner: number
  readonly frames: number
  /** Tenths of a MiB; the rows' add up to the total's. */
  readonly tenths: number
}

const FRAMES_A_TENTH = 25.6

/**
 * In the order that `order` gives; what is no RAM counts for nothing. So that what is shown adds up, the last row, of free frames, has what the others'
 * rounding leaves.
 */
export function legendRows(counts: ReadonlyMap<number, number>, order: (owner: number) => number): LegendRow[] {
  const rows = [...counts]
    .filter(([owner, frames]) => owner !== TRACE_NO_RAM && frames > 0)
    .sort(([a], [b]) => order(a) - order(b))
    .map(([owner, frames]) => ({ owner, frames, tenths: Math.round(frames / FRAMES_A_TENTH) }))
  const total = Math.round(rows.reduce((sum, { frames }) => sum + frames, 0) / FRAMES_A_TENTH)
  const others = rows.slice(0, -1).reduce((sum, { tenths }) => sum + tenths, 0)
  return rows.map((row, i) => (i === rows.length - 1 ? { ...row, tenths: Math.max(0, total - others) } : row))
}
