/** Damaged file systems: ours repairs them, and Debian's e2fsck finds nothing afterwards. */
import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { SparseDisk } from '../../sparse-disk.ts'
import { Ext2 } from '../fs.ts'
import { Inode } from '../inode.ts'
import { readGroupDesc, S_IFBLK, S_IFCHR, S_IFIFO, Superblock, viewOf } from '../layout.ts'
import { mkfs } from '../mkfs.ts'
import { checkStore } from './memory.ts'

const NOW = 1242109972
const SECTORS = 10 * 2048
const BLOCK = 1024

function disk(): SparseDisk {
  const store = new SparseDisk(SECTORS)
  mkfs(store, { blockBytes: BLOCK, uuid: createRng(3).bytes(16), nowSeconds: NOW, label: '/' })
  const fs = Ext2.mount(store, { now: () => NOW })
  const bytes = (count: number): Uint8Array => createRng(count).bytes(count)
  fs.mkdir('/d', 0o755)
  fs.mkdir('/d/e', 0o755)
  fs.mkdir('/d/e/f', 0o755)
  fs.writeFile('/d/small', bytes(100))
  fs.writeFile('/d/e/middle', bytes(40_000))
  fs.writeFile('/d/e/f/large', bytes(400_000))
  fs.writeFile('/empty', new Uint8Array(0))
  fs.symlink('small', '/d/fast')
  fs.symlink('/'.padEnd(200, 'x'), '/d/slow')
  fs.link('/d/small', '/d/e/second')
  fs.mknod('/d/null', S_IFCHR | 0o666, { major: 1, minor: 3 })
  fs.mknod('/d/hda', S_IFBLK | 0o640, { major: 3, minor: 0 })
  fs.mknod('/d/fifo', S_IFIFO | 0o640, { major: 0, minor: 0 })
  for (let i = 0; i < 60; i++) fs.writeFile(`/d/e/${'name'.repeat(8)}${i}`, bytes(i))
  fs.unmount()
  return store
}

const reader = (store: SparseDisk): Ext2 => Ext2.mount(store, { now: () => NOW, readOnly: true })
const ino = (store: SparseDisk, path: string): number => reader(store).lookup(path, { followLast: false }).number

/** Change a block. */
function edit(store: SparseDisk, block: number, change: (bytes: Uint8Array, view: DataView) => void): void {
  const bytes = store.read(block * 2, 2)
  change(bytes, viewOf(bytes))
  store.write(block * 2, bytes)
}

const desc = (store: SparseDisk, group = 0) => readGroupDesc(viewOf(store.read(4, 2)), 32 * group)

function editInode(store: SparseDisk, number: number, change: (inode: Inode) => void): void {
  const perGroup = new Superblock(store.read(2, 2)).get('inodes_per_group')
  const { inodeTable } = desc(store, Math.floor((number - 1) / perGroup))
  const offset = ((number - 1) % perGroup) * 128
  edit(store, inodeTable + Math.floor(offset / BLOCK), (bytes) => {
    change(new Inode(number, bytes.subarray(offset % BLOCK, (offset % BLOCK) + 128)))
  })
}

function editSuper(store: SparseDisk, change: (superblock: Superblock) => void): void {
  const superblock = new Superblock(store.read(2, 2))
  change(superblock)
  store.write(2, superblock.bytes)
}

const blockOf = (store: SparseDisk, path: string, index = 0): number => reader(store).lookup(path).block(index)

/** Where `name` lies in its directory's first block. */
function entryAt(bytes: Uint8Array, name: string): number {
  const view = viewOf(bytes)
  for (let at = 0; at < BLOCK; at += view.getUint16(at + 4, true))
    if (String.fromCharCode(...bytes.subarray(at + 8, at + 8 + bytes[at + 6]!)) === name) return at
  throw new Error(`no ${name}`)
}

type Damage = readonly [what: string, says: RegExp, (store: SparseDisk) => void]

