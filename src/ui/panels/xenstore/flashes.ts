/** The marks that changes leave for a moment: where, by whom, and that they go. */
import { isBelow } from './rows.ts'

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
    const flash = { id: ++this.#lastId, domid, untilMs: this.#clock.nowMs() + FLASH_MS }
    this.#marks.set(path, { ...flash, kind })
    if (closed !== undefined) this.#marks.set(closed, { ...flash, kind: 'below' })
    this.#expireLater()
  }

  /** What is marked there is no more. */
  dropBelow(path: string): void {
    for (const marked of this.#marks.keys()) if (isBelow(marked, path)) this.#marks.delete(marked)
  }

  /** Without those whose moment is over. */
  prune(): boolean {
    const now = this.#clock.nowMs()
    const count = this.#marks.size
    for (const [path, { untilMs }] of this.#marks) if (untilMs <= now) this.#marks.delete(path)
    return this.#marks.size < count
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
