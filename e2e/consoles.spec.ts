/** What a person does with consoles: copy, paste, search, keys that the browser keeps, a guest's console, a soft keyboard. */
import { createHash } from 'node:crypto'
import { expect, test } from '@playwright/test'
import { testIds } from '../src/ui/test-ids.ts'
import { Playground } from './playground.ts'

/** The kernel may say something behind the prompt. */
const HOST = /\[root@xenhost [^\]]*\]# /

async function loggedIn(pg: Playground): Promise<void> {
  await pg.menu()
  await pg.press('Enter')
  await pg.waitFor(/xenhost login: $/)
  await run(pg, 'root')
}

/** One command line; what it printed. */
async function run(pg: Playground, line: string): Promise<string> {
  await pg.page.evaluate((text) => window.playground.console('com1').type(text), line)
  return pg.waitFor(HOST)
}

const field = (pg: Playground, line: string) => pg.page.locator(`[data-line="${line}"] .xterm-helper-textarea`)
const shown = (pg: Playground, line: string) => pg.page.locator(`[data-line="${line}"] .xterm-accessibility`)
/** The panel of one console. */
const panel = (pg: Playground, line: string) =>
  pg.get('serialPanel').filter({ has: pg.page.locator(`[data-line="${line}"]`) })
const inPanel = (pg: Playground, line: string, id: keyof typeof testIds) => panel(pg, line).getByTestId(testIds[id])

/** As the clipboard's own event brings it, where no permission is to be had. */
const paste = (pg: Playground, line: string, text: string): Promise<void> =>
  field(pg, line).evaluate((element, pasted) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', pasted)
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  }, text)

const lines = (bytes: number): string => {
  let text = ''
  for (let i = 0; text.length < bytes; i++) text += `${i} abcdefghijklmnopqrstuvwxyz 0123456789\n`
  return text
}

/** Logs in on the monitor, and lets go of its keyboard. */
async function monitorKeyboard(pg: Playground, type: (text: string) => Promise<void>): Promise<void> {
  await pg.page.evaluate(() => window.playground.ui.open('monitor'))
  await expect(pg.get('monitorText')).toContainText('xenhost login:')
  const keys = pg.get('monitorScreen')
  await keys.focus()
  await type('root')
  await pg.page.keyboard.press('Enter')
  await expect(pg.get('monitorText')).toContainText('[root@xenhost')
  await pg.get('monitorRelease').click()
  await expect(pg.get('monitorRelease')).toBeHidden()
  await expect(keys).not.toBeFocused()
}

test('fifty kilobytes are pasted whole, at the line’s pace; a paste can be stopped', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same line')
  test.setTimeout(120_000)
  const pg = await Playground.open(page)
  await loggedIn(pg)
  await pg.page.evaluate(() =>
    window.playground.console('com1').type('stty -echo; cat > /tmp/pasted; md5sum /tmp/pasted'),
  )
  const text = lines(50_000)
  await paste(pg, 'com1', text)
  await expect(inPanel(pg, 'com1', 'consoleSending')).toContainText('of 49 KB')
  await expect(inPanel(pg, 'com1', 'consoleSending')).toBeHidden({ timeout: 60_000 })
  await pg.page.evaluate(() => window.playground.console('com1').key('Ctrl+d'))
  await pg.waitFor(createHash('md5').update(text).digest('hex'))
  await pg.waitFor(HOST)

  await pg.page.evaluate(() => window.playground.console('com1').type('cat > /tmp/stopped'))
  await paste(pg, 'com1', text)
  await inPanel(pg, 'com1', 'consoleSendingStop').click()
  await expect(inPanel(pg, 'com1', 'consoleSending')).toBeHidden()
  await pg.page.evaluate(() => window.playground.console('com1').key('Ctrl+c'))
  await pg.waitFor(HOST)
  const size = Number(/^\d+/m.exec(await run(pg, 'wc -c < /tmp/stopped'))?.[0] ?? 0)
  expect(size).toBeLessThan(40_000)
  expect(pg.complaints).toEqual([])
})

