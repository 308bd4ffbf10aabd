import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HOSTILE_IMAGES } from './hostile.ts'

/** Vitest's own realm stays open: the images run in a worker whose realm is locked. */
const ENTRY = `
import { parentPort } from 'node:worker_threads'
import { HOSTILE_IMAGES, mismatch, runHostile } from '/src/world/realm/hostile.ts'
import { lockdown } from '/src/world/realm/lockdown.ts'
import { ImageLoader } from '/src/world/realm/loader.ts'
lockdown()
lockdown()
const loader = new ImageLoader()
const results = []
for (const image of HOSTILE_IMAGES) {
  const began = performance.now()
  const first = mismatch(image, runHostile(image, loader))
  // Once more, from the cache: an image must not have left anything for its next run.
  const second = first ?? mismatch(image, runHostile(image, loader))
  results.push({ name: image.name, fault: first ?? second, ms: performance.now() - began })
}
parentPort.postMessage(results)
`
let folder: string
let results: { name: string; fault: string | undefined; ms: number }[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hostile-'))
  const entry = join(folder, 'entry.ts')
  writeFileSync(entry, ENTRY.replaceAll("'/src", `'${process.cwd()}/src`))
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: entry,
      outDir: join(folder, 'out'),
      minify: false,
      rollupOptions: { output: { entryFileNames: 'entry.mjs' } },
    },
    ssr: { noExternal: true },
  })
  results = await new Promise((resolve, reject) => {
    const worker = new Worker(join(folder, 'out', 'entry.mjs'), { resourceLimits: { stackSizeMb: 4 } })
    worker.on('message', (message) => {
      resolve(message)
      void worker.terminate()
    })
    worker.on('error', reject)
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the table is whole', () => {
  expect(new Set(HOSTILE_IMAGES.map(({ name }) => name)).size).toBe(HOSTILE_IMAGES.length)
  expect(results.map(({ name }) => name)).toEqual(HOSTILE_IMAGES.map(({ name }) => name))
  expect(HOSTILE_IMAGES.length).toBeGreaterThan(100)
})

test.each(HOSTILE_IMAGES.map(({ name, expect: outcome }, index) => ({ name, outcome, index })))(
  '$name: $outcome',
  ({ index }) => {
    expect(results[index]!.fault).toBeUndefined()
  },
)
