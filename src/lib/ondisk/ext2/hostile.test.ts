/** Damaged and hostile file systems: whatever is on the disk, every call ends, and only in an answer or an Ext2Error. */
import { describe, expect, test } from 'vitest'
import { createRng, type Rng } from '#lib/prng.ts'
import { SparseDisk } from '../sparse-disk.ts'
import { Ext2Error } from './errors.ts'
import { Ext2 } from './fs.ts'
import { mkfs } from './mkfs.ts'
import { type Ext2Reader, openExt2 } from './reader.ts'

const now = () => 1242110000

function sample(blockBytes: number): SparseDisk {
  const disk = new SparseDisk(2 * 2048)
  mkfs(disk, { blockBytes, uuid: new Uint8Array(16), nowSeconds: 1242109972 })
  const fs = Ext2.mount(disk, { now })
  fs.mkdir('/boot', 0o755)
  fs.mkdir('/boot/grub', 0o755)
  fs.writeFile('/boot/grub/menu.lst', new Uint8Array(500).fill(65))
  fs.writeFile('/boot/kernel', new Uint8Array(300 * 1024).fill(66))
  fs.symlink('grub/menu.lst', '/boot/menu')
  fs.symlink(`${'./'.repeat(50)}kernel`, '/boot/long')
  for (let i = 0; i < 40; i++) fs.create(`/boot/grub/${i}-${'x'.repeat(40)}`, 0o644)
  fs.unmount()
  return disk
}

/** Bytes of metadata: superblock, descriptors, the inodes in use, directories, indirect blocks. */
function metadata(disk: SparseDisk, blockBytes: number): number[] {
  const fs = openExt2(disk)!
  const table = blockBytes === 1024 ? 5 * 1024 : 4 * 4096
  const kernel = fs.lookup('/boot/kernel')
  const blocks = [
    ...['/', '/boot', '/boot/grub'].map((path) => fs.lookup(path).block(0)),
    kernel.block(12),
    kernel.block(13),
  ].filter((block) => block !== 0)
  const range = (from: number, length: number) => Array.from({ length }, (_, i) => from + i)
  return [
    ...range(1024, 108),
    ...range(blockBytes === 1024 ? 2048 : 4096, 32),
    ...range(table, 30 * 128),
    ...blocks.flatMap((block) => range(block * blockBytes, 300)),
  ]
}

function damage(disk: SparseDisk, rng: Rng, places: readonly number[]): void {
  for (let n = 1 + rng.below(6); n > 0; n--) {
    const at = rng.pick(places)
    const sector = disk.read(Math.floor(at / 512), 1)
    sector[at % 512] = rng.pick([0, 1, 0x40, 0x7f, 0x80, 0xff, rng.below(256)])
    disk.write(Math.floor(at / 512), sector)
  }
}

/** Run `act`; what it throws must be an Ext2Error. Returns its code. */
function code(act: () => unknown): string {
  try {
    act()
    return 'ok'
  } catch (error) {
    if (error instanceof Ext2Error) return error.code
    throw error
  }
}

function* walk(fs: Ext2Reader, inode = fs.root(), depth = 0): Generator<string> {
  yield code(() => fs.fileBlocks(inode))
  if (inode.isSymlink) yield code(() => fs.readlink(inode))
  if (inode.isFile) yield code(() => fs.readFile(inode, 1 << 22))
  if (!inode.isDir || depth > 4) return
  let names: ReturnType<Ext2Reader['list']> = []
  yield code(() => {
    names = fs.list(inode)
  })
  for (const { name, inode: number } of names) {
    if (name === '.' || name === '..') continue
    try {
      yield* walk(fs, fs.inode(number), depth + 1)
    } catch (error) {
      if (!(error instanceof Ext2Error)) throw error
      yield error.code
    }
  }
}

