import { describe, expect, test } from 'vitest'
import { SparseDisk } from '../sparse-disk.ts'
import { Ext2Error, Ext2MountError } from './errors.ts'
import { Ext2 } from './fs.ts'
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFSOCK } from './layout.ts'
import { mkfs } from './mkfs.ts'
import { openExt2 } from './reader.ts'

const NOW = 1242110000
const made = (): SparseDisk => {
  const disk = new SparseDisk(4 * 2048)
  mkfs(disk, { blockBytes: 1024, uuid: new Uint8Array(16), nowSeconds: 1242109972 })
  return disk
}
const mounted = (disk = made()): Ext2 => Ext2.mount(disk, { now: () => NOW })
const text = (value: string) => Uint8Array.from(value, (char) => char.charCodeAt(0))

function code(act: () => unknown): string {
  try {
    act()
    return 'ok'
  } catch (error) {
    if (error instanceof Ext2Error) return error.code
    throw error
  }
}

function furnished(): Ext2 {
  const fs = mounted()
  fs.mkdir('/dir', 0o755)
  fs.mkdir('/dir/sub', 0o755)
  fs.writeFile('/file', text('hello'))
  fs.writeFile('/dir/inner', text('inner'))
  fs.symlink('dir', '/to-dir')
  fs.symlink('/dir/../file', '/to-file')
  fs.symlink('nowhere', '/dangling')
  fs.symlink('loop-b', '/loop-a')
  fs.symlink('loop-a', '/loop-b')
  fs.symlink('inner', '/dir/near')
  for (let i = 1; i <= 9; i++) fs.symlink(i === 1 ? 'file' : `chain${i - 1}`, `/chain${i}`)
  return fs
}

describe('lookup', () => {
  const fs = furnished()
  test.each([
    ['/', 'dir'],
    ['//', 'dir'],
    ['/.', 'dir'],
    ['/..', 'dir'],
    ['/dir/', 'dir'],
    ['dir//sub/..', 'dir'],
    ['/file', 'file'],
    ['/to-dir/inner', 'file'],
    ['/to-dir/', 'dir'],
    ['/to-file', 'file'],
    ['/dir/near', 'file'],
    ['/to-dir/near', 'file'],
    ['/chain8', 'file'],
  ])('finds %s', (path, kind) => {
    const inode = fs.lookup(path)
    expect([inode.isDir, inode.isFile]).toEqual([kind === 'dir', kind === 'file'])
  })
  test.each([
    ['', 'ENOENT'],
    ['/none', 'ENOENT'],
    ['/dir/none/deeper', 'ENOENT'],
    ['/file/', 'ENOTDIR'],
    ['/file/x', 'ENOTDIR'],
    ['/file/..', 'ENOTDIR'],
    ['/dangling', 'ENOENT'],
    ['/loop-a', 'ELOOP'],
    ['/loop-a/x', 'ELOOP'],
    ['/chain9', 'ELOOP'],
    [`/${'n'.repeat(256)}`, 'ENAMETOOLONG'],
    [`/${'n/'.repeat(2050)}`, 'ENAMETOOLONG'],
    ['/\u4e2d', 'ENOENT'],
  ])('refuses %s', (path, error) => {
    expect(code(() => fs.lookup(path))).toBe(error)
  })
  test('follows as many links as it is told', () => {
    expect(code(() => fs.lookup('/chain5', { followLimit: 5 }))).toBe('ok')
    expect(code(() => fs.lookup('/chain6', { followLimit: 5 }))).toBe('ELOOP')
    expect(fs.lookup('/chain9', { followLast: false }).isSymlink).toBe(true)
    expect(fs.lookup('/to-dir', { followLast: false }).isSymlink).toBe(true)
    expect(code(() => fs.lookup('/to-dir/near/', { followLast: false }))).toBe('ENOTDIR')
  })
  test('starts a relative path where it is told', () => {
    const from = fs.lookup('/dir')
    expect(fs.lookup('inner', { from }).number).toBe(fs.lookup('/dir/inner').number)
    expect(fs.lookup('/file', { from }).number).toBe(fs.lookup('/file').number)
  })
})

