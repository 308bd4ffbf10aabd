/** The outline: against rows laid out in a plain list, whatever happens in whatever order; and what it costs, in nodes looked at. */
import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { type StoreChange, type StoreNode, StoreTree } from '#protocol/xenstore-tree.ts'
import { OpenPaths } from './open-paths.ts'
import { Outline } from './outline.ts'
import { childPath, ROOT } from './rows.ts'
import { type Matcher, matcherOf } from './tools/query.ts'

const writer = { domid: 0, connection: 1 }
type PathChange = Extract<StoreChange, { readonly path: string }>
const set = (path: string, value = ''): PathChange => ({ kind: 'set', path, value, perms: 'n0', writer, atNs: 0 })
const rm = (path: string): PathChange => ({ kind: 'rm', path, writer, atNs: 0 })

/** What an outline must say, by looking at everything. */
function listed(root: StoreNode, isOpen: (path: string) => boolean, matches?: Matcher): string[] {
  const shows = (path: string, node: StoreNode): boolean =>
    !matches || matches(path, node) || [...node.children].some(([name, child]) => shows(childPath(path, name), child))
  const rows: string[] = []
  const add = (parent: string, node: StoreNode, level: number): void => {
    const shown = [...node.children].filter(([name, child]) => shows(childPath(parent, name), child))
    shown.forEach(([name, child], i) => {
      const path = childPath(parent, name)
      rows.push(`${rows.length} ${path} ${parent} ${level} ${i}/${shown.length} ${child.value}`)
      if (isOpen(path)) add(path, child, level + 1)
    })
  }
  add(ROOT, root, 0)
  return rows
}

const rowsOf = (outline: Outline): string[] =>
  Array.from({ length: outline.count }, (_, i) => {
    const { index, path, parent, level, posInSet, setSize, node } = outline.rowAt(i)!
    return `${index} ${path} ${parent} ${level} ${posInSet}/${setSize} ${node.value}`
  })

const PATHS = ['a', 'b', 'c', 'd'].flatMap((x) =>
  ['', '/1', '/2', '/1/x', '/1/y', '/1/x/deep', '/2/z'].map((rest) => `/${x}${rest}`),
)

describe.each([undefined, 'x', '/1/', '7'])('with the filter %j', (filter) => {
  test.each([
    [1, false],
    [2, true],
    [3, false],
    [4, true],
  ])('always what a list would be (seed %i, all open at first: %s)', (seed, rest) => {
    const rng = createRng(seed)
    const tree = new StoreTree()
    tree.apply({ kind: 'new' })
    for (let i = 0; i < 20; i++) tree.apply(set(rng.pick(PATHS), `${i}`))
    const open = new OpenPaths(filter === undefined ? rest : true)
    const matches = filter === undefined ? undefined : matcherOf(filter)
    let outline = new Outline(tree.root!, open, matches)
    let checked = 0
    for (let round = 0; round < 150; round++) {
      const batch = Array.from({ length: rng.below(6) }, (_, i) =>
        rng.below(3) === 0 ? rm(rng.pick(PATHS)) : set(rng.pick(PATHS), `${round}.${i}`),
      )
      const before = rowsOf(outline)
      for (const change of batch) {
        tree.apply(change)
        outline.note(change)
      }
      // Somebody may look at any time.
      expect(rowsOf(outline)).toEqual(before)
      if (rng.below(4) === 0) continue
      outline.counted(tree.root!)
      if (rng.below(3) === 0) {
        const path = rng.pick(PATHS)
        open.set(path, rng.below(2) === 0)
        outline.reopened(path)
      }
      // A slice is as long as it is; then comes the next change.
      let steps = rng.below(4)
      outline.work(() => steps-- <= 0)
      if (rng.below(50) === 0) outline = new Outline(tree.root!, open, matches)
      if (outline.isWorking && rng.below(3) > 0) continue
      outline.work(() => false)
      const expected = listed(tree.root!, (path) => open.has(path), matches)
      expect(rowsOf(outline)).toEqual(expected)
      const place = new Map(expected.map((row) => [row.split(' ')[1]!, Number(row.split(' ')[0])]))
      expect(PATHS.map((path) => outline.place(path)?.index)).toEqual(PATHS.map((path) => place.get(path)))
      checked++
    }
    expect(checked).toBeGreaterThan(40)
  })
})

