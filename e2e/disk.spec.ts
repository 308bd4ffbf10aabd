/** The disk outlives the page (design D11), and the page does without a network. */
import { readFileSync } from 'node:fs'
import { expect, type Page, test } from '@playwright/test'
import { gunzipSync } from 'fflate'
import './playground.ts'

test.skip(({ isMobile }) => isMobile, 'what is stored does not depend on the size of the screen')
test.setTimeout(120_000)

async function boot(page: Page): Promise<void> {
  await page.goto('./')
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
    await com1.type(`clear; ${command}; echo done-$((6*7))`)
    await com1.waitFor('done-42')
    return (await com1.screen()).join('\n')
  }, command)

const diskState = (page: Page) => page.evaluate(() => window.playground.disk.state())

async function saved(page: Page): Promise<void> {
  await expect.poll(() => diskState(page)).toEqual({ kind: 'saved' })
}

const fileOf = (page: Page, path: string): Promise<string> =>
  page.evaluate(async (path) => new TextDecoder().decode(await window.playground.disk.readFile(path)), path)

test('a file is there after the page was reloaded while its disk was being stored; also under a newer page', async ({
  page,
}) => {
  await boot(page)
  for (const round of [1, 2]) {
    await run(page, `echo round ${round} > /root/kept; sync`)
    await saved(page)
    await page.evaluate(async () => {
      const { console, disk } = window.playground
      await console('com1').type('while :; do for i in 1 2 3 4 5 6 7 8; do ls -lR /etc > /root/$i; sync; done; done')
      while (disk.state().kind !== 'saving') await new Promise((resolve) => setTimeout(resolve))
    })
    await boot(page)
    expect(await diskState(page)).not.toMatchObject({ kind: 'temporary' })
    expect(await run(page, 'cat /root/kept')).toContain(`round ${round}`)
  }
  // What is stored began with another base disk than the one that this page brings.
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opened = indexedDB.open(`xen-playground${location.pathname}`)
        opened.onsuccess = () => {
          const change = opened.result.transaction('meta', 'readwrite')
          const meta = change.objectStore('meta')
          const found = meta.get('disk')
          found.onsuccess = () => meta.put({ ...found.result, baseId: 'older' }, 'disk')
          change.oncomplete = () => resolve()
          change.onabort = () => reject(change.error)
        }
      }),
  )
  await page.goto('./')
  const trouble = page.locator('.trouble[data-name="base-changed"]')
  await expect(trouble).toBeVisible()
  expect(await fileOf(page, '/root/kept')).toBe('round 2\n')
  await trouble.getByTestId('trouble-action').click()
  // Once that is stored.
  await expect(trouble).toBeHidden()
  await boot(page)
  await expect(trouble).toBeHidden()
  expect(await run(page, 'cat /root/kept')).toContain('round 2')
})

test('two tabs: the second has a temporary disk, says so, and takes over', async ({ page, context }) => {
  await boot(page)
  await run(page, 'echo mine > /root/kept; sync')
  await saved(page)
  const second = await context.newPage()
  await second.goto('./')
  await expect(second.getByTestId('disk-lamp')).toHaveText('temporary')
  await expect.poll(() => diskState(second)).toEqual({ kind: 'temporary', why: 'other-tab' })
  await expect(fileOf(second, '/root/kept')).rejects.toThrow('ENOENT')
  await second.evaluate(() => window.playground.ui.open('machine'))
  await second.getByTestId('disk-take-over').click()
  await expect.poll(() => diskState(page)).toEqual({ kind: 'temporary', why: 'lost-lock' })
  await saved(second)
  expect(await fileOf(second, '/root/kept')).toBe('mine\n')
  // Reloaded, the first is the second one of the two.
  await page.reload()
  await expect.poll(() => diskState(page)).toEqual({ kind: 'temporary', why: 'other-tab' })
})

test('storage that is full keeps what it has', async ({ page }) => {
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
  await page.goto('./?power=off')
  await page.waitForFunction(() => 'playground' in window)
  expect(await fileOf(page, '/root/kept')).toBe('before\n')
})