describe('operations', () => {
  test.each<[string, (fs: Ext2) => unknown, string]>([
    ['create over a file', (fs) => fs.create('/file', 0o644), 'EEXIST'],
    ['create over a dangling link', (fs) => fs.create('/dangling', 0o644), 'EEXIST'],
    ['create in no directory', (fs) => fs.create('/none/x', 0o644), 'ENOENT'],
    ['create in a file', (fs) => fs.create('/file/x', 0o644), 'ENOTDIR'],
    ['create with a long name', (fs) => fs.create(`/${'n'.repeat(256)}`, 0o644), 'ENAMETOOLONG'],
    ['create with the longest name', (fs) => fs.create(`/${'n'.repeat(255)}`, 0o644), 'ok'],
    ['create a name with a zero', (fs) => fs.create('/a\0b', 0o644), 'EINVAL'],
    ['create a name that is no bytes', (fs) => fs.create('/\u4e2d', 0o644), 'EINVAL'],
    ['create a name of all other bytes', (fs) => fs.create('/\x01 \\"\xff', 0o644), 'ok'],
    ['mkdir the root', (fs) => fs.mkdir('/', 0o755), 'EBUSY'],
    ['mkdir with slashes', (fs) => fs.mkdir('/new//', 0o755), 'ok'],
    ['mkdir over a directory', (fs) => fs.mkdir('/dir', 0o755), 'EEXIST'],
    ['mkdir over dot', (fs) => fs.mkdir('/dir/.', 0o755), 'EEXIST'],
    ['rmdir a full directory', (fs) => fs.rmdir('/dir'), 'ENOTEMPTY'],
    ['rmdir a file', (fs) => fs.rmdir('/file'), 'ENOTDIR'],
    ['rmdir dot', (fs) => fs.rmdir('/dir/.'), 'EINVAL'],
    ['rmdir dot-dot', (fs) => fs.rmdir('/dir/sub/..'), 'ENOTEMPTY'],
    ['rmdir the root', (fs) => fs.rmdir('/'), 'EBUSY'],
    ['rmdir nothing', (fs) => fs.rmdir('/none'), 'ENOENT'],
    ['unlink a directory', (fs) => fs.unlink('/dir'), 'EISDIR'],
    ['unlink nothing', (fs) => fs.unlink('/none'), 'ENOENT'],
    ['unlink a link, not its target', (fs) => [fs.unlink('/to-file'), fs.lookup('/file')], 'ok'],
    ['link a directory', (fs) => fs.link('/dir', '/dir2'), 'EPERM'],
    ['link over a file', (fs) => fs.link('/file', '/dir/inner'), 'EEXIST'],
    [
      'link a link',
      (fs) => [fs.link('/dangling', '/again'), fs.readlink(fs.lookup('/again', { followLast: false }))],
      'ok',
    ],
    ['rename into itself', (fs) => fs.rename('/dir', '/dir/sub/dir'), 'EINVAL'],
    ['rename over its parent', (fs) => fs.rename('/dir/sub', '/dir'), 'ENOTEMPTY'],
    ['rename a file over a directory', (fs) => fs.rename('/file', '/dir/sub'), 'EISDIR'],
    ['rename a directory over a file', (fs) => fs.rename('/dir', '/file'), 'ENOTDIR'],
    ['rename dot', (fs) => fs.rename('/dir/.', '/x'), 'EBUSY'],
    ['rename nothing', (fs) => fs.rename('/none', '/x'), 'ENOENT'],
    ['rename to itself', (fs) => fs.rename('/file', '/file'), 'ok'],
    ['symlink to nothing', (fs) => fs.symlink('', '/x'), 'ENOENT'],
    ['symlink to much', (fs) => fs.symlink('t'.repeat(1024), '/x'), 'ENAMETOOLONG'],
    ['symlink to as much as a block', (fs) => fs.symlink('t'.repeat(1023), '/x'), 'ok'],
    ['mknod a directory', (fs) => fs.mknod('/x', S_IFDIR, { major: 0, minor: 0 }), 'EINVAL'],
    ['write to a directory', (fs) => fs.writeAt(fs.lookup('/dir'), 0, text('x')), 'EISDIR'],
    ['write past what blocks reach', (fs) => fs.writeAt(fs.lookup('/file'), 2 ** 35, text('x')), 'EFBIG'],
    ['write nowhere', (fs) => fs.writeAt(fs.lookup('/file'), -1, text('x')), 'EINVAL'],
    ['truncate a directory', (fs) => fs.truncate(fs.lookup('/dir'), 0), 'EISDIR'],
    ['truncate past what blocks reach', (fs) => fs.truncate(fs.lookup('/file'), 2 ** 35), 'EFBIG'],
    ['read a directory', (fs) => fs.readFile('/dir'), 'EISDIR'],
    ['readlink a file', (fs) => fs.readlink(fs.lookup('/file')), 'EINVAL'],
    ['list a file', (fs) => fs.list(fs.lookup('/file')), 'ENOTDIR'],
  ])('%s', (_, act, wanted) => {
    const fs = furnished()
    expect(code(() => act(fs))).toBe(wanted)
  })

  test('device numbers go where Linux puts them', () => {
    const fs = mounted()
    const hda1 = fs.mknod('/hda1', S_IFBLK | 0o660, { major: 3, minor: 1 }, { gid: 6 })
    expect([hda1.block(0), hda1.block(1), hda1.gid, hda1.mode]).toEqual([0x301, 0, 6, 0o060660])
    const big = fs.mknod('/big', S_IFCHR | 0o600, { major: 259, minor: 0x12345 })
    expect([big.block(0), big.block(1)]).toEqual([0, 0x45 | (259 << 8) | (0x123 << 20)])
    expect(fs.mknod('/socket', S_IFSOCK | 0o777, { major: 1, minor: 1 }).block(0)).toBe(0)
  })

  test('owners past 16 bits, times, permissions', () => {
    const disk = made()
    const fs = mounted(disk)
    fs.create('/f', 0o4755, { uid: 100_000, gid: 65_536 })
    fs.utime('/f', { atime: 1, mtime: 4_000_000_000 })
    fs.chmod('/f', 0o7600)
    fs.unmount()
    const inode = openExt2(disk)!.lookup('/f')
    expect([inode.uid, inode.gid, inode.atime, inode.mtime, inode.ctime, inode.mode]).toEqual([
      100_000,
      65_536,
      1,
      4_000_000_000,
      NOW,
      0o107600,
    ])
    const again = mounted(disk)
    again.chown('/f', { uid: 7 })
    expect([again.lookup('/f').uid, again.lookup('/f').gid]).toEqual([7, 65_536])
  })

  test('a held file lives on without a name, until it is released', () => {
    const fs = mounted()
    const free = fs.statfs()
    const inode = fs.writeFile('/f', text('still here'))
    fs.hold(inode)
    fs.unlink('/f')
    expect(inode.links).toBe(0)
    expect(fs.readFile(inode)).toEqual(text('still here'))
    expect(code(() => fs.link(inode, '/back'))).toBe('ENOENT')
    expect(code(() => fs.unmount())).toBe('EBUSY')
    fs.release(inode)
    expect(fs.statfs()).toEqual(free)
    expect(fs.inode(inode.number).dtime).toBe(NOW)
    fs.unmount()
  })

  test('a file of 2 GiB announces itself', () => {
    const disk = made()
    const fs = mounted(disk)
    const inode = fs.create('/large', 0o644)
    fs.writeAt(inode, 2 ** 31 - 1, text('x'))
    expect(inode.size).toBe(2 ** 31)
    fs.writeAt(inode, 5 * 2 ** 30, text('y'))
    fs.unmount()
    expect(disk.read(2, 1)[100]).toBe(3)
    const reader = openExt2(disk)!
    const large = reader.lookup('/large')
    expect(large.size).toBe(5 * 2 ** 30 + 1)
    expect(reader.readAt(large, 5 * 2 ** 30 - 1, 100)).toEqual(Uint8Array.of(0, 121))
    expect(reader.fileBlocks(large).map(({ lba, count }) => [lba !== undefined, count])).toEqual([
      [false, 2 ** 22 - 2],
      [true, 2],
      [false, 3 * 2 ** 21],
      [true, 2],
    ])
    expect(code(() => reader.readFile('/large'))).toBe('EFBIG')
  })

  test('the reserve is for root', () => {
    const disk = new SparseDisk(2048)
    mkfs(disk, { blockBytes: 1024, uuid: new Uint8Array(16), nowSeconds: 1, reservedPercent: 10 })
    const fs = mounted(disk)
    fs.useReserved = false
    const inode = fs.create('/f', 0o644)
    expect(fs.writeAt(inode, 0, new Uint8Array(2 << 20))).toBeLessThan(1 << 20)
    expect([fs.statfs().available, fs.statfs().free]).toEqual([0, 102])
    expect(code(() => fs.writeAt(inode, inode.size, new Uint8Array(1024)))).toBe('ENOSPC')
    fs.useReserved = true
    expect(fs.writeAt(inode, inode.size, new Uint8Array(1024))).toBe(1024)
  })
})

