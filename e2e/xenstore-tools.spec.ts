/** What the explorer knows beside its tree: who changed what, what differs between two moments, files, searching, bytes, and a shell. */
import { readFileSync } from 'node:fs'
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { dom0, find, loggedIn, openExplorer, rowOf } from './explorer.ts'
import { Playground } from './playground.ts'

const tab = (page: Page, view: string) => page.locator(`[data-testid=xenstore-tab][data-view=${view}]`)
const kind = (page: Page, name: string) => page.locator(`[data-testid=xenstore-compare-kind][data-kind=${name}]`)

async function started(page: Page): Promise<Playground> {
  const pg = await Playground.open(page)
  await openExplorer(pg)
  await loggedIn(pg)
  return pg
}

/** What another language or another theme can change. */
const LOOKS_RULES = ['color-contrast', 'label-content-name-mismatch']

/** No serious fault in the panel, in either language and either theme. */
async function isGood(page: Page, where: string): Promise<void> {
  for (const [lang, theme, rules] of [
    ['zh', 'dark', undefined],
    ['en', 'light', LOOKS_RULES],
  ] as const) {
    await page.evaluate(
      ([lang, theme]) => {
        window.playground.ui.lang(lang)
        window.playground.ui.theme(theme)
      },
      [lang, theme] as const,
    )
    await expect(page.locator('html')).toHaveAttribute('lang', lang === 'zh' ? 'zh-Hans' : 'en')
    const axe = new AxeBuilder({ page }).setLegacyMode().include('.panel-host[data-panel="xenstore"]')
    const { violations } = await (rules ? axe.withRules([...rules]) : axe).analyze()
    const faults = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
    expect.soft(faults, `${where} (${lang}, ${theme})`).toEqual([])
  }
}

test('mark a moment, make a guest, see what it has added and who wrote it', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same lists; what differs is below')
  test.setTimeout(300_000)
  const pg = await started(page)
  await tab(page, 'compare').click()
  await pg.get('xenstoreMark').click()
  await expect(kind(page, 'added')).toHaveAttribute('data-count', '0')
  await dom0(pg, 'xm create sebastian')
  const diff = pg.get('xenstoreDiff')
  await expect.poll(async () => Number(await kind(page, 'added').getAttribute('data-count'))).toBeGreaterThan(50)
  await expect(diff.locator('[data-kind=removed]')).toHaveCount(0)
  await isGood(page, 'differences')
  // From a difference to its node.
  await diff.getByRole('button', { name: 'ostype' }).click()
  await expect(page.locator('[data-testid=xenstore-row][aria-selected=true]')).toContainText('ostype')
  await expect(pg.get('xenstoreBoth')).toContainText('not there')
  await expect(pg.get('xenstoreBoth')).toContainText('linux')

  await find(pg, '/local/domain/1/name')
  await tab(page, 'changes').click()
  const changes = pg.get('xenstoreChanges')
  await expect(changes.getByRole('button')).toHaveCount(1)
  await expect(changes).toContainText(/dom0 ?made/)
  await expect(changes).toContainText(/xend, process \d+ · connection \d+/)
  await page.evaluate(() => window.playground.xenstore.write('/local/domain/1/name', 'Sebastian'))
  await expect(changes.getByRole('button').first()).toContainText('sebastian → Sebastian')
  await expect(changes.getByRole('button').first()).toContainText('hostlinkd')

  // Of the whole store, what the guest itself has written.
  await pg.get('xenstoreChangesScope').selectOption('all')
  await pg.get('xenstoreChangesDomain').selectOption('1')
  await expect(changes.locator('[data-domid="0"]')).toHaveCount(0)
  await expect(changes.locator('[data-path="/local/domain/1/device/vbd/2049/state"]').first()).toBeVisible()
  await isGood(page, 'changes')
  // The list stands still while it is paused, and goes on afterwards.
  await pg.get('xenstoreChangesDomain').selectOption('all')
  await pg.get('xenstoreChangesPause').click()
  const newest = await changes.getByRole('button').first().textContent()
  await dom0(pg, 'xenstore-write /tool/one 1')
  await expect(pg.get('xenstoreChangesCount')).toContainText('since the pause')
  expect(await changes.getByRole('button').first().textContent()).toBe(newest)
  await pg.get('xenstoreChangesPause').click()
  await expect(changes.getByRole('button').first()).toHaveAttribute('data-path', '/tool/one')
  // It came through dom0's own kernel, /dev/xen/xenbus, which has one connection for all.
  await expect(changes.getByRole('button').first()).toContainText(/dom0 ?made ?connection \d+/)

  // What a second moment has that the first has not, and the other way round.
  await tab(page, 'compare').click()
  await pg.get('xenstoreMark').click()
  await dom0(pg, 'xm destroy sebastian')
  await expect.poll(async () => Number(await kind(page, 'removed').getAttribute('data-count'))).toBeGreaterThan(50)
  await pg.get('xenstoreCompareFrom').selectOption('A')
  await expect(kind(page, 'added')).not.toHaveAttribute('data-count', '0')
  await expect(diff.locator('[data-path="/tool/one"]')).toBeVisible()
  expect(pg.complaints).toEqual([])
})

