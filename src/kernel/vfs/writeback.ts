/** pdflush, and what keeps writers from filling memory with dirt (Linux: mm/page-writeback.c). */
import type { Kernel } from '../kernel.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import type { Mapping, PageCache } from './page-cache.ts'

/** dirty_writeback_centisecs and dirty_expire_centisecs. */
const WRITEBACK_NS = 5e9
const EXPIRE_NS = 30e9
/** dirty_ratio and dirty_background_ratio, of the pages that could be had at all. */
const DIRTY_RATIO = 0.4
const BACKGROUND_RATIO = 0.1

const dirtyable = ({ pages }: Kernel, cache: PageCache): number => pages.free + cache.reclaimable

export class Writeback {
  readonly #kernel: Kernel
  readonly #cache: PageCache
  readonly #work = new WaitQueue()
  readonly #urgent = new WaitQueue()

  constructor(kernel: Kernel, cache: PageCache) {
    this.#kernel = kernel
    this.#cache = cache
    cache.onDirty = () => this.#work.wakeUp()
  }

  /** The thread: asleep without a timer as long as nothing is dirty. */
  *pdflush(): Sleeping<void> {
    const { sched, time } = this.#kernel
    for (;;) {
      while (this.#cache.dirtyGroups.size === 0) yield* sched.sleepOn(this.#work)
      yield* sched.sleepOn(this.#urgent, { timeoutNs: WRITEBACK_NS })
      const all = this.#over(BACKGROUND_RATIO)
      for (const group of [...this.#cache.dirtyGroups])
        if (all || time.nowNs() - group.dirtySinceNs >= EXPIRE_NS) yield* group.writeAll()
    }
  }

  #over(ratio: number): boolean {
    return this.#cache.dirtyPages > ratio * dirtyable(this.#kernel, this.#cache)
  }

  /** balance_dirty_pages: who has dirtied a page of `mapping` may have to write. */
  *throttle(mapping: Mapping): Sleeping<void> {
    const { dirtyPages } = this.#cache
    if (dirtyPages < 16 || this.#cache.writingBack) return
    if (this.#over(DIRTY_RATIO)) {
      if (mapping.group) yield* mapping.group.writeAll()
      for (const group of [...this.#cache.dirtyGroups]) if (this.#over(DIRTY_RATIO)) yield* group.writeAll()
    } else if (this.#over(BACKGROUND_RATIO)) this.#urgent.wakeUp()
  }
}
