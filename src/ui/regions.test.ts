import { expect, it } from 'vitest'
import { nextRegion } from './regions.ts'

it.each([
  ['into the first, from nowhere', 4, -1, false, 0],
  ['into the last, from nowhere backwards', 4, -1, true, 3],
  ['to the next', 4, 1, false, 2],
  ['back to the one before', 4, 1, true, 0],
  ['from the last to the first', 4, 3, false, 0],
  ['from the first to the last', 4, 0, true, 3],
  ['nowhere else where there is only one', 1, 0, false, 0],
] as const)('F6 goes %s', (_, count, now, backwards, next) => {
  expect(nextRegion(count, now, backwards)).toBe(next)
})
