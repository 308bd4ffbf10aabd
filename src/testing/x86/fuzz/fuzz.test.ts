/** Random bytes and random hypercalls, executed in the kernel and in the user mode of x86 domains: only they die. `npm run soak` does it at length. */
import { expect, test } from 'vitest'
import { campaign } from '../../soak.ts'
import { runX86Seed } from './campaign.ts'

const SEEDS = campaign(100, 2)
const LIVES = campaign(40, 2)
const SECONDS = campaign(3600, 60)

test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
  'seed %d',
  (seed) => {
    const outcome = runX86Seed(seed, LIVES)
    expect(outcome.wrong).toBeUndefined()
    expect(outcome.lives).toBe(3 * LIVES)
    // They got somewhere.
    expect(outcome.pieces).toBeGreaterThan(100)
    expect(outcome.calls).toBeGreaterThan(100)
  },
  SECONDS * 1000,
)

test('the same seed gives the same story', () => {
  expect(runX86Seed(7, 1)).toEqual(runX86Seed(7, 1))
})
