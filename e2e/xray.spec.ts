/** X-ray: what Xen's tracer tells, as a person sees it, and as somebody reads it who does not see it. */
import { expect, type Locator, test } from '@playwright/test'
import { testIds } from '../src/ui/test-ids.ts'
import { Playground } from './playground.ts'

const run = (pg: Playground, line: string, answer: string): Promise<string> =>
  pg.page.evaluate(
    async ([typed, wanted]) => {
      const com1 = window.playground.console('com1')
      await com1.type(typed)
      return com1.waitFor(new RegExp(wanted), { timeoutMs: 50_000 })
    },
    [line, answer] as const,
  )

const view = (pg: Playground, name: string): Promise<void> =>
  pg.page.locator(`[data-testid=${testIds.xrayTab}][data-view=${name}]`).click()

const owner = (pg: Playground, name: string): Locator =>
  pg.page.locator(`[data-testid=${testIds.xrayOwner}][data-owner="${name}"]`)

/** Owner, MiB, frames, per cent. */
const mib = async (pg: Playground, name: string): Promise<number> =>
  Number((await owner(pg, name).locator('td').first().innerText()).replace(',', ''))

/** How many pixels of a canvas have a colour at all, and how many colours there are. */
const painted = (canvas: Locator) =>
  canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement
    const { data } = (element as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height)
    const words = new Uint32Array(data.buffer).filter((word) => word !== 0)
    return { pixels: words.length, colours: new Set(words).size }
  })

