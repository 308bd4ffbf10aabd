/**
 * Boot loaders that mean harm, compiled by our own cc and ld, on the disk that the page boots. Whatever they try, page and worker live, or where
 * the engine itself gives up the page says so and offers power-on.
 */

import { resolve } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, type Page, test } from '@playwright/test'
import { build } from 'vite'
import { buildDisk } from '../scripts/disk.mjs'
import { grubInstall } from '../src/images/grub-install.ts'
import { SECTOR_BYTES } from '../src/lib/ondisk/block-store.ts'
import { packDisk, unpackDisk } from '../src/lib/ondisk/disk-container.ts'
import { Ext2 } from '../src/lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '../src/lib/ondisk/mbr.ts'
import { cc } from '../src/toolchain/cc.ts'
import { stage2Image } from '../src/toolchain/image.ts'
import { ld } from '../src/toolchain/ld.ts'
import { Playground } from './playground.ts'

// The worker of a service would answer for the disk before we can.
test.use({ serviceWorkers: 'block' })

const entry = 'boot/grub/stage2.ts'

/** `body` runs as stage2's entry point. */
const stage2 = (body: string) => `
import type { Metal } from '#abi/pc/metal.ts'
export function start(metal: Metal) {
${body}
  return { run: () => ({ kind: 'hlt', interrupts: false }), interrupt() {}, nmi() {} }
}
`

/** The default disk with another boot loader, installed as grub-install does it. */
async function diskWithLoader(body: string): Promise<Uint8Array> {
  const disk = unpackDisk(gunzipSync(await buildDisk()))
  const code = ld(new Map([[entry, cc(entry, stage2(body))]]), entry)
  const loader = stage2Image('stage2', code, {
    install_partition: 0xffffff,
    saved_entryno: 0,
    stage2_id: 0,
    force_lba: 0,
    version_string: Buffer.from('0.97\0'),
    config_file: Buffer.from('/boot/grub/menu.lst\0'),
  })
  const [first] = readPartitions(disk) ?? []
  const fs = Ext2.mount(partition(disk, first!), { now: () => 1242109972 })
  const path = '/boot/grub/stage2'
  fs.writeFile(path, Buffer.concat([fs.readFile(path).subarray(0, SECTOR_BYTES), loader]))
  fs.unmount()
  grubInstall(disk, { partition: 0, stage1: '/boot/grub/stage1', stage2: path, configFile: '/boot/grub/menu.lst' })
  return gzipSync(packDisk(disk), { level: 1 })
}

async function bootHostile(page: Page, body: string): Promise<Playground> {
  const disk = Buffer.from(await diskWithLoader(body))
  await page.unroute(/\/disk[^/]*\.gz$/)
  await page.route(/\/disk[^/]*\.gz$/, (route) => route.fulfill({ body: disk, contentType: 'application/gzip' }))
  return Playground.open(page, { disk: 'temporary' })
}

/** The page is what it was: it answers, and nobody has touched it. */
async function unharmed(pg: Playground): Promise<void> {
  expect(
    await pg.page.evaluate(() => [Object.hasOwn(window, 'pwned'), Object.hasOwn(Object.prototype, 'pwned')]),
  ).toEqual([false, false])
  await expect(pg.page.getByRole('heading', { name: 'Xen Playground' })).toBeVisible()
}

test.beforeEach(({ isMobile }) => {
  test.skip(isMobile, 'the sandbox is the same')
})

const crashes: [string, string, RegExp][] = [
  ['loops without end', '  for (;;) {}', /fuel/],
  ['recurses without end', '  const down = (n: number): number => down(n + 1) + 1\n  down(0)', /stack|fuel/],
  ['catches everything and goes on', '  for (;;) try { for (;;) {} } catch {}', /fuel/],
  ['throws', "  throw new Error('no thanks')", /no thanks/],
  ['patches a prototype', "  ;(Object.prototype as { pwned?: number }).pwned = 1\n  throw new Error('patched')", /.+/],
  [
    'reaches for the global by a constructor',
    "  const F = (start as unknown as { constructor: (code: string) => () => object }).constructor\n  F('return self')()",
    /.+/,
  ],
]

test('boot loaders that mean harm are reported with file and line, the page lives, and a reset is possible', async ({
  page,
}) => {
  test.setTimeout(180_000)
  for (const [what, body, why] of crashes)
    await test.step(what, async () => {
      const pg = await bootHostile(page, body)
      await expect(pg.get('crashPanel')).toBeVisible({ timeout: 30_000 })
      await expect(pg.get('crashPanel')).toContainText('stage2')
      await expect(pg.get('crashPanel')).toContainText(why)
      await expect(pg.get('crashPanel')).toContainText(/boot\/grub\/stage2\.ts:\d+/)
      await expect(pg.get('crashPanel')).not.toContainText('patched')
      await expect(pg.get('status')).toContainText('has crashed: stage2')
      await expect(pg.get('troublePanel')).toBeHidden()
      await unharmed(pg)
    })
  // It is a machine like any: reset has it try again.
  const pg = await bootHostile(page, "  throw new Error('once more')")
  await expect(pg.get('crashPanel')).toBeVisible({ timeout: 30_000 })
  const resets = await page.evaluate(async () => {
    const again = new Promise((resolve) => window.playground.on('crash', ({ message }) => resolve(message)))
    await window.playground.machine.reset()
    return again
  })
  expect(resets).toContain('once more')
})

