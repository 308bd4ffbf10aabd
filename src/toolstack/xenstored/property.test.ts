/** Thousands of steps of seven clients and four domains' lives against a model, by both rules of transactions. XENSTORE_SEED=N does one seed again. */
import { expect, test } from 'vitest'
import { campaign } from '#testing/soak.ts'
import { commits, conflicts, ERA, LATER, property, RESTARTED } from '#testing/xenstore/property.ts'

const SEED = Number(process.env['XENSTORE_SEED'] ?? 0)
const SEEDS = SEED > 0 ? [SEED] : Array.from({ length: campaign(50, 3) }, (_, i) => i + 1)
const STEPS = campaign(1000, 700)

test.each(SEEDS)("3.3's rule, seed %i", (seed) => expect(property(seed, STEPS, ERA)).toBe(undefined), 600_000)
test.each(SEEDS)('--merge-activate, seed %i', (seed) => expect(property(seed, STEPS, LATER)).toBe(undefined), 600_000)

test.each(SEEDS)(
  'restarts in between, seed %i',
  (seed) => expect(property(seed, STEPS, RESTARTED)).toBe(undefined),
  600_000,
)

test('transactions were done, and were in conflict', () => {
  expect(commits).toBeGreaterThan(10 * SEEDS.length)
  expect(conflicts).toBeGreaterThan(10 * SEEDS.length)
})
