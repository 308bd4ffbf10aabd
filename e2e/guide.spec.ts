/**
 * The first acceptance of the front panel: who knows no Xen gets through by the strip's buttons alone, then sees and changes what they did, boots
 * an entry of the boot menu that they have edited, and finds what they wrote after a reload. By pointer, by finger and by keyboard.
 */
import { expect, type Locator, type Page, test } from '@playwright/test'
import { answer, type Hand, keys, listen, pointer } from './hands.ts'
import { Playground } from './playground.ts'

const HOST = /\[root@xenhost [^\]]*\]# $/
const LOGIN = /xenhost login: $/

const stripButton = (page: Page, name: string): Locator =>
  page.locator(`[data-testid=strip-button][data-name="${name}"]`)
const guideCommand = (page: Page, name: string): Locator =>
  page.locator(`[data-testid=guide-command][data-name="${name}"]`)

async function works(button: Locator): Promise<void> {
  await expect(button).toHaveAttribute('aria-disabled', 'false', { timeout: 30_000 })
}

/** Press the strip's button, as soon as the strip says that it works; and hear what it brings. */
async function strip(page: Page, hand: Hand, name: string, brings: RegExp): Promise<void> {
  await works(stripButton(page, name))
  await hand.press(stripButton(page, name))
  await answer(page, brings)
}

async function guide(page: Page, hand: Hand, name: string, brings: RegExp): Promise<string> {
  const row = guideCommand(page, name)
  const button = row.getByRole('button').first()
  await works(button)
  await hand.press(button)
  const said = await answer(page, brings)
  await expect(row).toHaveAttribute('data-done', 'true')
  return said
}

const stepIsDone = (page: Page, name: string) =>
  expect(page.locator(`[data-testid=strip-step][data-name="${name}"]`)).toHaveAttribute('data-done', 'true')

async function open(page: Page, lang: string, theme: string): Promise<Playground> {
  const pg = await Playground.open(page, { lang, theme })
  await listen(page)
  await pg.menu()
  return pg
}

async function bootAndLogIn(page: Page, hand: Hand): Promise<void> {
  await strip(page, hand, 'boot', LOGIN)
  await stepIsDone(page, 'boot')
  await strip(page, hand, 'login', HOST)
}

/** By the strip's buttons alone. */
async function throughTheStrip(page: Page, hand: Hand): Promise<void> {
  await bootAndLogIn(page, hand)
  await strip(page, hand, 'list', /Domain-0 +0 +256 [\s\S]*\[root@xenhost [^\]]*\]# $/)
  await stepIsDone(page, 'dom0')
  await strip(page, hand, 'create', /Started domain sebastian[\s\S]*\[root@xenhost [^\]]*\]# $/)
  await strip(page, hand, 'escape', /Serial input -> Xen/)
  await strip(page, hand, 'xen-help', /'h' pressed -> showing installed handlers/)
  await strip(page, hand, 'back', /Serial input -> DOM0/)
  await stepIsDone(page, 'domu')
}

/** All of the acceptance. `picture` is told when there is something to look at. */
async function wholeWalk(page: Page, hand: Hand, picture: (of: string) => Promise<void>): Promise<void> {
  await throughTheStrip(page, hand)
  await picture('strip')
  await hand.panel('guide')
  await guide(page, hand, 'note', HOST)

  await hand.panel('domains')
  const memory = page.locator('[data-testid=domains-card][data-name=sebastian]').getByTestId('domains-memory')
  await expect(memory.locator('strong')).toContainText('128')

  await hand.panel('xenstore')
  const row = (path: string) => page.locator(`[data-testid=xenstore-row][data-path="${path}"]`)
  const target = '/local/domain/1/memory/target'
  await hand.fill(page.getByTestId('xenstore-filter'), target)
  await expect(row('/local/domain/1')).toContainText('sebastian')
  await hand.row(row(target))
  await expect(page.getByTestId('xenstore-value')).toHaveText(String(128 * 1024))
  await hand.press(page.getByTestId('xenstore-edit'))
  await hand.fill(page.getByTestId('xenstore-form').locator('textarea'), String(96 * 1024))
  await hand.press(page.getByTestId('xenstore-save'))
  await expect(page.getByTestId('xenstore-value')).toHaveText(String(96 * 1024))
  await picture('explorer')
  await hand.panel('domains')
  // What it really has, by Xen's count.
  await expect(memory.locator('strong')).toContainText('96')
  await picture('cards')

  await hand.panel('boot-menu')
  await hand.fill(page.getByTestId('boot-menu-timeout'), '7')
  await hand.choose(page.getByTestId('boot-menu-default'), '1')
  await picture('boot-menu')
  await hand.press(page.getByTestId('boot-menu-save-reset'))
  await answer(page, /automatically in 7 seconds/)
  await strip(page, hand, 'boot', /Booting 'CentOS \(2\.6\.18\.8-xen\.old\)'/)
  await answer(page, LOGIN)

  await page.reload()
  await listen(page)
  await bootAndLogIn(page, hand)
  await hand.panel('guide')
  expect(await guide(page, hand, 'note-read', HOST)).toContain('\nit was here')
}