test('one that takes all memory: the worker lives, or the page says it is gone, or the browser does', async ({
  page,
}) => {
  test.setTimeout(120_000)
  let crashed = false
  page.on('crash', () => {
    crashed = true
  })
  try {
    await takeAllMemory(page)
  } catch (error) {
    if (!crashed) throw error
    // The engine gave up on the process that page and worker share. A new page is as good as ever.
    await (await Playground.open(await page.context().newPage())).menu()
  }
})

async function takeAllMemory(page: Page): Promise<void> {
  const pg = await bootHostile(
    page,
    '  const all: unknown[] = []\n  for (;;) all.push(new Array(1000000).fill(all.length))',
  )
  await expect(pg.get('crashPanel').or(pg.get('troublePanel'))).toBeVisible({ timeout: 90_000 })
  await unharmed(pg)
  await page.unroute(/\/disk[^/]*\.gz$/)
  if (await pg.get('troublePanel').isVisible()) {
    await expect(pg.get('troublePanel')).toContainText(/is gone|does not answer/)
    await pg.get('troubleAction').click()
    await expect(pg.get('crashPanel').or(pg.get('troublePanel'))).toBeVisible({ timeout: 90_000 })
  }
}

/** One script that makes `hostile`, as the worker's own text is made. */
async function hostileScript(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      write: false,
      target: 'es2022',
      minify: false,
      lib: { entry: resolve('src/testing/hostile-run.ts'), formats: ['iife'], name: 'hostile', fileName: 'hostile' },
    },
  })
  const [first] = Array.isArray(output) ? output : [output]
  if (!first || !('output' in first)) throw new Error('nothing was built')
  return first.output[0].code
}

test('every image of the table meets in Chromium what it meets under Node', async ({ page }) => {
  test.setTimeout(120_000)
  const pg = await Playground.open(page)
  await pg.menu()
  // A worker of its own, in the very frame that the machine's worker was started in.
  const frame = page.frames().find((each) => each.parentFrame() !== null)!
  const text = `'use strict'; ${await hostileScript()}; postMessage(hostile.runAll())`
  const { images, faults } = await frame.evaluate(
    (script) =>
      new Promise<{ images: number; faults: string[] }>((resolve, reject) => {
        const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })))
        worker.onmessage = ({ data }) => resolve(data)
        worker.onerror = ({ message }) => reject(new Error(message))
      }),
    text,
  )
  expect(images).toBeGreaterThan(100)
  expect(faults).toEqual([])
  await unharmed(pg)
})

test('the worker’s own origin is opaque: no storage, no network, no page', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  const machineWorker = page.workers().find((worker) => worker.url().startsWith('blob:null/'))
  expect(machineWorker, 'a worker in an opaque origin').toBeDefined()
  const found = await machineWorker!.evaluate(async (host) => {
    const attempt = async (act: () => unknown): Promise<string> => {
      try {
        return `reached: ${String(await act())}`
      } catch (error) {
        return `refused: ${(error as Error).name}`
      }
    }
    const scope = self as unknown as Record<string, never> & typeof globalThis
    return {
      origin: scope.origin,
      localStorage: typeof scope['localStorage'],
      document: typeof scope['document'],
      parent: typeof scope['parent'],
      indexedDb: await attempt(
        () =>
          new Promise((resolve, reject) => {
            const request = indexedDB.open('x')
            request.onsuccess = () => resolve('open')
            request.onerror = () => reject(request.error)
          }),
      ),
      caches: await attempt(() => caches.open('x')),
      opfs: await attempt(() => navigator.storage.getDirectory()),
      fetch: await attempt(() => fetch(`http://${host}/`)),
      socket: await attempt(
        () =>
          new Promise((resolve, reject) => {
            const socket = new WebSocket(`ws://${host}/`)
            socket.onopen = () => resolve('open')
            socket.onerror = () => reject(new Error('no'))
          }),
      ),
    }
  }, new URL(page.url()).host)
  expect(found.origin).toBe('null')
  expect(found).toMatchObject({ localStorage: 'undefined', document: 'undefined', parent: 'undefined' })
  for (const way of [found.indexedDb, found.caches, found.opfs, found.fetch, found.socket])
    expect(way).toMatch(/^refused/)
})
