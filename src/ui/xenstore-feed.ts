/**
 * From the worker's lines to the page's XenStore: each is read once and told to all. A daemon that starts anew may say fifty thousand at a time, so what
 * takes longer than a part of a frame goes on after the next one, in order.
 */
import { parseAccess, type StoreChange, StoreTree } from '#protocol/xenstore-tree.ts'

/** So long at a time, and so long where many lines wait: a page must not stay behind what happens. */
const SLICE_MS = 6
const LONG_SLICE_MS = 20
const WAITING_MANY = 20_000
/** Lines between two looks at the clock. */
const LINES_MAX = 64

export interface FeedParts {
  readonly nowMs: () => number
  /** After others had their turn: a frame, a key. */
  readonly later: (run: () => void) => void
  /** Nobody sees a frame. */
  readonly isHidden: () => boolean
  /** What has been done to the tree since the last time. */
  readonly onChanges: (changes: readonly StoreChange[]) => void
}

export interface XenstoreFeed {
  readonly tree: StoreTree
  receive(lines: readonly string[], atNs: readonly number[]): void
  /** The daemon is gone, and what it has said that was not told yet. */
  clear(): void
}

interface Batch {
  readonly lines: readonly string[]
  readonly atNs: readonly number[]
  at: number
}

export function createXenstoreFeed({ nowMs, later, isHidden, onChanges }: FeedParts): XenstoreFeed {
  const tree = new StoreTree()
  let batches: Batch[] = []
  let waiting = 0
  let isScheduled = false

  function sliceMs(): number {
    if (isHidden()) return Number.POSITIVE_INFINITY
    return waiting > WAITING_MANY ? LONG_SLICE_MS : SLICE_MS
  }

  function work(): void {
    const untilMs = nowMs() + sliceMs()
    const changes: StoreChange[] = []
    let done = 0
    while (done < batches.length && nowMs() < untilMs) if (take(batches[done]!, changes)) done++
    batches = batches.slice(done)
    if (changes.length > 0) onChanges(changes)
    if (batches.length === 0 || isScheduled) return
    isScheduled = true
    later(() => {
      isScheduled = false
      work()
    })
  }

  /** Some lines of `batch`; true: those were all. */
  function take(batch: Batch, changes: StoreChange[]): boolean {
    const { lines, atNs } = batch
    const end = Math.min(lines.length, batch.at + LINES_MAX)
    waiting -= end - batch.at
    for (; batch.at < end; batch.at++) {
      const change = parseAccess(lines[batch.at]!, atNs[batch.at])
      if (!change) continue
      tree.apply(change)
      changes.push(change)
    }
    return end === lines.length
  }

  return {
    tree,
    receive(lines, atNs) {
      batches.push({ lines, atNs, at: 0 })
      waiting += lines.length
      if (!isScheduled) work()
    },
    clear() {
      batches = []
      waiting = 0
      if (!tree.root) return
      tree.clear()
      onChanges([])
    },
  }
}
