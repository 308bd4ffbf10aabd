/** Debian's own kernel as a guest in the page: from the second disk, and from files that somebody drops on it. It needs what `npm run guests:debian` fetches. */
import { expect, type Page, test } from '@playwright/test'
import { madeGuests } from '../scripts/guests-debian.mjs'
import { Playground } from './playground.ts'

const [kernel] = madeGuests()?.kernels ?? []
if (!kernel) console.warn("SKIPPED: Debian's kernel in the page. Run `npm run guests:debian` to run these.")

const BOOT_MS = 200_000
const HOST = /\[root@xenhost [^\]\n]*\]# $/
const GUEST = /root@debian:[^\n]*# $/

test.skip(kernel === undefined, 'npm run guests:debian has not been run')
test.skip(({ isMobile }) => isMobile, 'the machine does not depend on the size of the screen')
test.setTimeout(2 * BOOT_MS)

/** Types a line on COM1, and gives what matches of its answer. */
const ask = (page: Page, line: string, answer: RegExp): Promise<string> =>
  page.evaluate(
    async ({ line, answer, timeoutMs }) => {
      const com1 = window.playground.console('com1')
      await com1.type(line)
      return com1.waitFor(answer, { timeoutMs })
    },
    { line, answer, timeoutMs: BOOT_MS },
  )

async function login(page: Page): Promise<void> {
  await page.evaluate(() => window.playground.console('com1').waitFor('highlighted entry'))
  await ask(page, '', /xenhost login: $/)
  await ask(page, 'root', HOST)
}

/** From the host's prompt into a guest, which says what it is, and out of it again when it has been turned off. */
async function useGuest(page: Page, name: string): Promise<void> {
  await ask(page, `xm create ${name} -c`, GUEST)
  await ask(page, 'dmesg | grep Hypervisor', /Hypervisor detected: Xen PV/)
  expect(await ask(page, 'uname -r', /^6.*-amd64/m)).toBe(kernel?.version)
  await ask(page, 'poweroff', HOST)
  expect(await ask(page, 'xm list', /^Domain-0 [\s\S]*# $/m)).not.toContain(name)
}

test('the second disk is put in, and its guest boots to a shell', async ({ page }) => {
  const pg = await Playground.open(page, { disk: 'temporary', power: 'off' })
  await page.evaluate(() => window.playground.ui.open('machine'))
  await pg.get('machineGuests').check()
  await pg.get('barPower').click()
  await login(page)
  await useGuest(page, 'debian')
  expect(pg.complaints).toEqual([])
})

test('a kernel and an initrd from files become a guest that boots', async ({ page }) => {
  const pg = await Playground.open(page, { disk: 'temporary' })
  await login(page)
  await page.evaluate(() => window.playground.ui.open('machine'))
  await pg.get('diskKernelFiles').setInputFiles([kernel!.kernel, kernel!.initrd])
  await pg.get('diskKernelConfigure').click()
  await expect(pg.get('diskKernelResult')).toContainText('xm create mylinux -c')
  await useGuest(page, 'mylinux')
  expect(pg.complaints).toEqual([])
})
