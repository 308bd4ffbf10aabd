/** Directory blocks in their buffers (Linux: fs/ext2/dir.c). A block is changed between a look and the next sleep. */
import { ENOENT } from '#abi/posix/errno.ts'
import { type Dirent, S_IFMT } from '#abi/posix/stat.ts'
import {
  emptyDirBlock,
  entryBytes,
  findInBlock,
  roomInBlock,
  slotName,
  slotsOf,
  writeEntry,
} from '#lib/ondisk/ext2/directory.ts'
import { EXT2_INDEX_FL, FILE_TYPE_OF_MODE, INCOMPAT_FILETYPE, viewOf } from '#lib/ondisk/ext2/layout.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { fail } from '../../errno.ts'
import type { Sleeping } from '../../sched/wait.ts'
import type { File } from '../../vfs/file.ts'
import type { Ext2Inode } from './inode.ts'

interface DirBlock {
  readonly block: number
  readonly va: number
  readonly bytes: Uint8Array
}

/** A block without room for an entry of so many bytes counts as full. */
const ROOM_BYTES = 24

const blocksOf = (dir: Ext2Inode): number => Math.floor(dir.size / dir.sb.blockBytes)

/** Block `index` of the directory; undefined for a hole, which is noted. */
function* dirBlock(dir: Ext2Inode, index: number): Sleeping<DirBlock | undefined> {
  const { sb } = dir
  const block = yield* dir.bmap(index, 'look')
  if (block === 0) {
    sb.kernel.log.printk(
      `<2>EXT2-fs error (device ${sb.bdev.name}): ext2_readdir: directory #${dir.ino} contains a hole at offset ${index * sb.blockBytes}\n`,
    )
    return undefined
  }
  const va = sb.bdev.peek(block, sb.blockBytes) ?? (yield* sb.bdev.bread(block, sb.blockBytes))
  return { block, va, bytes: sb.kernel.mem.copyOut(va, sb.blockBytes) }
}

function store(dir: Ext2Inode, { va, block, bytes }: DirBlock): void {
  dir.sb.kernel.mem.copyIn(va, bytes)
  dir.sb.bdev.bdirty(block, bytes.length)
}

const typeByte = (dir: Ext2Inode, mode: number): number =>
  (dir.sb.get('feature_incompat') & INCOMPAT_FILETYPE) === 0 ? 0 : FILE_TYPE_OF_MODE[(mode & S_IFMT) >> 12]!

/** The inode number that `name` has. */
export function* findEntry(dir: Ext2Inode, name: string): Sleeping<number | undefined> {
  const { sb } = dir
  const wanted = bytesOfString(name)
  for (let index = 0; index < blocksOf(dir); index++) {
    const found = yield* dirBlock(dir, index)
    if (!found) continue
    const ino = sb.checked('ext2_check_page', () => findInBlock(found.bytes, wanted, sb.geometry.inodes))
    if (ino !== undefined) return ino
  }
  return undefined
}

/** The directory has been changed: it is no index any more, and younger. */
function changed(dir: Ext2Inode): void {
  dir.raw.flags &= ~EXT2_INDEX_FL
  dir.mtime = dir.ctime = dir.sb.kernel.time.seconds()
  dir.version++
  dir.markDirty()
}

export function* addEntry(dir: Ext2Inode, name: string, ino: number, mode: number): Sleeping<void> {
  const { sb } = dir
  const entry = { inode: ino, fileType: typeByte(dir, mode), name: bytesOfString(name) }
  const need = entryBytes(name.length)
  for (let index = dir.roomFrom; index < blocksOf(dir); index++) {
    const found = yield* dirBlock(dir, index)
    if (!found) continue
    const { bytes } = found
    const at = sb.checked('ext2_check_page', () => roomInBlock(bytes, need, sb.geometry.inodes))
    if (at === undefined) {
      // Not even for a short name, most likely: begin behind it the next time.
      if (index === dir.roomFrom && need <= ROOM_BYTES) dir.roomFrom = index + 1
      continue
    }
    const view = viewOf(bytes)
    const recLen = view.getUint16(at + 4, true)
    if (view.getUint32(at, true) === 0) writeEntry(bytes, at, recLen, entry)
    else {
      const taken = entryBytes(bytes[at + 6]!)
      view.setUint16(at + 4, taken, true)
      writeEntry(bytes, at + taken, recLen - taken, entry)
    }
    store(dir, found)
    changed(dir)
    return
  }
  const index = blocksOf(dir)
  const block = yield* dir.bmap(index, 'metadata')
  const bytes = emptyDirBlock(sb.blockBytes)
  writeEntry(bytes, 0, sb.blockBytes, entry)
  const va = yield* sb.bdev.bread(block, sb.blockBytes)
  store(dir, { block, va, bytes })
  dir.size = (index + 1) * sb.blockBytes
  changed(dir)
}

