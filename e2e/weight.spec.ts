import { gzipSync } from 'node:zlib'
import { expect, test } from '@playwright/test'
import { Playground } from './playground.ts'

const firstLoadMax = 1_000_000

test('the first load is under 1 MB compressed', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same bytes')
  const sizes: [string, number][] = []
  page.on('response', async (response) => {
    // What comes over the network: a blob: of the page's own is none of it.
    if (!response.url().startsWith('http')) return
    const body = await response.body()
    const packed = body[0] === 0x1f && body[1] === 0x8b
    sizes.push([new URL(response.url()).pathname, packed ? body.length : gzipSync(body).length])
  })
  const pg = await Playground.open(page)
  await pg.menu()
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0)
  test.info().annotations.push({ type: 'bytes', description: JSON.stringify([...sizes, ['total', total]]) })
  expect(sizes.map(([path]) => path.replace(/-[\w-]+\./, '.')).sort()).toEqual(
    expect.arrayContaining(['/', '/assets/disk.gz', '/assets/index.css', '/assets/index.js', '/assets/machine.js']),
  )
  // Each file once: what is preloaded is used.
  expect(new Set(sizes.map(([path]) => path)).size).toBe(sizes.length)
  expect(total).toBeLessThan(firstLoadMax)
  expect(pg.complaints).toEqual([])
})
