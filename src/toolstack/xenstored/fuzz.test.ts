/** Nonsense from all sides. XENSTORE_SEED=N does one seed again. */
import { expect, test } from 'vitest'
import { campaign } from '#testing/soak.ts'
import { fuzz } from '#testing/xenstore/fuzz.ts'

const SEED = Number(process.env['XENSTORE_SEED'] ?? 0)
const SEEDS = SEED > 0 ? [SEED] : Array.from({ length: campaign(20, 2) }, (_, i) => i + 1)
const MESSAGES = campaign(50_000, 10_000)

test.each(SEEDS)(
  'no message, index or event hurts anybody else (seed %i)',
  (seed) => {
    const { broken, handled } = fuzz({ seed, messages: MESSAGES })
    expect(broken).toBe(undefined)
    expect(handled).toBeGreaterThan(MESSAGES / 4)
  },
  600_000,
)
