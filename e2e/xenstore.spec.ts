/** The XenStore explorer as a person uses it: watch the store come to be and a guest appear in it; change it by its own daemon. */
import { expect, test } from '@playwright/test'
import { dom0, find, loggedIn, openExplorer, rowOf } from './explorer.ts'
import { Playground } from './playground.ts'

/** Xen's own figure. */
async function freeMib(pg: Playground): Promise<number> {
  return Number(/free_memory *: (\d+)/.exec(await dom0(pg, 'xm info'))?.[1])
}

test('empty, it says why and what to do next; the tree appears when dom0 starts its daemon', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'the same words')
  test.setTimeout(240_000)
  const pg = await Playground.open(page, { power: 'off' })
  await openExplorer(pg)
  await expect(pg.get('xenstoreEmpty')).toContainText('The machine is off')
  await pg.get('xenstoreNext').click()
  await expect(pg.get('xenstoreNext')).toHaveText('Go to COM1')
  await page.evaluate(async () => {
    const com1 = window.playground.console('com1')
    await com1.waitFor(/highlighted entry will be booted/, { timeoutMs: 90_000 })
    await com1.key('Enter')
  })
  await expect(pg.get('xenstoreEmpty')).toContainText('dom0 is coming up')
  await expect(rowOf(page, '/local/domain/0')).toContainText('Domain-0', { timeout: 90_000 })
  await page.evaluate(() => window.playground.console('com1').waitFor(/xenhost login: $/, { timeoutMs: 90_000 }))
  // Power gone, store gone.
  await page.evaluate(() => window.playground.machine.power())
  await expect(pg.get('xenstoreEmpty')).toContainText('The machine is off')
})

test('a guest’s nodes appear as they are written, with who wrote them; its target moves its memory', async ({
  page,
}) => {
  test.setTimeout(300_000)
  const pg = await Playground.open(page)
  await openExplorer(pg)
  await loggedIn(pg)
  // Which marks there were, of which domain: each is there for a moment only.
  await page.evaluate(() => {
    const seen = new Set<string>()
    Object.assign(window, { seen })
    new MutationObserver(() => {
      for (const row of document.querySelectorAll<HTMLElement>('[data-testid=xenstore-row][data-flash]'))
        seen.add(`${row.dataset['flashDomid']} ${row.dataset['path']}`)
    }).observe(document.body, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ['data-flash-domid'],
    })
  })
  await dom0(pg, 'xm create sebastian')
  await page.waitForFunction(() => {
    const seen = [...(window as unknown as { readonly seen: ReadonlySet<string> }).seen]
    return (
      seen.some((mark) => mark.startsWith('0 /local/domain/1')) &&
      seen.some((mark) => mark.startsWith('1 /local/domain/1/'))
    )
  })
  await find(pg, '/local/domain/1/name')
  await expect(pg.get('xenstoreValue')).toHaveText('sebastian')
  await expect(pg.get('xenstorePermissions')).toContainText('owner dom1')
  await expect(pg.get('xenstoreWriter')).toContainText('by dom0, connection')
  await expect(rowOf(page, '/local/domain/1').first()).toContainText('sebastian')

  const freeBefore = await freeMib(pg)
  await find(pg, '/local/domain/1/memory/target')
  await expect(pg.get('xenstoreValue')).toHaveText('131072')
  await pg.get('xenstoreEdit').click()
  await page.keyboard.type('98304')
  await expect(pg.get('xenstoreCommand')).toHaveText('xenstore-write /local/domain/1/memory/target 98304')
  await page.keyboard.press('Enter')
  await expect(pg.get('xenstoreForm')).toBeHidden()
  await expect(pg.get('xenstoreValue')).toHaveText('98304')
  // The guest has seen it, and has given its frames back.
  await expect.poll(() => freeMib(pg), { timeout: 60_000 }).toBe(freeBefore + 32)
  expect(pg.complaints).toEqual([])
})

test('add, edit, permissions and remove, by the keyboard alone; what the daemon refuses, in its own words', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'a phone has no such keys')
  test.setTimeout(300_000)
  const pg = await Playground.open(page)
  await openExplorer(pg)
  await loggedIn(pg)
  await find(pg, '/tool')
  await pg.get('xenstoreFilter').fill('')
  await rowOf(page, '/tool').focus()

  // A name that is none.
  await page.keyboard.press('Insert')
  await page.keyboard.type('bad name!')
  await page.keyboard.press('Enter')
  await expect(pg.get('xenstoreError')).toContainText('xenstored refuses: EINVAL')
  await page.keyboard.press('Control+a')
  await page.keyboard.type('bench/deep')
  await page.keyboard.press('Tab')
  await page.keyboard.type('two\\x01')
  await expect(pg.get('xenstoreCommand')).toHaveText("xenstore-write /tool/bench/deep 'two\\x01'")
  await page.keyboard.press('Enter')
  await expect(rowOf(page, '/tool/bench/deep')).toBeFocused()
  await expect(pg.get('xenstoreValue')).toHaveText('two\\x01')
  expect(await dom0(pg, 'xenstore-read /tool/bench/deep')).toContain('two\\001')

  // Up to its parent, and who may read it.
  await page.keyboard.press('ArrowLeft')
  await expect(rowOf(page, '/tool/bench')).toBeFocused()
  await page.keyboard.press('p')
  await page.keyboard.press('Tab')
  const others = pg.get('xenstoreForm').getByLabel('All others')
  await expect(others).toBeFocused()
  await page.keyboard.press('ArrowDown')
  await expect(others).toHaveValue('r')
  // Past "Add a domain".
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(pg.get('xenstorePermissions')).toContainText('owner dom0, everybody may read')
  await expect(rowOf(page, '/tool/bench')).toBeFocused()
  expect(await dom0(pg, 'xenstore-ls -p /tool')).toMatch(/bench = "" .*\(r0\)/)

  // It has something below it, so it is asked for; meanwhile somebody else is quicker.
  await page.keyboard.press('ArrowDown')
  await expect(rowOf(page, '/tool/bench/deep')).toBeFocused()
  await page.keyboard.press('Insert')
  await page.keyboard.type('er')
  await page.keyboard.press('Enter')
  await expect(rowOf(page, '/tool/bench/deep/er')).toBeFocused()
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Delete')
  await expect(pg.get('xenstoreForm')).toContainText('Remove /tool/bench/deep with all below it (1)?')
  await dom0(pg, 'xenstore-rm /tool/bench')
  await pg.get('xenstoreSave').click()
  await expect(pg.get('xenstoreError')).toContainText('xenstored refuses: ENOENT')
  await page.keyboard.press('Escape')
  await expect(pg.get('xenstoreForm')).toBeHidden()

  // What has nothing below it goes at once.
  await dom0(pg, 'xenstore-write /tool/one 1 /tool/two 2')
  await rowOf(page, '/tool/one').click()
  await page.keyboard.press('Delete')
  await expect(rowOf(page, '/tool/one')).toHaveCount(0)
  await expect(rowOf(page, '/tool/two')).toBeFocused()
  expect(await dom0(pg, 'xenstore-list /tool')).not.toContain('one')
  expect(pg.complaints).toEqual([])
})
