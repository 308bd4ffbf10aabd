/** Timers by the time at which they are due; those due at the same time in the order in which they were set. */
export interface HeapTimer {
  readonly dueNs: number
  readonly order: number
  readonly expired: () => void
  cancelled: boolean
}

const before = (a: HeapTimer, b: HeapTimer): boolean => a.dueNs < b.dueNs || (a.dueNs === b.dueNs && a.order < b.order)

export class TimerHeap {
  readonly #heap: HeapTimer[] = []
  #order = 0
  #cancelled = 0

  add(dueNs: number, expired: () => void): HeapTimer {
    const timer: HeapTimer = { dueNs, order: this.#order++, expired, cancelled: false }
    this.#heap.push(timer)
    this.#up(this.#heap.length - 1)
    return timer
  }

  cancel(timer: HeapTimer): void {
    if (timer.cancelled) return
    timer.cancelled = true
    // Most timers are cancelled: when half of the heap is, it is built anew.
    if (++this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) {
      const live = this.#heap.filter(({ cancelled }) => !cancelled).sort((a, b) => (before(a, b) ? -1 : 1))
      this.#heap.length = 0
      for (const kept of live) this.#heap.push(kept)
      this.#cancelled = 0
    }
  }

  /** The earliest that is still to come. */
  get first(): HeapTimer | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.cancelled) {
      this.#pop()
      this.#cancelled--
    }
    return this.#heap[0]
  }

  /** Take the first if it is due by `nowNs`. It counts as cancelled from then on. */
  takeDue(nowNs: number): HeapTimer | undefined {
    const { first } = this
    if (!first || first.dueNs > nowNs) return undefined
    this.#pop()
    first.cancelled = true
    return first
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    heap[0] = last
    let at = 0
    for (;;) {
      const left = at * 2 + 1
      if (left >= heap.length) return
      const right = left + 1
      const least = right < heap.length && before(heap[right]!, heap[left]!) ? right : left
      if (!before(heap[least]!, heap[at]!)) return
      this.#swap(at, least)
      at = least
    }
  }

  #up(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!before(this.#heap[at]!, this.#heap[parent]!)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = kept
  }
}