test('a subtree is exported, removed, imported, and is as it was; what is wrong or refused is told', async ({
  page,
  isMobile,
}, testInfo) => {
  test.skip(isMobile, 'the same files')
  test.setTimeout(300_000)
  const pg = await started(page)
  await dom0(pg, "xenstore-write /tool/box/text two\\\\nlines /tool/box/bytes '\\x00\\xff' /tool/box/deep/er ''")
  await dom0(pg, 'xenstore-chmod /tool/box/deep n0 r3')
  const before = await dom0(pg, 'xenstore-ls -p /tool')
  await find(pg, '/tool/box')
  await pg.get('xenstoreFilter').fill('')
  await tab(page, 'files').click()
  const download = page.waitForEvent('download')
  await pg.get('xenstoreExport').click()
  const file = testInfo.outputPath('box.json')
  const saved = await download
  expect(saved.suggestedFilename()).toBe('xenstore-tool-box.json')
  await saved.saveAs(file)

  await dom0(pg, 'xenstore-rm /tool/box')
  await pg.get('xenstoreImportFile').setInputFiles(file)
  await expect(pg.get('xenstoreImportPath')).toHaveValue('/tool/box')
  await expect(pg.get('xenstoreImportCounts')).toContainText('Added: 5')
  await isGood(page, 'import')
  await pg.get('xenstoreImport').click()
  await expect(pg.get('xenstoreImportResult')).toContainText('Imported: 5 added')
  await expect(rowOf(page, '/tool/box')).toBeVisible()
  expect(await dom0(pg, 'xenstore-ls -p /tool')).toBe(before)

  // Elsewhere, with what is too much taken away.
  await dom0(pg, 'xenstore-write /tool/two/else 1')
  await pg.get('xenstoreImportFile').setInputFiles(file)
  await expect(pg.get('xenstoreImportCounts')).toContainText('Everything is as in the file')
  await pg.get('xenstoreImportPath').fill('/tool/two')
  await pg.get('xenstoreImportOthers').check()
  await expect(pg.get('xenstoreImportCounts')).toContainText('Removed: 1')
  await pg.get('xenstoreImport').click()
  await expect(pg.get('xenstoreImportResult')).toContainText('1 removed')
  expect(await dom0(pg, 'xenstore-list /tool/two')).not.toContain('else')

  // A file that is none; and one of which the daemon will not have a part.
  const send = (text: string) =>
    pg
      .get('xenstoreImportFile')
      .setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from(text) })
  await send('{"format":"xenstore-subtree","version":1,"path":"/tool/x","nodes":[{"path":"","value":"","perms":"q0"}]}')
  await expect(pg.get('xenstoreImportResult')).toContainText('nodes[0] has permissions that are none: "q0"')
  const large = JSON.parse(readFileSync(file, 'utf8')) as { nodes: { value?: string }[] }
  large.nodes[0]!.value = 'x'.repeat(4090)
  await send(JSON.stringify(large))
  await pg.get('xenstoreImport').click()
  await expect(pg.get('xenstoreImportResult')).toContainText('nothing was changed')
  await expect(pg.get('xenstoreImportResult')).toContainText('E2BIG /tool/box')
  expect(await dom0(pg, 'xenstore-ls -p /tool/box')).not.toContain('xxx')
  expect(pg.complaints).toEqual([])
})

test('a shell beside the tree: what is typed there is seen here', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same shell; what differs is below')
  test.setTimeout(300_000)
  const pg = await started(page)
  await find(pg, '/tool')
  await pg.get('xenstoreFilter').fill('')
  await pg.get('xenstoreFollow').click()
  await tab(page, 'shell').click()
  const terminal = pg.get('xenstoreShellTerminal').locator('.xterm-accessibility')
  await expect(terminal).toContainText('xenstore:/>')
  await page.keyboard.type('write /tool/typed here')
  await page.keyboard.press('Enter')
  await expect(rowOf(page, '/tool/typed')).toContainText('here')
  await rowOf(page, '/tool/typed').click()
  await pg.get('xenstoreShellCd').click()
  await expect(terminal).toContainText('xenstore:/tool/typed>')
  await page.keyboard.type('pwd')
  await page.keyboard.press('Enter')
  await expect(terminal).toContainText('/tool/typed')
  // It is there when one comes back from another tab.
  await tab(page, 'node').click()
  await tab(page, 'shell').click()
  await expect(terminal).toContainText('xenstore:/tool/typed>')
  await pg.get('xenstoreShellTerminal').click()
  await page.keyboard.type('exit')
  await page.keyboard.press('Enter')
  await expect(pg.get('xenstoreShellState')).toContainText('xsh has ended')
  await pg.get('xenstoreShellAgain').click()
  await expect(pg.get('xenstoreShellState')).toHaveAttribute('data-state', 'open')
  // Power gone, shell gone: the next machine's explorer begins with the node.
  await page.evaluate(() => window.playground.machine.power())
  await expect(pg.get('xenstoreEmpty')).toBeVisible()
  expect(pg.complaints).toEqual([])
})

