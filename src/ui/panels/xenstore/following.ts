/** Where the tree goes when it follows what happens: to the last change, but no faster than an eye can come along. */
import type { Clock } from './flashes.ts'

/** The tree is moved no more often. */
export const FOLLOW_MS = 700
/** So many changes in a picture are all opened to; of more, the last one. */
const CALM_MAX = 16

export interface Step {
  /** To be opened to. */
  readonly open: readonly string[]
  /** To be scrolled to. */
  readonly show: string | undefined
}

export class Following {
  readonly #clock: Clock
  /** It is time for the next step. */
  readonly #onTime: () => void
  /** Since the last picture, the last one last; of many, but a few. */
  #news: string[] = []
  #count = 0
  /** Not shown yet. */
  #newest: string | undefined
  #shownMs = Number.NEGATIVE_INFINITY
  #isWaiting = false

  constructor(clock: Clock, onTime: () => void) {
    this.#clock = clock
    this.#onTime = onTime
  }

  changed(path: string): void {
    this.#count++
    if (this.#news.length === CALM_MAX) this.#news.pop()
    this.#news.push(path)
  }

  /** At a picture; `isThere`: which paths are left of what was, none where nothing is followed. */
  step(isThere: (path: string) => boolean): Step {
    const news = this.#news.filter(isThere)
    const isCalm = this.#count <= CALM_MAX
    this.#news = []
    this.#count = 0
    const newest = news.at(-1) ?? this.#newest
    this.#newest = newest !== undefined && isThere(newest) ? newest : undefined
    if (this.#newest === undefined) return { open: [], show: undefined }
    const waitMs = this.#shownMs + FOLLOW_MS - this.#clock.nowMs()
    const open = isCalm ? news : []
    if (waitMs > 0) {
      this.#later(waitMs)
      return { open, show: undefined }
    }
    const show = this.#newest
    this.#newest = undefined
    this.#shownMs = this.#clock.nowMs()
    return { open: [...open, show], show }
  }

  #later(waitMs: number): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#clock.after(waitMs, () => {
      this.#isWaiting = false
      this.#onTime()
    })
  }
}
