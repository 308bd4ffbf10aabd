/** Every trouble of docs/ux-states.md: how one gets there, what the page says, a picture of it, and that its button helps where that can be tried. */
import { expect, type Page, test } from '@playwright/test'
import type { TroubleId } from '../src/ui/panels/crash/troubles.ts'
import { en } from '../src/ui/panels/crash/words.ts'
import { zh } from '../src/ui/panels/crash/words.zh.ts'
import { Playground } from './playground.ts'

const HOST = /\[root@xenhost [^\]]*\]# $/
const text = (key: string): string => (en as Readonly<Record<string, string>>)[key]!

/** The page says it: title, what is safe, one main button; and the picture for whoever looks. */
async function told(page: Page, id: TroubleId, project: string): Promise<void> {
  const box = page.locator(`.trouble[data-name="${id}"]`)
  // Ten seconds of silence make a hung worker.
  await expect(box).toBeVisible({ timeout: 30_000 })
  const plain = (key: string) =>
    new RegExp(
      text(key)
        .split(/\{\w+\}/)
        .map(quoted)
        .join('.+'),
    )
  for (const part of ['title', 'text', 'safe', 'action'])
    await expect(box).toContainText(plain(`trouble.${id}.${part}`))
  await expect(box.locator('.button.primary')).toHaveCount(1)
  await page.screenshot({ path: `test-results/trouble-${id}-${project}.png` })
}

const quoted = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const act = (page: Page, id: TroubleId) =>
  page.locator(`.trouble[data-name="${id}"]`).getByTestId('trouble-action').click()

/** Boot an entry of one's own: the machine is off, its menu is written, it is switched on. */
async function bootEntry(pg: Playground, ...lines: string[]): Promise<void> {
  const menu = [
    'timeout 10',
    'serial --unit=0 --speed=115200',
    'terminal serial',
    'title Trouble',
    'root (hd0,0)',
    ...lines,
  ]
  await pg.page.evaluate(async (list) => {
    const { disk, machine } = window.playground
    await disk.writeFile('/boot/grub/menu.lst', new TextEncoder().encode(`${list.join('\n')}\n`))
    await machine.power()
  }, menu)
  await pg.menu()
  await pg.press('Enter')
}

async function login(pg: Playground): Promise<void> {
  await pg.menu()
  await pg.press('Enter')
  await pg.waitFor(/xenhost login: $/)
  await pg.page.evaluate(() => window.playground.console('com1').type('root'))
  await pg.waitFor(HOST)
}

const machineWorker = (page: Page) => page.workers().find((worker) => worker.url().startsWith('blob:null/'))!

const XEN = 'kernel /boot/xen-3.3.gz console=com1,vga com1=115200,8n1 noreboot'

test('off', async ({ page }, { project }) => {
  const pg = await Playground.open(page, { power: 'off' })
  await told(page, 'off', project.name)
  await page.evaluate(() => window.playground.ui.open('xenstore'))
  await act(page, 'off')
  await expect(page.locator('.trouble[data-name=off]')).toBeHidden()
  // Before xenstored is there.
  await expect(pg.get('xenstoreEmpty')).toContainText('Nothing is loaded yet but the boot loader.')
  await page.screenshot({ path: `test-results/trouble-empty-xenstore-${project.name}.png` })
})

test('Xen panics: no dom0', async ({ page }, { project }) => {
  const pg = await Playground.open(page, { power: 'off' })
  await bootEntry(pg, XEN, 'module /boot/grub/menu.lst')
  await told(page, 'panic', project.name)
  await act(page, 'panic')
  await pg.menu()
  await expect(pg.get('troublePanel')).toBeHidden()
})

test('another tab has the disk, and takes over', async ({ page, context }, { project }) => {
  const first = await Playground.open(page)
  await first.menu()
  const second = await Playground.open(await context.newPage())
  await second.menu()
  await told(second.page, 'other-tab', project.name)
  await act(second.page, 'other-tab')
  await told(page, 'lost-lock', project.name)
  await expect(second.page.locator('.trouble')).toHaveCount(0)
})

test('a newer page finds a disk that began with an older base', async ({ page }, { project }) => {
  const pg = await Playground.open(page, { power: 'off' })
  await page.evaluate(async () => {
    await window.playground.disk.writeFile('/root/mine', new TextEncoder().encode('mine'))
  })
  await expect.poll(() => page.evaluate(() => window.playground.disk.state())).toEqual({ kind: 'saved' })
  // As a page of another version has left it: its base, under another name.
  await page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    const [{ name }] = (await indexedDB.databases()) as [{ name: string }]
    const meta = (await done(indexedDB.open(name))).transaction('meta', 'readwrite').objectStore('meta')
    const disk = await done(meta.get('disk'))
    if (typeof disk.baseId !== 'string') throw new Error('nothing is stored')
    await done(meta.put({ ...disk, baseId: `older-${disk.baseId}` }, 'disk'))
  })
  await page.goto('./')
  await pg.menu()
  await told(page, 'base-changed', project.name)
  await act(page, 'base-changed')
  const note = page.locator('.trouble[data-name=base-changed]')
  await expect(note).toBeHidden()
  // Kept for good: not asked again, and its files are there.
  await page.goto('./')
  await pg.menu()
  await expect(note).toBeHidden()
  expect(
    await page.evaluate(async () => new TextDecoder().decode(await window.playground.disk.readFile('/root/mine'))),
  ).toBe('mine')
})

