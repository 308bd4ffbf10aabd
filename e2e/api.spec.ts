import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import type { Playground as PlaygroundApi } from '../src/protocol/playground.ts'
import { Playground } from './playground.ts'

test.beforeEach(({ isMobile }) => {
  test.skip(isMobile, 'the interface is the same')
})

/** As a person starts it; what it says is UTF-8. */
function headless(...argv: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['scripts/headless.mjs', ...argv])
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (part: string) => {
        said[name] += part
      })
    child.on('close', (status) => resolve({ status, ...said }))
  })
}

const PANELS = [
  'guide',
  'com1',
  'monitor',
  'com2',
  'xray',
  'domains',
  'xenstore',
  'boot-menu',
  'machine',
  'domain:sebastian',
]

test('the same tape and seed: with one panel, with all of them, under Node and from its input log, one digest', async ({
  page,
}, testInfo) => {
  test.setTimeout(300_000)
  // A guest is created, and its console is spoken to through a host link.
  const path = 'tapes/domain-console.tape'
  const tape = readFileSync(path, 'utf8')
  const node = headless('--tape', path, '--seed', '5', '--digest')
  await Playground.open(page, { power: 'off', seed: 5, embed: 1, panels: 'com1' })
  const one = await page.evaluate((text) => window.playground.runTape(text), tape)
  expect(one).toMatchObject({ status: 0, error: undefined })
  expect(await node).toEqual({ status: 0, stdout: one.transcript, stderr: `${one.digest}\n` })

  const pg = await Playground.open(page, { power: 'off', seed: 5, disk: 'temporary' })
  const all = await page.evaluate(
    async ({ text, panels }) => {
      const { playground } = window
      for (const panel of panels) playground.ui.open(panel)
      // Each is in front again and again while the tape plays.
      let turn = 0
      const timer = setInterval(() => playground.ui.open(panels[turn++ % panels.length] as string), 150)
      const outcome = playground.runTape(text)
      await playground.console('com1').waitFor('Started domain', { timeoutMs: 120_000 })
      const refused = await playground.xenstore.write('/tool/x', 'y').catch((error: Error) => error.message)
      await playground.console('com1').type('nobody hears this')
      const { digest } = await outcome
      clearInterval(timer)
      return { digest, refused, turns: turn > panels.length }
    },
    { text: tape, panels: PANELS },
  )
  expect(all).toEqual({ digest: one.digest, refused: expect.stringContaining('a tape is being played'), turns: true })

  // The tape's machine is anybody's now; what is done to it is in its log, after the tape's own links.
  await page.evaluate(async () => {
    await window.playground.xenstore.write('/tool/note', 'written from outside')
    window.playground.ui.open('machine')
  })
  const saving = page.waitForEvent('download')
  await pg.get('recordSave').click()
  const log = testInfo.outputPath('log.json')
  await (await saving).saveAs(log)
  const digest = await pg.get('recordResult').locator('code').textContent()
  expect(await headless('--replay', log, '--digest')).toMatchObject({ status: 0, stderr: `${digest}\n` })
  // And here: the panel replays it, and the machine goes on from there.
  await pg.get('recordReplay').setInputFiles(log)
  await expect(pg.get('recordResult')).toContainText('Replayed.', { timeout: 60_000 })
  expect(await pg.get('recordResult').locator('code').textContent()).toBe(digest)
  expect(await page.evaluate(() => window.playground.xenstore.read('/tool/note'))).toBe('written from outside')
  await pg
    .get('recordReplay')
    .setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{}') })
  await expect(pg.get('recordResult')).toContainText('It was refused: not an input log of version 1')
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
    const error = await com1.waitFor(/Error \d+: [^\r\n]*[\r\n]/)
    // What `now` says between two reports of the machine is the wall clock's guess.
    const before = await playground.clock.runFor(0)
    const now = await playground.clock.runFor(10)
    const menu = new TextDecoder().decode(await playground.disk.readFile('/boot/grub/menu.lst'))
    const refused = await playground.disk.writeFile('/x', new Uint8Array(1)).catch((reason: Error) => reason.message)
    return { error, passed: now - before, menu, refused, screen: await com1.screen(), version: playground.apiVersion }
  })
  expect(found.error).toContain('Error 15: File not found')
  expect(found.passed).toBeGreaterThanOrEqual(10)
  expect(found.menu).toContain('kernel /boot/xen-3.3.gz')
  // GRUB has nobody who writes files.
  expect(found.refused).toBe('nobody serves links in this machine')
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

