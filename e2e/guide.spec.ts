/** The first acceptance of the front panel: who knows no Xen gets through by the strip's buttons alone, then sees and changes what they did. */
import { expect, type Locator, type Page, test } from '@playwright/test'
import { Playground } from './playground.ts'

const HOST = /\[root@xenhost [^\]]*\]# $/

/** Press the strip's button, as soon as the strip says that it works. */
async function press(pg: Playground, name: string): Promise<void> {
  const button: Locator = pg.page.locator(`[data-testid=strip-button][data-name="${name}"]:visible`)
  await expect(button).toHaveAttribute('aria-disabled', 'false')
  // Each press is followed by what it brings: the wait begins before.
  await button.click()
}

async function stepIsDone(page: Page, name: string): Promise<void> {
  await expect(page.locator(`[data-testid=strip-step][data-name="${name}"]`)).toHaveAttribute('data-done', 'true')
}

async function throughTheStrip(pg: Playground): Promise<void> {
  await pg.menu()
  await press(pg, 'boot')
  await pg.waitFor(/xenhost login: $/)
  await press(pg, 'login')
  await pg.waitFor(HOST)
  await stepIsDone(pg.page, 'boot')
  await press(pg, 'list')
  await pg.waitFor(/Domain-0 +0 +256 [\s\S]*\[root@xenhost [^\]]*\]# $/)
  await stepIsDone(pg.page, 'dom0')
  await press(pg, 'create')
  await pg.waitFor(/Started domain sebastian\r+\n\[root@xenhost/)
  await press(pg, 'escape')
  await pg.waitFor(/Serial input -> Xen/)
  await press(pg, 'xen-help')
  await pg.waitFor(/'h' pressed -> showing installed handlers/)
  await press(pg, 'back')
  await pg.waitFor(/Serial input -> DOM0/)
  await stepIsDone(pg.page, 'domu')
}

for (const lang of ['en', 'zh'])
  for (const theme of ['dark', 'light'])
    test(`the strip’s buttons alone: log in, list, start sebastian, escape to Xen and back (${lang}, ${theme})`, async ({
      page,
    }, { project }) => {
      test.setTimeout(120_000)
      const pg = await Playground.open(page, { lang, theme })
      await throughTheStrip(pg)
      await page.screenshot({ path: `test-results/guide-${project.name}-${lang}-${theme}.png` })
      expect(pg.complaints).toEqual([])
    })

test('the strip can be put away, stays so, and comes back from the help', async ({ page }) => {
  const pg = await Playground.open(page, { power: 'off' })
  await expect(pg.get('strip')).toBeVisible()
  await pg.get('stripDismiss').click()
  await expect(pg.get('strip')).toBeHidden()
  await page.reload()
  await expect(pg.get('layoutHelp')).toBeVisible()
  await expect(pg.get('strip')).toBeHidden()
  await pg.get('layoutHelp').click()
  await expect(pg.get('helpDialog')).toBeVisible()
  await pg.get('helpDialog').getByRole('button', { name: 'Show the first steps' }).click()
  await expect(pg.get('strip')).toBeVisible()
})

test('a button that cannot work is there, and says why', async ({ page }) => {
  const pg = await Playground.open(page, { power: 'off' })
  const login = page.locator('[data-testid=strip-button][data-name=login]')
  await expect(login).toHaveAttribute('aria-disabled', 'true')
  await expect(login).toHaveAccessibleName(/The machine is off\./)
  await page.locator('[data-testid=strip-button][data-name=power]').click()
  await pg.menu()
  await expect(login).toHaveAccessibleName(/The boot menu still waits/)
})

test('every command of the guide runs at a click, and is ticked', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the buttons are the same')
  test.setTimeout(240_000)
  const pg = await Playground.open(page)
  const com1 = () => page.evaluate(() => window.playground.console('com1').screen())
  await pg.menu()
  const commands = await pg
    .get('guideCommand')
    .evaluateAll((all) => all.map((each) => ({ id: each.dataset['name']!, text: each.textContent!.trim() })))
  expect(commands.length).toBeGreaterThan(15)
  /** What ends a command's answer, where it is not dom0's prompt. */
  const answers: Record<string, RegExp> = {
    boot: /xenhost login: $/,
    escape: /Serial input -> Xen/,
    'xen-help': /installed handlers/,
    'xen-q': /General information for domain/,
    back: /Serial input -> DOM0/,
    poweroff: /Power down\./,
  }
  for (const { id, text } of commands) {
    const row = page.locator(`[data-testid=guide-command][data-name="${id}"]`)
    await expect(row.getByRole('button').first(), text).toHaveAttribute('aria-disabled', 'false')
    await row.getByRole('button').first().click()
    await pg.waitFor(answers[id] ?? HOST)
    await expect(row).toHaveAttribute('data-done', 'true')
    expect((await com1()).join('\n'), text).not.toMatch(/command not found|No such file|Error:|Usage:/)
  }
  await expect(pg.get('status')).toHaveAttribute('data-state', 'off')
  expect(pg.complaints).toEqual([])
})

test('seen in cards and explorer, its target changed there, another boot entry, and the file is still there', async ({
  page,
  isMobile,
}) => {
  test.setTimeout(240_000)
  const pg = await Playground.open(page)
  const open = (panel: string) => page.evaluate((name) => window.playground.ui.open(name), panel)
  await throughTheStrip(pg)
  const type = (line: string) => page.evaluate((text) => window.playground.console('com1').type(text), line)
  await type('echo it was here > /root/note; sync')
  await pg.waitFor(HOST)

  await open('domains')
  const card = page.locator('[data-name=sebastian][data-domid="1"]').first()
  await expect(card).toContainText('128')

  await open('xenstore')
  await page.evaluate(() => window.playground.xenstore.write('/local/domain/1/memory/target', String(96 * 1024)))
  await expect
    .poll(() => page.evaluate(() => window.playground.domains.list().find(({ domid }) => domid === 1)?.memoryKiB))
    .toBeLessThanOrEqual(96 * 1024)
  await open('domains')
  await expect(card).toContainText('96')
  if (!isMobile) await page.screenshot({ path: 'test-results/guide-balloon.png' })

  await page.reload()
  await pg.menu()
  await press(pg, 'boot')
  await pg.waitFor(/xenhost login: $/)
  await press(pg, 'login')
  await pg.waitFor(HOST)
  await type('cat /root/note')
  await pg.waitFor(/it was here/)
})
