/** scripts/load-ts.mjs: TypeScript under Node 20, bundled once and again only after a change. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadTs } from '../../scripts/load-ts.mjs'

const cache = resolve(import.meta.dirname, '../../.cache')
mkdirSync(cache, { recursive: true })
const dir = mkdtempSync(join(cache, 'load-ts-test-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('loads, keeps, and loads anew after a change in an imported file', async () => {
  const entry = join(dir, 'entry.ts')
  writeFileSync(
    entry,
    "import { gunzipSync } from 'fflate'\nimport { SECTOR_BYTES } from '#lib/ondisk/block-store.ts'\nimport { part } from './part.ts'\nexport const all: string = [part, SECTOR_BYTES, typeof gunzipSync].join(' ')\n",
  )
  writeFileSync(join(dir, 'part.ts'), 'export const part = 1 as number\n')
  const first = await loadTs(entry)
  expect(first.all).toBe('1 512 function')
  expect(await loadTs(entry)).toBe(first)
  writeFileSync(join(dir, 'part.ts'), 'export const part = 2 as number\n')
  expect((await loadTs(entry)).all).toBe('2 512 function')
  writeFileSync(join(dir, 'part.ts'), 'export const part = 1 as number\n')
  expect((await loadTs(entry)).all).toBe('1 512 function')
  expect(statSync(dir).isDirectory()).toBe(true)
})

test('says what is wrong with a source', async () => {
  const entry = join(dir, 'broken.ts')
  writeFileSync(entry, 'export const x: = 1\n')
  await expect(loadTs(entry)).rejects.toThrow(/broken\.ts/)
  await expect(loadTs(join(dir, 'missing.ts'))).rejects.toThrow(/missing\.ts/)
})
