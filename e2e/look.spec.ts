import { expect, type Page, test } from '@playwright/test'
import { testIds } from '../src/ui/test-ids.ts'
import { Playground } from './playground.ts'

const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth > innerWidth)

const docked = (page: Page) => expect(page.locator('.front-panel-dock')).toBeVisible()
const tab = (page: Page, panel: string) =>
  page.locator(`[data-testid=${testIds.dockTab}][data-panel="${panel}"][role=tab]`)
/** Left edge and width of the group in whose strip a panel's tab is. */
const groupBox = (page: Page, panel: string) =>
  page.locator('.dv-groupview', { has: tab(page, panel) }).evaluate((group) => {
    const { left, width } = group.getBoundingClientRect()
    return { left: Math.round(left), width: Math.round(width) }
  })

for (const theme of ['dark', 'light']) {
  test(`looks right: ${theme}`, async ({ page }, { project }) => {
    const pg = await Playground.open(page, { theme })
    await pg.menu()
    expect(await scrollsSideways(page)).toBe(false)
    await page.screenshot({ path: `test-results/${project.name}-${theme}-grub.png` })
    await pg.press('ArrowDown', 'Enter')
    await pg.waitFor(/Manual reset required|Serial input -> DOM0/)
    await page.screenshot({ path: `test-results/${project.name}-${theme}-xen.png` })
  })
}

test('languages and colours switch at once, and are remembered', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.get('barLang').selectOption('zh')
  await expect(pg.get('status')).toHaveText('GRUB 在串口上。')
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-Hans')
  await pg.shows('GNU GRUB')
  await pg.get('barTheme').selectOption('light')
  const light = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  await pg.get('barTheme').selectOption('dark')
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).not.toBe(light)
  await page.reload()
  await expect(pg.get('status')).toHaveText('GRUB 在串口上。')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('the terminal is 80 by 25 and wholly visible, however small the panel', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  for (const [width, height] of [
    [1440, 900],
    [1000, 700],
    // 1440 by 900 at a zoom of 200 %.
    [720, 450],
    [844, 390],
    [390, 844],
    [360, 640],
  ] as const) {
    await page.setViewportSize({ width, height })
    await expect
      .poll(() =>
        page.evaluate(() => {
          const host = document.querySelector('[data-line=com1]')!.getBoundingClientRect()
          const screen = document.querySelector('[data-line=com1] .xterm-screen')!.getBoundingClientRect()
          const seen = host.bottom <= innerHeight && host.right <= innerWidth && host.height > 0
          return seen && screen.width > 0 && screen.right <= host.right + 1 && screen.bottom <= host.bottom + 1
        }),
      )
      .toBe(true)
    expect(await scrollsSideways(page)).toBe(false)
  }
})

test('a phone shows one panel at a time and has the keys that soft keyboards lack', async ({ page, isMobile }) => {
  test.skip(!isMobile, 'the wide layout shows more')
  const pg = await Playground.open(page)
  await pg.menu()
  const bar = pg.get('tabs')
  for (const panel of ['guide', 'xray', 'domains', 'xenstore', 'boot-menu', 'monitor', 'machine']) {
    await bar.locator(`[data-panel=${panel}]`).click()
    await expect(page.locator(`.panel-host[data-panel=${panel}]`)).toBeVisible()
    await expect(pg.get('serialPanel')).toBeHidden()
    expect(await scrollsSideways(page)).toBe(false)
  }
  expect(await page.locator('.front-panel-dock').count()).toBe(0)
  await bar.locator('[data-panel=com1]').click()
  await pg.get('serialKeys').getByRole('button', { name: 'Down' }).click()
  await pg.get('serialKeys').getByRole('button', { name: 'Up' }).click()
  await pg.press('c')
  await pg.shows('grub>')
  await pg.get('serialKeys').getByRole('button', { name: 'Esc' }).click()
  // The countdown is over once somebody has pressed a key.
  await pg.shows('GNU GRUB')
  await pg.shows('Press enter to boot the selected OS')
})

test('keyboard alone: F6 goes round the page and says where it is, out of terminals too', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'a phone has no F6')
  const pg = await Playground.open(page, { power: 'off' })
  await docked(page)
  const region = () =>
    page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-region]')?.dataset['region'])
  const round: [string | undefined, string | null][] = []
  for (let i = 0; i < 7; i++) {
    await page.keyboard.press('F6')
    round.push([await region(), await pg.get('layoutAnnouncer').textContent()])
  }
  expect(round.filter(([name]) => name)).toEqual(
    expect.arrayContaining([
      ['bar', 'Machine controls'],
      ['strip', 'First steps'],
      ['trouble', 'The machine is off'],
      ['guide', 'Guide'],
      ['consoles', 'Consoles, COM1'],
      ['panels', 'Panels, Domains'],
      ['status', 'State of the machine'],
    ]),
  )
  while ((await region()) !== 'consoles') await page.keyboard.press('F6')
  await pg.get('barPower').press('Enter')
  await pg.menu()
  while ((await region()) !== 'consoles') await page.keyboard.press('F6')
  await page.keyboard.press('c')
  await pg.shows('grub>')
  // Tab is the guest's.
  await page.keyboard.press('Tab')
  expect(await region()).toBe('consoles')
  await page.keyboard.press('Shift+F6')
  expect(await region()).toBe('guide')
})