test('an address that cannot be followed', async ({ page }, { project }) => {
  await page.goto('./?tape=https://elsewhere.example/demo.tape')
  await told(page, 'link', project.name)
  await page.locator('.trouble[data-name=link]').getByRole('button').first().click()
  await expect(page.locator('.trouble[data-name=link]')).toBeHidden()
})

test('an old browser is told so, in both languages, and nothing is started', async ({ page }, { project }) => {
  await page.addInitScript(() => {
    delete (window as { BigInt64Array?: unknown }).BigInt64Array
  })
  // It stops loading by itself: nobody may wait for the end of that.
  await page.goto('./', { waitUntil: 'commit' })
  const box = page.locator('#old-browser')
  for (const { 'trouble.old-browser.title': title, 'trouble.old-browser.safe': safe } of [en, zh]) {
    await expect(box).toContainText(title)
    await expect(box).toContainText(safe)
  }
  await expect(box).toContainText('BigInt64Array')
  await expect(page.locator('#root')).toHaveCount(0)
  await page.screenshot({ path: `test-results/trouble-old-browser-${project.name}.png` })
})

test.describe('as well, where the screen makes no difference', () => {
  test.skip(({ isMobile }) => isMobile, 'the troubles above show how a phone tells them')

  test('the processors have stopped for good', async ({ page }, { project }) => {
    const pg = await Playground.open(page)
    await login(pg)
    await page.evaluate(() => window.playground.console('com1').type('halt -f'))
    await told(page, 'halted', project.name)
    await act(page, 'halted')
    await pg.menu()
    await expect(pg.get('troublePanel')).toBeHidden()
  })

  test('dom0 dies: its kernel panics', async ({ page }, { project }) => {
    const pg = await Playground.open(page, { power: 'off' })
    await bootEntry(pg, XEN, 'module /boot/vmlinuz-2.6.18.8-xen ro root=/dev/nowhere console=xvc0')
    await told(page, 'dom0', project.name)
    await act(page, 'dom0')
    await pg.menu()
  })

  test('the worker hangs', async ({ page }, { project }) => {
    test.setTimeout(90_000)
    const pg = await Playground.open(page)
    await pg.menu()
    // Never answered: that is the point.
    machineWorker(page)
      .evaluate(() => {
        for (;;);
      })
      .catch(() => {})
    await page.evaluate(() => window.playground.machine.nmi().catch(() => {}))
    await told(page, 'hung', project.name)
    await act(page, 'hung')
    await pg.menu()
  })

  test('the worker dies', async ({ page }, { project }) => {
    const pg = await Playground.open(page)
    await pg.menu()
    await machineWorker(page).evaluate(() => {
      setTimeout(() => {
        throw new Error('out of memory')
      })
    })
    await told(page, 'dead', project.name)
    await act(page, 'dead')
    await pg.menu()
  })

  test('the browser refuses the memory', async ({ page }, { project }) => {
    const stingy = `{
    const { Memory } = WebAssembly
    WebAssembly.Memory = function (wanted) {
      if (wanted.initial > 10000) throw new RangeError('WebAssembly.Memory(): could not allocate memory')
      return new Memory(wanted)
    }
  };`
    await page.route(/\/machine[^/]*\.js$/, async (route) => {
      const script = await (await route.fetch()).text()
      await route.fulfill({
        body: script.replace(/^'use strict';/, (directive) => directive + stingy),
        contentType: 'text/javascript',
      })
    })
    const pg = await Playground.open(page)
    await told(page, 'memory', project.name)
    await act(page, 'memory')
    await pg.menu()
  })

  test('no network, and nothing kept', async ({ page, context }, { project }) => {
    await page.route(/\/machine[^/]*\.js$|\.gz$/, (route) => route.abort('internetdisconnected'))
    const pg = await Playground.open(page)
    await told(page, 'offline', project.name)
    // The network is away altogether, and comes back.
    await context.setOffline(true)
    await act(page, 'offline')
    await told(page, 'offline', project.name)
    await context.setOffline(false)
    await page.unroute(/\/machine[^/]*\.js$|\.gz$/)
    await act(page, 'offline')
    await pg.menu()
  })

  test('storage is denied', async ({ page }, { project }) => {
    await page.addInitScript(() => {
      Object.defineProperty(window, 'indexedDB', {
        get() {
          throw new DOMException('denied', 'SecurityError')
        },
      })
    })
    const pg = await Playground.open(page)
    await told(page, 'storage-denied', project.name)
    await pg.menu()
    const download = page.waitForEvent('download')
    await act(page, 'storage-denied')
    expect((await download).suggestedFilename()).toMatch(/\.gz$/)
  })

  test('storage is full', async ({ page }, { project }) => {
    const pg = await Playground.open(page)
    await login(pg)
    // Nothing wrong, but nothing there yet: no guest.
    await page.evaluate(() => window.playground.ui.open('domains'))
    await expect(pg.get('domainsNext')).toBeVisible()
    await page.screenshot({ path: `test-results/trouble-empty-domains-${project.name}.png` })
    await page.evaluate(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('no room', 'QuotaExceededError')
      }
    })
    await page.evaluate(() => window.playground.console('com1').type('echo more > /root/more; sync'))
    await told(page, 'storage-full', project.name)
  })

  test('a file that is no disk', async ({ page }, { project }) => {
    const pg = await Playground.open(page, { power: 'off' })
    await page.evaluate(() => window.playground.ui.open('machine'))
    await page.getByTestId('disk-import-file').setInputFiles({
      name: 'no.img',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from('not a disk'),
    })
    await page.getByTestId('disk-confirm').click()
    await told(page, 'import', project.name)
    await expect(pg.get('machinePanel')).toBeVisible()
  })
})
