/** Nodes with many children: as a Map, and cheap to change after a fork. */
import { expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { MANY } from './children.ts'
import { listingOf, Tree } from './tree.ts'

const PERMS = [{ id: 0, perms: 0 }]

test.each([1, 2])('directories that grow and shrink list as Maps do, also in forks (seed %i)', (seed) => {
  const rng = createRng(seed)
  const tree = new Tree(PERMS)
  tree.add('/d', '', PERMS)
  const model = new Map<string, string>()
  const forks: [Tree, Map<string, string>][] = []
  for (let i = 0; i < 2400; i++) {
    // More come than go, then more go than come.
    const grows = i < 1200 ? 80 : 20
    const name = `n${rng.below(i < 1200 ? 100_000 : 1200)}`
    const path = `/d/${name}`
    if (model.has(name) && rng.below(2) === 0) {
      tree.setValue(path, `v${i}`)
      model.set(name, `v${i}`)
    } else if (rng.below(100) < grows && !model.has(name)) {
      tree.add(path, `v${i}`, PERMS)
      model.set(name, `v${i}`)
    } else {
      const victim = [...model.keys()][rng.below(Math.max(1, model.size))]
      if (victim !== undefined) tree.remove(`/d/${victim}`, () => {})
      if (victim !== undefined) model.delete(victim)
    }
    if (i % 300 === 0) forks.push([tree.fork(), new Map(model)])
  }
  expect(Math.max(...forks.map(([, { size }]) => size))).toBeGreaterThan(4 * MANY)
  for (const [fork, kept] of [...forks, [tree, model] as const]) {
    const node = fork.get('/d')!
    expect([...node.children].map(([name, { value }]) => [name, value])).toEqual([...kept])
    expect(listingOf(node)).toBe([...kept.keys()].map((name) => `${name}\0`).join(''))
    expect(node.children.size).toBe(kept.size)
    for (const [name, value] of kept) expect(fork.get(`/d/${name}`)?.value).toBe(value)
    expect(fork.check()).toEqual([])
  }
})

test('a change after a fork copies a part of ten thousand children', () => {
  const tree = new Tree(PERMS)
  tree.add('/d', '', PERMS)
  for (let i = 0; i < 10_000; i++) tree.add(`/d/n${i}`, '', PERMS)
  const before = tree.fork()
  tree.setValue('/d/n5000', 'changed')
  const children = tree.get('/d')!.children
  const same = [...before.get('/d')!.children].filter(([name, node]) => children.get(name) === node)
  expect(same.length).toBe(9999)
  expect([before.get('/d/n5000')?.value, tree.get('/d/n5000')?.value]).toEqual(['', 'changed'])
})