for (const lang of ['en', 'zh'])
  for (const theme of ['dark', 'light'])
    test(`by the strip’s buttons, then seen, changed, booted anew and found again (${lang}, ${theme})`, async ({
      page,
      isMobile,
    }, { project }) => {
      test.setTimeout(180_000)
      // Every language and every theme on every screen goes through the strip; all the rest is gone through once on each screen, and by keyboard.
      const whole = `${lang} ${theme}` === (isMobile ? 'zh light' : 'en dark')
      test.skip(
        isMobile && `${lang} ${theme}` !== 'zh light' && `${lang} ${theme}` !== 'en dark',
        'both have been seen',
      )
      test.skip(!isMobile && `${lang} ${theme}` === 'zh light', 'that is how the keyboard does it')
      test.skip(!isMobile && `${lang} ${theme}` === 'en light', 'that is how the guide’s commands begin')
      const pg = await open(page, lang, theme)
      const picture = async (of: string) => {
        await page.screenshot({ path: `test-results/guide-${project.name}-${lang}-${theme}-${of}.png` })
      }
      if (whole) await wholeWalk(page, pointer(page), picture)
      else {
        await throughTheStrip(page, pointer(page))
        await picture('strip')
        expect(pg.complaints).toEqual([])
      }
    })

test('all of it by the keyboard alone', async ({ page, isMobile }, { project }) => {
  test.skip(isMobile, 'a phone has none')
  test.setTimeout(240_000)
  await open(page, 'zh', 'light')
  await wholeWalk(page, keys(page), async (of) => {
    await page.screenshot({ path: `test-results/guide-${project.name}-zh-light-${of}.png` })
  })
})

test('every command of the guide runs at a click, and is ticked; what the strip did is ticked already', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'the buttons are the same')
  test.setTimeout(240_000)
  const pg = await open(page, 'en', 'light')
  const hand = pointer(page)
  await throughTheStrip(page, hand)
  await page.screenshot({ path: 'test-results/guide-desktop-en-light-strip.png' })
  const all = page.getByTestId('guide-command')
  const left = await all.evaluateAll((rows) =>
    rows.filter((row) => row.dataset['done'] === 'false').map((row) => row.dataset['name']!),
  )
  expect((await all.count()) - left.length).toBe(7)
  expect(left.length).toBeGreaterThan(12)
  /** What ends a command's answer, where it is not dom0's prompt. */
  const answers: Readonly<Record<string, RegExp>> = {
    'xen-q': /General information for domain 1:[\s\S]*VCPU information/,
    poweroff: /Power down\./,
  }
  for (const id of left) {
    if (id === 'xen-q') await guide(page, hand, 'escape', /Serial input -> Xen/)
    const said = await guide(page, hand, id, answers[id] ?? HOST)
    expect(said, id).not.toMatch(/command not found|No such file|Error:|Usage:/)
    if (id === 'xen-q') await guide(page, hand, 'back', /Serial input -> DOM0/)
  }
  await expect(pg.get('status')).toHaveAttribute('data-state', 'off')
  await expect(page.locator('.guide-tick')).toHaveCount(
    await page.locator('.guide-section:has(.guide-command)').count(),
  )
  expect(pg.complaints).toEqual([])
})

test('a button that cannot work says why; the strip can be put away, stays so, and comes back from the help', async ({
  page,
  isMobile,
}) => {
  const pg = await Playground.open(page, { power: 'off' })
  // A phone shows one step at a time, and what is not shown has no name.
  const saysWhy = (why: RegExp) =>
    isMobile
      ? expect(stripButton(page, 'login')).toHaveAttribute('title', why)
      : expect(stripButton(page, 'login')).toHaveAccessibleName(why)
  await expect(stripButton(page, 'login')).toHaveAttribute('aria-disabled', 'true')
  await saysWhy(/The machine is off\./)
  await stripButton(page, 'power').click()
  await pg.menu()
  await saysWhy(/The boot menu still waits/)
  await pg.get('stripDismiss').click()
  await expect(pg.get('strip')).toBeHidden()
  await page.reload()
  await expect(pg.get('layoutHelp')).toBeVisible()
  await expect(pg.get('strip')).toBeHidden()
  await pg.get('layoutHelp').click()
  await pg.get('helpDialog').getByRole('button', { name: 'Show the first steps' }).click()
  await expect(pg.get('helpDialog')).toBeHidden()
  await expect(pg.get('strip')).toBeVisible()
})