describe('mounting', () => {
  const patched = (at: number, value: number): SparseDisk => {
    const disk = made()
    const sector = disk.read(2, 2)
    new DataView(sector.buffer).setUint32(at, value, true)
    disk.write(2, sector)
    return disk
  }
  test.each<[string, SparseDisk, Ext2MountError['reason']]>([
    ['an empty disk', new SparseDisk(2048), 'not-ext2'],
    ['a tiny disk', new SparseDisk(3), 'not-ext2'],
    ['blocks of 64 KiB', patched(24, 6), 'unsupported'],
    ['an unknown revision', patched(76, 2), 'unsupported'],
    ['extents', patched(96, 0x42), 'unsupported'],
    ['a journal to replay', patched(96, 6), 'read-only'],
    ['checksums', patched(100, 0x401), 'read-only'],
    ['no blocks', patched(4, 0), 'corrupt'],
    ['more blocks than the device', patched(4, 8000), 'corrupt'],
    ['groups of no blocks', patched(32, 0), 'corrupt'],
    ['a wrong number of inodes', patched(0, 17), 'corrupt'],
    ['inodes of 100 bytes', patched(88, 100), 'corrupt'],
    ['a wrong first block', patched(20, 0), 'corrupt'],
  ])('refuses %s', (_, disk, reason) => {
    const before = disk.hash()
    let error: unknown
    try {
      mounted(disk)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(Ext2MountError)
    expect((error as Ext2MountError).reason).toBe(reason)
    expect(disk.hash()).toBe(before)
  })

  test('read-only changes nothing', () => {
    const disk = made()
    const before = disk.hash()
    const fs = Ext2.mount(disk, { now: () => NOW, readOnly: true })
    for (const act of [
      () => fs.create('/x', 0o644),
      () => fs.mkdir('/x', 0o755),
      () => fs.rmdir('/lost+found'),
      () => fs.rename('/lost+found', '/x'),
      () => fs.chmod('/', 0o700),
      () => fs.utime('/', { atime: 1 }),
      () => fs.chown('/', { uid: 1 }),
    ])
      expect(code(act)).toBe('EROFS')
    fs.unmount()
    expect(disk.hash()).toBe(before)
  })

  test('marks the disk in use, and clean when it is unmounted', () => {
    const disk = made()
    const state = () => disk.read(2, 1)[58]
    expect(state()).toBe(1)
    const fs = mounted(disk)
    expect([state(), fs.checkDue()]).toEqual([0, undefined])
    fs.unmount()
    expect(state()).toBe(1)
    expect(code(() => fs.create('/x', 0o644))).toBe('EROFS')

    mounted(disk).create('/x', 0o644)
    const unclean = mounted(disk)
    expect(unclean.checkDue()).toBe('unchecked')
    unclean.unmount()
    // Only a check makes it clean again.
    expect(state()).toBe(0)
  })

  test('wants a check after so many mounts and so much time', () => {
    const disk = made()
    for (let i = 1; i < 20; i++) mounted(disk).unmount()
    expect(mounted(disk).checkDue()).toBe('mounts')
    expect(Ext2.mount(made(), { now: () => NOW + 200 * 86400 }).checkDue()).toBe('interval')
  })
})

describe('mkfs refuses', () => {
  const options = { blockBytes: 1024, uuid: new Uint8Array(16), nowSeconds: 1 }
  test.each([
    ['a tiny disk', 40, options, 'ENOSPC'],
    ['a block size of 512', 4096, { ...options, blockBytes: 512 }, 'EINVAL'],
    ['a short uuid', 4096, { ...options, uuid: new Uint8Array(8) }, 'EINVAL'],
    ['a long label', 4096, { ...options, label: 'l'.repeat(17) }, 'EINVAL'],
    ['to reserve everything', 4096, { ...options, reservedPercent: 90 }, 'EINVAL'],
    ['an inode a byte', 4096, { ...options, inodeRatio: 1 }, 'EINVAL'],
  ])('%s', (_, sectors, given, wanted) => {
    expect(code(() => mkfs(new SparseDisk(sectors), given))).toBe(wanted)
  })
})
