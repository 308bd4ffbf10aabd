/** Archives, modules and what becomes of them, with made-up packages. */
import { describe, expect, test } from 'vitest'
import { openExt2 } from '#lib/ondisk/ext2/reader.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { byteString, utf8Encode } from '#lib/utf8.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { cpioArchive } from './cpio.ts'
import { buildGuestsDisk } from './guests-disk.ts'
import { appletsOf, guestModules, initramfs } from './initramfs.ts'
import { loadOrder, type Module, modinfo, moduleName } from './modules.ts'

/** An ELF object with the sections that are looked at: names, and .modinfo. */
function module(path: string, info: readonly string[]): Module {
  const names = '\0.shstrtab\0.modinfo\0'
  const content = info.map((line) => `${line}\0`).join('')
  const table = 64 + names.length + content.length
  const bytes = new Uint8Array(table + 3 * 64)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  bytes.set(utf8Encode(names + content), 64)
  view.setBigUint64(0x28, BigInt(table), true)
  view.setUint16(0x3c, 3, true)
  view.setUint16(0x3e, 1, true)
  const section = (number: number, name: number, offset: number, size: number): void => {
    view.setUint32(table + number * 64, name, true)
    view.setBigUint64(table + number * 64 + 0x18, BigInt(offset), true)
    view.setBigUint64(table + number * 64 + 0x20, BigInt(size), true)
  }
  section(1, 1, 64, names.length)
  section(2, 11, 64 + names.length, content.length)
  return { path, bytes }
}

interface Entry {
  readonly name: string
  readonly mode: string
  readonly content: string
}

/** The archive read back, by the format's description. */
function entriesOf(archive: Uint8Array): Entry[] {
  const entries: Entry[] = []
  const text = byteString(archive)
  for (let at = 0; ; ) {
    expect(text.slice(at, at + 6)).toBe('070701')
    const field = (n: number): number => Number.parseInt(text.slice(at + 6 + 8 * n, at + 14 + 8 * n), 16)
    const nameEnd = at + 110 + field(11)
    const from = Math.ceil(nameEnd / 4) * 4
    const name = text.slice(at + 110, nameEnd - 1)
    if (name === 'TRAILER!!!') return entries
    entries.push({ name, mode: field(1).toString(8), content: text.slice(from, from + field(6)) })
    at = Math.ceil((from + field(6)) / 4) * 4
  }
}

test('an archive has each entry with its mode, its content and nothing of the day it was made', () => {
  const archive = cpioArchive(
    [
      { path: 'dev', kind: 'dir', mode: 0o755 },
      { path: 'dev/console', kind: 'char', mode: 0o600, major: 5, minor: 1 },
      { path: 'init', kind: 'file', mode: 0o755, bytes: utf8Encode('hello') },
      { path: 'sbin', kind: 'link', target: '/bin' },
    ],
    0x4a000000,
  )
  expect(entriesOf(archive)).toEqual([
    { name: 'dev', mode: '40755', content: '' },
    { name: 'dev/console', mode: '20600', content: '' },
    { name: 'init', mode: '100755', content: 'hello' },
    { name: 'sbin', mode: '120777', content: '/bin' },
  ])
  expect(archive.length % 512).toBe(0)
  // magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  expect(byteString(archive.subarray(116, 116 + 110))).toBe(
    ['070701', '00000002', '00002180', '00000000', '00000000', '00000001', '4a000000', '00000000']
      .concat(['00000000', '00000000', '00000005', '00000001', '0000000c', '00000000'])
      .join(''),
  )
})

