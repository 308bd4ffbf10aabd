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

/** A line in root's shell, and what it said. */
const command = (page: Page, line: string): Promise<string> =>
  page.evaluate(async (text) => {
    const com1 = window.playground.console('com1')
    await com1.type(text)
    return com1.waitFor(/\n[\s\S]*\[root@xenhost [^\]]*\]# /)
  }, line)

/** A machine that is off, with its boot menu on the screen; or one at GRUB where `key` has been pressed. */
async function open(page: Page, key?: string, disk: 'temporary' | 'keep' = 'temporary'): Promise<Playground> {
  const how = { lang: 'en', theme: 'dark', disk } as const
  const pg = await Playground.open(page, key === undefined ? { ...how, power: 'off' } : how)
  if (key !== undefined) await atGrub(pg, key)
  await showMenu(pg)
  return pg
}

const saved = (pg: Playground) => expect(pg.get('bootMenuState')).toHaveText('As on the disk', { timeout: 30_000 })

test('off: default and timeout by the form, saved for good, and GRUB shows them; nothing else of the file changes', async ({
  page,
}) => {
  const pg = await open(page, undefined, 'keep')
  const before = await menuFile(page)
  await pg.get('bootMenuDefault').selectOption('2')
  await pg.get('bootMenuTimeout').fill('7')
  await expect(pg.get('bootMenuState')).toHaveText('Unsaved changes')
  // They outlive another panel in front.
  await page.evaluate(() => window.playground.ui.open('machine'))
  await expect(pg.get('machineFacts')).toBeVisible()
  await showMenu(pg)
  await expect(pg.get('bootMenuTimeout')).toHaveValue('7')
  await pg.get('bootMenuSave').click()
  await saved(pg)
  expect(await menuFile(page)).toBe(before.replace('default 0', 'default 2').replace('timeout 10', 'timeout 7'))
  // Another memory size is another machine, with the same disk.
  await page.evaluate(async () => {
    window.playground.machine.options({ memoryMiB: 512 })
    await window.playground.machine.power()
  })
  await pg.waitFor(/GNU GRUB .*\/ 52\d{4}K upper memory/)
  await pg.waitFor('automatically in 7 seconds')
  await pg.waitFor("Booting 'Xen 3.3, idle domain 0")
})

test('on: dom0_mem in the text, saved by dom0 and reset, and Xen boots with it; who else writes it is not overrun', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'the same file')
  test.setTimeout(120_000)
  const pg = await open(page, 'Enter', 'keep')
  await pg.waitFor('xenhost login: ')
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
  await pg.waitFor(/Command line: .*dom0_mem=200M noreboot[\s\S]*xenhost login: /)
  await command(page, 'root')
  expect(await command(page, 'xm list 0')).toMatch(/Domain-0 +0 +200 /)

  // Somebody in dom0 writes it while it is being edited here.
  await pg.get('bootMenuViewForm').click()
  await pg.get('bootMenuTimeout').fill('3')
  const conflict = pg.get('bootMenuPanel').getByRole('alert')
  await command(page, 'sed -i "s/^timeout .*/timeout 20/" /boot/grub/menu.lst; sync')
  await expect(conflict).toContainText('has changed since you began to edit')
  await pg.get('bootMenuSave').click()
  await expect(pg.get('bootMenuNote')).toHaveText('')
  expect(await menuFile(page)).toContain('timeout 20\n')
  await conflict.getByRole('button', { name: 'Keep mine' }).click()
  await expect(conflict).toHaveCount(0)
  await pg.get('bootMenuSave').click()
  await saved(pg)
  expect(await command(page, 'grep ^timeout /boot/grub/menu.lst')).toMatch(/^timeout 3\r/m)
  // What is not being edited follows the disk.
  await command(page, 'sed -i "s/^timeout .*/timeout 9/" /boot/grub/menu.lst; sync')
  await expect(pg.get('bootMenuTimeout')).toHaveValue('9')
})

test('at GRUB nobody inside can write: the machine is powered off, the file written, the machine powered on', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'the same buttons')
  const pg = await open(page, 'Up')
  await pg.get('bootMenuTimeout').fill('5')
  await expect(pg.get('bootMenuSave')).toHaveCount(0)
  await pg.get('bootMenuSaveReset').click()
  await expect(pg.get('bootMenuNote')).toContainText('powered off, the file written', { timeout: 30_000 })
  await pg.waitFor('automatically in 5 seconds')
})

test('what GRUB would stumble over is told by line, and files are looked for on the disk', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'the same editor')
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
  isMobile,
}) => {
  test.skip(isMobile, 'a phone has no such keys')
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

test('a disk without the file: its own words, and another look once there is one', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same words')
  const pg = await Playground.open(page, { power: 'off', disk: 'temporary' })
  await page.evaluate(async () => {
    // One Linux partition, from sector 63 to the end, and nothing on it.
    const image = new Uint8Array(1 << 20)
    image.set([0x80, 0, 0, 0, 0x83, 0, 0, 0, 63, 0, 0, 0, 0xc1, 0x07], 446)
    image.set([0x55, 0xaa], 510)
    await window.playground.disk.import(image)
  })
  await page.evaluate(() => window.playground.ui.open('boot-menu'))
  const panel = pg.get('bootMenuPanel')
  await expect(panel).toContainText('The menu cannot be read from the disk.')
  await expect(panel).toContainText('the first Linux partition holds no ext2 file system')
  await page.evaluate(() => window.playground.disk.discard())
  await panel.getByRole('button', { name: 'Read again' }).click()
  await expect(pg.get('bootMenuForm')).toBeVisible()
})
