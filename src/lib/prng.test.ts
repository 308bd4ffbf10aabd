import { describe, expect, test } from 'vitest'
import { createRng } from './prng.ts'

describe('createRng', () => {
  test('draws the same from the same seed, for ever', () => {
    const rng = createRng(1)
    expect([rng.u32(), rng.u32(), rng.u32()]).toMatchInlineSnapshot(`
      [
        1950625580,
        354034397,
        661219729,
      ]
    `)
    expect([...createRng(-7).fork('disk').bytes(6)]).toMatchInlineSnapshot(`
      [
        131,
        114,
        227,
        132,
        213,
        185,
      ]
    `)
  })

  test('streams are told apart by seed and by name', () => {
    const names = ['', 'a', 'b', 'ab', 'ba', 'disk', 'Disk', 'a\0']
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]
    const draws = seeds.flatMap((seed) => [createRng(seed), ...names.map((name) => createRng(seed).fork(name))])
    const deeper = [createRng(1).fork('a').fork('b'), createRng(1).fork('b').fork('a')]
    expect(new Set([...draws, ...deeper].map((rng) => `${rng.u32()} ${rng.u32()}`)).size).toBe(seeds.length * 9 + 2)
  })

  test('a fork does not depend on what was drawn before', () => {
    const fresh = createRng(3).fork('x')
    const used = createRng(3)
    for (let i = 0; i < 10; i++) used.u32()
    expect(used.fork('x').u32()).toBe(fresh.u32())
  })

  test('below is even and stays below', () => {
    const rng = createRng(9)
    const counts = new Array(6).fill(0)
    for (let i = 0; i < 60_000; i++) counts[rng.below(6)]++
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
    for (const bound of [1, 2, 3, 2 ** 31, 2 ** 32 - 1, 2 ** 32]) expect(rng.below(bound)).toBeLessThan(bound)
    expect(rng.below(1)).toBe(0)
  })

  test.each([0, -1, 1.5, Number.NaN, 2 ** 32 + 1])('below refuses %d', (bound) => {
    expect(() => createRng(1).below(bound)).toThrow(RangeError)
  })

  test('refuses a seed that is no integer, and to pick from nothing', () => {
    expect(() => createRng(0.5)).toThrow(RangeError)
    expect(() => createRng(Number.POSITIVE_INFINITY)).toThrow(RangeError)
    expect(() => createRng(1).pick([])).toThrow(RangeError)
    expect(['a', 'b']).toContain(createRng(1).pick(['a', 'b']))
  })
})
