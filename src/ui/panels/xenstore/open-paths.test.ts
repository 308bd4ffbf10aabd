/** Which directories are open, against a plain set; and the sums that rows are counted with, against an array. */
import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { OpenPaths } from './open-paths.ts'
import { Sums } from './sums.ts'

describe.each([false, true])('paths of which the rest is open: %s', (rest) => {
  test('say what was said of them, and forget what is as the rest is', () => {
    const rng = createRng(7)
    const open = new OpenPaths(rest)
    const others = new Set<string>()
    const paths = ['/a', '/a/b', '/a/b/c', '/a/bc', '/d', '/d/e']
    for (let i = 0; i < 500; i++) {
      const path = rng.pick(paths)
      const to = rng.below(2) === 0
      open.set(path, to)
      if (to === rest) others.delete(path)
      else others.add(path)
      for (const each of paths) expect(open.has(each)).toBe(rest !== others.has(each))
      expect(open.others).toBe(others.size)
      const shut = ['/a', '/a/b'].find((above) => !open.has(above))
      expect(open.firstShut('/a/b/c')).toBe(shut)
    }
    for (const path of paths) open.set(path, rest)
    expect(open.root.below).toBeUndefined()
  })

  test('without those that are gone', () => {
    const open = new OpenPaths(rest, ['/a', '/a/b', '/a/c/d', '/gone', '/gone/e'])
    const left = open.without((path) => path.startsWith('/a'))
    expect(left.others).toBe(3)
    expect(['/a', '/a/b', '/a/c/d'].map((path) => left.has(path))).toEqual([!rest, !rest, !rest])
    expect([left.has('/gone'), left.has('/gone/e')]).toEqual([rest, rest])
  })
})

test('the root is above all, and never shut', () => {
  expect(new OpenPaths(false).firstShut('/a')).toBeUndefined()
  expect(new OpenPaths(false).firstShut('/')).toBeUndefined()
})

test('sums say what adding up would', () => {
  const rng = createRng(5)
  const sums = new Sums()
  const model: number[] = []
  for (let i = 0; i < 400; i++) {
    if (model.length === 0 || rng.below(3) > 0) {
      model.push(rng.below(4))
      sums.push(model.at(-1)!)
    } else {
      const at = rng.below(model.length)
      model[at] = rng.below(4)
      sums.set(at, model[at])
    }
    expect([sums.length, sums.total]).toEqual([model.length, model.reduce((a, b) => a + b, 0)])
    const rows = model.flatMap((count, place) => Array<number>(count).fill(place))
    for (const nth of [0, rng.below(rows.length + 1), rows.length - 1])
      if (nth >= 0 && nth < rows.length) expect(sums.find(nth)).toBe(rows[nth])
    const at = rng.below(model.length + 1)
    expect(sums.before(at)).toBe(model.slice(0, at).reduce((a, b) => a + b, 0))
  }
})
