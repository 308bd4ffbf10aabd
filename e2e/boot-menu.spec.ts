/** The boot menu's panel: /boot/grub/menu.lst changed as a form and as text, and booted. */
import { expect, type Page, test } from '@playwright/test'
import { Playground } from './playground.ts'

const PATH = '/boot/grub/menu.lst'

const menuFile = (page: Page): Promise<string> =>
  page.evaluate(async (path) => new TextDecoder().decode(await window.playground.disk.readFile(path)), PATH)

/** What is pressed at GRUB's menu once it is there: its countdown stops. */
async function atGrub(pg: Playground, key: string): Promise<void> {
  await pg.waitFor('highlighted entry')
  await pg.page.evaluate((name) => window.playground.console('com1').key(name), key)
}

async function showMenu(pg: Playground): Promise<void> {
  await pg.page.evaluate(() => window.playground.ui.open('boot-menu'))
  await expect(pg.get('bootMenuForm')).toBeVisible({ timeout: 30_000 })
}

/** A machine that is off, with its boot menu on the screen; or one at GRUB where `key` has been pressed. */
async function open(page: Page, key?: string): Promise<Playground> {
  const how = { lang: 'en', theme: 'dark', disk: 'temporary' } as const
  const pg = await Playground.open(page, key === undefined ? { ...how, power: 'off' } : how)
  if (key !== undefined) await atGrub(pg, key)
  await showMenu(pg)
  return pg
}

const saved = (pg: Playground) => expect(pg.get('bootMenuState')).toHaveText('As on the disk', { timeout: 30_000 })

test('off: default and timeout by the form, saved, and GRUB shows them; nothing else of the file changes', async ({
  page,
}) => {
  const pg = await open(page)
  const before = await menuFile(page)
  await pg.get('bootMenuDefault').selectOption('2')
  await pg.get('bootMenuTimeout').fill('7')
  await expect(pg.get('bootMenuState')).toHaveText('Unsaved changes')
  await pg.get('bootMenuSave').click()
  await saved(pg)
  expect(await menuFile(page)).toBe(before.replace('default 0', 'default 2').replace('timeout 10', 'timeout 7'))
  await page.evaluate(() => window.playground.machine.power())
  await pg.waitFor('automatically in 7 seconds')
  await pg.waitFor("Booting 'Xen 3.3, idle domain 0")
})

test('on: dom0_mem in the text, saved by dom0 and reset, and Xen boots with it', async ({ page }) => {
  const pg = await open(page, 'Enter')
  await pg.waitFor('xenhost login:')
  await pg.get('bootMenuViewText').click()
  const kernel = page.locator('.cm-line').filter({ hasText: 'dom0_mem=262144' }).first()
  await kernel.click()
  // To the end of the line as the file has it, however the editor wraps it; then the option's value anew.
  await page.keyboard.press('End')
  await page.keyboard.press('End')
  for (let i = 0; i < '262144'.length; i++) await page.keyboard.press('Backspace')
  await page.keyboard.type('200M noreboot')
  await expect(page.locator('.cm-content')).toContainText('dom0_mem=200M noreboot')
  await pg.get('bootMenuSaveReset').click()
  await expect(pg.get('bootMenuNote')).toHaveText('dom0 has written the file, and the machine was reset.', {
    timeout: 30_000,
  })
  expect(await menuFile(page)).toContain('dom0_mem=200M noreboot\n\tmodule')
  // GRUB's countdown goes on by itself.
  await pg.waitFor(/Command line: .*dom0_mem=200M noreboot/)
  await pg.waitFor('xenhost login:')
  await page.evaluate(() => window.playground.console('com1').type('root'))
  await pg.waitFor('# ')
  await page.evaluate(() => window.playground.console('com1').type('xm list 0'))
  await pg.waitFor(/Domain-0 +0 +200 /)
})

test('at GRUB nobody inside can write: the machine is powered off, the file written, the machine powered on', async ({
  page,
}) => {
  const pg = await open(page, 'Up')
  await pg.get('bootMenuTimeout').fill('5')
  await expect(pg.get('bootMenuSave')).toHaveCount(0)
  await pg.get('bootMenuSaveReset').click()
  await expect(pg.get('bootMenuNote')).toContainText('powered off, the file written', { timeout: 30_000 })
  await pg.waitFor('automatically in 5 seconds')
})

test('what GRUB would stumble over is told by line, and files are looked for on the disk', async ({ page }) => {
  const pg = await open(page)
  await expect(pg.get('bootMenuProblems')).toHaveCount(0)
  await pg.get('bootMenuViewText').click()
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('\ntitle Mine\nroot (hd0,0)\nkernel /boot/none\nfrobnicate\n')
  const problems = pg.get('bootMenuProblems').getByRole('listitem')
  await expect(problems).toHaveCount(2)
  await expect(problems.nth(0)).toContainText('There is no /boot/none on the disk: error 15.')
  await expect(problems.nth(1)).toContainText('does not know the command “frobnicate”')
  await expect(page.locator('.cm-lintRange-error')).toHaveText('/boot/none')
  await pg.get('bootMenuRevert').click()
  await expect(pg.get('bootMenuProblems')).toHaveCount(0)
  await saved(pg)
})

test('keyboard only: an entry is moved, an unknown option stays, the editor is left, and the file is saved', async ({
  page,
}) => {
  const pg = await open(page)
  const grip = page.getByRole('button', { name: 'Move CentOS (2.6.18.8-xen): drag, or arrow up and down' })
  await grip.focus()
  await page.keyboard.press('ArrowDown')
  const first = pg.get('bootMenuEntry').first()
  await expect(first).toContainText('CentOS (2.6.18.8-xen.old)')
  await expect(grip).toBeFocused()
  await expect(pg.get('bootMenuDefault')).toHaveValue('1')
  await pg.get('bootMenuViewText').focus()
  await page.keyboard.press('Enter')
  await page.locator('.cm-content').focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('# the end')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Tab')
  await expect(page.locator('.cm-content')).not.toBeFocused()
  await pg.get('bootMenuSave').focus()
  await page.keyboard.press('Enter')
  await saved(pg)
  const text = await menuFile(page)
  expect(text).toMatch(/^# .*read by GRUB at each boot/)
  expect(text).toMatch(
    /default 1\nfallback 0\n[\s\S]*title .*xen\.old\)\n[\s\S]*title CentOS \(2\.6\.18\.8-xen\)\n[\s\S]*# the end/,
  )
})

test('changes outlive another panel in front', async ({ page }) => {
  const pg = await open(page)
  await pg.get('bootMenuHidden').check()
  await page.evaluate(() => window.playground.ui.open('machine'))
  await expect(pg.get('machineFacts')).toBeVisible()
  await page.evaluate(() => window.playground.ui.open('boot-menu'))
  await expect(pg.get('bootMenuHidden')).toBeChecked()
  await expect(pg.get('bootMenuState')).toHaveText('Unsaved changes')
})
