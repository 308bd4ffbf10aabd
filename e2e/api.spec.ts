import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import { Playground } from './playground.ts'

test.beforeEach(({ isMobile }) => {
  test.skip(isMobile, 'the interface is the same')
})

test('the same tape gives the same digest and transcript here, twice, and under Node', async ({ page }) => {
  test.setTimeout(120_000)
  // A boot to the login, commands in the shell, a reboot.
  const path = 'tapes/boot.tape'
  const tape = readFileSync(path, 'utf8')
  await Playground.open(page, { power: 'off' })
  const run = () => page.evaluate((text) => window.playground.runTape(text), tape)
  const first = await run()
  const second = await run()
  expect(first).toMatchObject({ status: 0, error: undefined })
  expect(first.transcript.length).toBeGreaterThan(2000)
  expect(second).toEqual(first)
  const node = spawnSync(process.execPath, ['scripts/headless.mjs', '--tape', path, '--digest'], { encoding: 'utf8' })
  expect(node.status).toBe(0)
  expect(node.stderr.trim()).toBe(first.digest)
  expect(node.stdout).toBe(first.transcript)
})

test('a tape that is not met, and one that is no tape, say where', async ({ page }) => {
  await Playground.open(page, { power: 'off' })
  const run = (text: string) => page.evaluate((tape) => window.playground.runTape(tape), text)
  expect(await run('Wait@1s /no such text/')).toMatchObject({ status: 1, error: expect.stringContaining(':1:') })
  expect(await run('\nDance 3')).toMatchObject({ status: 2, error: expect.stringContaining(':2:') })
})

test('a script boots, types, reads files and waits in virtual time', async ({ page }) => {
  const pg = await Playground.open(page)
  const found = await page.evaluate(async () => {
    const { playground } = window
    await playground.ready
    const com1 = playground.console('com1')
    await com1.waitFor('highlighted entry')
    await com1.key('Down')
    await com1.key('c')
    await com1.waitFor('grub>')
    await com1.type('kernel /boot/nosuch')
    const error = await com1.waitFor(/Error \d+: .*/)
    const before = playground.clock.now()
    const now = await playground.clock.runFor(10)
    const menu = new TextDecoder().decode(await playground.disk.readFile('/boot/grub/menu.lst'))
    const refused = await playground.disk.writeFile('/x', new Uint8Array(1)).catch((reason: Error) => reason.message)
    return { error, passed: now - before, menu, refused, screen: await com1.screen(), version: playground.apiVersion }
  })
  expect(found.error).toContain('Error 15: File not found')
  expect(found.passed).toBeGreaterThanOrEqual(10)
  expect(found.menu).toContain('kernel /boot/xen-3.3.gz')
  expect(found.refused).toBe('the machine is on: its disk cannot be written from outside')
  expect(found.screen).toHaveLength(25)
  expect(found.version).toBe(1)
  expect(pg.complaints).toEqual([])
})

test('a file written while the machine is off is what it boots with', async ({ page }) => {
  const pg = await Playground.open(page, { power: 'off' })
  await page.evaluate(async () => {
    const { disk, machine } = window.playground
    const menu = new TextDecoder().decode(await disk.readFile('/boot/grub/menu.lst'))
    await disk.writeFile(
      '/boot/grub/menu.lst',
      new TextEncoder().encode(menu.replace(/^title .*$/m, 'title My own entry')),
    )
    await machine.power()
  })
  await pg.menu()
  await pg.shows('My own entry')
})

test('memory that the browser refuses is said so, and a smaller machine is offered', async ({ page }) => {
  // An engine with little memory: what Chromium says when it cannot give more.
  const stingy = `{
    const { Memory } = WebAssembly
    WebAssembly.Memory = function (wanted) {
      if (wanted.initial > 10000) throw new RangeError('WebAssembly.Memory(): could not allocate memory')
      return new Memory(wanted)
    }
  };`
  await page.route(/\/machine[^/]*\.js$/, async (route) => {
    const text = await (await route.fetch()).text()
    await route.fulfill({
      body: text.replace(/^'use strict';/, (directive) => directive + stingy),
      contentType: 'text/javascript',
    })
  })
  const pg = await Playground.open(page)
  await expect(pg.get('troublePanel')).toContainText('Your browser refused 1024 MiB of memory')
  await pg.get('troubleAction').click()
  await pg.menu()
  expect(await page.evaluate(() => window.playground.machine.options().memoryMiB)).toBe(512)
})