/** Do `work` on the block that has `name`, and on its entry there. */
function* withEntry(
  dir: Ext2Inode,
  name: string,
  work: (bytes: Uint8Array, at: number, before: number | undefined) => void,
): Sleeping<void> {
  const { sb } = dir
  const wanted = bytesOfString(name)
  for (let index = 0; index < blocksOf(dir); index++) {
    const found = yield* dirBlock(dir, index)
    if (!found) continue
    const { bytes } = found
    if (sb.checked('ext2_check_page', () => findInBlock(bytes, wanted, sb.geometry.inodes)) === undefined) continue
    let before: number | undefined
    for (const slot of sb.checked('ext2_check_page', () => slotsOf(bytes, sb.geometry.inodes))) {
      if (slot.inode !== 0 && slotName(bytes, slot) === name) {
        work(bytes, slot.at, before)
        store(dir, found)
        changed(dir)
        return
      }
      before = slot.at
    }
  }
  fail(ENOENT)
}

/** Its room goes to the entry before it. */
export function removeEntry(dir: Ext2Inode, name: string): Sleeping<void> {
  dir.roomFrom = 0
  return withEntry(dir, name, (bytes, at, before) => {
    const view = viewOf(bytes)
    view.setUint32(at, 0, true)
    if (before !== undefined)
      view.setUint16(before + 4, view.getUint16(before + 4, true) + view.getUint16(at + 4, true), true)
  })
}

/** `name` is that inode's from now on. */
export function replaceEntry(dir: Ext2Inode, name: string, ino: number, mode: number): Sleeping<void> {
  return withEntry(dir, name, (bytes, at) => {
    viewOf(bytes).setUint32(at, ino, true)
    bytes[at + 7] = typeByte(dir, mode)
  })
}

/** A new directory's first block. */
export function* makeEmpty(dir: Ext2Inode, parentIno: number): Sleeping<void> {
  const { sb } = dir
  const block = yield* dir.bmap(0, 'metadata')
  const bytes = emptyDirBlock(sb.blockBytes)
  const fileType = typeByte(dir, dir.mode)
  writeEntry(bytes, 0, 12, { inode: dir.ino, fileType, name: bytesOfString('.') })
  writeEntry(bytes, 12, sb.blockBytes - 12, { inode: parentIno, fileType, name: bytesOfString('..') })
  const va = yield* sb.bdev.bread(block, sb.blockBytes)
  store(dir, { block, va, bytes })
  dir.size = sb.blockBytes
}

export function* isEmpty(dir: Ext2Inode): Sleeping<boolean> {
  const { sb } = dir
  for (let index = 0; index < blocksOf(dir); index++) {
    const found = yield* dirBlock(dir, index)
    if (!found) continue
    for (const slot of sb.checked('ext2_check_page', () => slotsOf(found.bytes, sb.geometry.inodes))) {
      if (slot.inode === 0) continue
      const name = slotName(found.bytes, slot)
      if (name !== '.' && name !== '..') return false
    }
  }
  return true
}

/** FILE_TYPE_OF_MODE backwards, as dirent.d_type. */
const DT_OF_TYPE = [0, 8, 4, 2, 6, 1, 12, 10] as const

/** The rest of one block's entries. */
export function* readdir(dir: Ext2Inode, file: File): Sleeping<readonly Dirent[]> {
  const { sb } = dir
  dir.accessed()
  while (file.offset < dir.size) {
    const index = Math.floor(file.offset / sb.blockBytes)
    const from = file.offset % sb.blockBytes
    const found = yield* dirBlock(dir, index)
    file.offset = (index + 1) * sb.blockBytes
    if (!found) continue
    const out: Dirent[] = []
    for (const slot of sb.checked('ext2_readdir', () => slotsOf(found.bytes, sb.geometry.inodes))) {
      if (slot.inode === 0 || slot.at < from) continue
      const name = slotName(found.bytes, slot)
      if (name !== '.' && name !== '..') out.push({ ino: slot.inode, type: DT_OF_TYPE[slot.fileType] ?? 0, name })
    }
    if (out.length > 0) return out
  }
  return []
}
