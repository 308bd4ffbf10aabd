/** axe-core finds no serious fault: at the menu, at the login, with each panel in front, in each dialog; both themes, both languages. */
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { Playground } from './playground.ts'

const HOST = /\[root@xenhost [^\]]*\]# $/

/** Serious faults of the page as it stands; the worker's own frame, which shows nothing, is none of it. */
async function faults(page: Page, rules: string[] | undefined, panel: string | undefined): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode()
  if (panel !== undefined) axe.include(`.panel-host[data-panel="${panel}"]`)
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
    )
}

/** Colours are on their way for a moment. */
const settled = (page: Page): Promise<unknown> =>
  page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter((animation) => animation instanceof CSSTransition)
        .map(({ finished }) => finished),
    ),
  )

/** Words depend on the language alone and colours on the theme alone: two looks see all, and the pairs take turns. */
const looks = [
  [
    ['en', 'dark'],
    ['zh', 'light'],
  ],
  [
    ['zh', 'dark'],
    ['en', 'light'],
  ],
] as const
let turn = 0
/** What another language or another theme can change. */
const LOOKS_RULES = ['color-contrast', 'label-content-name-mismatch']

/** The whole page, or one panel of it. A phone has the same words and colours: there one look at a time will do. */
async function isGood(page: Page, where: string, panel?: string): Promise<void> {
  const pair = looks[turn++ % 2]!
  const isPhone = (page.viewportSize()?.width ?? 0) < 500
  for (const [i, [lang, theme]] of (isPhone ? [pair[(turn >> 1) % 2]!] : pair).entries()) {
    await page.evaluate(
      ([lang, theme]) => {
        window.playground.ui.lang(lang)
        window.playground.ui.theme(theme)
      },
      [lang, theme] as const,
    )
    await expect(page.locator('html')).toHaveAttribute('lang', lang === 'zh' ? 'zh-Hans' : 'en')
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme)
    await settled(page)
    expect
      .soft(await faults(page, i === 0 ? undefined : LOOKS_RULES, panel), `${where} (${lang}, ${theme})`)
      .toEqual([])
  }
}

test('no serious fault from the menu to a guest, in each panel; the consoles’ text is in the accessibility tree', async ({
  page,
  isMobile,
}) => {
  test.setTimeout(240_000)
  const pg = await Playground.open(page, { disk: 'temporary' })
  const open = async (panel: string, inIt: string) => {
    await page.evaluate((name) => window.playground.ui.open(name), panel)
    await expect(page.locator(inIt).first()).toBeVisible()
  }
  const reads = (text: string) => expect.poll(() => page.locator('main').ariaSnapshot()).toContain(text)
  const type = (line: string) => page.evaluate((text) => window.playground.console('com1').type(text), line)

  await pg.menu()
  await reads('GNU GRUB')
  await isGood(page, 'menu')
  await page.evaluate(() => window.playground.console('com1').key('Enter'))
  await pg.waitFor(/xenhost login: $/)
  await reads('xenhost login:')
  await isGood(page, 'login')
  await type('root')
  await pg.waitFor(HOST)
  await open('domains', '[data-testid=domains-next]')
  await isGood(page, 'no guest', 'domains')
  await type('xm create sebastian')
  await pg.waitFor(/Started domain sebastian/)

  const card = page.locator('[data-testid=domains-card][data-name=sebastian]')
  await open('domains', '[data-testid=domains-plot]')
  await card.getByTestId('domains-destroy').click()
  await expect(pg.get('domainsConfirm')).toBeVisible()
  await isGood(page, 'cards, and a question')
  await pg.get('domainsConfirmNo').click()

  await open('domain:sebastian', '[data-line="domain:sebastian"] .xterm-accessibility')
  await expect(page.locator('[data-line="domain:sebastian"] .xterm-accessibility')).toContainText('login:')
  await reads('login:')
  await isGood(page, 'a guest’s console', 'domain:sebastian')

  await open('xenstore', '[data-testid=xenstore-tree]')
  await pg.get('xenstoreFilter').fill('memory/target')
  await page.locator('[data-path="/local/domain/1/memory/target"]').click()
  await isGood(page, 'explorer', 'xenstore')
  await pg.get('xenstoreEdit').click()
  await expect(pg.get('xenstoreForm')).toBeVisible()
  await isGood(page, 'explorer’s form', 'xenstore')

  await open('xray', '[data-testid=xray-legend]')
  await isGood(page, 'X-ray', 'xray')
  for (const view of ['lanes', 'graph', 'calls']) {
    await page.locator(`[data-testid=xray-tab][data-view=${view}]`).click()
    await expect(pg.get('xrayPanel').getByRole('table').first()).toBeVisible()
    await isGood(page, `X-ray, ${view}`, 'xray')
  }

  await open('boot-menu', '[data-testid=boot-menu-form]')
  await isGood(page, 'boot menu, form', 'boot-menu')
  await pg.get('bootMenuViewText').click()
  await expect(page.locator('.cm-content')).toBeVisible()
  await isGood(page, 'boot menu, text', 'boot-menu')

  await open('machine', '[data-testid=machine-facts]')
  await isGood(page, 'machine', 'machine')

  await open('monitor', '[data-testid=monitor-screen]')
  await reads('login:')
  await isGood(page, 'monitor', 'monitor')
  await open('com2', '[data-line=com2]')
  await isGood(page, 'COM2', 'com2')
  await open('guide', '[data-testid=guide-panel]')
  await pg.get('guidePanel').locator('.term').first().click()
  await expect(page.locator('.term-note:popover-open')).toBeVisible()
  await isGood(page, 'guide, and a word of the glossary')
  await page.keyboard.press('Escape')

  await open('com1', '[data-line=com1]')
  await page.locator('.panel-host[data-panel=com1]').getByTestId('console-search').click()
  await expect(pg.get('consoleSearchBar')).toBeVisible()
  await isGood(page, 'search', 'com1')
  if (!isMobile) {
    await pg.get('layoutMenu').click()
    await expect(page.getByRole('menu')).toBeVisible()
    await isGood(page, 'a menu')
    await page.keyboard.press('Escape')
  }
  await pg.get('layoutHelp').click()
  await expect(pg.get('helpDialog')).toBeVisible()
  await isGood(page, 'help')
})

test('no serious fault where a trouble is told, and in the question before a disk goes', async ({ page }) => {
  const pg = await Playground.open(page, { power: 'off', tape: 'https://elsewhere.example/demo.tape' })
  await expect(pg.get('troubleNote')).toHaveCount(2)
  await page.evaluate(() => window.playground.ui.open('machine'))
  await pg.get('diskDiscard').click()
  await expect(pg.get('diskConfirm')).toBeVisible()
  await isGood(page, 'troubles')
})
