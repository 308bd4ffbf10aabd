/** What a person does with a guest. */
import { expect, test } from '@playwright/test'
import { Playground } from './playground.ts'

/** The kernel may say something behind the prompt. */
const HOST = /\[root@xenhost [^\]]*\]# /
const GUEST = /\[root@sebastian [^\]]*\]# $/

test('a guest is created, logged in to on its console, left, listed and shut down', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the keyboard is the same')
  test.setTimeout(120_000)
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.press('Enter')
  await pg.waitFor(/xenhost login: $/)
  await pg.type('root\n')
  await pg.waitFor(HOST)
  await pg.type('xm create sebastian\n')
  await pg.waitFor(/Started domain sebastian\r+\n\[root@xenhost/)
  await pg.type('xm console sebastian\n')
  await pg.waitFor(/sebastian login: $/)
  await pg.type('root\n')
  await pg.waitFor(GUEST)
  await pg.type('uname -n\n')
  await pg.waitFor(GUEST)
  await pg.shows('sebastian login: root')
  await pg.press('Control+]')
  await pg.waitFor(HOST)
  await pg.type('xm list\n')
  await pg.waitFor(/Domain-0 +0 +256 .*\r+\nsebastian +1 +128 /)
  await pg.shows(/sebastian +1 +128 +1 +-b----/)
  await pg.type('xm shutdown -w sebastian\n')
  await pg.waitFor(/All domains terminated\r+\n\[root@xenhost/)
  await pg.type('clear; xm list\n')
  await pg.waitFor(/Domain-0 +0 +256 .*\r+\n\[root@xenhost/)
  expect(pg.complaints).toEqual([])
})
