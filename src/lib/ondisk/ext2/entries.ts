/** Directory entries: finding room for one, adding, changing and removing them. */
import { bytesOfString } from '../../utf8.ts'
import {
  emptyDirBlock,
  entryBytes,
  findInBlock,
  roomInBlock,
  type Slot,
  slotName,
  slotsOf,
  writeEntry,
} from './directory.ts'
import { Ext2Error } from './errors.ts'
import { Ext2Files } from './files.ts'
import type { Inode } from './inode.ts'
import { EXT2_INDEX_FL, EXT2_NAME_MAX, FILE_TYPE_OF_MODE, INCOMPAT_FILETYPE, viewOf } from './layout.ts'

/** Room for an entry: in block `index` of the directory at byte `at`. */
export interface Room {
  readonly index: number
  readonly at: number
}

export class Ext2Entries extends Ext2Files {
  /** Refuses names that no entry may have. */
  protected checkName(name: string): void {
    if (name.length === 0) throw new Ext2Error('ENOENT', 'empty name')
    if (name.length > EXT2_NAME_MAX) throw new Ext2Error('ENAMETOOLONG', 'name too long')
    for (let i = 0; i < name.length; i++) {
      const code = name.charCodeAt(i)
      if (code === 0 || code === 47 || code > 255) throw new Ext2Error('EINVAL', 'impossible name')
    }
  }

  protected fileType(mode: number): number {
    return this.superblock.get('feature_incompat') & INCOMPAT_FILETYPE ? FILE_TYPE_OF_MODE[mode >> 12]! : 0
  }

  /** Find room for an entry, growing the directory by a block where there is none: after this, adding it cannot fail. */
  protected makeRoom(dir: Inode, name: string): Room {
    const need = entryBytes(name.length)
    const blocks = this.dirBlocks(dir)
    for (let index = 0; index < blocks; index++) {
      const at = roomInBlock(this.dirBlock(dir, index).bytes, need, this.geometry.inodes)
      if (at !== undefined) return { index, at }
    }
    const { blockBytes } = this.geometry
    const { block } = this.ensureBlock(dir, blocks)
    this.writeBlock(block, emptyDirBlock(blockBytes))
    dir.size = (blocks + 1) * blockBytes
    this.storeInode(dir)
    return { index: blocks, at: 0 }
  }

  protected fillRoom(dir: Inode, room: Room, name: string, inode: Inode): void {
    const { number, bytes } = this.dirBlock(dir, room.index)
    const block = bytes.slice()
    const slot = slotsOf(block, this.geometry.inodes).find(({ at }) => at === room.at)
    if (!slot) throw this.corrupt('directory block changed')
    let { at, recLen } = slot
    if (slot.inode !== 0) {
      const taken = entryBytes(slot.nameLen)
      viewOf(block).setUint16(at + 4, taken, true)
      at += taken
      recLen -= taken
    }
    const entry = { inode: inode.number, fileType: this.fileType(inode.mode), name: bytesOfString(name) }
    writeEntry(block, at, recLen, entry)
    this.writeBlock(number, block)
    this.touchDir(dir)
  }

  protected touchDir(dir: Inode): void {
    dir.mtime = this.now()
    dir.ctime = this.now()
    // An index that is not kept up is worse than none.
    dir.flags &= ~EXT2_INDEX_FL
    this.storeInode(dir)
  }

  /** Change the block that holds the entry `name`: `change` gets a copy, the entry's slot and the one before it in the block. */
  protected editEntry(
    dir: Inode,
    name: string,
    change: (block: Uint8Array, slot: Slot, before: Slot | undefined) => void,
  ): void {
    const wanted = bytesOfString(name)
    const blocks = this.dirBlocks(dir)
    for (let index = 0; index < blocks; index++) {
      const { number, bytes } = this.dirBlock(dir, index)
      if (findInBlock(bytes, wanted, this.geometry.inodes) === undefined) continue
      const slots = slotsOf(bytes, this.geometry.inodes)
      const i = slots.findIndex((slot) => slot.inode !== 0 && slotName(bytes, slot) === name)
      if (i < 0) continue
      const block = bytes.slice()
      change(block, slots[i]!, slots[i - 1])
      this.writeBlock(number, block)
      return
    }
    throw new Ext2Error('ENOENT', `no ${name}`)
  }

  protected removeEntry(dir: Inode, name: string): void {
    this.editEntry(dir, name, (block, slot, before) => {
      const view = viewOf(block)
      view.setUint32(slot.at, 0, true)
      if (before) view.setUint16(before.at + 4, before.recLen + slot.recLen, true)
    })
    this.touchDir(dir)
  }

  /** Make the entry `name` name another inode. */
  protected replaceEntry(dir: Inode, name: string, inode: Inode): void {
    this.editEntry(dir, name, (block, slot) => {
      viewOf(block).setUint32(slot.at, inode.number, true)
      block[slot.at + 7] = this.fileType(inode.mode)
    })
    this.touchDir(dir)
  }
}
