/** Contents: which block a file's byte lies in, getting new ones, writing, cutting off. */
import { SECTOR_BYTES } from '../block-store.ts'
import { Ext2Error } from './errors.ts'
import type { Inode } from './inode.ts'
import { blockPath, DIRECT_BLOCKS, fileBlocksMax, viewOf } from './layout.ts'
import { Ext2Volume } from './volume.ts'

/** Sizes from here on need the large_file feature. */
const LARGE_FILE_BYTES = 2 ** 31
/** h_refcount in a block of extended attributes. */
const XATTR_REFCOUNT = 4

export class Ext2Files extends Ext2Volume {
  /**
   * The block of the file's block `index`; where there is none, it and the indirect blocks on the way are allocated: all of them or,
   * with ENOSPC, none. A `fresh` block holds whatever lay there. Changes `inode` without storing it.
   */
  protected ensureBlock(inode: Inode, index: number): { block: number; fresh: boolean } {
    const { blockBytes, pointers } = this.geometry
    const path = blockPath(index, pointers)
    if (!path) throw new Ext2Error('EFBIG', 'file too large')
    const known = this.mapBlocks(inode, index, 1).block
    if (known !== 0) return { block: known, fresh: false }

    let last = 0
    let depth = 0
    let pointer = this.pointer(inode.block(path[0]!))
    while (pointer !== 0) {
      last = pointer
      depth++
      pointer = this.pointer(viewOf(this.block(last)).getUint32(4 * path[depth]!, true))
    }
    if (this.blocksAvailable() < path.length - depth) throw new Ext2Error('ENOSPC', 'no space left on device')
    let goal = this.#goal(inode, index)
    for (; depth < path.length; depth++) {
      const block = this.allocBlock(goal)
      goal = block + 1
      if (depth < path.length - 1) this.writeBlock(block, new Uint8Array(blockBytes))
      if (depth === 0) inode.setBlock(path[0]!, block)
      else {
        const table = this.block(last).slice()
        viewOf(table).setUint32(4 * path[depth]!, block, true)
        this.writeBlock(last, table)
      }
      inode.sectors += blockBytes / SECTOR_BYTES
      last = block
    }
    return { block: last, fresh: true }
  }

