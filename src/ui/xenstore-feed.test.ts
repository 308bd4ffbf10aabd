/** The page's fold of the trace: in order, all of it, and no longer at a time than a frame allows. */
import { expect, test } from 'vitest'
import type { StoreChange } from '#protocol/xenstore-tree.ts'
import { createXenstoreFeed } from './xenstore-feed.ts'

/** Each look at the clock takes a millisecond. */
function rig() {
  let now = 0
  const waiting: (() => void)[] = []
  const told: (readonly StoreChange[])[] = []
  const page = { isHidden: false }
  const feed = createXenstoreFeed({
    nowMs: () => now++,
    later: (run) => void waiting.push(run),
    isHidden: () => page.isHidden,
    onChanges: (changes) => void told.push(changes),
  })
  const next = (): boolean => {
    const run = waiting.shift()
    run?.()
    return run !== undefined
  }
  return { feed, told, page, waiting, next, ms: () => now }
}

const lines = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `set\t0\t1\t/n${from + i}\tn0\tx`)
const times = (of: readonly string[]): number[] => of.map((_, i) => i)

test('a few are told at once', () => {
  const { feed, told, next } = rig()
  feed.receive(['new', 'no line', ...lines(3)], [1, 2, 3, 4, 5])
  expect(told.map((changes) => changes.length)).toEqual([4])
  expect(told[0]![1]).toMatchObject({ path: '/n0', atNs: 3 })
  expect(feed.tree.root!.below).toBe(3)
  expect(next()).toBe(false)
})

test('many in slices, in order, whatever comes between; each with the tree as it is then', () => {
  const { feed, told, next } = rig()
  const first = ['new', ...lines(4000)]
  feed.receive(first, times(first))
  expect(feed.tree.root!.below).toBeLessThan(1000)
  const second = lines(500, 4000)
  feed.receive(second, times(second))
  while (next());
  expect(told.length).toBeGreaterThan(5)
  const paths = told.flat().flatMap((change) => ('path' in change ? [change.path] : []))
  expect(paths).toEqual(Array.from({ length: 4500 }, (_, i) => `/n${i}`))
  expect(feed.tree.root!.below).toBe(4500)
})

test('where very many wait, more at a time; where nobody looks, all', () => {
  const many = ['new', ...lines(60_000)]
  const some = ['new', ...lines(10_000)]
  const { feed, told, page, next } = rig()
  feed.receive(some, times(some))
  const calm = told[0]!.length
  while (next());
  told.length = 0
  feed.receive(many, times(many))
  expect(told[0]!.length).toBeGreaterThan(2 * calm)
  page.isHidden = true
  next()
  expect(told).toHaveLength(2)
  expect(feed.tree.root!.below).toBe(60_000)
})

test('a daemon that is gone says nothing more', () => {
  const { feed, told, next } = rig()
  const first = ['new', ...lines(4000)]
  feed.receive(first, times(first))
  feed.clear()
  expect(told.at(-1)).toEqual([])
  const count = told.length
  while (next());
  expect(told).toHaveLength(count)
  expect(feed.tree.root).toBeUndefined()
  feed.clear()
  expect(told).toHaveLength(count)
})
