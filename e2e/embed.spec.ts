/** A page on another origin, which embeds this one: the very page of docs/embedding.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { expect, type Page, test } from '@playwright/test'
import { testIds } from '../src/ui/test-ids.ts'

test.skip(({ isMobile }) => isMobile, 'the protocol is the same')

let server: Server
let elsewhere = ''
let html = ''

test.beforeAll(async ({ baseURL }) => {
  const documented = /```html\n([\s\S]*?)```/.exec(readFileSync('docs/embedding.md', 'utf8'))?.[1] ?? ''
  expect(documented).toContain('<iframe')
  expect(documented.trim().split('\n').length).toBeLessThanOrEqual(40)
  html = documented.replaceAll('https://playground.example/', baseURL ?? '')
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname
    response.setHeader('Content-Type', 'text/html')
    response.end(path === '/lab.html' ? html : '<!doctype html><p>nothing</p>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  elsewhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

test.afterAll(() => new Promise((resolve) => server.close(resolve)))

const frame = (page: Page) => page.frameLocator('#xen')
const openLab = (page: Page) => page.goto(`${elsewhere}/lab.html`)

/** Messages from the frame that reached the parent, besides what a browser's own tools post. */
const heard = (page: Page) => page.evaluate(() => (window as unknown as { heard: unknown[] }).heard)

test('a page of another origin boots the machine, types a command and reads the answer, once it is allowed', async ({
  page,
}) => {
  test.setTimeout(180_000)
  await openLab(page)
  const bar = frame(page).getByTestId(testIds.embedConsent)
  await expect(bar).toContainText(`${elsewhere} wants to control this machine.`)
  await expect(page.locator('#run')).toBeDisabled()
  await bar.getByTestId(testIds.embedOnce).click()
  await expect(bar).toBeHidden()
  await expect(page.locator('#run')).toBeEnabled({ timeout: 90_000 })
  await page.locator('#run').click()
  await expect(page.locator('#answer')).toHaveText(/Name +ID[\s\S]*Domain-0 +0 +256/)
  // Once is once.
  await page.reload()
  await expect(bar).toBeVisible()
})

test('without consent an origin gets nothing at all', async ({ page }) => {
  await page.addInitScript(() => {
    const heard: unknown[] = []
    Object.assign(window, { heard })
    if (window === window.top) addEventListener('message', ({ data }) => heard.push(data))
  })
  await openLab(page)
  const bar = frame(page).getByTestId(testIds.embedConsent)
  await expect(bar).toBeVisible()
  await expect(frame(page).locator('.xterm-accessibility').first()).toContainText('GNU GRUB')
  expect(await heard(page)).toEqual([])
  await bar.getByTestId(testIds.embedRefuse).click()
  await expect(bar).toBeHidden()
  // It goes on saying hello, four times a second, and is not asked about again: GRUB has counted on meanwhile.
  const countdown = async () => {
    const shown = await frame(page).locator('.xterm-accessibility').first().textContent()
    return /automatically in\s+(\d+)/.exec(shown ?? '')?.[1]
  }
  await expect.poll(countdown).toMatch(/\d/)
  const before = await countdown()
  await expect.poll(countdown).not.toBe(before)
  expect(await heard(page)).toEqual([])
  await expect(bar).toBeHidden()
})

test('always is kept, and can be withdrawn', async ({ page }) => {
  test.setTimeout(180_000)
  html = html.replace('panels=com1', 'panels=com1,machine')
  await openLab(page)
  const bar = frame(page).getByTestId(testIds.embedConsent)
  await bar.getByTestId(testIds.embedAlways).click()
  await page.reload()
  await expect(page.locator('#run')).toBeEnabled({ timeout: 90_000 })
  await expect(bar).toBeHidden()
  await frame(page)
    .getByRole('tab', { name: /Machine/ })
    .or(frame(page).getByRole('button', { name: /Machine/ }))
    .first()
    .click()
  await frame(page).getByTestId(testIds.embedRevoke).click()
  // The port is dead: a click is answered no more.
  await page.locator('#run').click()
  await page.reload()
  await expect(bar).toBeVisible()
})

