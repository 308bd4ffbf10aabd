/** Getting frames back (Linux: mm/vmscan.c): kswapd in the background, and whoever needs one and finds none. */
import type { Core } from '../core.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'
import { outOfMemory } from './oom.ts'

/** SWAP_CLUSTER_MAX: so many at a time. */
const CLUSTER = 32
/** schedule_timeout_uninterruptible(1): a jiffy, for the one that was killed to get out. */
const JIFFY_NS = 10_000_000

export interface ReclaimCounts {
  /** Frames that kswapd freed, and direct reclaim; kills. */
  kswapd: number
  direct: number
  kills: number
}

export function startReclaim(core: Core): ReclaimCounts {
  const { pages, sched } = core
  const counts: ReclaimCounts = { kswapd: 0, direct: 0, kills: 0 }
  const wanted = new WaitQueue()

  function* shrinkAll(count: number): Sleeping<number> {
    const task = sched.current
    task.reclaiming = true
    let freed = 0
    try {
      for (const shrinker of pages.shrinkers) {
        if (freed >= count) break
        freed += yield* shrinker.shrink(count - freed)
      }
    } finally {
      task.reclaiming = false
    }
    return freed
  }

  sched.kthread('kswapd0', function* () {
    for (;;) {
      yield* sched.sleepOn(wanted, { interruptible: true })
      while (pages.free < pages.high) {
        const freed = yield* shrinkAll(CLUSTER)
        if (freed === 0) break
        counts.kswapd += freed
      }
    }
  })
  pages.wakeKswapd = () => {
    if (!wanted.empty) wanted.wakeUp()
  }
  pages.mayUseReserves = () => {
    const { current } = sched
    return current.reclaiming || current.memDie
  }
  pages.reclaimSome = function* () {
    const freed = yield* shrinkAll(CLUSTER)
    counts.direct += freed
    return freed > 0
  }
  pages.outOfPages = function* () {
    const { current } = sched
    // Nothing is left, not even for those who may have it.
    if (current.reclaiming || current.memDie) return false
    const freed = yield* shrinkAll(CLUSTER)
    counts.direct += freed
    if (freed > 0 || pages.free > pages.min) return true
    const victim: TaskStruct | undefined = outOfMemory(core, counts)
    if (victim === current) return false
    yield* sched.sleepFor(JIFFY_NS, { interruptible: false })
    return true
  }
  return counts
}
