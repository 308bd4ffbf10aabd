// The production build in Chromium, as page.mjs and page-debian.mjs measure it.

import { chromium } from '@playwright/test'
import { build, preview } from 'vite'
import { findBrowser } from '../scripts/browser.mjs'

/** Builds the page, serves it, and runs `measure(browser, url)`. */
export async function inChromium(measure) {
  await build({ logLevel: 'error' })
  const server = await preview({ preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' })
  const executablePath = findBrowser()
  const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}) })
  try {
    return await measure(browser, server.resolvedUrls.local[0])
  } finally {
    await browser.close()
    await server.close()
  }
}

export const MENU = /will be booted automatically/

/** Navigation to the menu's last line, in ms. */
export async function load(page, url) {
  const from = performance.now()
  await page.goto(url)
  await page.waitForFunction(() => window.playground !== undefined)
  await page.evaluate((menu) => window.playground.console('com1').waitFor(new RegExp(menu)), MENU.source)
  return performance.now() - from
}

/** Enter at the menu to the login, in ms: turbo as at a visitor's. */
export const login = (page) =>
  page.evaluate(async () => {
    const from = performance.now()
    const com1 = window.playground.console('com1')
    com1.write('\r')
    await com1.waitFor(/xenhost login: $/)
    return performance.now() - from
  })
