// What a visitor waits for, in Chromium on the production build: page load to GRUB's menu, reset to GRUB's menu, bytes of the first load.

import { gzipSync } from 'node:zlib'
import { chromium } from '@playwright/test'
import { build, preview } from 'vite'
import { findBrowser } from '../scripts/browser.mjs'

const MENU = /will be booted automatically/

export async function benchPage() {
  await build({ logLevel: 'error' })
  const server = await preview({ preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' })
  const executablePath = findBrowser()
  const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}) })
  try {
    const url = server.resolvedUrls.local[0]
    const loads = []
    const resets = []
    let bytes = 0
    for (let round = 0; round < 3; round++) {
      const page = await browser.newPage()
      /** By address: what was preloaded and then fetched came over the line once. */
      const sizes = new Map()
      page.on('response', async (response) => {
        const body = await response.body().catch(() => undefined)
        // The worker's blob: comes from the page, not over the line.
        if (!response.url().startsWith('http')) return
        // What is served compressed arrives here unpacked.
        if (body) sizes.set(response.url(), gzipSync(body, { level: 9 }).length)
      })
      const from = performance.now()
      await page.goto(url)
      await page.waitForFunction(() => window.playground !== undefined)
      await page.evaluate((menu) => window.playground.console('com1').waitFor(new RegExp(menu)), MENU.source)
      loads.push(performance.now() - from)
      const reset = await page.evaluate(async (menu) => {
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
      resets.push(reset)
      bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0)
      await page.close()
    }
    const median = (times) => times.sort((a, b) => a - b)[times.length >> 1]
    return [
      { name: "page load to GRUB's menu (Chromium)", unit: 'ms', value: median(loads) },
      { name: "reset to GRUB's menu (Chromium, live)", unit: 'ms', value: median(resets) },
      { name: 'first load, gzipped', unit: 'KiB', value: bytes / 1024 },
    ]
  } finally {
    await browser.close()
    await server.close()
  }
}
