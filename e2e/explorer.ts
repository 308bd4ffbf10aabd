/** Ways about XenStore's explorer, and a shell in dom0. */
import { expect, type Locator, type Page } from '@playwright/test'
import type { Playground } from './playground.ts'

export const rowOf = (page: Page, path: string): Locator =>
  page.locator(`[data-testid=xenstore-row][data-path="${path}"]`)

export async function openExplorer(pg: Playground): Promise<void> {
  await pg.page.evaluate(() => window.playground.ui.open('xenstore'))
  await expect(pg.get('xenstorePanel')).toBeVisible()
}

/** A line in root's shell on COM1, and its end. */
export async function dom0(pg: Playground, line: string): Promise<string> {
  return pg.page.evaluate(async (text) => {
    const com1 = window.playground.console('com1')
    await com1.type(text)
    return com1.waitFor(/\n[\s\S]*\[root@xenhost [^\]]*\]# /, { timeoutMs: 90_000 })
  }, line)
}

export async function loggedIn(pg: Playground): Promise<void> {
  await pg.page.evaluate(async () => {
    const com1 = window.playground.console('com1')
    await com1.waitFor(/highlighted entry will be booted/, { timeoutMs: 90_000 })
    await com1.key('Enter')
    await com1.waitFor(/xenhost login: $/, { timeoutMs: 90_000 })
  })
  await dom0(pg, 'root')
}

/** Show `path`: by the filter, which finds it wherever it is. */
export async function find(pg: Playground, path: string): Promise<void> {
  await pg.get('xenstoreFilter').fill(path)
  await rowOf(pg.page, path).click()
}
