/** The marks that changes leave for a moment: where, by whom, and that they go. */

/** A change is marked for so long. */
export const FLASH_MS = 2500

export interface Flash {
  /** Numbers the marks, so that a second one is a mark of its own. */
  readonly id: number
  readonly domid: number
  /** Here, below here (in what is closed), or something that was here is gone. */
  readonly kind: 'here' | 'below' | 'gone'
  readonly untilMs: number
}

export interface Clock {
  after(ms: number, run: () => void): void
  nowMs(): number
}

export class Flashes {
  readonly #clock: Clock
  /** Some have gone. */
  readonly #onGone: () => void
  /** The oldest first. */
  readonly #marks = new Map<string, Flash>()
  #lastId = 0
  #expiring = false

  constructor(clock: Clock, onGone: () => void) {
    this.#clock = clock
    this.#onGone = onGone
  }

  get size(): number {
    return this.#marks.size
  }

  get(path: string): Flash | undefined {
    return this.#marks.get(path)
  }

  entries(): [string, Flash][] {
    return [...this.#marks]
  }

  /** `closed`: the directory that hides it, if one does. */
  add(path: string, closed: string | undefined, kind: 'here' | 'gone', domid: number): void {
    this.#put(path, kind, domid)
    if (closed !== undefined) this.#put(closed, 'below', domid)
    this.#expireLater()
  }

  /** What is marked there is no more. Marks below it have no row to be seen in, and go when their moment is over. */
  drop(path: string): void {
    this.#marks.delete(path)
  }

  /** Without those whose moment is over. */
  prune(): boolean {
    const now = this.#clock.nowMs()
    const count = this.#marks.size
    for (const [path, { untilMs }] of this.#marks) {
      if (untilMs > now) break
      this.#marks.delete(path)
    }
    return this.#marks.size < count
  }

  #put(path: string, kind: Flash['kind'], domid: number): void {
    this.#marks.delete(path)
    this.#marks.set(path, { id: ++this.#lastId, domid, kind, untilMs: this.#clock.nowMs() + FLASH_MS })
  }

  #expireLater(): void {
    if (this.#expiring || this.#marks.size === 0) return
    this.#expiring = true
    this.#clock.after(FLASH_MS / 2, () => {
      this.#expiring = false
      if (this.prune()) this.#onGone()
      this.#expireLater()
    })
  }
}
