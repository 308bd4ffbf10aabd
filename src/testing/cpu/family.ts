/** A family of instructions to compare with the host's processor: which they are, and what their operands should be like. */
import { createRng } from '#lib/prng.ts'
import { caseOf, type Variant, type Wishes } from './cases.ts'
import type { Case } from './layout.ts'
import type { FxState } from './ours.ts'
import { normalise } from './results.ts'

export interface Family {
  /** Names the file of its results. */
  readonly name: string
  variants(): Variant[]
  readonly wishes: Wishes
  /** Where x87, MMX and SSE come in. */
  readonly fx?: FxState
  /** In place: what does not count besides what never does. */
  readonly hide?: (result: Uint8Array, case_: Case) => void
}

/** Operands for every variant. */
export const CASES = 100
const SEED = 8

/** What counts of a result, in place. */
export function comparable({ hide }: Family, variant: Variant, result: Uint8Array, case_: Case): Uint8Array {
  normalise(result, case_, variant.form.row)
  hide?.(result, case_)
  return result
}

/** The first `count` cases of a variant; the same ones always. */
export function casesOf({ name, wishes }: Family, variant: Variant, count: number): Case[] {
  const rng = createRng(SEED).fork(name).fork(variant.name)
  return Array.from({ length: count }, () => caseOf(variant, rng, wishes))
}
