// What a visitor waits for, in Chromium on the production build: page load to GRUB's menu and to the login, 10,000 lines on a terminal, reset to GRUB's
// menu, 50,000 nodes in the XenStore explorer; and how many bytes each file of it is.

import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { inChromium, load, login, MENU } from './page-browser.mjs'
import { benchExplorer } from './page-xenstore.mjs'

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

/** 10,000 lines at the shell: frames a second while they come, and the longest time without one. */
const flood = (page, mode) =>
  page.evaluate(async (clock) => {
    const com1 = window.playground.console('com1')
    await window.playground.clock.mode(clock)
    let last = performance.now()
    const from = last
    const gaps = []
    let over = false
    requestAnimationFrame(function frame(now) {
      gaps.push(now - last)
      last = now
      if (!over) requestAnimationFrame(frame)
    })
    await new Promise((resolve) => {
      // The end of it alone: a look at all that came would be part of what is measured.
      let tail = ''
      com1.onData((bytes) => {
        tail = (tail + new TextDecoder('latin1').decode(bytes.subarray(-200))).slice(-200)
        if (/\n10000\r+\n.*# $/.test(tail)) resolve()
      })
      com1.type('seq 1 10000')
    })
    // Until the eye has it, too.
    const shown = () => document.querySelector('[data-line=com1] .xterm-rows')?.textContent.includes('10000')
    while (!shown()) await new Promise(requestAnimationFrame)
    over = true
    return { rate: (gaps.length * 1000) / (performance.now() - from), longest: Math.max(...gaps), ms: last - from }
  }, mode)

const packedSize = (file) => {
  const bytes = readFileSync(file)
  return file.endsWith('.gz') ? bytes.length : gzipSync(bytes, { level: 9 }).length
}

/** Bytes as they go over the line: what index.html names, which is all that a login needs; then each file of the build that is worth a line. */
function sizeFigures(directory) {
  const html = readFileSync(`${directory}/index.html`, 'utf8')
  const named = [...html.matchAll(/(?:src|href)="(?:\.\/)?(assets\/[^"]+)"/g)].map((match) => match[1])
  const needed = ['index.html', ...new Set(named)]
  const first = needed.reduce((sum, file) => sum + packedSize(`${directory}/${file}`), 0)
  const files = readdirSync(`${directory}/assets`).map((name) => ({
    name: `${name.replace(/-[\w-]{8}\./, '.')}, gzipped`,
    unit: 'KiB',
    value: packedSize(`${directory}/assets/${name}`) / 1024,
  }))
  return [
    { name: 'first load: what index.html names, gzipped', unit: 'KiB', value: first / 1024 },
    ...files.filter(({ value }) => value >= 1).sort((a, b) => b.value - a.value),
  ]
}

/** What a tab costs with so many guests on it that do nothing. */
const GUESTS = 200
const IDLE_SECONDS = 20

/**
 * The two processes of the tab, the page's and that of the frame with the worker: the largest, for Chromium's own that are called renderers, too, hold
 * next to nothing. Resident MiB with a share of what is shared, processor seconds. Linux alone tells them.
 */
async function tabProcesses(browser) {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  const rows = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id, cpuTime }) => {
      const pss = /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))
      return { mib: Number(pss[1]) / 1024, seconds: cpuTime }
    })
    .sort((a, b) => b.mib - a.mib)
    .slice(0, 2)
  return { mib: rows[0].mib + rows[1].mib, seconds: rows[0].seconds + rows[1].seconds }
}

async function idleGuests(browser, url) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await load(page, `${url}?memory=2048&disk=temporary`)
  await login(page)
  const ms = await page.evaluate(async (count) => {
    const com1 = window.playground.console('com1')
    await com1.type('root')
    await com1.waitFor(/# $/)
    await window.playground.clock.mode('turbo')
    const from = performance.now()
    await com1.type(`for n in $(seq ${count}); do xm create minimal name=m$n > /dev/null; done; echo made-$((6*7))`)
    await com1.waitFor('made-42', { timeoutMs: 1_200_000 })
    const created = performance.now() - from
    await window.playground.clock.runFor(5)
    await window.playground.clock.mode('live')
    return created
  }, GUESTS)
  const settle = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000))
  // Garbage is collected when a tab has been idle for a while.
  await settle(5 * IDLE_SECONDS)
  const before = await tabProcesses(browser)
  await settle(IDLE_SECONDS)
  const { mib, seconds } = await tabProcesses(browser)
  await page.close()
  const of = `${GUESTS} idle guests of 8 MiB (Chromium)`
  return [
    { name: `a minimal guest created, of ${GUESTS} (Chromium)`, unit: 'ms', value: ms / GUESTS },
    { name: `${of}: page and worker`, unit: 'MiB', value: mib },
    { name: `${of}, live: share of a core`, unit: '%', value: ((seconds - before.seconds) / IDLE_SECONDS) * 100 },
  ]
}

export const benchPage = () => inChromium(figuresOf)

async function figuresOf(browser, url) {
  const loads = []
  const logins = []
  const both = []
  const resets = []
  for (let round = 0; round < 5; round++) {
    const page = await browser.newPage()
    loads.push(await load(page, url))
    logins.push(await login(page))
    both.push(loads.at(-1) + logins.at(-1))
    resets.push(await reset(page))
    await page.close()
  }
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await load(page, url)
  await login(page)
  await page.evaluate(async () => {
    await window.playground.console('com1').type('root')
    await window.playground.console('com1').waitFor(/# $/)
  })
  const floods = []
  for (const mode of ['live', 'turbo']) floods.push([mode, await flood(page, mode)])
  const explorer = await benchExplorer(page)
  await page.close()
  const idle = process.platform === 'linux' ? await idleGuests(browser, url) : []
  const median = (times) => times.sort((a, b) => a - b)[times.length >> 1]
  return [
    { name: "page load to GRUB's menu (Chromium)", unit: 'ms', value: median(loads) },
    { name: 'Enter to the login (Chromium)', unit: 'ms', value: median(logins) },
    { name: 'page load to the login, Enter at once', unit: 'ms', value: median(both) },
    { name: "reset to GRUB's menu (Chromium, live)", unit: 'ms', value: median(resets) },
    ...floods.flatMap(([mode, { rate, longest, ms }]) => [
      { name: `10,000 lines, ${mode}`, unit: 'ms', value: ms },
      { name: `10,000 lines, ${mode}: frames a second`, unit: 'count', value: rate },
      { name: `10,000 lines, ${mode}: longest frame`, unit: 'ms', value: longest },
    ]),
    ...explorer,
    ...idle,
    ...sizeFigures('dist'),
  ]
}
