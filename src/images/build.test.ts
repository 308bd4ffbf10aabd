/** The default disk's recipe, with small stand-ins for the programs: real compiler, real containers, real file system. */
import { gunzipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { IMAGE_MAGIC, ImageKind, image_header } from '#abi/image.ts'
import { memOf } from '#abi/mem.ts'
import {
  BLOCKLIST_FIRST,
  blocklist_entry,
  STAGE1_STAGE2_SECTOR,
  STAGE2_BODY_ADDRESS,
  STAGE2_PARAMS_OFFSET,
  stage2_params,
} from '#abi/pc/grub.ts'
import { packDisk, unpackDisk } from '#lib/ondisk/disk-container.ts'
import { openExt2 } from '#lib/ondisk/ext2/reader.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { byteString } from '#lib/utf8.ts'
import { debugfs, e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { readDiskFiles } from '../../scripts/disk.mjs'
import { buildDefaultDisk } from './build.ts'
import { ENTRIES } from './compile.ts'
import { MANIFEST } from './default/manifest.ts'
import { MODULES, PACKAGES } from './packages.ts'

const SECTOR = 'export function start(metal, regs) { metal.go(regs) }\n'
const SOURCES: ReadonlyMap<string, string> = new Map<string, string>([
  [ENTRIES.stage1, SECTOR],
  [ENTRIES.stage2Start, SECTOR],
  // More than a few sectors, so that the block list has something to list.
  [
    ENTRIES.stage2,
    `import { say } from '#lib/say.ts'\nexport const text = '${'stage2 '.repeat(2000)}'\nexport const start = () => say(text)\n`,
  ],
  ['lib/say.ts', 'export const say = (text: string): number => text.length\n'],
  [ENTRIES.xen, "import { say } from '../lib/say.ts'\nexport const start = () => say('xen')\n"],
  [ENTRIES.idleDom0, "export const start = () => 'idle'\n"],
  [ENTRIES.linux, "export const start = () => 'linux'\n"],
  ...PACKAGES.map(({ entry }): [string, string] => [entry, 'export const main = () => 0\n']),
  ...MODULES.map(({ entry }): [string, string] => [entry, 'export const module = {}\n']),
  ['unrelated/broken.ts', 'this is not TypeScript {{{\n'],
])
const options = {
  sources: SOURCES,
  files: readDiskFiles() as Map<string, Uint8Array>,
  guestFiles: readDiskFiles('domu') as Map<string, Uint8Array>,
  minimalFiles: readDiskFiles('minimal') as Map<string, Uint8Array>,
  epochSeconds: 1242109972,
  seed: 1,
}
const { disk, images } = buildDefaultDisk(options)
const entry = readPartitions(disk)![0]!
const fs = openExt2(partition(disk, entry))!

describe('the default disk', () => {
  test('is the same, byte for byte, whenever it is made of the same', () => {
    expect(buildDefaultDisk(options).disk.hash()).toBe(disk.hash())
    expect(Buffer.compare(packDisk(buildDefaultDisk(options).disk), packDisk(disk))).toBe(0)
  })

  test.each([
    ['seed', { seed: 2 }],
    ['epoch', { epochSeconds: 1242109973 }],
    ['source', { sources: new Map([...SOURCES, ['lib/say.ts', 'export const say = () => 1\n']]) }],
    ['file', { files: new Map([...options.files, ['/boot/grub/device.map', Uint8Array.of(10)]]) }],
  ])('is another for another %s', (_, change) => {
    expect(buildDefaultDisk({ ...options, ...change }).disk.hash()).not.toBe(disk.hash())
  })

  test('survives its container', () => {
    expect(unpackDisk(packDisk(disk)).hash()).toBe(disk.hash())
  })

  test('has an active Linux partition from the second track on, then two for guests, each to the end of a cylinder', () => {
    const cylinders = (count: number): number => count * 255 * 63
    expect(readPartitions(disk)).toEqual([
      { active: true, type: 0x83, start: 63, sectors: cylinders(11) - 63 },
      { active: false, type: 0x83, start: cylinders(11), sectors: cylinders(3) },
      { active: false, type: 0x83, start: cylinders(14), sectors: cylinders(1) },
      undefined,
    ])
  })

  test('has guests of their own kind on them', () => {
    const inFile = SparseDisk.fromRaw(fs.readFile('/var/lib/xen/images/sebastian.img', 64 << 20))
    const guests = readPartitions(disk)!.slice(1, 3)
    const [prospero, minimal] = guests.map((found) => openExt2(partition(disk, found!))!)
    for (const [name, guest] of [['sebastian', openExt2(inFile)!] as const, ['prospero', prospero!] as const]) {
      expect(byteString(guest.readFile('/etc/sysconfig/network'))).toBe(`NETWORKING=no\nHOSTNAME=${name}\n`)
      expect(byteString(guest.readFile('/etc/fstab'))).toMatch(/^\/dev\/sda1 /)
      expect(() => guest.lookup('/boot/xen.gz')).toThrow('ENOENT')
      expect(() => guest.lookup('/dev/hda1')).toThrow('ENOENT')
      expect(guest.lookup('/bin/bash').isFile).toBe(true)
    }
    expect(byteString(minimal!.readFile('/etc/inittab'))).toMatch(/agetty xvc0/)
    for (const path of ['/sbin/init', '/bin/sh', '/bin/login', '/sbin/agetty'])
      expect(minimal!.lookup(path).isFile, path).toBe(true)
  })

  test('holds every row of the manifest, with its mode', () => {
    for (const row of MANIFEST) {
      const inode = fs.lookup(row.path, { followLast: false })
      if (row.kind === 'link') expect(fs.readlink(inode), row.path).toBe(row.target)
      else expect(inode.mode & 0o7777, row.path).toBe(row.mode & 0o7777)
      if (row.kind === 'image') expect(inode.size, row.path).toBe(images.get(row.image)!.length)
      expect([inode.uid, inode.gid, inode.mtime], row.path).toEqual([row.uid ?? 0, row.gid ?? 0, options.epochSeconds])
    }
  })

  test('gives Xen by all the names that install-xen makes', () => {
    for (const name of ['xen-3.3.0.gz', 'xen-3.3.gz', 'xen-3.gz', 'xen.gz'])
      expect(Buffer.compare(gunzipSync(fs.readFile(`/boot/${name}`)), images.get('xen-syms')!), name).toBe(0)
    const gz = fs.readFile('/boot/xen.gz')
    expect([...gz.subarray(0, 9)], 'no time, no name').toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2])
  })

  test('offers the idle domain 0 only where there is one', () => {
    expect(byteString(fs.readFile('/boot/grub/grub.conf')).match(/^title .*/gm)).toEqual([
      'title CentOS (2.6.18.8-xen)',
      'title CentOS (2.6.18.8-xen.old)',
      'title Xen 3.3, idle domain 0 (no services)',
    ])
    const sources = new Map(SOURCES)
    sources.delete(ENTRIES.idleDom0)
    const without = buildDefaultDisk({ ...options, sources })
    const other = openExt2(partition(without.disk, entry))!
    expect(byteString(other.readFile('/etc/grub.conf')).match(/^title .*/gm)).toHaveLength(2)
    expect(() => other.lookup('/boot/idle-dom0.gz')).toThrow('ENOENT')
  })

  test.each([
    [
      'a file without a row',
      { files: new Map([...options.files, ['/etc/nobody', new Uint8Array()]]) },
      'no row for /etc/nobody',
    ],
    ['a row without a file', { files: new Map([...options.files].slice(1)) }, 'no file for '],
    [
      'a source that does not compile',
      { sources: new Map([...SOURCES, [ENTRIES.xen, 'let x = ;']]) },
      'xen/setup.ts:1:',
    ],
    [
      'a missing source',
      { sources: new Map([...SOURCES].filter(([path]) => path !== 'lib/say.ts')) },
      'No such file or directory',
    ],
    ['no stage1', { sources: new Map([...SOURCES].slice(1)) }, 'boot/stage1/stage1.ts: No such file or directory'],
  ])('is refused with %s', (_, change, message) => {
    expect(() => buildDefaultDisk({ ...options, ...change })).toThrow(message)
  })
})

