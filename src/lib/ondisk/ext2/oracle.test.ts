/** Our ext2 against Debian's e2fsprogs, both ways. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { debugfs, e2fsck, hasE2fsprogs, mke2fs, withDir } from '#testing/e2fsprogs.ts'
import { SparseDisk } from '../sparse-disk.ts'
import { Ext2 } from './fs.ts'
import { mkfs } from './mkfs.ts'
import { openExt2 } from './reader.ts'

const NOW = 1242109972
const UUID = Uint8Array.from({ length: 16 }, (_, i) => 17 * i)

function fresh(mib: number, blockBytes: number): { disk: SparseDisk; fs: Ext2 } {
  const disk = new SparseDisk(mib * 2048)
  mkfs(disk, { blockBytes, uuid: UUID, nowSeconds: NOW, label: '/' })
  return { disk, fs: Ext2.mount(disk, { now: () => NOW + 60 }) }
}

/** e2fsck's verdict, so that a failure shows what it found. */
const verdict = (disk: SparseDisk): string => {
  const { status, output } = e2fsck(disk)
  return status === 0 ? 'clean' : `status ${status}\n${output}`
}

describe.skipIf(!hasE2fsprogs)('e2fsck accepts', () => {
  test.each([
    [1, 1024],
    [8, 1024],
    [9, 1024],
    [64, 1024],
    [70, 1024],
    [1, 2048],
    [17, 2048],
    [1, 4096],
    [64, 4096],
    [129, 4096],
  ])('a fresh file system of %i MiB in blocks of %i', (mib, blockBytes) => {
    const { disk, fs } = fresh(mib, blockBytes)
    fs.unmount()
    expect(verdict(disk)).toBe('clean')
    const info = debugfs(disk, ['stats', 'ls -l /']).output
    expect(info).toMatch(/Filesystem volume name:\s+\//)
    expect(info).toMatch(/Filesystem features:\s+filetype sparse_super\n/)
    expect(info).toMatch(/Filesystem state:\s+clean/)
    expect(info).toMatch(/lost\+found/)
  })

  test.each([
    [20, 1024, 8193],
    [70, 1024, 24577],
    [140, 4096, 32768],
  ])(
    'the backup of the superblock when the first is gone: %i MiB in blocks of %i, block %i',
    (mib, blockBytes, block) => {
      const { disk, fs } = fresh(mib, blockBytes)
      fs.unmount()
      disk.write(2, new Uint8Array(1024))
      expect(e2fsck(disk).output).toMatch(/trying backup blocks/)
      const { status, output } = e2fsck(disk, ['-b', String(block), '-B', String(blockBytes)])
      expect(output).toMatch(/Pass 5/)
      expect(status, output).toBe(0)
    },
  )
})

describe.skipIf(!hasE2fsprogs).each([1024, 4096])('in blocks of %i', (blockBytes) => {
  test('files of all sizes come back from debugfs byte for byte', () => {
    const { disk, fs } = fresh(64, blockBytes)
    const rng = createRng(blockBytes)
    const files = new Map<string, Uint8Array>()
    fs.mkdir('/d', 0o755)
    const pointers = blockBytes / 4
    for (const size of [
      0,
      1,
      blockBytes - 1,
      blockBytes,
      12 * blockBytes,
      12 * blockBytes + 1,
      (12 + pointers) * blockBytes + 7,
      5_000_000,
    ]) {
      const bytes = rng.bytes(size)
      fs.writeFile(`/d/size-${size}`, bytes)
      files.set(`/d/size-${size}`, bytes)
    }
    fs.unmount()
    expect(verdict(disk)).toBe('clean')
    const dumped = debugfs(disk, [], [...files.keys()]).files
    for (const [path, bytes] of files) {
      expect(Buffer.compare(dumped.get(path)!, bytes), path).toBe(0)
      expect(Buffer.compare(fs.readFile(path), bytes), path).toBe(0)
    }
  })

  test('a sparse file through the triple indirect block', () => {
    const { disk, fs } = fresh(16, blockBytes)
    const pointers = blockBytes / 4
    const inode = fs.create('/sparse', 0o600)
    const places = [
      0,
      11,
      12,
      12 + pointers,
      12 + pointers + pointers * pointers,
      12 + pointers + pointers * pointers + 5 * pointers,
    ]
    for (const block of places) expect(fs.writeAt(inode, block * blockBytes + 3, Uint8Array.of(block & 255, 7))).toBe(2)
    fs.sync()
    fs.unmount()
    expect(verdict(disk)).toBe('clean')
    for (const block of places)
      expect([...fs.readAt(inode, block * blockBytes + 2, 4)]).toEqual([
        0,
        block & 255,
        7,
        ...(block === places.at(-1) ? [] : [0]),
      ])
    expect(fs.readAt(inode, (places.at(-1)! - 1) * blockBytes, blockBytes).every((byte) => byte === 0)).toBe(true)
    const mapped = debugfs(
      disk,
      places.map((block) => `bmap /sparse ${block}`),
    )
      .output.match(/^\d+$/gm)!
      .map(Number)
    expect(mapped).toEqual(places.map((block) => fs.mapBlocks(inode, block, 1).block))
    expect(mapped).not.toContain(0)

    // Cutting it step by step gives everything back.
    const again = Ext2.mount(disk, { now: () => NOW })
    for (const block of places.toReversed()) {
      again.truncate(again.lookup('/sparse'), block * blockBytes)
      again.sync()
    }
    expect(again.lookup('/sparse').sectors).toBe(0)
    again.unmount()
    expect(verdict(disk)).toBe('clean')
  })

  test('many long names in a directory, then only every third', () => {
    const { disk, fs } = fresh(64, blockBytes)
    const rng = createRng(5)
    const dir = fs.mkdir('/many', 0o755)
    const names = Array.from({ length: 1500 }, (_, i) => `${i}-`.padEnd(4 + rng.below(252), 'n'))
    for (const name of names) fs.create({ dir, name }, 0o644)
    names.forEach((name, i) => {
      if (i % 3 !== 0) fs.unlink({ dir, name })
    })
    const left = names.filter((_, i) => i % 3 === 0)
    fs.unmount()
    expect(verdict(disk)).toBe('clean')
    expect(
      fs
        .list(dir)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['.', '..', ...left].sort())
    const listing = debugfs(disk, ['ls -p /many']).output
    for (const name of left) expect(listing).toContain(`/${name}/`)
  })

  test('a full disk says ENOSPC and stays whole', () => {
    const { disk, fs } = fresh(2, blockBytes)
    const rng = createRng(3)
    const codes = new Set<string>()
    for (let i = 0; i < 3000; i++) {
      try {
        const kind = rng.below(4)
        if (kind === 0) fs.writeFile(`/f${i}`, rng.bytes(rng.below(40_000)))
        else if (kind === 1) fs.mkdir(`/d${i}`, 0o755)
        else if (kind === 2) fs.symlink('t'.repeat(1 + rng.below(200)), `/s${i}`)
        else fs.create(`/${'n'.repeat(200)}${i}`, 0o644)
      } catch (error) {
        codes.add((error as { code: string }).code)
      }
    }
    expect([...codes]).toEqual(['ENOSPC'])
    expect(Math.min(fs.statfs().free, fs.statfs().filesFree)).toBe(0)
    fs.unmount()
    expect(verdict(disk)).toBe('clean')
  })
})

describe.skipIf(!hasE2fsprogs)('an image made by mke2fs', () => {
  test.each([
    ['era', ['-b', '1024', '-I', '128', '-O', 'none,filetype,sparse_super']],
    ['era, 4 KiB', ['-b', '4096', '-I', '128', '-O', 'none,filetype,sparse_super']],
    ['revision 1 without file types', ['-b', '1024', '-I', '128', '-O', 'none']],
    ['today', ['-b', '1024', '-I', '256', '-O', 'ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file']],
    ['today, 4 KiB', ['-b', '4096', '-O', 'ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file']],
  ])('reads file for file, and can be written: %s', (_, args) => {
    withDir((dir) => {
      const rng = createRng(11)
      const files = new Map<string, Uint8Array>()
      const put = (path: string, bytes: Uint8Array) => {
        writeFileSync(join(dir, path), bytes)
        files.set(`/${path}`, bytes)
      }
      mkdirSync(join(dir, 'sub', 'deeper'), { recursive: true })
      put('empty', new Uint8Array(0))
      put('small', rng.bytes(99))
      put('sub/indirect', rng.bytes(100_000))
      put('sub/deeper/double', rng.bytes(1_500_000))
      for (let i = 0; i < 300; i++) put(`sub/deeper/file-${i}-${'x'.repeat(i % 100)}`, rng.bytes(i))
      symlinkSync('sub/deeper', join(dir, 'short'))
      symlinkSync(`${'./'.repeat(60)}sub/indirect`, join(dir, 'long'))
      const disk = SparseDisk.fromRaw(mke2fs(32 << 20, args, dir))

      const reader = openExt2(disk)!
      for (const [path, bytes] of files) expect(Buffer.compare(reader.readFile(path), bytes), path).toBe(0)
      expect(Buffer.compare(reader.readFile('/short/double'), files.get('/sub/deeper/double')!)).toBe(0)
      expect(Buffer.compare(reader.readFile('/long'), files.get('/sub/indirect')!)).toBe(0)
      expect(reader.readlink(reader.lookup('/short', { followLast: false }))).toBe('sub/deeper')

      const fs = Ext2.mount(disk, { now: () => NOW })
      fs.writeFile('/new', rng.bytes(70_000))
      fs.rename('/new', '/sub/deeper/newer')
      for (let i = 0; i < 300; i += 2) fs.unlink(`/sub/deeper/file-${i}-${'x'.repeat(i % 100)}`)
      for (let i = 0; i < 100; i++) fs.create(`/sub/deeper/again-${i}`, 0o644)
      fs.unlink('/sub/indirect')
      fs.unlink('/long')
      fs.unmount()
      expect(verdict(disk)).toBe('clean')
    })
  })
})
