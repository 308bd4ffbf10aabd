/** axe-core finds no serious fault: at the menu, at the login, with each panel in front, with a dialog; both themes, both languages. */
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { Playground } from './playground.ts'

async function faults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
    )
}

for (const lang of ['en', 'zh'])
  for (const theme of ['dark', 'light'])
    test(`no serious fault (${lang}, ${theme})`, async ({ page }) => {
      test.setTimeout(180_000)
      const pg = await Playground.open(page, { lang, theme })
      await pg.menu()
      expect(await faults(page), 'at the menu').toEqual([])
      await pg.press('Enter')
      await pg.waitFor(/xenhost login: $/)
      expect(await faults(page), 'at the login').toEqual([])
      for (const panel of ['domains', 'xenstore', 'boot-menu', 'machine', 'monitor', 'com2', 'guide', 'com1']) {
        await page.evaluate((name) => window.playground.ui.open(name), panel)
        // A heavy panel comes after it was asked for.
        await page.waitForLoadState('networkidle')
        expect(await faults(page), panel).toEqual([])
      }
      await pg.get('layoutHelp').click()
      await expect(pg.get('helpDialog')).toBeVisible()
      expect(await faults(page), 'the help').toEqual([])
    })

test('no serious fault where a trouble is told', async ({ page }) => {
  const pg = await Playground.open(page, { power: 'off' })
  await expect(pg.get('troubleNote')).toBeVisible()
  expect(await faults(page)).toEqual([])
})

test('what the consoles show is in the accessibility tree', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await expect(pg.com1).toContainText('GNU GRUB')
  const tree = await page.locator('body').ariaSnapshot()
  expect(tree).toContain('GNU GRUB')
})