describe('fifty thousand nodes', () => {
  const DIRECTORIES = 500
  const tree = new StoreTree()
  tree.apply({ kind: 'new' })
  for (let d = 0; d < DIRECTORIES; d++) for (let n = 0; n < 100; n++) tree.apply(set(`/big/d${d}/n${n}`, `${d}.${n}`))
  const all = 1 + DIRECTORIES * 101
  const cost = (outline: Outline, act: () => void): number => {
    const before = outline.looks
    act()
    return outline.looks - before
  }

  test('all open at once: what is not in sight is not looked at', () => {
    const outline = new Outline(tree.root!, new OpenPaths(true))
    expect(outline.count).toBe(all)
    const looks = cost(outline, () => {
      for (let i = 20_000; i < 20_060; i++) outline.rowAt(i)
    })
    // The directories of the big one, and the nodes of two.
    expect(looks).toBeLessThanOrEqual(DIRECTORIES + 200)
    expect(outline.rowAt(20_000)).toMatchObject({ path: '/big/d198/n0' })
    expect(outline.place('/big/d499/n99')).toEqual({ index: all - 1, rows: 1 })
  })

  test('a change, an opening and a shutting cost a few looks', () => {
    const open = new OpenPaths(true)
    const outline = new Outline(tree.root!, open)
    for (const i of [0, 20_000, all - 1]) outline.rowAt(i)
    for (const change of [set('/big/d198/n5', 'x'), set('/big/d198/new'), rm('/big/d198/new'), set('/big/d7/n7')]) {
      tree.apply(change)
      expect(
        cost(outline, () => {
          outline.note(change)
          outline.counted(tree.root!)
        }),
      ).toBeLessThanOrEqual(4)
      expect(outline.count).toBe(
        1 + DIRECTORIES * 101 + (change.path === '/big/d198/new' && change.kind === 'set' ? 1 : 0),
      )
    }
    for (const [isOpen, rows] of [
      [false, all - 100],
      [true, all],
    ] as const) {
      open.set('/big/d198', isOpen)
      expect(cost(outline, () => outline.reopened('/big/d198'))).toBeLessThanOrEqual(4)
      expect(outline.count).toBe(rows)
    }
  })

  test('a filter looks at each once, in slices, and finds from the top; then at what changes', () => {
    const outline = new Outline(tree.root!, new OpenPaths(true), matcherOf('n7'))
    const counts: number[] = []
    let slices = 0
    while (outline.isWorking) {
      let turns = 20
      outline.work(() => --turns <= 0)
      slices++
      counts.push(outline.count)
    }
    expect(slices).toBeGreaterThan(10)
    expect([...counts].sort((a, b) => a - b)).toEqual(counts)
    // n7 and n70 to n79 in each, and the directories.
    expect(outline.count).toBe(1 + DIRECTORIES * 12)
    // Each node once; and a directory once more for the turns of its own.
    expect(outline.looks).toBeLessThan(all + DIRECTORIES * 12)
    const change = set('/big/d3/n7x')
    tree.apply(change)
    expect(
      cost(outline, () => {
        outline.note(change)
        outline.counted(tree.root!)
      }),
    ).toBeLessThanOrEqual(4)
    expect(outline.count).toBe(2 + DIRECTORIES * 12)
  })
})

test('a directory whose children come and go for ever does not grow', () => {
  const tree = new StoreTree()
  tree.apply({ kind: 'new' })
  const outline = new Outline(tree.root!, new OpenPaths(true))
  for (let i = 0; i < 3000; i++)
    for (const change of [set(`/d/n${i}`), rm(`/d/n${i - 5}`)]) {
      tree.apply(change)
      outline.note(change)
      outline.counted(tree.root!)
      outline.rowAt(1)
    }
  expect(rowsOf(outline)).toEqual(listed(tree.root!, () => true))
  expect(outline.slots).toBeLessThan(100)
})