describe('modules', () => {
  const all = [
    module('kernel/fs/ext4/ext4.ko', ['license=GPL', 'depends=jbd2,mbcache', 'softdep=pre: crc32c']),
    module('kernel/fs/jbd2/jbd2.ko', ['depends=']),
    module('kernel/fs/mbcache.ko', ['depends=']),
    module('kernel/crypto/crc32c_generic.ko', ['depends=']),
    module('kernel/drivers/block/xen-blkfront.ko', ['depends=']),
    module('kernel/a.ko', ['depends=b-c']),
    module('kernel/b-c.ko', ['depends=a']),
  ]
  const byName = new Map(all.map((each) => [moduleName(each.path), each]))
  const find = (name: string): Module | undefined => byName.get(name)
  const names = (modules: readonly Module[]): string[] => modules.map(({ path }) => moduleName(path))

  test('say what they need', () => {
    expect(modinfo(all[0]!)).toEqual([
      ['license', 'GPL'],
      ['depends', 'jbd2,mbcache'],
      ['softdep', 'pre: crc32c'],
    ])
  })

  test('are loaded after what they need; what is part of the kernel is not loaded', () => {
    expect(names(guestModules(find))).toEqual(['xen_blkfront', 'crc32c_generic', 'jbd2', 'mbcache', 'ext4'])
    expect(names(loadOrder(['ext2'], find))).toEqual([])
  })

  test('that need each other end all the same', () => {
    expect(names(loadOrder(['a'], find))).toEqual(['b_c', 'a'])
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['text', utf8Encode('x'.repeat(200))],
    ['an object without the section', module('x.ko', []).bytes.slice(0, 100)],
  ])('%s is none', (_, bytes) => {
    expect(() => modinfo({ path: 'x.ko', bytes })).toThrow('x.ko is no kernel module')
  })
})

const busybox = utf8Encode('code\0[\0[[\0ash\0busybox\0mount\0sh\0\0more')

test('the names of busybox are its own list', () => {
  expect(appletsOf(busybox)).toEqual(['[', '[[', 'ash', 'mount', 'sh'])
  expect(() => appletsOf(utf8Encode('bash'))).toThrow('no list of applets')
})

test('the first root has init, the applets and the modules in their order', () => {
  const modules = [module('kernel/drivers/block/xen-blkfront.ko', ['depends='])]
  const entries = entriesOf(initramfs({ version: '6.1', busybox, modules, epochSeconds: 1 }))
  const of = (name: string): Entry | undefined => entries.find((entry) => entry.name === name)
  expect(of('init')).toMatchObject({ mode: '120777', content: 'bin/busybox' })
  expect(of('bin/mount')).toMatchObject({ content: 'busybox' })
  expect(of('etc/modules')?.content).toBe('kernel/drivers/block/xen-blkfront.ko\n')
  expect(of('lib/modules/6.1/kernel/drivers/block/xen-blkfront.ko')?.mode).toBe('100644')
  // The kernel makes nothing by itself: every folder comes before what is in it.
  const seen = new Set([''])
  for (const { name } of entries) {
    expect(seen).toContain(name.slice(0, Math.max(0, name.lastIndexOf('/'))))
    expect(seen).not.toContain(name)
    seen.add(name)
  }
})

describe('the disk', () => {
  const kernel = { name: 'debian', version: '6.1', vmlinuz: utf8Encode('kernel'), initrd: utf8Encode('initrd') }
  const build = (vmlinuz = kernel.vmlinuz) =>
    buildGuestsDisk({ kernels: [{ ...kernel, vmlinuz }], epochSeconds: 1242109972, seed: 1 })

  test('has the kernels, a configuration that names them, and the guest’s own disk as a file', () => {
    const { disk, data } = build()
    const store = partition(disk, readPartitions(disk)![0]!)
    const files = openExt2(store)!
    expect(byteString(files.readFile('/boot/vmlinuz-6.1'))).toBe('kernel')
    expect(byteString(files.readFile('/boot/initrd.img-6.1'))).toBe('initrd')
    const configuration = byteString(files.readFile('/xen/debian'))
    expect(configuration).toContain('kernel  = "/boot/vmlinuz-6.1"\nramdisk = "/boot/initrd.img-6.1"\n')
    expect(configuration).toContain("disk    = ['file:/guests/images/debian.img,xvda,w']\n")
    expect(Buffer.compare(files.readFile('/images/debian.img'), data.toRaw())).toBe(0)
    if (hasE2fsprogs) for (const each of [store, data]) expect(e2fsck(each)).toMatchObject({ status: 0 })
  })

  test('is the same for the same packages, and another for others', () => {
    expect(build().disk.hash()).toBe(build().disk.hash())
    expect(build(utf8Encode('other')).disk.hash()).not.toBe(build().disk.hash())
  })

  test('says when the kernels do not fit', () => {
    expect(() => build(new Uint8Array(80 << 20))).toThrow('81 MiB of kernels do not fit the disk of 96 MiB')
  })
})