test('a console’s tools: copy, paste, search, the menu of keys; the monitor’s keyboard', async ({
  page,
  context,
  isMobile,
}) => {
  test.skip(isMobile, 'the same tools')
  test.setTimeout(120_000)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const pg = await Playground.open(page)
  await loggedIn(pg)
  await test.step('copy takes what is selected, else everything; the clipboard is pasted', async () => {
    await run(pg, 'echo one-$((40 + 2))-two')
    await inPanel(pg, 'com1', 'consoleCopy').click()
    const copied = () => page.evaluate(() => navigator.clipboard.readText())
    await expect.poll(copied).toContain('one-42-two\n')
    await page.evaluate(() => navigator.clipboard.writeText('echo from-the-$((1 + 1))-board\n'))
    await inPanel(pg, 'com1', 'consolePaste').click()
    await pg.waitFor('from-the-2-board')
    await page.evaluate(() => navigator.clipboard.writeText('echo key-$((2 + 2))\n'))
    await pg.press('Control+Shift+V')
    await pg.waitFor('key-4')
    // The rows let the pointer through to the screen behind them.
    const word = page.locator('[data-line=com1] .xterm-rows').getByText('key-4').last()
    await expect(word).toBeVisible()
    const { x, y, width, height } = (await word.boundingBox())!
    await page.mouse.dblclick(x + Math.min(width, 40) / 2, y + height / 2)
    await page.keyboard.press('Control+Shift+C')
    await expect.poll(copied).toMatch(/^key-4$/)
  })
  await test.step('the scrollback is searched, by key and by button', async () => {
    await run(pg, 'seq 1000 1100; clear')
    await run(pg, 'seq 2000 2040')
    await pg.press('Control+Shift+F')
    const bar = pg.get('consoleSearchBar')
    await bar.getByRole('textbox').fill('203')
    await expect(bar.getByRole('status')).toHaveText('10 of 10')
    await page.keyboard.press('Enter')
    await expect(bar.getByRole('status')).toHaveText('9 of 10')
    await bar.getByRole('textbox').fill('nothing like this')
    await expect(bar.getByRole('status')).toHaveText('Nothing found')
    await page.keyboard.press('Escape')
    await expect(bar).toBeHidden()
    await expect(field(pg, 'com1')).toBeFocused()
    await inPanel(pg, 'com1', 'consoleSearch').click()
    await expect(bar).toBeVisible()
  })
  await test.step('the menu of keys switches to Xen and back; the badge says who hears', async () => {
    const owner = pg.get('consoleOwner')
    await expect(owner).toHaveText('Keys go to dom0')
    for (const [name, data] of [
      ['Keys go to Xen', 'xen'],
      ['Keys go to dom0', 'dom0'],
    ] as const) {
      await inPanel(pg, 'com1', 'consoleSend').click()
      await page.getByRole('menuitem', { name: 'Ctrl-A ×3' }).click()
      await expect(owner).toHaveText(name)
      await expect(owner).toHaveAttribute('data-owner', data)
    }
    await expect(field(pg, 'com1')).toBeFocused()
    await page.keyboard.type('sleep 1000\n')
    await inPanel(pg, 'com1', 'consoleSend').click()
    await page.getByRole('menuitem', { name: 'Ctrl-C' }).click()
    await run(pg, 'echo woken-$((6 * 7))')
    await pg.waitFor('woken-42')
  })
  await test.step('the monitor has the keyboard until it is released', async () => {
    await monitorKeyboard(pg, (text) => page.keyboard.type(text))
    await pg.get('monitorScreen').focus()
    await page.keyboard.press('F6')
    await expect(pg.get('monitorScreen')).not.toBeFocused()
  })
  expect(pg.complaints).toEqual([])
})

