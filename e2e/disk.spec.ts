/** The disk outlives the page (design D11), and the page does without a network. */
import { readFileSync } from 'node:fs'
import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { gunzipSync } from 'fflate'
import './playground.ts'

test.skip(({ isMobile }) => isMobile, 'what is stored does not depend on the size of the screen')

async function boot(page: Page, query = ''): Promise<void> {
  await page.goto(`./${query}`)
  await page.waitForFunction(() => 'playground' in window)
  await page.evaluate(async () => {
    const com1 = window.playground.console('com1')
    await com1.waitFor('seconds')
    await com1.key('Enter')
    await com1.waitFor('login: ')
    await com1.type('root')
    await com1.waitFor('# ')
  })
}

/** What `command` said. */
const run = (page: Page, command: string): Promise<string> =>
  page.evaluate(async (command) => {
    const com1 = window.playground.console('com1')
    await com1.type(`${command}; echo done-$((6*7))`)
    await com1.waitFor('done-42')
    return (await com1.screen()).join('\n')
  }, command)

const diskState = (page: Page) => page.evaluate(() => window.playground.disk.state())

async function saved(page: Page): Promise<void> {
  await expect.poll(() => diskState(page)).toEqual({ kind: 'saved' })
}

const newTab = (context: BrowserContext): Promise<Page> => context.newPage()

test('a file is there after the page was reloaded in the middle of writes, three times; the file system is checked', async ({
  page,
}) => {
  test.setTimeout(120_000)
  await boot(page)
  for (let round = 1; round <= 3; round++) {
    await run(page, `echo round ${round} > /root/kept; sync`)
    await saved(page)
    await page.evaluate(
      () =>
        void window.playground
          .console('com1')
          .type(
            'mkdir -p /root/d; while :; do for i in 1 2 3 4 5 6 7 8; do date > /root/d/$i; sync; rm /root/d/$i; done; done',
          ),
    )
    await page.waitForTimeout(150 * round)
    await boot(page)
    expect(await run(page, 'clear; cat /root/kept')).toContain(`round ${round}`)
  }
})

test('two tabs: the second has a temporary disk, says so, and takes over', async ({ page, context }) => {
  test.setTimeout(120_000)
  await boot(page)
  await run(page, 'echo mine > /root/kept; sync')
  await saved(page)
  const second = await newTab(context)
  await boot(second)
  expect(await diskState(second)).toEqual({ kind: 'temporary', why: 'other-tab' })
  await expect(second.getByTestId('disk-lamp')).toHaveText('temporary')
  expect(await run(second, 'clear; cat /root/kept')).toContain('No such file')
  await second.evaluate(() => window.playground.ui.open('machine'))
  await second.getByTestId('disk-take-over').click()
  await expect.poll(() => diskState(page)).toEqual({ kind: 'temporary', why: 'lost-lock' })
  await saved(second)
  expect(
    await second.evaluate(async () => new TextDecoder().decode(await window.playground.disk.readFile('/root/kept'))),
  ).toBe('mine\n')
})

test('storage that is denied: the machine boots all the same', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'indexedDB', {
      get() {
        throw new DOMException('denied', 'SecurityError')
      },
    })
  })
  await boot(page)
  expect(await diskState(page)).toEqual({ kind: 'temporary', why: 'denied' })
})

test('storage that is full says so, and keeps what it has', async ({ page }) => {
  await boot(page)
  await run(page, 'echo before > /root/kept; sync')
  await saved(page)
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('no room', 'QuotaExceededError')
    }
  })
  await run(page, 'echo after > /root/kept; sync')
  await expect.poll(() => diskState(page)).toEqual({ kind: 'temporary', why: 'full' })
  await boot(page)
  expect(await run(page, 'clear; cat /root/kept')).toContain('before')
})

test('an image goes out and comes in again; what is none is refused in words', async ({ page }) => {
  test.setTimeout(120_000)
  await page.goto('./?power=off')
  await page.waitForFunction(() => 'playground' in window)
  await page.evaluate(async () => {
    const { disk, ui } = window.playground
    await disk.writeFile('/root/inside', new TextEncoder().encode('in the image\n'))
    ui.open('machine')
  })
  const download = page.waitForEvent('download')
  await page.getByTestId('disk-export').click()
  const file = await (await download).path()
  expect(gunzipSync(readFileSync(file)).subarray(510, 512)).toEqual(Uint8Array.of(0x55, 0xaa))
  await page.getByTestId('disk-discard').click()
  await page.getByTestId('disk-confirm').click()
  await expect(page.getByTestId('disk-result')).toContainText('as it was delivered')
  await page.getByTestId('disk-import-file').setInputFiles({
    name: 'no.img',
    mimeType: 'application/octet-stream',
    buffer: Buffer.alloc(1024),
  })
  await page.getByTestId('disk-confirm').click()
  await expect(page.getByTestId('disk-result')).toContainText('does not end with 55 AA')
  await page.getByTestId('disk-import-file').setInputFiles(file)
  await page.getByTestId('disk-confirm').click()
  await expect(page.getByTestId('disk-result')).toContainText('Imported')
  await saved(page)
  await boot(page)
  expect(await run(page, 'clear; cat /root/inside')).toContain('in the image')
})

test('after the first visit the page starts without a network', async ({ page, context }) => {
  await boot(page)
  await page.waitForFunction(() => navigator.serviceWorker.ready.then(() => true))
  await context.setOffline(true)
  await boot(page)
  expect(await run(page, 'clear; xm list')).toContain('Domain-0')
})
