/** The domains' cards: what a person sees of them, and what the buttons do. */
import { expect, type Locator, test } from '@playwright/test'
import { testIds } from '../src/ui/test-ids.ts'
import { Playground } from './playground.ts'

/** Logged in as root on COM1, the cards in front. */
async function loggedIn(pg: Playground): Promise<void> {
  await pg.waitFor('highlighted entry')
  const com1 = (line: string, answer: string) => run(pg, line, answer)
  await pg.page.evaluate(() => window.playground.console('com1').key('Enter'))
  await pg.waitFor('xenhost login: ')
  await com1('root', ']# ')
  await front(pg)
}

const front = (pg: Playground) => pg.page.evaluate(() => window.playground.ui.open('domains'))

/** Type `line` on COM1 and wait for `answer`. */
const run = (pg: Playground, line: string, answer: string): Promise<string> =>
  pg.page.evaluate(
    async ([typed, wanted]) => {
      const com1 = window.playground.console('com1')
      await com1.type(typed)
      return com1.waitFor(new RegExp(wanted), { timeoutMs: 50_000 })
    },
    [line, answer] as const,
  )

const cardOf = (pg: Playground, name: string): Locator =>
  pg.page.locator(`[data-testid="${testIds.domainsCard}"][data-name="${name}"]`)

test('a guest by its card: made, ballooned, paused, shut down, destroyed', async ({ page }) => {
  test.setTimeout(240_000)
  const pg = await Playground.open(page, { disk: 'temporary' })
  await loggedIn(pg)
  const dom0 = cardOf(pg, 'Domain-0')
  await expect(dom0.getByTestId(testIds.domainsState)).toHaveText('blocked')
  await expect(dom0.getByTestId(testIds.domainsMemory)).toContainText('256 MiB now')
  await expect(dom0.getByTestId(testIds.domainsDestroy)).toHaveCount(0)

  await pg.get('domainsNext').click()
  await pg.waitFor('Started domain sebastian')
  await front(pg)
  const card = cardOf(pg, 'sebastian')
  const state = card.getByTestId(testIds.domainsState)
  const result = card.getByTestId(testIds.domainsResult)
  const command = card.getByTestId(testIds.domainsCommand)
  await expect(state).toHaveText('blocked', { timeout: 50_000 })
  await expect(card).toHaveAttribute('data-domid', '1')

  // By keys: what the slider stands at when somebody leaves it is asked for.
  const slider = card.getByTestId(testIds.domainsSlider)
  await slider.focus()
  for (let i = 0; i < 32; i++) await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Enter')
  await expect(command).toHaveText('xm mem-set sebastian 96')
  await expect(result).toHaveAttribute('data-state', 'done')
  await expect(card.getByTestId(testIds.domainsMemory)).toContainText('96 MiB now')
  await expect(pg.get('domainsTotal')).toContainText('352 MiB')
  await run(pg, 'xm list sebastian', 'sebastian +1 +96 +1')

  await card.getByTestId(testIds.domainsPause).click()
  await expect(state).toHaveText('paused')
  await expect(command).toHaveText('xm pause sebastian')
  await run(pg, 'xm list sebastian', '-[-b]p---')
  await card.getByTestId(testIds.domainsUnpause).click()
  await expect(state).toHaveText('blocked')

  await card.getByTestId(testIds.domainsShutdown).click()
  await expect(card).toHaveCount(0, { timeout: 50_000 })
  // Its last word stays.
  await expect(pg.get('domainsCommand')).toHaveText('xm shutdown sebastian')

  await run(pg, 'xm create sebastian', 'Started domain sebastian')
  await card.getByTestId(testIds.domainsDestroy).click()
  await expect(pg.get('domainsConfirm')).toBeVisible()
  await pg.get('domainsConfirmNo').click()
  await expect(card).toHaveCount(1)
  await card.getByTestId(testIds.domainsDestroy).click()
  await pg.get('domainsConfirmYes').click()
  await expect(card).toHaveCount(0)
  await expect(pg.get('domainsNext')).toBeEnabled()
  expect(pg.complaints).toEqual([])
})

test('without xend the card says what the socket says', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same words')
  test.setTimeout(120_000)
  const pg = await Playground.open(page, { disk: 'temporary' })
  await loggedIn(pg)
  await run(pg, 'xm create minimal name=m1', 'Started domain m1')
  await run(pg, '/etc/init.d/xend stop; sleep 1; echo sto""pped', 'stopped')
  const card = cardOf(pg, 'm1')
  await card.getByTestId(testIds.domainsPause).click()
  await expect(card.getByTestId(testIds.domainsResult)).toHaveText(
    'Refused: /var/run/xend/xmlrpc.sock: Connection refused',
  )
  await card.getByTestId(testIds.domainsXenstore).click()
  await expect(pg.get('xenstoreTree')).toBeVisible()
})

test('before there is a domain the panel says why, with what to do next', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same words')
  const pg = await Playground.open(page, { power: 'off', disk: 'temporary' })
  await front(pg)
  await expect(pg.get('domainsEmpty')).toContainText('The machine is off')
  await pg.get('domainsNext').click()
  await pg.waitFor('highlighted entry')
  await expect(pg.get('domainsEmpty')).toContainText('boot loader')
})
