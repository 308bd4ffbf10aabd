import { expect, test } from '@playwright/test'
import { Playground } from './playground.ts'

for (const theme of ['dark', 'light']) {
  test(`looks right: ${theme}`, async ({ page }, { project }) => {
    const pg = await Playground.open(page, { theme })
    await pg.menu()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      page.viewportSize()!.width,
    )
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
    [844, 390],
    [390, 844],
    [360, 640],
  ] as const) {
    await page.setViewportSize({ width, height })
    await expect
      .poll(() =>
        page.evaluate(() => {
          const host = document.querySelector('.terminal-host')!.getBoundingClientRect()
          const screen = document.querySelector('.xterm-screen')!.getBoundingClientRect()
          return screen.width > 0 && screen.right <= host.right + 1 && screen.bottom <= host.bottom + 1
        }),
      )
      .toBe(true)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
  }
})

test('a phone shows one panel at a time and has the keys that soft keyboards lack', async ({ page, isMobile }) => {
  test.skip(!isMobile, 'the wide layout shows all panels')
  const pg = await Playground.open(page)
  await pg.menu()
  const bar = pg.get('tabs')
  await bar.getByRole('button', { name: 'Machine' }).click()
  await expect(pg.get('machinePanel')).toBeVisible()
  await expect(pg.get('serialPanel')).toBeHidden()
  await bar.getByRole('button', { name: 'Serial console' }).click()
  await pg.get('serialKeys').getByRole('button', { name: 'Down' }).click()
  await pg.get('serialKeys').getByRole('button', { name: 'Up' }).click()
  await pg.press('c')
  await pg.shows('grub>')
  await pg.get('serialKeys').getByRole('button', { name: 'Esc' }).click()
  // The countdown is over once somebody has pressed a key.
  await pg.shows('GNU GRUB')
  await pg.shows('Press enter to boot the selected OS')
})

test('keyboard alone: to every part of the page, into the terminal and out again', async ({ page, isMobile }) => {
  test.skip(isMobile, 'a phone has no F6')
  const pg = await Playground.open(page, { power: 'off' })
  const region = () =>
    page.evaluate(() => document.activeElement?.closest('[data-region]')?.querySelector('h1, h2')?.textContent?.trim())
  const round: (string | undefined)[] = []
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('F6')
    round.push(await region())
  }
  expect(round).toEqual(['Xen Playground', 'Serial console', 'Monitor', 'Machine', 'Xen Playground'])
  await page.keyboard.press('Enter')
  await pg.menu()
  await page.keyboard.press('F6')
  await page.keyboard.press('c')
  await pg.shows('grub>')
  await page.keyboard.press('Tab')
  expect(await region()).toBe('Serial console')
  await page.keyboard.press('Shift+F6')
  expect(await region()).toBe('Xen Playground')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await pg.menu()
})
