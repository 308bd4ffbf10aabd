/**
 * What the host's processor made of all cases, as the project keeps it: a line for every variant with its name, a digest of the first few results, one of all, and what the first two
 * were. Gzipped; beside this file.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Variant } from './cases.ts'
import { CASES, casesOf, comparable, type Family } from './family.ts'
import type { Case } from './layout.ts'
import { runNatively } from './native.ts'
import { Digest, effectsText } from './results.ts'

/** Results that every run of the tests compares; a campaign compares all. */
export const FEW = 10
/** Of their digest; all have 16. */
export const FEW_DIGITS = 8
const SHOWN = 2

export interface Vector {
  readonly few: string
  readonly all: string
  readonly shown: readonly string[]
}

const fileOf = (name: string): string => fileURLToPath(new URL(`vectors/${name}.tsv.gz`, import.meta.url))

/** By the variants' names. */
export function readVectors({ name }: Family): Map<string, Vector> {
  if (!existsSync(fileOf(name))) return new Map()
  const lines = gunzipSync(readFileSync(fileOf(name)))
    .toString()
    .trimEnd()
    .split('\n')
  return new Map(
    lines.map((line) => {
      const [variant = '', few = '', all = '', ...shown] = line.split('\t')
      return [variant, { few, all, shown }]
    }),
  )
}

/** Variants whose cases run in one process of the host. */
const BATCH = 100

/** Has the host's processor do all cases anew. */
export function recordVectors(family: Family): void {
  const lines: string[] = []
  const variants = family.variants()
  for (let from = 0; from < variants.length; from += BATCH) {
    const batch = variants
      .slice(from, from + BATCH)
      .map((variant) => ({ variant, cases: casesOf(family, variant, CASES) }))
    const results = runNatively(batch.flatMap(({ cases }) => cases))
    for (const [i, { variant, cases }] of batch.entries()) {
      const own = results
        .slice(i * CASES, (i + 1) * CASES)
        .map((result, n) => comparable(family, variant, result, cases[n]!))
      const shown = own.slice(0, SHOWN).map((result, n) => effectsText(result, cases[n]!))
      lines.push([variant.name, digestOf(own.slice(0, FEW)).slice(0, FEW_DIGITS), digestOf(own), ...shown].join('\t'))
    }
  }
  mkdirSync(fileURLToPath(new URL('vectors', import.meta.url)), { recursive: true })
  writeFileSync(fileOf(family.name), gzipSync(`${lines.join('\n')}\n`, { level: 9 }))
}

export function digestOf(results: readonly Uint8Array[]): string {
  const digest = new Digest()
  for (const result of results) digest.add(result)
  return digest.hex
}

/** The host's results now, for whoever wants to know what differs. */
export const anew = (family: Family, variant: Variant, cases: readonly Case[]): Uint8Array[] =>
  runNatively(cases).map((result, n) => comparable(family, variant, result, cases[n]!))