test('frames, the schedule, channels and hypercalls of a host that makes a guest', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same words; what differs is below')
  test.setTimeout(120_000)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const pg = await Playground.open(page, { disk: 'temporary', power: 'off', lang: 'en' })
  await page.evaluate(() => window.playground.ui.open('xray'))
  await expect(pg.get('xrayEmpty')).toContainText('The machine is off')
  await pg.get('xrayNext').click()
  await pg.waitFor('highlighted entry')
  await expect(pg.get('xrayEmpty')).toContainText('boot loader')
  await page.evaluate(() => window.playground.console('com1').key('Enter'))
  await pg.waitFor('xenhost login: ')
  await run(pg, 'root', ']# ')

  // Memory: as many frames as the machine has, and each domain's as its card and xm list say.
  await view(pg, 'map')
  await expect(owner(pg, 'Domain-0 (0)')).toContainText('256.0')
  await run(pg, 'xm create sebastian', 'Started domain sebastian')
  await expect(owner(pg, 'sebastian (1)')).toContainText('128.0')
  await run(pg, 'xm list sebastian', 'sebastian +1 +128 ')
  await run(pg, 'xm mem-set sebastian 96', ']# ')
  await expect(owner(pg, 'sebastian (1)')).toContainText('96.0')
  const owners = await pg
    .get('xrayOwner')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-owner') ?? ''))
  const parts = await Promise.all(owners.map((name) => mib(pg, name)))
  expect(owners.at(-1)).toBe('')
  expect(parts.slice(0, -1).reduce((sum, part) => sum + part, 0)).toBeCloseTo(parts.at(-1)!, 5)
  const map = pg.get('xrayMap')
  const picture = await painted(map.locator('canvas'))
  expect(picture.pixels).toBeGreaterThan(10_000)
  // Xen's, dom0's, the guest's, free ones, and what is no RAM.
  expect(picture.colours).toBeGreaterThanOrEqual(5)
  await map.focus()
  await page.keyboard.press('End')
  await expect(pg.get('xrayMapCursor')).toHaveText(/^mfn 0x[0-9a-f]+-0x[0-9a-f]+: /)
  const last = await pg.get('xrayMapCursor').innerText()
  await page.keyboard.press('ArrowUp')
  await expect(pg.get('xrayMapCursor')).not.toHaveText(last)
  await expect(map).toHaveAttribute('aria-valuetext', await pg.get('xrayMapCursor').innerText())

  // The schedule: both have run, and where it stands still a cursor says who when.
  await view(pg, 'lanes')
  await run(pg, 'xm list', 'sebastian.*')
  const ran = (domid: number) =>
    pg.get('xrayLanesTable').locator(`tr[data-domid="${domid}"]`).first().locator('td').nth(1)
  await pg.get('xraySpan').last().click()
  await expect(ran(0)).not.toHaveText('0.0 %')
  await expect(ran(1)).toHaveText(/^\d+\.\d %$/)
  const lanes = pg.get('xrayLanes')
  await lanes.focus()
  await page.keyboard.press(' ')
  await expect(lanes).toHaveAttribute('data-live', 'false')
  await page.keyboard.press('ArrowLeft')
  await expect(pg.get('xrayLanesCursor')).toContainText(/\d s: CPU 0: .*, CPU 1: /)
  const before = await pg.get('xrayLanesCursor').innerText()
  await page.keyboard.press('+')
  await page.keyboard.press('ArrowLeft')
  await expect(pg.get('xrayLanesCursor')).not.toHaveText(before)
  expect((await painted(lanes.locator('canvas'))).colours).toBeGreaterThan(4)
  const { x, y } = (await lanes.boundingBox())!
  await page.mouse.move(x + 300, y + 60)
  await pg.get('xraySpan').first().click()
  await expect(pg.get('xraySpan').first()).toHaveAttribute('aria-pressed', 'true')
  await page.mouse.move(x + 300, y + 60)
  await page.mouse.wheel(0, 200)
  await expect(pg.get('xraySpan').first()).toHaveAttribute('aria-pressed', 'false')
  await pg.get('xrayPause').click()
  await expect(lanes).toHaveAttribute('data-live', 'true')

  // The graph: dom0 and the guest are joined, and the ports of either end say to which of the other's.
  await view(pg, 'graph')
  await expect(pg.get('xrayNode')).toHaveText([/Domain-0/, /sebastian/])
  const edge = page.locator(`[data-testid=${testIds.xrayEdge}][data-edge=channels-0-1]`)
  await expect(edge).toContainText(/Domain-0 and sebastian: event channels [3-9]/)
  await edge.press('Enter')
  await expect(edge).toHaveAttribute('aria-pressed', 'true')
  const detail = pg.get('xrayDetail')
  await expect(detail.getByRole('row', { name: /^sebastian/ }).first()).toContainText(/joined to port \d+ of Domain-0/)
  await page.locator(`[data-testid=${testIds.xrayEdge}][data-edge=grants-1-0]`).press('Enter')
  await expect(detail).toContainText('Grants of sebastian used by Domain-0')
  await pg.get('xrayNode').first().press('Enter')
  await expect(detail).toContainText('VIRQ 2')

  await view(pg, 'calls')
  await run(pg, 'xm list', 'sebastian.*')
  await expect(pg.get('xrayCalls').locator('table[data-domid="0"]')).toContainText('sched_op')

  if (!isMobile) {
    await view(pg, 'all')
    await expect(pg.get('xrayMap')).toBeVisible()
    await expect(pg.get('xrayCalls')).toBeVisible()
  }
  await run(pg, 'xm destroy sebastian', ']# ')
  await view(pg, 'map')
  await expect(owner(pg, 'sebastian (1)')).toHaveCount(0)
  await expect(owner(pg, 'dom1 (1)')).toHaveCount(0)
  expect(pg.complaints).toEqual([])
})

test('on a phone there is one view at a time, and nothing beside it', async ({ page, isMobile }) => {
  test.skip(!isMobile, 'a wide screen shows all')
  const pg = await Playground.open(page, { disk: 'temporary', lang: 'en' })
  await pg.waitFor('highlighted entry')
  await page.evaluate(() => window.playground.console('com1').key('Enter'))
  await page.evaluate(() => window.playground.ui.open('xray'))
  await expect(owner(pg, 'Domain-0 (0)')).toContainText('256.0')
  await expect(pg.get('xrayTab')).toHaveText(['Memory', 'Schedule', 'Channels', 'Hypercalls'])
  const shown = { map: 'xrayMap', lanes: 'xrayLanesTable', graph: 'xrayNode', calls: 'xrayCalls' } as const
  for (const [name, part] of Object.entries(shown)) {
    await view(pg, name)
    await expect(pg.get(part).first()).toBeVisible()
    expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false)
  }
})
