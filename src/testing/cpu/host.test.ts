/**
 * Our processor does what the host's did: every variant of every form, with operands from a seeded generator, against the digests of what a real processor made of them
 * (vectors.ts). RECORD=1 has the processor of this host do them all anew. Where there is gcc, what differs is run natively and shown.
 */
import { describe, expect, test } from 'vitest'
import { campaign } from '../soak.ts'
import type { Variant } from './cases.ts'
import { CASES, casesOf, comparable, type Family } from './family.ts'
import { FPU_FAMILY } from './fpu-family.ts'
import { INTEGER_FAMILY } from './integer-family.ts'
import type { Case } from './layout.ts'
import { hasNative } from './native.ts'
import { OurProcessor } from './ours.ts'
import { differences, effectsText, isSame } from './results.ts'
import { anew, digestOf, FEW, FEW_DIGITS, readVectors, recordVectors, type Vector } from './vectors.ts'

const FAMILIES: readonly Family[] = [INTEGER_FAMILY, FPU_FAMILY]
/** Forms and variants that there must be at least. */
const VARIANTS_MIN = 3000
const SHOWN_MAX = 20

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

function stateText({ gpr, flags, code }: Case): string {
  return `${hexOf(code)} with flags=${flags.toString(16)} ${[...gpr].map((value) => value.toString(16)).join(' ')}`
}

/** What is wrong with a variant, in words. */
function complaint(family: Family, variant: Variant, cases: Case[], ours: Uint8Array[], { shown }: Vector): string {
  if (hasNative) {
    const theirs = anew(family, variant, cases)
    const n = theirs.findIndex((result, i) => !isSame(result, ours[i]!))
    if (n < 0) return `${variant.name}: this host's processor does not do what is recorded, but what ours does`
    return `${variant.name}\n  ${stateText(cases[n]!)}\n  ${differences(theirs[n]!, ours[n]!, cases[n]!).join('\n  ')}`
  }
  for (const [n, text] of shown.entries()) {
    const own = effectsText(ours[n]!, cases[n]!)
    if (own !== text) return `${variant.name}\n  ${stateText(cases[n]!)}\n  expected ${text}\n  ours     ${own}`
  }
  return `${variant.name}: one of the results that are not kept in full; gcc on an x86-64 host would show it`
}

describe.each(FAMILIES)('$name', (family) => {
  if (process.env['RECORD'] && hasNative) recordVectors(family)
  const vectors = readVectors(family)
  const variants = family.variants()

  test('there are results for every variant', () => {
    expect(variants.map(({ name }) => name)).toEqual([...vectors.keys()])
  })

  test('every variant does what the host’s processor did', { timeout: 600_000 }, () => {
    const processor = new OurProcessor(family.fx)
    const count = campaign(CASES, FEW)
    const complaints: string[] = []
    for (const variant of variants) {
      const vector = vectors.get(variant.name)!
      const cases = casesOf(family, variant, count)
      const ours = cases.map((case_) => comparable(family, variant, processor.run(case_), case_))
      const digest = digestOf(ours)
      if (count === CASES ? digest === vector.all : digest.slice(0, FEW_DIGITS) === vector.few) continue
      complaints.push(complaints.length < SHOWN_MAX ? complaint(family, variant, cases, ours, vector) : variant.name)
    }
    expect(complaints.join('\n')).toBe('')
  })
})

test('there are enough of them', () => {
  const count = FAMILIES.reduce((sum, family) => sum + family.variants().length, 0)
  expect(count).toBeGreaterThanOrEqual(VARIANTS_MIN)
})

test.runIf(hasNative)('a difference is shown', () => {
  const family = INTEGER_FAMILY
  const variant = family.variants()[0]!
  const cases = casesOf(family, variant, FEW)
  const ours = anew(family, variant, cases)
  ours[3]![40]! ^= 1
  expect(complaint(family, variant, cases, ours, { few: '', all: '', shown: [] })).toMatch(/rcx: .*, ours /)
})
