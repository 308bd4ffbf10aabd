import { expect, test } from '@playwright/test'
import { Playground } from './playground.ts'

/** From the line above it: the module becomes a file that is no kernel, and the entry is booted. */
async function noKernel(pg: Playground): Promise<void> {
  await pg.press('ArrowDown', 'e')
  await pg.shows('Minimal BASH-like line editing is supported')
  await pg.press('Control+u')
  await pg.type('module /boot/grub/menu.lst\n')
  await pg.shows("Press 'b' to boot")
  await pg.press('b')
}

test('power is on when the page opens: GRUB, Enter, Xen, dom0; Ctrl-A ×3 gives the line to Xen', async ({ page }) => {
  const pg = await Playground.open(page, { seed: 7, memory: 512 })
  await pg.menu()
  await expect(pg.get('status')).toHaveText('GRUB is on the serial line.')
  await pg.press('Enter')
  await pg.waitFor(/Xen version 3\.3\.\d[\s\S]*Brought up \d CPUs/)
  await expect(pg.get('status')).toContainText('Xen')
  await pg.waitFor(/xenhost login: $/)
  await pg.page.locator('.console-switch:visible').or(pg.get('serialKeys').getByText('Ctrl-A ×3')).first().click()
  await pg.waitFor(/Serial input -> Xen/)
  await expect(pg.get('status')).toHaveText('Xen runs dom0. Serial input goes to Xen.')
  await pg.press('h')
  await pg.waitFor(/'h' pressed -> showing installed handlers/)
  expect(await page.evaluate(() => window.playground.machine.record())).toMatchObject({ seed: 7, memoryMiB: 512 })
  expect(pg.complaints).toEqual([])
})

test('a panic stays when the kernel line has noreboot; else the machine reboots after five seconds', async ({
  page,
  isMobile,
}) => {
  test.skip(isMobile, 'the keyboard is the same')
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.press('e')
  await pg.shows("Press 'b' to boot, 'e' to edit the selected command")
  await pg.press('ArrowDown', 'e')
  await pg.shows('Minimal BASH-like line editing is supported')
  await pg.type(' noreboot')
  await pg.shows('noreboot')
  await pg.press('Enter')
  await pg.shows("Press 'b' to boot")
  await noKernel(pg)
  await pg.waitFor('Manual reset required')
  await expect(pg.get('status')).toHaveText(/^Xen has panicked: /)
  await page.evaluate(() => window.playground.clock.runFor(60))
  await pg.shows('Manual reset required')
  await expect(pg.get('status')).toHaveAttribute('data-state', 'panicked')

  await pg.get('barReset').click()
  await pg.menu()
  await pg.press('e')
  await pg.shows("Press 'b' to boot, 'e' to edit the selected command")
  await pg.press('ArrowDown')
  await noKernel(pg)
  await pg.waitFor('Reboot in five seconds')
  await page.evaluate(() => window.playground.clock.runFor(6))
  await pg.menu()
})

test('power=off waits for the button; GRUB’s command line refuses in GRUB’s words; reset and power are a PC’s', async ({
  page,
}) => {
  const pg = await Playground.open(page, { power: 'off' })
  await expect(pg.get('status')).toHaveText('The machine is off.')
  await expect(pg.get('barReset')).toBeDisabled()
  await pg.get('barPower').click()
  await pg.menu()
  await pg.press('c')
  await pg.shows('grub>')
  await pg.type('kernel /boot/nosuch\n')
  await pg.shows('Error 15: File not found')
  await pg.get('barReset').click()
  await pg.menu()
  await pg.get('barPower').click()
  await expect(pg.get('status')).toHaveText('The machine is off.')
})

test('the monitor shows the firmware as text, and types on its own keyboard', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await page.evaluate(() => window.playground.ui.open('monitor'))
  await expect(pg.get('monitorText')).toContainText('Xen Playground BIOS')
  await expect(pg.get('monitorCaption')).toHaveText('GRUB is on the serial line. Look at the serial console.')
  await pg.get('monitorScreen').focus()
  await page.keyboard.press('a')
  const keys = await page.evaluate(async () => {
    const { inputs } = await window.playground.machine.record()
    return inputs.flatMap(({ input }) => (input.kind === 'keyboard' ? [...input.scancodes] : []))
  })
  expect(keys).toEqual([0x1e, 0x9e])
})