test('files and images go in and out, while the machine is off and while it is on', async ({ page }) => {
  const result = page.getByTestId('disk-result')
  const add = async (name: string, text: string): Promise<void> => {
    await page.getByTestId('disk-add-file').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })
    await expect(page.getByTestId('disk-add-path')).toHaveValue(`/root/${name}`)
    await page.getByTestId('disk-add').click()
    await expect(result).toContainText(`/root/${name} is written`)
  }
  const confirm = () => page.getByTestId('disk-confirm').click()
  await page.goto('./?power=off')
  await page.waitForFunction(() => 'playground' in window)
  await page.evaluate(() => window.playground.ui.open('machine'))
  await add('inside', 'in the image\n')
  const download = page.waitForEvent('download')
  await page.getByTestId('disk-export').click()
  const file = await (await download).path()
  expect(gunzipSync(readFileSync(file)).subarray(510, 512)).toEqual(Uint8Array.of(0x55, 0xaa))
  await page.getByTestId('disk-discard').click()
  await confirm()
  await expect(result).toContainText('as it was delivered')
  await expect(fileOf(page, '/root/inside')).rejects.toThrow('ENOENT')
  await page.getByTestId('disk-import-file').setInputFiles(file)
  await confirm()
  await expect(result).toContainText('Imported')
  await saved(page)
  await boot(page)
  expect(await run(page, 'cat /root/inside')).toContain('in the image')
  await page.evaluate(() => window.playground.ui.open('machine'))
  await add('through a link', 'from the page\n'.repeat(5000))
  expect(await run(page, 'wc -l "/root/through a link"')).toContain('5000')
  // A kernel and its initrd, dropped anywhere; then a configuration that starts a guest from them.
  const kernels = await page.evaluateHandle(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File(['070701', new Uint8Array(700_000)], 'initrd.img-try'))
    transfer.items.add(new File([Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), new Uint8Array(300_000)], 'vmlinux try'))
    return transfer
  })
  await page.locator('body').dispatchEvent('drop', { dataTransfer: kernels })
  const added = page.getByTestId('disk-kernel-result')
  await expect(added).toContainText('ramdisk = "/boot/initrd.img-try"')
  await page.getByTestId('disk-kernel-configure').click()
  await expect(added).toContainText('xm create mylinux -c')
  expect(await run(page, 'wc -c /boot/*try')).toMatch(/700006 \S*initrd.img-try\s+300004 \S*vmlinux_try/)
  expect(await run(page, 'xm create mylinux')).toContain('Using config file "/etc/xen/mylinux"')
  await page
    .getByTestId('disk-kernel-files')
    .setInputFiles({ name: 'vmlinuz-2.6.18.8-xen', mimeType: '', buffer: Buffer.from('\x7fELF') })
  await expect(added).toContainText('The host itself boots from')
  await saved(page)
  // What is no disk changes nothing, not even the machine that runs.
  const dropped = await page.evaluateHandle(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([new Uint8Array(1024)], 'no.img'))
    return transfer
  })
  await page.getByTestId('disk-section').dispatchEvent('drop', { dataTransfer: dropped })
  await confirm()
  await expect(result).toContainText('does not end with 55 AA')
  expect(await run(page, 'xm list')).toContain('Domain-0')
  await page.getByTestId('disk-import-file').setInputFiles(file)
  await confirm()
  await expect(result).toContainText('Imported')
  expect(await page.evaluate(() => window.playground.machine.state())).toBe('off')
  await expect(fileOf(page, '/root/through a link')).rejects.toThrow('ENOENT')
})

test('after the first visit the page starts without a network', async ({ page, context }) => {
  await boot(page)
  await page.waitForFunction(() => navigator.serviceWorker.ready.then(() => true))
  await context.setOffline(true)
  await boot(page)
  expect(await run(page, 'xm list')).toContain('Domain-0')
})
