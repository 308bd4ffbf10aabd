/**
 * Who runs next: whoever has had least of the processor for his nice value. (2.6.18's own is O(1) with two arrays; what is seen of it, that
 * sleepers come first and hogs share, is the same.)
 */
import type { TaskStruct } from './task-struct.ts'

/** prio_to_weight: each step of nice is about 10% of the processor. */
const WEIGHTS = [
  88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991,
  1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
]
const NICE_0_WEIGHT = 1024
/** A sleeper is owed this much at most. */
const SLEEPER_NS = 20_000_000
/** A waker's task takes the processor from one that is this much ahead. */
const GRANULARITY_NS = 1_000_000
/** Where several want to run, each has so much at a time. */
const TIME_SLICE_NS = 10_000_000

const weightOf = (nice: number): number => WEIGHTS[nice + 20]!

const before = (a: TaskStruct, b: TaskStruct): boolean =>
  a.vruntime < b.vruntime || (a.vruntime === b.vruntime && a.queueOrder < b.queueOrder)

export class RunQueue {
  readonly #heap: TaskStruct[] = []
  #order = 0
  #floor = 0

  get length(): number {
    return this.#heap.length
  }

  /** `waking`: it slept, and is owed something for that. */
  add(task: TaskStruct, waking: boolean): void {
    if (task.queued) return
    task.queued = true
    task.queueOrder = this.#order++
    const least = waking ? this.#floor - SLEEPER_NS : this.#floor
    if (task.vruntime < least) task.vruntime = least
    const heap = this.#heap
    heap.push(task)
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!before(heap[at]!, heap[parent]!)) break
      swap(heap, at, parent)
      at = parent
    }
  }

  take(): TaskStruct | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last) return undefined
    first.queued = false
    if (first.vruntime > this.#floor) this.#floor = first.vruntime
    if (heap.length === 0) return first
    heap[0] = last
    for (let at = 0; ; ) {
      const left = at * 2 + 1
      if (left >= heap.length) break
      const least = left + 1 < heap.length && before(heap[left + 1]!, heap[left]!) ? left + 1 : left
      if (!before(heap[least]!, heap[at]!)) break
      swap(heap, at, least)
      at = least
    }
    return first
  }

  /** Take note that `task` has run. */
  charge(task: TaskStruct, ns: number): void {
    task.vruntime += (ns * NICE_0_WEIGHT) / weightOf(task.nice)
  }

  /** Whether somebody should run instead of `task`, which has had the processor for `ranNs`. */
  preempts(task: TaskStruct, ranNs: number): boolean {
    const next = this.#heap[0]
    if (!next) return false
    const ahead = task.vruntime - next.vruntime
    return ranNs >= TIME_SLICE_NS ? ahead > 0 : ahead > GRANULARITY_NS && ranNs >= GRANULARITY_NS
  }
}

function swap(heap: TaskStruct[], a: number, b: number): void {
  const kept = heap[a]!
  heap[a] = heap[b]!
  heap[b] = kept
}