test('keyboard alone: tabs by their arrows, and the group’s menu moves and sizes them', async ({ page, isMobile }) => {
  test.skip(isMobile, 'a phone has no dock')
  const pg = await Playground.open(page, { power: 'off' })
  await docked(page)
  await tab(page, 'com1').focus()
  await page.keyboard.press('ArrowRight')
  await expect(tab(page, 'monitor')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(tab(page, 'monitor')).toHaveAttribute('aria-selected', 'true')
  await expect(pg.get('monitorPanel')).toBeVisible()
  // Only a domain's console may be closed.
  await tab(page, 'monitor').focus()
  await page.keyboard.press('Delete')
  await expect(tab(page, 'monitor')).toHaveCount(1)

  const before = await groupBox(page, 'com1')
  const menu = page.locator('.dv-groupview', { has: tab(page, 'com1') }).getByTestId(testIds.layoutGroupMenu)
  await menu.focus()
  await page.keyboard.press('Enter')
  await page.locator('[data-item=narrower]').press('Enter')
  await expect.poll(async () => (await groupBox(page, 'com1')).width).toBeLessThan(before.width - 40)
  await expect(menu).toBeFocused()
  await page.keyboard.press('Enter')
  await page.locator('[data-item=to-domains]').press('Enter')
  await expect(pg.get('layoutAnnouncer')).toHaveText('Monitor moved')
  await expect.poll(async () => (await groupBox(page, 'monitor')).left).toBe((await groupBox(page, 'domains')).left)
})

test('panels are moved by dragging, the layout survives a reload, and can be reset', async ({ page, isMobile }) => {
  test.skip(isMobile, 'a phone has no dock')
  const pg = await Playground.open(page)
  await pg.menu()
  await docked(page)
  const { left } = await groupBox(page, 'xenstore')
  await tab(page, 'com2').dragTo(tab(page, 'domains'))
  await expect.poll(async () => (await groupBox(page, 'com2')).left).toBe(left)
  // The terminal that was not moved has kept what it shows.
  await pg.shows('GNU GRUB')

  await page.reload()
  await docked(page)
  expect((await groupBox(page, 'com2')).left).toBe((await groupBox(page, 'domains')).left)

  await pg.get('layoutMenu').click()
  await page.locator('[data-item=reset]').click()
  await expect.poll(async () => (await groupBox(page, 'com2')).left).toBe((await groupBox(page, 'com1')).left)
  await pg.shows('GNU GRUB')
  await page.reload()
  await docked(page)
  expect((await groupBox(page, 'com2')).left).toBe((await groupBox(page, 'com1')).left)

  // What is no layout of ours is as if it were not there.
  await page.evaluate(() => localStorage.setItem('xen-playground.layout', '{"version":1,"size":1,"parts":[{}]}'))
  await page.reload()
  await docked(page)
  await expect(tab(page, 'com1')).toHaveAttribute('aria-selected', 'true')
})

test('time can be stopped, and goes on', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.get('layoutPause').click()
  await expect(pg.get('layoutPause')).toHaveAttribute('aria-pressed', 'true')
  const now = () => page.evaluate(() => window.playground.clock.now())
  const stopped = await now()
  await pg.press('c')
  expect(await now()).toBe(stopped)
  await pg.get('barLive').click()
  await pg.shows('grub>')
})

test('in a frame the page is bare, and shows the panels asked for', async ({ page, isMobile }) => {
  const pg = await Playground.open(page, { embed: 1, panels: 'com1', lang: 'en' })
  await pg.menu()
  for (const id of ['barLang', 'barTheme', 'layoutHelp', 'layoutMenu', 'layoutGuide', 'tabs'] as const)
    await expect(pg.get(id)).toHaveCount(0)
  await expect(pg.get('barPower')).toBeVisible()
  const share = await page
    .locator('.panel-host[data-panel=com1]')
    .evaluate((host) => (host.clientWidth * host.clientHeight) / (innerWidth * innerHeight))
  expect(share).toBeGreaterThan(0.85)

  await Playground.open(page, { embed: 1, panels: 'com1,domains', lang: 'en' })
  await pg.menu()
  if (isMobile) {
    await expect(pg.get('tabs').getByRole('button')).toHaveCount(2)
    return
  }
  await docked(page)
  await expect(page.locator(`[data-testid=${testIds.dockTab}][role=tab]`)).toHaveCount(2)
})
