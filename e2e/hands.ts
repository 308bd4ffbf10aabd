/** The two ways in which somebody uses the page: a pointer, or the keyboard alone; and listening to what COM1 answers. */
import { expect, type Locator, type Page } from '@playwright/test'

/** How to press, fill and choose; each test of the front panel's whole walk is done with either. */
export interface Hand {
  press(target: Locator): Promise<void>
  fill(target: Locator, text: string): Promise<void>
  choose(select: Locator, value: string): Promise<void>
  /** Come to a row of the tree whose filter was filled just now. */
  row(target: Locator): Promise<void>
  /** Bring a panel to the front by its tab. */
  panel(id: string): Promise<void>
}

const tabOf = (page: Page, id: string): Locator =>
  page.locator(`[data-testid=dock-tab][data-panel="${id}"][role=tab], [data-testid=tabs-bar] [data-panel="${id}"]`)

export const pointer = (page: Page): Hand => ({
  press: (target) => target.click(),
  fill: (target, text) => target.fill(text),
  choose: async (select, value) => void (await select.selectOption(value)),
  row: (target) => target.click(),
  panel: async (id) => {
    const tab = tabOf(page, id)
    // The guide of a wide screen has no tab: it is there.
    if ((await tab.count()) > 0) await tab.click()
  },
})

const hasFocus = (target: Locator) => target.evaluate((element) => element === document.activeElement)

/** F6 and Shift-F6 go to a region, Tab and Shift-Tab within it, arrows along tabs; no pointer is ever moved. */
export function keys(page: Page): Hand {
  const press = (key: string) => page.keyboard.press(key)

  async function toRegion(target: Locator): Promise<void> {
    const isThere = () =>
      target.evaluate((element) => {
        const outer = (inner: Element | null | undefined): Element | null => {
          const region = inner?.closest('[data-region]') ?? null
          return (region && outer(region.parentElement)) || region
        }
        return outer(element) === outer(document.activeElement)
      })
    for (let i = 0; i < 12; i++) {
      if (await isThere()) return
      await press('F6')
    }
    throw new Error(`F6 never came to the region of ${target}`)
  }

  async function reach(target: Locator): Promise<void> {
    await expect(target).toBeVisible()
    await toRegion(target)
    for (let i = 0; i < 200; i++) {
      const way = await target.evaluate((element) => {
        const now = document.activeElement
        if (now === element) return 'here'
        // A Tab in a terminal is the terminal's.
        if (now?.matches('.xterm-helper-textarea')) return 'caught'
        return now && now.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_PRECEDING ? 'back' : 'on'
      })
      if (way === 'here') return
      if (way === 'caught') throw new Error(`only a terminal's Tab leads to ${target}`)
      await press(way === 'back' ? 'Shift+Tab' : 'Tab')
    }
    throw new Error(`Tab never came to ${target}`)
  }

  return {
    async press(target) {
      await reach(target)
      await press('Enter')
    },
    async fill(target, text) {
      await reach(target)
      await press('Control+a')
      await page.keyboard.type(text)
    },
    async choose(select, value) {
      await reach(select)
      // The options' texts begin with their values.
      await page.keyboard.type(value)
    },
    async row(target) {
      await press('Enter')
      await expect(page.locator('[role=treeitem]:focus')).toBeVisible()
      for (let i = 0; i < 20 && !(await hasFocus(target)); i++) await press('ArrowDown')
      await expect(target).toBeFocused()
    },
    async panel(id) {
      const tab = tabOf(page, id)
      if ((await tab.count()) === 0) return
      await toRegion(tab)
      const front = tab.locator('xpath=..').locator('[role=tab][aria-selected=true]')
      await reach(front)
      const isBefore = await tab.evaluate(
        (element) => (document.activeElement?.compareDocumentPosition(element) ?? 0) & Node.DOCUMENT_POSITION_PRECEDING,
      )
      for (let i = 0; i < 8 && !(await hasFocus(tab)); i++) await press(isBefore ? 'ArrowLeft' : 'ArrowRight')
      await press('Enter')
      await expect(tab).toHaveAttribute('aria-selected', 'true')
    },
  }
}

declare global {
  interface Window {
    /** What COM1 has said since the page was loaded, and how far it has been read. */
    heard: { text: string; read: number }
  }
}

/** Hear COM1 from now on. Anew after each load of the page. */
export async function listen(page: Page): Promise<void> {
  await page.evaluate(() => {
    const decoder = new TextDecoder()
    window.heard = { text: '', read: 0 }
    window.playground.console('com1').onData((bytes) => {
      window.heard.text += decoder.decode(bytes, { stream: true })
    })
  })
}

/** Wait until what COM1 says after the last answer matches; resolves with all of it. */
export async function answer(page: Page, pattern: RegExp): Promise<string> {
  const found = await page.waitForFunction(
    ({ source, flags }) => {
      const { text, read } = window.heard
      const match = new RegExp(source, flags).exec(text.slice(read))
      if (!match) return undefined
      const end = match.index + match[0].length
      window.heard.read = read + end
      return text.slice(read, read + end)
    },
    { source: pattern.source, flags: pattern.flags },
    { timeout: 60_000 },
  )
  return (await found.jsonValue()) as string
}