test('a guest’s console: logged in to, left unread and read later, gone with the guest', async ({ page, isMobile }) => {
  test.setTimeout(120_000)
  const pg = await Playground.open(page)
  await loggedIn(pg)
  const open = (name: string) => page.evaluate((wanted) => window.playground.ui.open(wanted), name)
  const line = 'domain:sebastian'
  await open(line)
  await expect(inPanel(pg, line, 'consoleNotice')).toContainText('There is no domain sebastian now.')
  await inPanel(pg, line, 'consoleCreate').click()
  await pg.waitFor('Started domain sebastian')
  await open(line)
  await expect(shown(pg, line)).toContainText('sebastian login:')
  await expect(inPanel(pg, line, 'consolePty')).toHaveAttribute('data-domid', '1')
  await field(pg, line).focus()
  await page.keyboard.type('root\n')
  await expect(shown(pg, line)).toContainText('[root@sebastian')
  // Hidden, it reads nothing: what the guest says waits in xenconsoled.
  await page.keyboard.type('sleep 2; echo said-$((6 * 7))-later\n')
  await open('com1')
  await expect(inPanel(pg, line, 'consolePty')).toBeHidden()
  await run(pg, 'sleep 4')
  expect(await shown(pg, line).textContent()).not.toContain('said-42-later')
  await open(line)
  await expect(shown(pg, line)).toContainText('said-42-later')
  await run(pg, 'xm destroy sebastian')
  await expect(inPanel(pg, line, 'consoleNotice')).toContainText('There is no domain sebastian now.')
  if (!isMobile) {
    // Delete closes its tab, and the neighbour has the focus; asked for again it is there again.
    const tab = page.locator(`[data-testid=${testIds.dockTab}][data-panel="${line}"][role=tab]`)
    await tab.focus()
    await page.keyboard.press('Delete')
    await expect(tab).toHaveCount(0)
    await expect(page.locator(`[data-testid=${testIds.dockTab}][role=tab]:focus`)).toHaveCount(1)
    await open(line)
    await expect(tab).toHaveAttribute('aria-selected', 'true')
    await tab.locator('.tab-close').click()
    await expect(tab).toHaveCount(0)
  }
  expect(pg.complaints).toEqual([])
})

test('what a soft keyboard enters arrives once, deletions too; the key row holds Ctrl for one key', async ({
  page,
  isMobile,
}) => {
  test.skip(!isMobile, 'a phone’s')
  const pg = await Playground.open(page)
  await loggedIn(pg)
  await field(pg, 'com1').focus()
  for (const [name, value] of Object.entries({ autocorrect: 'off', autocapitalize: 'off', spellcheck: 'false' }))
    await expect(field(pg, 'com1')).toHaveAttribute(name, value)
  const input = (inputType: string, data: string | null = null) =>
    field(pg, 'com1').evaluate(
      (element, init) => {
        element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Unidentified', keyCode: 229, bubbles: true }))
        element.dispatchEvent(new InputEvent('beforeinput', { ...init, bubbles: true, cancelable: true }))
        element.dispatchEvent(new KeyboardEvent('keyup', { key: 'Unidentified', keyCode: 229, bubbles: true }))
      },
      { inputType, data },
    )
  for (const letter of 'echo wronh') await input('insertText', letter)
  await input('deleteContentBackward')
  await input('insertText', 'g')
  await input('insertLineBreak')
  await pg.waitFor(/\r\nwrong\r+\n/)

  // As the browser itself reports a keyboard that composes: revised, then done.
  const cdp = await page.context().newCDPSession(page)
  for (const text of ['e', 'ec', 'echp', 'echo'])
    await cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
  await cdp.send('Input.insertText', { text: 'echo' })
  await page.keyboard.insertText(' composed-once')
  await page.keyboard.press('Backspace')
  await page.keyboard.press('Enter')
  await pg.waitFor(/\r\ncomposed-onc\r+\n/)

  await page.keyboard.insertText('sleep 1000')
  const row = inPanel(pg, 'com1', 'serialKeys')
  await row.getByRole('button', { name: 'Enter' }).click()
  const ctrl = row.getByRole('button', { name: 'Ctrl', exact: true })
  await ctrl.click()
  await expect(ctrl).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.insertText('c')
  await expect(ctrl).toHaveAttribute('aria-pressed', 'false')
  await run(pg, 'echo woken-$((6 * 7))')
  await pg.waitFor('woken-42')

  await monitorKeyboard(pg, (text) => page.keyboard.insertText(text))
  expect(pg.complaints).toEqual([])
})