const DAMAGES: readonly Damage[] = [
  [
    'a block bitmap full of zeros',
    /Block bitmap differences: {2}\+\(1--/,
    (s) => edit(s, desc(s).blockBitmap, (b) => b.fill(0)),
  ],
  [
    'a block bitmap full of ones',
    /Block bitmap differences: {2}-/,
    (s) => edit(s, desc(s, 1).blockBitmap, (b) => b.fill(255)),
  ],
  [
    'an inode bitmap full of zeros',
    /Inode bitmap differences: {2}\+/,
    (s) => edit(s, desc(s).inodeBitmap, (b) => b.fill(0)),
  ],
  [
    'padding of an inode bitmap',
    /Padding at end of inode bitmap/,
    (s) => edit(s, desc(s).inodeBitmap, (b) => b.fill(0, 1000)),
  ],
  [
    'the counts of free blocks',
    /Free blocks count wrong \(7, counted=\d+\)/,
    (s) => editSuper(s, (sb) => sb.set('free_blocks_count', 7)),
  ],
  [
    'the counts of free inodes',
    /Free inodes count wrong \(9, counted=/,
    (s) => editSuper(s, (sb) => sb.set('free_inodes_count', 9)),
  ],
  [
    "a group's counts",
    /Free blocks count wrong for group #0 \(1, .*Free inodes count wrong for group #0 \(2, .*Directories count wrong for group #0 \(3, /s,
    (s) =>
      edit(s, 2, (_, v) => {
        v.setUint16(12, 1, true)
        v.setUint16(14, 2, true)
        v.setUint16(16, 3, true)
      }),
  ],
  [
    'a link count that is too high',
    /Inode \d+ ref count is 5, should be 2/,
    (s) =>
      editInode(s, ino(s, '/d/small'), (i) => {
        i.links = 5
      }),
  ],
  [
    'a link count that is too low',
    /Inode \d+ ref count is 1, should be 2/,
    (s) =>
      editInode(s, ino(s, '/d/small'), (i) => {
        i.links = 1
      }),
  ],
  [
    'i_blocks',
    /i_blocks is 3, should be 82/,
    (s) =>
      editInode(s, ino(s, '/d/e/middle'), (i) => {
        i.sectors = 3
      }),
  ],
  [
    'i_size',
    /i_size is 10, should be 400384/,
    (s) =>
      editInode(s, ino(s, '/d/e/f/large'), (i) => {
        i.size = 10
      }),
  ],
  [
    'the size of a directory',
    /i_size is 5000, should be 1024/,
    (s) =>
      editInode(s, ino(s, '/d'), (i) => {
        i.size = 5000
      }),
  ],
  [
    'an illegal block',
    /Illegal block #3 \(99999999\) in inode \d+/,
    (s) => editInode(s, ino(s, '/d/e/middle'), (i) => i.setBlock(3, 99999999)),
  ],
  [
    'an illegal indirect block',
    /Illegal block #-1 \(77777777\)/,
    (s) => editInode(s, ino(s, '/d/e/f/large'), (i) => i.setBlock(12, 77777777)),
  ],
  [
    'garbage in an indirect block',
    /Too many illegal blocks in inode/,
    (s) => edit(s, blockOf(s, '/d/e/f/large', 12), (b) => b.set(createRng(1).bytes(BLOCK))),
  ],
  ['zeros in a double indirect block', /i_blocks is/, (s) => edit(s, blockOf(s, '/d/e/f/large', 13), (b) => b.fill(0))],
  [
    'a file over the inode table',
    /overlaps filesystem metadata/,
    (s) => {
      const t = desc(s).inodeTable
      editInode(s, ino(s, '/d/small'), (i) => i.setBlock(0, t))
    },
  ],
  [
    'a block of two files',
    /multiply-claimed block\(s\), shared with 1 file\(s\)/,
    (s) => {
      const taken = blockOf(s, '/d/small')
      editInode(s, ino(s, '/d/e/middle'), (i) => i.setBlock(5, taken))
    },
  ],
  [
    'a block of a file and a directory',
    /multiply-claimed/,
    (s) => {
      const taken = blockOf(s, '/d')
      editInode(s, ino(s, '/d/e/middle'), (i) => i.setBlock(0, taken))
    },
  ],
  [
    'an indirect block of two files',
    /multiply-claimed/,
    (s) => {
      const taken = blockOf(s, '/d/e/f/large', 12)
      editInode(s, ino(s, '/d/e/middle'), (i) => i.setBlock(12, taken))
    },
  ],
  [
    'a deleted inode with a name',
    /has deleted\/unused inode/,
    (s) =>
      editInode(s, ino(s, '/empty'), (i) => {
        i.links = 0
        i.dtime = NOW
      }),
  ],
  [
    'an orphan without dtime',
    /Deleted inode \d+ has zero dtime/,
    (s) =>
      editInode(s, ino(s, '/empty'), (i) => {
        i.links = 0
      }),
  ],
  ['a zeroed inode', /has deleted\/unused inode/, (s) => editInode(s, ino(s, '/d/e/middle'), (i) => i.bytes.fill(0))],
  [
    'a mode that means nothing',
    /has illegal mode/,
    (s) =>
      editInode(s, ino(s, '/d/e/middle'), (i) => {
        i.mode = 0o150644
      }),
  ],
  [
    'a directory that is a file now',
    /Unconnected directory inode|Unattached inode|incorrect filetype/,
    (s) =>
      editInode(s, ino(s, '/d/e'), (i) => {
        i.mode = 0o100755
      }),
  ],
  [
    'an entry that is gone',
    /Unattached inode \d+\nConnect to \/lost\+found\? yes/,
    (s) => edit(s, blockOf(s, '/d'), (b, v) => v.setUint32(entryAt(b, 'slow'), 0, true)),
  ],
  [
    'an empty file without a name',
    /Unattached zero-length inode/,
    (s) => edit(s, reader(s).root().block(0), (b, v) => v.setUint32(entryAt(b, 'empty'), 0, true)),
  ],
  [
    'a directory without a name',
    /Unconnected directory inode \d+/,
    (s) => edit(s, blockOf(s, '/d'), (b, v) => v.setUint32(entryAt(b, 'e'), 0, true)),
  ],
  [
    'lost+found is gone too',
    /\/lost\+found not found/,
    (s) => {
      edit(s, blockOf(s, '/d'), (b, v) => v.setUint32(entryAt(b, 'slow'), 0, true))
      const number = ino(s, '/lost+found')
      edit(s, reader(s).root().block(0), (b, v) => v.setUint32(entryAt(b, 'lost+found'), 0, true))
      editInode(s, number, (i) => i.bytes.fill(0))
    },
  ],
  [
    'an inode number out of bounds',
    /has invalid inode #: 123456/,
    (s) => edit(s, blockOf(s, '/d'), (b, v) => v.setUint32(entryAt(b, 'fast'), 123456, true)),
  ],
  [
    'a name with a slash',
    /illegal characters in its name/,
    (s) =>
      edit(s, blockOf(s, '/d'), (b) => {
        b[entryAt(b, 'fast') + 9] = 0x2f
      }),
  ],
  [
    'an entry that links to the root',
    /is a link to the root inode/,
    (s) => edit(s, blockOf(s, '/d'), (b, v) => v.setUint32(entryAt(b, 'fast'), 2, true)),
  ],
  [
    'a second name of a directory',
    /is a link to directory/,
    (s) => {
      const f = ino(s, '/d/e/f')
      edit(s, blockOf(s, '/d'), (b, v) => v.setUint32(entryAt(b, 'fast'), f, true))
    },
  ],
  [
    'a filetype',
    /has an incorrect filetype \(was 4, should be 7\)/,
    (s) =>
      edit(s, blockOf(s, '/d'), (b) => {
        b[entryAt(b, 'fast') + 7] = 4
      }),
  ],
  ["a wrong '..'", /'\.\.' in .* should be/, (s) => edit(s, blockOf(s, '/d/e/f'), (_, v) => v.setUint32(12, 2, true))],
  [
    "a wrong '.'",
    /Invalid inode number for '\.'/,
    (s) => edit(s, blockOf(s, '/d/e/f'), (_, v) => v.setUint32(0, 2, true)),
  ],
  [
    "no '.' and '..'",
    /Missing '\.' in directory inode/,
    (s) =>
      edit(s, blockOf(s, '/d/e/f'), (_, v) => {
        v.setUint32(0, 0, true)
        v.setUint32(12, 0, true)
      }),
  ],
  ['a directory block of zeros', /directory corrupted/, (s) => edit(s, blockOf(s, '/d/e'), (b) => b.fill(0))],
  [
    'a directory block of noise',
    /directory corrupted/,
    (s) => edit(s, blockOf(s, '/d'), (b) => b.set(createRng(5).bytes(BLOCK))),
  ],
  ['half a directory block', /directory corrupted/, (s) => edit(s, blockOf(s, '/d/e'), (b) => b.fill(0, 512))],
  [
    'a hole in a directory',
    /has an unallocated block #1/,
    (s) => editInode(s, ino(s, '/d/e'), (i) => i.setBlock(1, 0)),
  ],
  [
    'a directory without blocks',
    /zero-length directory/,
    (s) =>
      editInode(s, ino(s, '/d/e/f'), (i) => {
        i.setBlock(0, 0)
        i.size = 0
        i.sectors = 0
      }),
  ],
  [
    'a circle of directories',
    /Unconnected directory/,
    (s) => {
      const e = ino(s, '/d/e')
      const f = blockOf(s, '/d/e/f')
      edit(s, blockOf(s, '/d'), (b, v) => v.setUint32(entryAt(b, 'e'), 0, true))
      edit(s, f, (b, v) => {
        v.setUint32(entryAt(b, 'large'), e, true)
        b[entryAt(b, 'large') + 7] = 2
      })
    },
  ],
  [
    'a symbolic link of no length',
    /Symlink .* is invalid/,
    (s) =>
      editInode(s, ino(s, '/d/fast'), (i) => {
        i.size = 0
      }),
  ],
  [
    'a device with blocks',
    /is an illegal character device/,
    (s) => editInode(s, ino(s, '/d/null'), (i) => i.setBlock(9, 5)),
  ],
  [
    'a root that is a file',
    /Root inode is not a directory/,
    (s) =>
      editInode(s, 2, (i) => {
        i.mode = 0o100644
      }),
  ],
  [
    'the primary superblock',
    /./s,
    (s) => {
      editSuper(s, (sb) => sb.bytes.fill(0))
      edit(s, desc(s).blockBitmap, (b) => b.fill(0))
    },
  ],
  [
    'an index flag without the feature',
    /INDEX_FL flag set/,
    (s) =>
      editInode(s, ino(s, '/d'), (i) => {
        i.flags |= 0x1000
      }),
  ],
]

describe('a sound file system', () => {
  test('is left as it is', () => {
    const store = disk()
    const { result, text } = checkStore(store, 'no', NOW)
    expect(text).toMatchSnapshot()
    expect(result).toMatchObject({ changed: false, unresolved: false })
    const superblock = new Superblock(store.read(2, 2))
    expect(result!.files).toBe(result!.inodes - superblock.get('free_inodes_count'))
  })
})

describe.each(DAMAGES)('%s', (_, says, damage) => {
  test('is found, repaired, and gone', () => {
    const store = disk()
    damage(store)
    editSuper(store, (sb) => sb.get('magic') !== 0 && sb.set('state', 0))
    const { text } = checkStore(store, 'yes', NOW + 60)
    expect(text).toMatch(says)
    const again = checkStore(store, 'no', NOW + 60)
    expect(again.text).toMatch(/^Pass 1[^?]*$/)
    expect(again.result).toMatchObject({ changed: false, unresolved: false })
    if (hasE2fsprogs) {
      const { status, output } = e2fsck(store)
      expect(output).not.toMatch(/\? no/)
      expect(status).toBe(0)
    }
  })
  test('answered with no, is left as it is', () => {
    const store = disk()
    damage(store)
    const before = store.read(0, 4096)
    const { result } = checkStore(store, 'no', NOW)
    expect(result?.unresolved ?? true).toBe(true)
    expect(Buffer.compare(store.read(0, 4096), before)).toBe(0)
  })
})

test('preening repairs counts silently, and stops where a person must look', () => {
  const store = disk()
  edit(store, desc(store).blockBitmap, (b) => b.fill(0))
  editInode(store, ino(store, '/d/small'), (i) => {
    i.links = 5
  })
  const number = ino(store, '/d/small')
  expect(checkStore(store, 'preen', NOW).text).toBe(`/: Inode ${number} ref count is 5, should be 2.  FIXED.\n`)
  edit(store, blockOf(store, '/d'), (b, v) => v.setUint32(entryAt(b, 'slow'), 0, true))
  const { result, text } = checkStore(store, 'preen', NOW)
  expect(result).toBeUndefined()
  expect(text).toMatch(
    /^\/: Unattached inode \d+\n\n\n\/: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n\t\(i.e., without -a or -p options\)\n$/,
  )
})