test('a page without an origin is asked about, once, and comes in when it says hello again', async ({
  page,
}, testInfo) => {
  test.setTimeout(120_000)
  // The same page as a file.
  const file = testInfo.outputPath('lab.html')
  writeFileSync(file, html)
  await page.goto(pathToFileURL(file).href)
  const bar = frame(page).getByTestId(testIds.embedConsent)
  await expect(bar).toContainText('It has no address of its own.')
  await expect(bar.getByTestId(testIds.embedAlways)).toBeHidden()
  await bar.getByTestId(testIds.embedOnce).click()
  await expect(page.locator('#run')).toBeEnabled({ timeout: 50_000 })
  await page.reload()
  await expect(bar).toBeVisible()
})

test('embed.js: the same interface from the same origin, without being asked', async ({ page, baseURL }) => {
  await page.goto(`${baseURL}?power=off&embed=1`)
  const found = await page.evaluate(async () => {
    const iframe = document.createElement('iframe')
    iframe.src = './?embed=1&panels=com1&clock=turbo'
    document.body.append(iframe)
    const { connect } = (await import(
      new URL('embed.js', location.href).href
    )) as typeof import('../src/ui/embed/client.ts')
    const playground = await connect(iframe, { timeoutMs: 20_000 })
    await playground.ready
    const menu = await playground.console('com1').waitFor(/GNU GRUB +version \S+/)
    const states: string[] = []
    const again = new Promise<void>((resolve) => {
      const stop = playground.on('state', (state) => {
        states.push(state)
        if (state !== 'bootloader') return
        stop()
        resolve()
      })
    })
    await playground.machine.reset()
    await again
    const refused = await playground
      .console('com9' as 'com1')
      .screen()
      .catch((error: Error) => [error.name, error.message])
    const file = await playground.disk.readFile('/boot/grub/menu.lst')
    playground.close()
    return { menu, states, refused, file: file.length, state: window.playground.machine.state() }
  })
  expect(found.menu).toContain('0.97')
  expect(found.states).toEqual(['firmware', 'bootloader'])
  expect(found.refused).toEqual(['RangeError', 'no such console: com9 (com1, com2, monitor or domain:NAME)'])
  expect(found.file).toBeGreaterThan(100)
  expect(found.state).toBe('off')
})

test.describe('a link with a tape', () => {
  const tape = 'Wait+Screen@5s /GNU GRUB/\nDown\n'

  test('of this link itself is played when the person says so', async ({ page, baseURL }) => {
    await page.goto(`${baseURL}?power=off&tape=${encodeURIComponent(`data:text/plain,${encodeURIComponent(tape)}`)}`)
    const bar = page.getByTestId(testIds.embedTape)
    await expect(bar).toContainText('This link brings a tape')
    expect(await page.evaluate(() => window.playground.machine.state())).toBe('off')
    await bar.getByTestId(testIds.embedTapePlay).click()
    await expect(bar).toContainText('has ended')
    expect(await page.evaluate(() => window.playground.machine.state())).toBe('bootloader')
  })

  test('of this site is played at once', async ({ page, baseURL }) => {
    await page.route('**/demo.tape', (route) => route.fulfill({ body: tape, contentType: 'text/plain' }))
    await page.goto(`${baseURL}?tape=demo.tape`)
    await expect(page.getByTestId(testIds.embedTape)).toContainText('The tape demo.tape has ended.')
  })

  test('of another site is not even fetched', async ({ page, baseURL }) => {
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(`${baseURL}?power=off&tape=${encodeURIComponent(`${elsewhere}/demo.tape`)}`)
    await page.evaluate(() => window.playground.disk.readFile('/etc/fstab'))
    expect(asked.filter((url) => url.startsWith(elsewhere))).toEqual([])
    await expect(page.getByTestId(testIds.embedTape)).toBeHidden()
    const note = page.getByTestId(testIds.troubleNote).filter({ hasText: 'a tape may only lie on this very site' })
    await expect(note).toBeVisible()
  })
})
