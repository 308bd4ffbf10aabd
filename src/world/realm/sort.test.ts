import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { mergeSort, replaceSorts } from './sort.ts'

describe('mergeSort', () => {
  test('agrees with the engine, ties included, at every length', () => {
    const rng = createRng(3)
    for (let length = 0; length < 70; length++) {
      const items = Array.from({ length }, (_, i) => ({ key: rng.below(8), i }))
      const expected = [...items].sort((a, b) => a.key - b.key)
      mergeSort(items, (a, b) => (a as { key: number }).key - (b as { key: number }).key)
      expect(items).toEqual(expected)
    }
  })

  test('calls the comparator in an order of its own, written down here', () => {
    const calls: string[] = []
    mergeSort([3, 1, 2, 0], (a, b) => {
      calls.push(`${a}${b}`)
      return Number(a) - Number(b)
    })
    expect(calls).toEqual(['31', '20', '10', '12', '32'])
  })

  test.each([['a word'], [undefined], [Number.NaN], [false]])('takes %s for an answer, and ends', (answer) => {
    const items = [3, 1, 2]
    mergeSort(items, () => answer)
    expect(items).toEqual([3, 1, 2])
  })
})

describe('the methods', () => {
  const kept = [Array.prototype, Object.getPrototypeOf(Uint8Array.prototype) as object].map((owner) => ({
    owner,
    sort: Object.getOwnPropertyDescriptor(owner, 'sort')!,
    toSorted: Object.getOwnPropertyDescriptor(owner, 'toSorted'),
  }))
  beforeAll(replaceSorts)
  afterAll(() => {
    for (const { owner, sort, toSorted } of kept) {
      Object.defineProperty(owner, 'sort', sort)
      if (toSorted) Object.defineProperty(owner, 'toSorted', toSorted)
    }
  })
  const down = (a: number, b: number): number => b - a

  test('sort in place and return the array', () => {
    const items = [1, 3, 2]
    expect(items.sort(down)).toBe(items)
    expect(items).toEqual([3, 2, 1])
  })

  test('without a comparator sort by text, as ever', () => expect([10, 9, 1].sort()).toEqual([1, 10, 9]))

  test('put undefined last and holes behind it', () => {
    const items = [1, undefined, 2]
    items.length = 5
    items.sort((a, b) => down(a!, b!))
    expect(items.slice(0, 3)).toEqual([2, 1, undefined])
    expect(Object.keys(items)).toEqual(['0', '1', '2'])
    expect(items).toHaveLength(5)
  })

  test('sort typed arrays', () => {
    expect([...Uint8Array.of(1, 3, 2).sort(down)]).toEqual([3, 2, 1])
    expect([...Uint8Array.of(1, 3, 2).sort()]).toEqual([1, 2, 3])
  })

  test('refuse what is no function, as ever', () => expect(() => [2, 1].sort(5 as never)).toThrow(TypeError))

  test('cannot be constructed', () => {
    const Sort = Array.prototype.sort as unknown as new () => unknown
    expect(() => new Sort()).toThrow(TypeError)
  })
})
