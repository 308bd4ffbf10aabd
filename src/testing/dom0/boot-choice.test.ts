/** What a change on the disk does to the next boot. */
import { beforeAll, describe, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { type DefaultDiskBytes, Dom0Host } from '../dom0-host.ts'

let base: DefaultDiskBytes
beforeAll(async () => {
  base = await buildDiskAndKnown()
}, 120_000)

const MENU = 'highlighted entry will be booted'

describe('the boot files', () => {
  test('another dom0_mem is what free and Xen’s key q say after a reboot', () => {
    const host = new Dom0Host({ base })
    host.boot()
    expect(host.run("sed -i 's/dom0_mem=262144/dom0_mem=131072/' /boot/grub/menu.lst").status).toBe(0)
    host.type('reboot\r')
    host.waitFor('Restarting system.')
    host.boot()
    expect(Number(host.run("free | sed -n 's/^Mem: *\\([0-9]*\\) .*/\\1/p'").output)).toBeLessThan(131072)
    host.type('\x01\x01\x01')
    host.waitFor('Serial input -> Xen')
    host.type('q')
    host.waitFor('nr_pages=32768')
  }, 120_000)

  test('a kernel that is none: Xen refuses it, and the fallback entry still boots', () => {
    const host = new Dom0Host({ base })
    host.boot()
    expect(host.run('echo oops > /boot/vmlinuz-2.6.18.8-xen').status).toBe(0)
    host.type('reboot\r')
    host.waitFor(MENU)
    host.type('\r')
    host.waitFor('(XEN) elf_init: not an ELF binary')
    host.waitFor('(XEN) Could not set up DOM0 guest OS')
    host.waitFor('(XEN) Reboot in five seconds...')
    host.boot(1)
    expect(host.run('cat /boot/vmlinuz-2.6.18.8-xen').output).toBe('oops')
  }, 120_000)

  test('a root that is not there: the kernel panics in its words, and Xen reboots the host', () => {
    const host = new Dom0Host({ base })
    host.boot()
    host.run("sed -i 's#root=/dev/hda1#root=/dev/hda9#' /boot/grub/menu.lst")
    host.type('reboot\r')
    host.waitFor(MENU)
    host.type('\r')
    host.waitFor('VFS: Cannot open root device "hda9"')
    host.waitFor('Kernel panic - not syncing: VFS: Unable to mount root fs on')
    host.waitFor('Domain 0 crashed')
    host.waitFor(MENU)
  }, 120_000)
})