  /** Right behind the file's block before this one, else in the inode's group. */
  #goal(inode: Inode, index: number): number {
    const before = index === 0 ? 0 : this.mapBlocks(inode, index - 1, 1).block
    return before === 0 ? this.homeBlock(inode) : before + 1
  }

  /**
   * Store `bytes` from `offset` on; a gap before reads as zeros. Returns how many bytes went in: fewer than all where the disk is full,
   * and ENOSPC where that is none. EFBIG past what the block pointers reach.
   */
  writeAt(inode: Inode, offset: number, bytes: Uint8Array): number {
    this.assertWritable()
    if (inode.isDir) throw new Ext2Error('EISDIR', 'is a directory')
    if (!inode.isFile) throw new Ext2Error('EINVAL', 'not a regular file')
    return this.putBytes(inode, offset, bytes)
  }

  /** `writeAt` for whatever has blocks. */
  protected putBytes(inode: Inode, offset: number, bytes: Uint8Array): number {
    const { blockBytes, pointers } = this.geometry
    if (!Number.isSafeInteger(offset) || offset < 0) throw new Ext2Error('EINVAL', 'impossible offset')
    if (offset + bytes.length > fileBlocksMax(pointers) * blockBytes) throw new Ext2Error('EFBIG', 'file too large')
    this.checkedSize(inode)
    let done = 0
    try {
      while (done < bytes.length) {
        const at = (offset + done) % blockBytes
        const length = Math.min(blockBytes - at, bytes.length - done)
        const { block, fresh } = this.ensureBlock(inode, Math.floor((offset + done) / blockBytes))
        const whole =
          length === blockBytes ? undefined : fresh ? new Uint8Array(blockBytes) : this.readBlocks(block, 1).slice()
        const part = bytes.subarray(done, done + length)
        whole?.set(part, at)
        this.writeData(block, whole ?? part)
        done += length
      }
    } catch (error) {
      if (!(error instanceof Ext2Error) || error.code !== 'ENOSPC' || done === 0) throw error
    } finally {
      if (offset + done > inode.size && done > 0) this.#grow(inode, offset + done)
      if (done > 0) this.#stampChange(inode)
      this.storeInode(inode)
    }
    return done
  }

  #stampChange(inode: Inode): void {
    inode.mtime = this.now()
    inode.ctime = this.now()
  }

  #grow(inode: Inode, size: number): void {
    inode.size = size
    if (inode.isFile && size >= LARGE_FILE_BYTES) this.noteLargeFile()
  }

  /** Set a regular file's size: cut off, or grow by a hole. */
  truncate(inode: Inode, size: number): void {
    this.assertWritable()
    const { blockBytes, pointers } = this.geometry
    if (inode.isDir) throw new Ext2Error('EISDIR', 'is a directory')
    if (!inode.isFile || !Number.isSafeInteger(size) || size < 0) throw new Ext2Error('EINVAL', 'cannot truncate')
    if (size > fileBlocksMax(pointers) * blockBytes) throw new Ext2Error('EFBIG', 'file too large')
    if (size < this.checkedSize(inode)) {
      this.cutBlocks(inode, Math.ceil(size / blockBytes))
      const rest = size % blockBytes
      const { block } = rest === 0 ? { block: 0 } : this.mapBlocks(inode, Math.floor(size / blockBytes), 1)
      if (block !== 0) this.writeData(block, this.readBlocks(block, 1).slice().fill(0, rest))
      inode.size = size
    } else this.#grow(inode, size)
    this.#stampChange(inode)
    this.storeInode(inode)
  }

  /** Free the file's blocks from block `keep` on, and the indirect blocks that nothing needs then. Stores the inode. */
  protected cutBlocks(inode: Inode, keep: number): void {
    const { pointers } = this.geometry
    for (let i = keep; i < DIRECT_BLOCKS; i++) {
      const block = this.pointer(inode.block(i))
      if (block === 0) continue
      inode.setBlock(i, 0)
      this.#release(inode, block)
    }
    let first = DIRECT_BLOCKS
    let span = pointers
    for (let level = 1; level <= 3; level++) {
      const block = this.pointer(inode.block(DIRECT_BLOCKS + level - 1))
      const inside = Math.max(0, keep - first)
      if (block !== 0 && inside < span && this.#trim(inode, block, level, inside))
        inode.setBlock(DIRECT_BLOCKS + level - 1, 0)
      first += span
      span *= pointers
    }
    this.storeInode(inode)
  }

  /** Free what lies below the indirect block `block` from its block `keep` on. True when it became empty and was freed itself. */
  #trim(inode: Inode, block: number, level: number, keep: number): boolean {
    const { pointers } = this.geometry
    let span = 1
    for (let i = 1; i < level; i++) span *= pointers
    const table = this.block(block).slice()
    const view = viewOf(table)
    let changed = false
    for (let i = Math.floor(keep / span); i < pointers; i++) {
      const below = this.pointer(view.getUint32(4 * i, true))
      if (below === 0) continue
      if (level === 1) this.#release(inode, below)
      else if (!this.#trim(inode, below, level - 1, Math.max(0, keep - i * span))) continue
      view.setUint32(4 * i, 0, true)
      changed = true
    }
    if (table.every((byte) => byte === 0)) {
      this.#release(inode, block)
      return true
    }
    if (changed) this.writeBlock(block, table)
    return false
  }

  #release(inode: Inode, block: number): void {
    const sectors = this.geometry.blockBytes / SECTOR_BYTES
    if (inode.sectors < sectors) throw this.corrupt(`inode ${inode.number} has more blocks than it counts`)
    this.freeBlock(block)
    inode.sectors -= sectors
  }

  /** Free an inode that nothing names any more, with all that it holds. */
  protected deleteInode(inode: Inode): void {
    const isDir = inode.isDir
    if (inode.isFile || isDir || (inode.isSymlink && !this.isFastSymlink(inode))) this.cutBlocks(inode, 0)
    this.#dropAttributes(inode)
    inode.size = 0
    inode.links = 0
    inode.dtime = this.now()
    this.storeInode(inode)
    this.freeInode(inode.number, isDir)
  }

  /** A block of extended attributes is shared: the last user frees it. */
  #dropAttributes(inode: Inode): void {
    const block = this.pointer(inode.fileAcl)
    if (block === 0) return
    const bytes = this.block(block).slice()
    const view = viewOf(bytes)
    const users = view.getUint32(XATTR_REFCOUNT, true)
    if (users > 1) {
      view.setUint32(XATTR_REFCOUNT, users - 1, true)
      this.writeBlock(block, bytes)
      inode.sectors = Math.max(0, inode.sectors - this.geometry.blockBytes / SECTOR_BYTES)
    } else this.#release(inode, block)
    inode.fileAcl = 0
  }
}