describe('grub-install', () => {
  test('leads from the boot sector to all of stage2', () => {
    const boot = disk.read(0, 1)
    expect([boot[510], boot[511]]).toEqual([0x55, 0xaa])
    const header = image_header.read(memOf(boot), 0)
    expect([header.magic, header.kind]).toEqual([IMAGE_MAGIC, ImageKind.bootSector])
    expect(boot[0x40]).toBe(0xff)
    const first = disk.read(memOf(boot).read32(STAGE1_STAGE2_SECTOR), 1)
    const mem = memOf(first)
    const parts: Uint8Array[] = []
    let segment = STAGE2_BODY_ADDRESS / 16
    for (let at = BLOCKLIST_FIRST; ; at -= blocklist_entry.size) {
      const { start, length, segment: to } = blocklist_entry.read(mem, at)
      if (length === 0) break
      expect(to).toBe(segment)
      segment += length * 32
      parts.push(disk.read(start, length))
    }
    const body = Buffer.concat(parts)
    const wanted = images.get('stage2')!.slice(512)
    const params = stage2_params.read(memOf(body), STAGE2_PARAMS_OFFSET)
    expect(params.install_partition).toBe(0x00ffff)
    expect(byteString(params.version_string)).toBe('0.97\0\0')
    expect(byteString(params.config_file)).toMatch(/^\/boot\/grub\/menu\.lst\0+$/)
    // All but the parameters is what ld made.
    const same = (from: number, to?: number) =>
      Buffer.compare(body.subarray(from, to ?? wanted.length), wanted.subarray(from, to))
    expect(same(0, STAGE2_PARAMS_OFFSET)).toBe(0)
    expect(same(STAGE2_PARAMS_OFFSET + stage2_params.size)).toBe(0)
    expect(body.length - wanted.length).toBeLessThan(512)
    // The file says the same as the sectors.
    expect(Buffer.compare(fs.readFile('/boot/grub/stage2').subarray(0, 512), first)).toBe(0)
  })
})

describe.skipIf(!hasE2fsprogs)('Debian', () => {
  test('finds nothing wrong with the file system', () => {
    const raw = partition(disk, entry)
    const { status, output } = e2fsck(raw)
    expect(status, output).toBe(0)
    const listing = debugfs(raw, ['ls -l /boot/grub', 'stat /tmp', 'stats'], ['/boot/xen-3.3.0.gz'])
    expect(listing.output).toMatch(/stage2/)
    expect(listing.output).toMatch(/Mode: {2}01777/)
    expect(listing.output).toMatch(/Block size: +1024/)
    expect(Buffer.compare(listing.files.get('/boot/xen-3.3.0.gz')!, images.get('xen.gz')!)).toBe(0)
  })
})
