/** The children of a node: against a Map, and that each one stays what it was. */
import { expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { type Named, StoreChildren } from './store-children.ts'

interface Child extends Named {
  readonly value: number
}

const NAMES = 300

test.each([1, 2, 3])('what a Map does, it does, and what it was it stays (seed %i)', (seed) => {
  const rng = createRng(seed)
  let children: StoreChildren<Child> = StoreChildren.NONE
  const model = new Map<string, Child>()
  const held: [StoreChildren<Child>, [string, Child][]][] = []
  for (let i = 0; i < 5000; i++) {
    // There are times of growing, and times of shrinking.
    const name = `n${rng.below(NAMES)}`
    if (rng.below(10) < (Math.floor(i / 700) % 2 === 0 ? 7 : 2)) {
      const child = { name, value: i }
      children = children.with(child)
      model.set(name, child)
    } else {
      children = children.without(name)
      model.delete(name)
    }
    expect(children.size).toBe(model.size)
    expect(children.get(name)).toBe(model.get(name))
    if (i % 50 === 0) held.push([children, [...model]])
  }
  for (const [then, was] of held) {
    expect([...then]).toEqual(was)
    expect(then.size).toBe(was.length)
    expect(was.every(([name, child]) => then.get(name) === child)).toBe(true)
    const known = Array.from({ length: NAMES }, (_, n) => `n${n}`).filter((name) => then.has(name))
    expect(known.sort()).toEqual(was.map(([name]) => name).sort())
  }
})

test('names, children and both, oldest first; one that is written again keeps its place', () => {
  let children: StoreChildren<Child> = StoreChildren.NONE
  for (const [value, name] of ['b', 'a', 'c'].entries()) children = children.with({ name, value })
  children = children.with({ name: 'b', value: 9 })
  expect([...children.keys()]).toEqual(['b', 'a', 'c'])
  expect([...children.values()].map(({ value }) => value)).toEqual([9, 1, 2])
  const seen: string[] = []
  children.forEach((child, name, map) => void seen.push(`${name} ${child.value} ${map.size}`))
  expect(seen).toEqual(['b 9 3', 'a 1 3', 'c 2 3'])
  expect([...children.without('a').keys()]).toEqual(['b', 'c'])
  expect(children.without('none')).toBe(children)
  expect(StoreChildren.NONE.get('a')).toBeUndefined()
})

test('two may follow one, and know nothing of each other', () => {
  let children: StoreChildren<Child> = StoreChildren.NONE
  for (let i = 0; i < 40; i++) children = children.with({ name: `n${i}`, value: i })
  const [a, b] = [children.with({ name: 'a', value: 1 }), children.with({ name: 'b', value: 2 })]
  expect([a.has('a'), a.has('b'), b.has('a'), b.has('b')]).toEqual([true, false, false, true])
  const back = a.without('n3').with({ name: 'n3', value: 5 })
  expect(children.get('n3')!.value).toBe(3)
  expect([...back.keys()].at(-1)).toBe('n3')
})

test('a long one that lives long does not grow by what has gone', () => {
  let children: StoreChildren<Child> = StoreChildren.NONE
  for (let i = 0; i < 20_000; i++) {
    children = children.with({ name: `n${i}`, value: i })
    if (i >= 20) children = children.without(`n${i - 20}`)
  }
  expect(children.size).toBe(20)
  expect(children.slots).toBeLessThan(100)
})
