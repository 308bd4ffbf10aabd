import { gzipSync } from 'node:zlib'
import { expect, type Page, test } from '@playwright/test'
import { Playground } from './playground.ts'

const firstLoadMax = 1_000_000

/** What comes over the network, compressed, by its path; a blob: of the page's own is none of it. */
function weigh(page: Page): [string, number][] {
  const sizes: [string, number][] = []
  page.on('response', async (response) => {
    if (!response.url().startsWith('http')) return
    const { pathname } = new URL(response.url())
    const body = await response.body()
    // A .gz is sent as it lies there; said to be an encoding it arrives here unpacked, and packed anew would be larger.
    const sent = pathname.endsWith('.gz') ? Number(response.headers()['content-length']) : undefined
    sizes.push([pathname, sent ?? gzipSync(body).length])
  })
  return sizes
}

const sum = (sizes: readonly [string, number][]): number => sizes.reduce((total, [, bytes]) => total + bytes, 0)

test('a login needs what index.html names, which is under 1 MB compressed; the rest comes when it likes', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'the same bytes')
  const sizes = weigh(page)
  const html = await (await page.request.get('./')).text()
  const named = [...html.matchAll(/(?:src|href)="(?:\.\/)?(assets\/[^"]+)"/g)].map((match) => `/${match[1]}`)
  expect(named.map((path) => path.replace(/-[\w-]{8}\./, '.'))).toEqual(
    expect.arrayContaining(['/assets/disk.gz', '/assets/index.css', '/assets/index.js', '/assets/machine.js']),
  )
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  // Everything else waits: the dock, panels that are no console, the second part of the disk.
  const late = new Set<string>()
  await page.route('**/assets/*', async (route) => {
    const { pathname } = new URL(route.request().url())
    if (!named.includes(pathname)) {
      late.add(pathname)
      await held
    }
    await route.continue()
  })
  const pg = await Playground.open(page, { disk: 'temporary' })
  await pg.menu()
  await pg.press('Enter')
  await pg.waitFor(/xenhost login: $/)
  await expect.poll(() => [...late].some((path) => path.startsWith('/assets/Dock'))).toBe(true)
  const login = sizes.filter(([path]) => path === '/' || named.includes(path))
  // Each file once: what is preloaded is used.
  expect(new Set(login.map(([path]) => path)).size).toBe(login.length)
  expect(sum(login)).toBeLessThan(firstLoadMax)
  // Typed into the plain layout, and the focus is still in the terminal when the dock has taken it over.
  await pg.type('root\n')
  release()
  await pg.waitFor(/# $/)
  await expect(page.locator('.front-panel-dock')).toBeVisible()
  await expect(page.locator('[data-line=com1] .xterm-helper-textarea')).toBeFocused()
  await pg.type('man vi | wc -l\n')
  await pg.waitFor(/\d+/)
  const report = { login: [...login, ['total', sum(login)]], everything: [...sizes, ['total', sum(sizes)]] }
  test.info().annotations.push({ type: 'bytes', description: JSON.stringify(report) })
  expect(pg.complaints).toEqual([])
})
