// What a visitor waits for whose machine has Debian's guests: `xm create debian -c`, typed in Chromium, to the guest's shell, and once more in the same machine.

import { guestsDisk, guestsTranslations } from '../scripts/guests-debian.mjs'
import { inChromium, load, login } from './page-browser.mjs'

export async function benchPageDebian() {
  if (!guestsDisk()) {
    console.warn("no guests of Debian's in Chromium: that takes `npm run guests:debian`")
    return []
  }
  const times = await inChromium(async (browser, url) => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await load(page, `${url}?guests=1&disk=temporary`)
    await login(page)
    return page.evaluate(async () => {
      const com1 = window.playground.console('com1')
      await com1.type('root')
      await com1.waitFor(/# $/)
      const times = []
      for (let n = 0; n < 2; n++) {
        const from = performance.now()
        await com1.type('xm create debian -c')
        await com1.waitFor(/root@debian:[^\n]*# $/, { timeoutMs: 600_000 })
        times.push(performance.now() - from)
        await com1.type('poweroff')
        await com1.waitFor(/root@xenhost [^\n]*# $/, { timeoutMs: 600_000 })
      }
      return times
    })
  })
  const before = guestsTranslations() ? 'translated before' : 'nothing translated before'
  return [
    { name: `xm create debian -c to its shell (Chromium; ${before})`, unit: 'ms', value: times[0] },
    { name: 'the same again, in the same machine', unit: 'ms', value: times[1] },
  ]
}