describe.each([1024, 4096])('in blocks of %i', (blockBytes) => {
  const disk = sample(blockBytes)
  const places = metadata(disk, blockBytes)

  test('reading ends', () => {
    const rng = createRng(blockBytes)
    const seen = new Map<string, number>()
    for (let round = 0; round < 400; round++) {
      const copy = disk.clone()
      damage(copy, rng, places)
      const fs = openExt2(copy)
      const codes = !fs
        ? ['unknown']
        : [...walk(fs), code(() => fs.lookup('/boot/menu')), code(() => fs.lookup('/boot/long'))]
      for (const each of codes) seen.set(each, (seen.get(each) ?? 0) + 1)
    }
    for (const wanted of ['ok', 'unknown', 'EIO', 'ENOENT']) expect(seen.get(wanted), wanted).toBeGreaterThan(0)
  })

  test('writing ends', () => {
    const rng = createRng(blockBytes + 1)
    const seen = new Map<string, number>()
    for (let round = 0; round < 300; round++) {
      const copy = disk.clone()
      damage(copy, rng, places)
      let fs: Ext2 | undefined
      const note = (act: () => unknown) => {
        const each = code(act)
        seen.set(each, (seen.get(each) ?? 0) + 1)
      }
      note(() => {
        fs = Ext2.mount(copy, { now })
      })
      if (!fs) continue
      const mounted = fs
      note(() => mounted.writeFile('/boot/new', new Uint8Array(40_000)))
      note(() => mounted.mkdir('/boot/dir', 0o755))
      note(() => mounted.rename('/boot/grub', '/boot/dir/grub'))
      note(() => mounted.truncate(mounted.lookup('/boot/kernel'), 5000))
      note(() => mounted.unlink('/boot/kernel'))
      note(() => mounted.unlink('/boot/menu'))
      note(() => mounted.unlink('/boot/long'))
      note(() => mounted.rmdir('/boot/dir'))
      note(() => mounted.unmount())
    }
    for (const wanted of ['ok', 'EIO', 'EINVAL', 'ENOENT', 'ENOTEMPTY'])
      expect(seen.get(wanted), wanted).toBeGreaterThan(0)
  })
})

describe('a hostile disk', () => {
  const disk = sample(1024)
  /** Change the raw bytes of an inode. */
  const patched = (path: string, change: (view: DataView) => void): SparseDisk => {
    const copy = disk.clone()
    const { number } = openExt2(copy)!.lookup(path, { followLast: false })
    const at = 5 * 1024 + (number - 1) * 128
    const sector = copy.read(Math.floor(at / 512), 1)
    change(new DataView(sector.buffer, at % 512))
    copy.write(Math.floor(at / 512), sector)
    return copy
  }
  const read = (copy: SparseDisk, path: string) => code(() => openExt2(copy)!.readFile(path))

  test.each([
    ['a size past the triple indirect block', 4, 0xffffffff, 108, 0xffffffff, 'EFBIG'],
    ['a block number past the end', 40, 0xffffffff, undefined, 0, 'EIO'],
    ['a block number of the superblock', 40, 1, undefined, 0, 'EIO'],
    ['an indirect block past the end', 40 + 48, 2048, undefined, 0, 'EIO'],
    ['a double indirect block that is itself', 40 + 52, 40, undefined, 0, 'ok'],
  ])('with %s', (_, at, value, at2, value2, wanted) => {
    const copy = patched('/boot/kernel', (view) => {
      view.setUint32(at, value, true)
      if (at2 !== undefined) view.setUint32(at2, value2, true)
    })
    const got = read(copy, '/boot/kernel')
    if (wanted === 'ok') expect(['ok', 'EIO']).toContain(got)
    else expect(got).toBe(wanted)
    const fs = openExt2(copy)!
    if (wanted === 'EFBIG') expect(code(() => fs.readAt(fs.lookup('/boot/kernel'), 0, 10))).toBe('EIO')
  })

  test('with a directory longer than the disk', () => {
    const copy = patched('/boot', (view) => view.setUint32(4, 0x7ffffc00, true))
    expect(read(copy, '/boot/kernel')).toBe('EIO')
  })

  test('with a directory that has a hole', () => {
    const copy = patched('/boot', (view) => view.setUint32(4, 1 << 16, true))
    expect(read(copy, '/boot/nothing')).toBe('EIO')
  })

  test('whose root is a file', () => {
    expect(
      read(
        patched('/', (view) => view.setUint16(0, 0x81a4, true)),
        '/boot/kernel',
      ),
    ).toBe('ENOTDIR')
  })

  test('cut off in the middle of a file', () => {
    const raw = disk.toRaw()
    const cut = SparseDisk.fromRaw(raw.slice(0, 250 * 1024))
    expect(read(cut, '/boot/kernel')).toBe('ENXIO')
    expect(code(() => Ext2.mount(cut, { now }))).toBe('EINVAL')
  })

  test('that says a block in use is free: it is not freed twice', () => {
    const fs = Ext2.mount(disk.clone(), { now })
    const kernel = fs.lookup('/boot/kernel')
    const menu = fs.lookup('/boot/grub/menu.lst')
    kernel.setBlock(3, menu.block(0))
    expect(code(() => fs.truncate(kernel, 0))).toBe('ok')
    expect(code(() => fs.unlink('/boot/grub/menu.lst'))).toBe('EIO')
    expect(fs.checkDue()).toBe('errors')
  })
})
