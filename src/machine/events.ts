/** Virtual time of the machine: what will happen when, in the order (time, sequence number). */

/** An event that is due, and may still be cancelled. */
export interface Timer {
  readonly atNs: number
  readonly sequence: number
  /** Only serves a person who may type; alone it does not keep turbo running. */
  readonly forInput: boolean
  run: (() => void) | undefined
}

/** A device's view of time. */
export interface Clock {
  /** Now, in ns since power-on: the running processor's own time while one runs. */
  now(): number
  /** Do `run` at `atNs` (at once, in order, when that is past). */
  at(atNs: number, run: () => void): Timer
  cancel(timer: Timer): void
}

export class EventQueue implements Clock {
  #heap: Timer[] = []
  #sequence = 0
  #nowNs = 0
  #live = 0
  /** While a processor runs, its own clock: it may be ahead of the last event. */
  #cpuNow: (() => number) | undefined

  now(): number {
    return this.#cpuNow ? this.#cpuNow() : this.#nowNs
  }

  /** Set while a processor runs, undefined when it stops. */
  followCpu(now: (() => number) | undefined): void {
    this.#cpuNow = now
  }

  at(atNs: number, run: () => void, forInput = false): Timer {
    const timer: Timer = { atNs, sequence: this.#sequence++, forInput, run }
    this.#live++
    const heap = this.#heap
    let i = heap.push(timer) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (before(heap[parent]!, timer)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = timer
    return timer
  }

  cancel(timer: Timer): void {
    if (timer.run === undefined) return
    timer.run = undefined
    this.#live--
  }

  /** Events that have neither run nor been cancelled. */
  get pending(): number {
    return this.#live
  }

  /** When the next event is due; Infinity when there is none. */
  nextNs(): number {
    while (this.#heap.length > 0 && this.#heap[0]!.run === undefined) this.#pop()
    return this.#heap[0]?.atNs ?? Number.POSITIVE_INFINITY
  }

  /** Whether something other than an input timer is due. */
  busy(): boolean {
    return this.#heap.some((timer) => timer.run !== undefined && !timer.forInput)
  }

  /** Run the next event; the clock goes forward to it, never back. */
  runNext(): void {
    if (this.nextNs() === Number.POSITIVE_INFINITY) return
    const timer = this.#pop()
    if (timer.atNs > this.#nowNs) this.#nowNs = timer.atNs
    const run = timer.run!
    timer.run = undefined
    this.#live--
    run()
  }

  /** Nothing happens until `atNs`. */
  advance(atNs: number): void {
    if (atNs > this.#nowNs) this.#nowNs = atNs
  }

  #pop(): Timer {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      let i = 0
      for (;;) {
        let child = 2 * i + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
        if (before(last, heap[child]!)) break
        heap[i] = heap[child]!
        i = child
      }
      heap[i] = last
    }
    return top
  }
}

const before = (a: Timer, b: Timer): boolean => a.atNs < b.atNs || (a.atNs === b.atNs && a.sequence < b.sequence)
