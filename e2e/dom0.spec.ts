/** What a person does in domain 0. */
import { expect, test } from '@playwright/test'
import { Playground } from './playground.ts'

const PROMPT = /\[root@xenhost [^\]]*\]# $/

async function loggedIn(pg: Playground): Promise<void> {
  await pg.menu()
  await pg.press('Enter')
  await pg.waitFor(/xenhost login: $/)
  await pg.type('root\n')
  await pg.waitFor(PROMPT)
}

test('from GRUB to root’s shell, what the shell says of the host, and the monitor’s own login', async ({ page }) => {
  const pg = await Playground.open(page)
  await loggedIn(pg)
  await pg.type('uname -a\n')
  await pg.shows(/Linux xenhost 2\.6\.18\.8-xen .* x86_64/)
  await pg.type('while :; do :; done\n')
  await pg.press('Control+c')
  await pg.waitFor(PROMPT)
  await pg.type('nosuch\n')
  await pg.shows('nosuch: command not found')
  await page.evaluate(() => window.playground.ui.open('monitor'))
  await expect(pg.get('monitorText')).toContainText('xenhost login:')
  expect(pg.complaints).toEqual([])
})

test('menu.lst edited with vi, then with nano: the menu of the next boot has each change', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'the keyboard is the same')
  test.setTimeout(120_000)
  const pg = await Playground.open(page)
  await loggedIn(pg)
  await pg.type('vi /boot/grub/menu.lst\n')
  await pg.shows(/"\/boot\/grub\/menu\.lst" \d+L, \d+C/)
  await pg.type('/^title\n')
  await pg.type('Atry vi')
  await pg.press('Escape')
  await pg.type(':wq\n')
  await pg.shows(/\d+L, \d+C written/)
  await pg.type('reboot\n')
  await pg.menu()
  await pg.shows('CentOS (2.6.18.8-xen)try vi')

  await loggedIn(pg)
  await pg.type('nano /boot/grub/menu.lst\n')
  await pg.shows(/GNU nano/)
  await pg.press('Control+w')
  await pg.shows('Search')
  await pg.type('title\n')
  await pg.press('Control+k')
  await pg.type('title Made with nano\n')
  await pg.press('Control+o')
  await pg.shows('File Name to Write')
  await pg.press('Enter')
  await pg.shows(/Wrote \d+ lines/)
  await pg.press('Control+x')
  await pg.waitFor(PROMPT)
  await pg.type('reboot\n')
  await pg.menu()
  await pg.shows('Made with nano')
})
