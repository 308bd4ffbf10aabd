/** The second disk on the whole host: the boot loader sees it, domain 0 mounts it, and its guests are the host's own from then on. */
import { beforeAll, expect, test } from 'vitest'
import { buildGuestsDisk } from '#images/debian/guests-disk.ts'
import { openExt2 } from '#lib/ondisk/ext2/reader.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { byteString, utf8Encode } from '#lib/utf8.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { type DefaultDiskBytes, Dom0Host } from '../dom0-host.ts'
import { e2fsck, hasE2fsprogs } from '../e2fsprogs.ts'

const kernel = {
  name: 'debian',
  version: '1.2.3',
  vmlinuz: utf8Encode('no kernel\n'),
  initrd: utf8Encode('no initrd\n'),
}

let base: DefaultDiskBytes
beforeAll(async () => {
  base = await buildDiskAndKnown()
}, 120_000)

test('is (hd1,0), hdc1 and /guests; what is written there is there', () => {
  const { disk } = buildGuestsDisk({ kernels: [kernel], epochSeconds: 1242109972, seed: 1 })
  const host = new Dom0Host({ base, secondDisk: disk })
  expect(host.world.record().secondDiskHash).toBe(disk.hash())

  host.waitFor('highlighted entry will be booted')
  host.type('c')
  host.waitFor('grub> ')
  host.type('find /boot/vmlinuz-1.2.3\r')
  host.waitFor(/\n \(hd1,0\)\n/)
  // Back in the menu, its first entry.
  host.type('\x1b\r')
  host.waitFor('xenhost login: ')
  host.login()

  expect(host.text).toContain("Mounting the guests' disk:")
  expect(host.run('dmesg | grep ^hdc').output).toMatch(/^hdc: PLAYGROUND HARD DISK, ATA DISK drive\n/)
  expect(host.run('grep guests /proc/mounts').output).toBe('/dev/hdc1 /guests ext2 rw 0 0')
  expect(host.run('cat /boot/vmlinuz-1.2.3 /boot/initrd.img-1.2.3').output).toBe('no kernel\nno initrd')
  expect(host.run('readlink /etc/xen/debian; ls /guests/images').output).toBe('/guests/xen/debian\ndebian.img')
  // The host's own files are as they were.
  expect(host.run('readlink /etc/xen/sebastian /boot/vmlinuz-2.6.18.8-xen').status).toBe(1)
  // It is read as Python, and the kernel is looked at: it is none.
  expect(host.run('xm create debian').output).toContain('Using config file "/etc/xen/debian"')

  expect(host.run('echo mine > /guests/mine').status).toBe(0)
  host.type('poweroff\r')
  while (host.world.state() !== 'off') host.runFor(1)
  const guests = partition(disk, readPartitions(disk)![0]!)
  expect(byteString(openExt2(guests)!.readFile('/mine'))).toBe('mine\n')
  if (hasE2fsprogs) expect(e2fsck(guests)).toMatchObject({ status: 0 })
}, 120_000)
