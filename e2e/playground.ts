/** What the tests do to the page, as a person says it. */
import { expect, type Locator, type Page } from '@playwright/test'
import type { Playground as PlaygroundApi } from '../src/protocol/playground.ts'
import { testIds } from '../src/ui/test-ids.ts'

declare global {
  interface Window {
    readonly playground: PlaygroundApi
  }
}

export interface OpenOptions {
  readonly seed?: number
  readonly power?: 'off'
  readonly lang?: string
  readonly theme?: string
  readonly clock?: 'live' | 'turbo'
  readonly memory?: number
  readonly embed?: 1
  readonly panels?: string
  readonly disk?: 'temporary' | 'keep'
  readonly tape?: string
}

/** One page with a machine on it. */
export class Playground {
  readonly page: Page
  /** Errors and warnings of the page's console, and what it failed to load. */
  readonly complaints: string[] = []

  private constructor(page: Page) {
    this.page = page
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(String(error)))
    page.on('requestfailed', (request) => {
      // The worker's own script, whose address is withdrawn once the worker has been made.
      if (!request.url().startsWith('blob:')) this.complaints.push(`failed: ${request.url()}`)
    })
  }

  static async open(page: Page, options: OpenOptions = {}, base = './'): Promise<Playground> {
    const playground = new Playground(page)
    const query = new URLSearchParams(Object.entries(options).map(([name, value]) => [name, String(value)]))
    await page.goto(`${base}?${query}`)
    return playground
  }

  get(id: keyof typeof testIds): Locator {
    return this.page.getByTestId(testIds[id])
  }

  /** What COM1 shows, read as a screen reader reads it. */
  get com1(): Locator {
    return this.page.locator('[data-line=com1] .xterm-accessibility')
  }

  async shows(text: string | RegExp): Promise<void> {
    await expect(this.com1).toContainText(text)
  }

  /** Output of COM1 since the last send, however far it has scrolled. */
  async waitFor(pattern: RegExp | string): Promise<string> {
    return this.page.evaluate(
      (wanted) => window.playground.console('com1').waitFor(wanted, { timeoutMs: 50_000 }),
      pattern,
    )
  }

  async press(...keys: string[]): Promise<void> {
    await this.com1.page().locator('[data-line=com1] .xterm-helper-textarea').focus()
    for (const key of keys) await this.page.keyboard.press(key)
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text)
  }

  async menu(): Promise<void> {
    await this.shows('GNU GRUB')
    await this.shows('highlighted entry will be booted')
  }
}