/** What a script sees of a machine, wherever it runs: it is handed the interface and uses nothing else. */
const script = async (playground: PlaygroundApi) => {
  await playground.ready
  const com1 = playground.console('com1')
  await com1.waitFor('highlighted entry', { timeoutMs: 60_000 })
  await com1.key('Enter')
  await com1.waitFor('xenhost login:', { timeoutMs: 60_000 })
  await com1.type('root')
  await com1.waitFor('~]#')
  const sebastian = playground.console('domain:sebastian')
  const early = await sebastian.type('x').catch((error: Error) => error.message)
  await com1.type('xm create sebastian')
  await com1.waitFor('Started domain sebastian', { timeoutMs: 60_000 })
  await sebastian.waitFor('login:', { timeoutMs: 60_000 })
  await sebastian.type('root')
  await sebastian.waitFor('~]#')
  await sebastian.type('hostname')
  const hostname = await sebastian.waitFor(/^sebastian\r/m)
  const id = (await playground.xenstore.list('/local/domain')).at(-1)
  const name = await playground.xenstore.read(`/local/domain/${id}/name`)
  await playground.domains.act({ kind: 'mem-set', domain: 'sebastian', mib: 96 })
  const target = await playground.xenstore.waitFor(`/local/domain/${id}/memory/target`, '98304')
  const smaller = await playground.domains.waitFor('sebastian', (domain) => domain?.memoryKiB === 98304)
  await playground.domains.act({ kind: 'pause', domain: 'sebastian' })
  const paused = await playground.domains.waitFor('sebastian', (domain) => domain?.state === 'paused')
  const errors = [
    await playground.xenstore.read('/no/such').catch((error: Error) => error.message),
    await playground.domains.act({ kind: 'pause', domain: 'nobody' }).catch((error: Error) => error.message),
    await playground.disk.import(new Uint8Array(512)).catch((error: Error) => error.message),
    await playground.disk.discard().catch((error: Error) => error.message),
    await playground.disk.readFile('relative').catch((error: Error) => error.message),
    await com1.key('Hyper+x').catch((error: Error) => error.message),
    await com1.waitFor('never', { timeoutMs: 50 }).catch((error: Error) => error.message.slice(0, 21)),
  ]
  await playground.disk.writeFile('/root/from-outside', new TextEncoder().encode('by a link\n'))
  await com1.type('cat /root/from-outside')
  const file = await com1.waitFor('by a link')
  const record = await playground.machine.record()
  return {
    early,
    hostname,
    name,
    target,
    errors,
    file,
    states: [smaller?.name, paused?.state, paused?.memoryKiB],
    cast: playground.asciicast().split('\n')[0],
    kinds: [...new Set(record.inputs.map(({ input }) => input.kind))].sort(),
  }
}

test('one script sees the same on the page and under Node', async ({ page }) => {
  test.setTimeout(240_000)
  await Playground.open(page, { disk: 'temporary' })
  const here = await page.evaluate(`(${script})(window.playground)`)
  const program = `
    import { createPlayground } from './scripts/playground.mjs'
    const playground = await createPlayground()
    console.log(JSON.stringify(await (${script})(playground)))
    await playground.close()`
  const node = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(node.stderr).toBe('')
  expect(here).toEqual(JSON.parse(node.stdout))
  expect(here).toMatchObject({
    early: 'domain:sebastian: there is no such domain',
    name: 'sebastian',
    target: '98304',
    states: ['sebastian', 'paused', 98304],
    kinds: ['button', 'link', 'serial'],
  })
})