test('search by path, value and owner, from one match to the next; bytes and lines; keys of the tree', async ({
  page,
  context,
  isMobile,
}) => {
  test.skip(isMobile, 'a phone has no such keys')
  test.setTimeout(300_000)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const pg = await started(page)
  await dom0(pg, 'xenstore-write /tool/a/blue 1 /tool/b blue /tool/blue/c 3')
  await pg.get('xenstoreFilter').fill('blue')
  await expect(pg.get('xenstoreSearchCount')).toHaveText('found: 4')
  await pg.get('xenstoreSearchScope').selectOption('value')
  await expect(pg.get('xenstoreFilter')).toHaveValue('value:blue')
  await expect(pg.get('xenstoreSearchCount')).toHaveText('found: 1')
  await pg.get('xenstoreSearchScope').selectOption('path')
  await expect(pg.get('xenstoreSearchCount')).toHaveText('found: 3')
  await pg.get('xenstoreSearchNext').click()
  await expect(rowOf(page, '/tool/a/blue')).toHaveAttribute('aria-selected', 'true')
  await rowOf(page, '/tool/a/blue').focus()
  await page.keyboard.press('n')
  await expect(pg.get('xenstoreSearchCount')).toHaveText('2 of 3')
  await page.keyboard.press('n')
  await page.keyboard.press('n')
  await expect(rowOf(page, '/tool/a/blue')).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('Shift+N')
  await expect(rowOf(page, '/tool/blue/c')).toHaveAttribute('aria-selected', 'true')
  await expect(rowOf(page, '/tool/blue/c')).toBeFocused()

  await page.keyboard.press('c')
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('/tool/blue/c')
  await page.keyboard.press('v')
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('3')
  await page.keyboard.press('?')
  await expect(pg.get('xenstoreKeysList')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(pg.get('xenstoreKeysList')).toBeHidden()

  // Several lines, then bytes.
  await rowOf(page, '/tool/blue/c').focus()
  await page.keyboard.press('F2')
  await page.keyboard.type('one')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('two')
  await page.keyboard.press('Enter')
  await page.keyboard.type('three')
  await page.keyboard.press('Control+Enter')
  await expect(pg.get('xenstoreValue')).toHaveText('one\ntwo\nthree')
  await pg.get('xenstoreEdit').click()
  await pg.get('xenstoreForm').getByTestId('xenstore-value-mode').click()
  const field = pg.get('xenstoreForm').getByRole('textbox')
  await expect(field).toHaveValue('6f 6e 65 0a 74 77 6f 0a\n74 68 72 65 65')
  await field.fill('58 65 6')
  await expect(pg.get('xenstoreSave')).toHaveAttribute('aria-disabled', 'true')
  await field.fill('58 65 6e ff')
  await pg.get('xenstoreSave').click()
  await expect(pg.get('xenstoreValue')).toHaveText('Xen\\xff')
  await pg.get('xenstoreValueMode').click()
  await expect(pg.get('xenstoreValue')).toHaveText(/^000 {2}58 65 6e ff\s+Xen\.$/)
  await isGood(page, 'bytes')
  expect(pg.complaints).toEqual([])
})

test('on a phone: room for the tree or for what is below it, and the keys that soft keyboards lack', async ({
  page,
  isMobile,
}) => {
  test.skip(!isMobile, 'the wide layout shows both')
  test.setTimeout(300_000)
  const pg = await started(page)
  const heightOf = (id: 'xenstoreTree' | 'xenstoreDetail') =>
    pg.get(id).evaluate((element) => element.getBoundingClientRect().height)
  const before = await heightOf('xenstoreTree')
  await pg.get('xenstoreLess').tap()
  await expect.poll(() => heightOf('xenstoreTree')).toBeGreaterThan(before + 150)
  await expect(pg.get('xenstoreValue')).toBeHidden()
  // Who does something to a node wants to see it, all of it.
  await find(pg, '/local/domain/0/name')
  await page.keyboard.press('F2')
  await expect(pg.get('xenstoreSave')).toBeInViewport({ ratio: 1 })
  await expect(rowOf(page, '/local/domain/0/name')).toBeInViewport({ ratio: 1 })
  await pg.get('xenstoreCancel').tap()
  await expect(pg.get('xenstoreValue')).toBeHidden()
  for (const view of ['changes', 'compare', 'files', 'shell']) {
    await tab(page, view).tap()
    await expect(page.getByRole('tabpanel', { name: view })).toBeVisible()
    expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false)
  }
  await expect(pg.get('xenstoreShell').getByTestId('serial-keys')).toBeInViewport({ ratio: 1 })
  const shell = await heightOf('xenstoreDetail')
  await pg.get('xenstoreMore').tap()
  await expect.poll(() => heightOf('xenstoreDetail')).toBeGreaterThan(shell + 20)
  expect(pg.complaints).toEqual([])
})
