// What a visitor waits for, in Chromium on the production build: page load to GRUB's menu, Enter to the login, reset to GRUB's menu, bytes of the first load.

import { gzipSync } from 'node:zlib'
import { chromium } from '@playwright/test'
import { build, preview } from 'vite'
import { findBrowser } from '../scripts/browser.mjs'

const MENU = /will be booted automatically/

/** Navigation to the menu's last line, in ms. */
async function load(page, url) {
  const from = performance.now()
  await page.goto(url)
  await page.waitForFunction(() => window.playground !== undefined)
  await page.evaluate((menu) => window.playground.console('com1').waitFor(new RegExp(menu)), MENU.source)
  return performance.now() - from
}

/** Enter at the menu to the login, in ms: turbo as at a visitor's. */
const login = (page) =>
  page.evaluate(async () => {
    const from = performance.now()
    const com1 = window.playground.console('com1')
    com1.write('\r')
    await com1.waitFor(/xenhost login: $/)
    return performance.now() - from
  })

/** The reset button to the menu's last line, in ms. */
const reset = (page) =>
  page.evaluate(async (menu) => {
    const from = performance.now()
    let text = ''
    await new Promise((resolve) => {
      window.playground.console('com1').onData((bytes) => {
        text += new TextDecoder('latin1').decode(bytes)
        if (new RegExp(menu).test(text)) resolve()
      })
      window.playground.machine.reset()
    })
    return performance.now() - from
  }, MENU.source)

async function firstLoadBytes(browser, url) {
  const page = await browser.newPage()
  /** By address: what was preloaded and then fetched came over the line once. */
  const sizes = new Map()
  page.on('response', async (response) => {
    // The worker's blob: comes from the page, not over the line.
    if (!response.url().startsWith('http')) return
    // What is served compressed arrives here unpacked.
    const body = await response.body().catch(() => undefined)
    if (body) sizes.set(response.url(), gzipSync(body, { level: 9 }).length)
  })
  await load(page, url)
  await page.close()
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

export async function benchPage() {
  await build({ logLevel: 'error' })
  const server = await preview({ preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' })
  const executablePath = findBrowser()
  const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}) })
  try {
    const url = server.resolvedUrls.local[0]
    const loads = []
    const logins = []
    const resets = []
    for (let round = 0; round < 5; round++) {
      const page = await browser.newPage()
      loads.push(await load(page, url))
      logins.push(await login(page))
      resets.push(await reset(page))
      await page.close()
    }
    // Apart from the others: reading every answer costs time.
    const bytes = await firstLoadBytes(browser, url)
    const median = (times) => times.sort((a, b) => a - b)[times.length >> 1]
    return [
      { name: "page load to GRUB's menu (Chromium)", unit: 'ms', value: median(loads) },
      { name: 'Enter to the login (Chromium)', unit: 'ms', value: median(logins) },
      { name: "reset to GRUB's menu (Chromium, live)", unit: 'ms', value: median(resets) },
      { name: 'first load, gzipped', unit: 'KiB', value: bytes / 1024 },
    ]
  } finally {
    await browser.close()
    await server.close()
  }
}
