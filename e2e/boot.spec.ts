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

test('power is on when the page opens: GRUB, then Enter, then Xen', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await expect(pg.get('status')).toHaveText('GRUB is on the serial line.')
  await pg.press('Enter')
  await pg.waitFor(/Xen version 3\.3\.\d/)
  await expect(pg.get('status')).toContainText('Xen')
  await pg.waitFor(/Brought up \d CPUs/)
  expect(pg.complaints).toEqual([])
})

test('the panic stays when the kernel line has noreboot', async ({ page }) => {
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
})

test('without noreboot the machine reboots after five seconds and is back in GRUB', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.press('e')
  await pg.shows("Press 'b' to boot, 'e' to edit the selected command")
  await pg.press('ArrowDown')
  await noKernel(pg)
  await pg.waitFor('Reboot in five seconds')
  await pg.get('barTurbo').click()
  await pg.menu()
})

test('GRUB’s command line refuses in GRUB’s words', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.press('c')
  await pg.shows('grub>')
  await pg.type('kernel /boot/nosuch\n')
  await pg.shows('Error 15: File not found')
})

test('the Ctrl-A button switches serial input to Xen, and h lists its keys', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.press('Enter')
  await pg.waitFor(/xenhost login: $/)
  await page.getByRole('button', { name: 'Ctrl-A ×3' }).click()
  await pg.waitFor(/Serial input -> Xen/)
  await expect(pg.get('status')).toHaveText('Xen runs. What you type on the serial line goes to Xen.')
  await pg.press('h')
  await pg.waitFor(/'h' pressed -> showing installed handlers/)
})

test('reset and power do what the buttons of a PC do', async ({ page }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  await pg.press('c')
  await pg.shows('grub>')
  await pg.get('barReset').click()
  await pg.menu()
  await pg.get('barPower').click()
  await expect(pg.get('status')).toHaveText('The machine is off.')
  await expect(pg.get('barReset')).toBeDisabled()
  await pg.get('barPower').click()
  await pg.menu()
})

test('power=off leaves the machine off until the button is pressed', async ({ page }) => {
  const pg = await Playground.open(page, { power: 'off' })
  await expect(pg.get('status')).toHaveText('The machine is off.')
  await pg.get('barPower').click()
  await pg.menu()
})

test('the monitor shows the firmware as text, and types on its own keyboard', async ({ page, isMobile }) => {
  const pg = await Playground.open(page)
  await pg.menu()
  if (isMobile) await page.getByRole('button', { name: 'Monitor', exact: true }).click()
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

test('the seed and memory of the address are the machine’s', async ({ page }) => {
  const pg = await Playground.open(page, { seed: 7, memory: 512 })
  await pg.menu()
  await pg.shows('523136K upper memory')
  const record = await page.evaluate(() => window.playground.machine.record())
  expect(record).toMatchObject({ seed: 7, memoryMiB: 512 })
})
