/** A machine for each test, over the playground's public interface: copy this file. */
import { test as base, type Page } from '@playwright/test'

type ConsoleId = 'com1' | 'com2' | 'monitor' | `domain:${string}`

export class Xen {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** Type a line; with `answer`, wait until what comes back matches. */
  async type(line: string, answer?: RegExp | string, on: ConsoleId = 'com1'): Promise<string> {
    const run = async ({ line, answer, on }: { line: string; answer: RegExp | string; on: ConsoleId }) => {
      await window.playground.console(on).type(line)
      return window.playground.console(on).waitFor(answer)
    }
    return this.page.evaluate(run, { line, answer: answer ?? '', on })
  }

  async login(): Promise<void> {
    await this.page.evaluate(async () => {
      const com1 = window.playground.console('com1')
      await com1.waitFor('highlighted entry')
      await com1.key('Enter')
      await com1.waitFor('xenhost login:')
    })
    await this.type('root', '~]#')
  }
}

export const test = base.extend<{ xen: Xen; address: string }>({
  address: ['./', { option: true }],
  xen: async ({ page, address }, use) => {
    await page.goto(`${address}?disk=temporary&seed=1`)
    await page.evaluate(() => window.playground.ready)
    await use(new Xen(page))
  },
})
