import { gzipSync } from 'node:zlib'
import { expect, type Page, test } from '@playwright/test'
import { Playground } from './playground.ts'

const firstLoadMax = 1_000_000

/** What comes over the network, compressed, by its path; a blob: of the page's own is none of it. */
function weigh(page: Page): [string, number][] {
  const sizes: [string, number][] = []
  page.on('response', async (response) => {
    if (!response.url().startsWith('http')) return
    const body = await response.body()
    const packed = body[0] === 0x1f && body[1] === 0x8b
    sizes.push([new URL(response.url()).pathname, packed ? body.length : gzipSync(body).length])
  })
  return sizes
}

test('the first load, which is all that a login needs, is under 1 MB compressed', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same bytes')
  const sizes = weigh(page)
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route(/\/disk-rest[^/]*\.gz$/, async (route) => {
    await held
    await route.continue()
  })
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.press('Enter')
  await pg.waitFor(/xenhost login: $/)
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0)
  test.info().annotations.push({ type: 'bytes', description: JSON.stringify([...sizes, ['total', total]]) })
  expect(sizes.map(([path]) => path.replace(/-[\w-]{8}\./, '.')).sort()).toEqual(
    expect.arrayContaining(['/', '/assets/disk.gz', '/assets/index.css', '/assets/index.js', '/assets/machine.js']),
  )
  // Each file once: what is preloaded is used.
  expect(new Set(sizes.map(([path]) => path)).size).toBe(sizes.length)
  expect(total).toBeLessThan(firstLoadMax)
  release()
  // The rest is there when it is needed.
  await pg.type('root\n')
  await pg.waitFor(/# $/)
  await pg.type('man vi | wc -l\n')
  await pg.waitFor(/\d+/)
  expect(pg.complaints).toEqual([])
})
