/** Who gets which block or inode (Linux: fs/ext2/balloc.c, ialloc.c). */
import { EIO, ENOSPC } from '#abi/posix/errno.ts'
import { fail } from '../../errno.ts'
import type { Sleeping } from '../../sched/wait.ts'
import { inGroup } from '../../vfs/permission.ts'
import type { Ext2Super } from './super.ts'

/** The first clear bit in [from, to) that is none of `taken`, which begin at `base`. */
function clearBit(bitmap: Uint8Array, from: number, to: number, taken: ReadonlySet<number>, base: number): number {
  for (let bit = from; bit < to; bit++) {
    const byte = bitmap[bit >> 3]!
    if ((bit & 7) === 0 && byte === 0xff) bit += 7
    else if ((byte & (1 << (bit & 7))) === 0 && !(taken.size > 0 && taken.has(base + bit))) return bit
  }
  return -1
}

function mayUseReserved(sb: Ext2Super): boolean {
  const { cred } = sb.kernel.sched.current
  return (
    cred.fsuid === 0 ||
    cred.fsuid === sb.get('def_resuid') ||
    (sb.get('def_resgid') !== 0 && inGroup(cred, sb.get('def_resgid')))
  )
}

/** The first free block from `goal` on, in its group, then in the groups behind. */
export function* allocBlock(sb: Ext2Super, goal: number): Sleeping<number> {
  const { firstDataBlock, blocksPerGroup, blocks, groups, blockBytes } = sb.geometry
  const { mem } = sb.kernel
  const from = goal >= firstDataBlock && goal < blocks ? goal : firstDataBlock
  const first = Math.floor((from - firstDataBlock) / blocksPerGroup)
  for (let round = 0; round < 2; round++) {
    const free = sb.get('free_blocks_count')
    if (free === 0 || (free <= sb.get('r_blocks_count') && !mayUseReserved(sb))) fail(ENOSPC)
    for (let step = 0; step <= groups; step++) {
      const group = (first + step) % groups
      if (sb.freeBlocks(group) === 0) continue
      const start = firstDataBlock + group * blocksPerGroup
      const bits = Math.min(blocksPerGroup, blocks - start)
      const bitmap = sb.blockBitmap(group)
      const at = sb.bdev.peek(bitmap, blockBytes) ?? (yield* sb.bdev.bread(bitmap, blockBytes))
      // Its own group again, from the beginning, comes last.
      const bit = clearBit(mem.copyOut(at, blockBytes), step === 0 ? from - start : 0, bits, sb.pendingBlocks, start)
      if (bit < 0) continue
      const block = start + bit
      setBit(sb, at, bit, bitmap)
      sb.countBlocks(group, -1)
      // What is taken stays so: the bitmap is wrong, and nobody shall get this one.
      if (sb.isMetadata(block)) sb.error('ext2_new_block', `Allocating block in system zone - block = ${block}`)
      return block
    }
    // What is free was freed a moment ago: bring that to the disk.
    if (sb.pendingBlocks.size === 0) break
    yield* sb.writeAll()
  }
  return fail(ENOSPC)
}

function setBit(sb: Ext2Super, bitmapAt: number, bit: number, block: number): void {
  const { mem } = sb.kernel
  const at = bitmapAt + (bit >> 3)
  mem.write8(at, mem.read8(at) ^ (1 << (bit & 7)))
  sb.bdev.bdirty(block, sb.blockBytes)
}

export function* freeBlock(sb: Ext2Super, block: number): Sleeping<void> {
  const { firstDataBlock, blocksPerGroup, blocks, blockBytes } = sb.geometry
  if (block <= firstDataBlock || block >= blocks || sb.isMetadata(block))
    sb.error('ext2_free_blocks', `Freeing blocks not in datazone - block = ${block}, count = 1`)
  const group = Math.floor((block - firstDataBlock) / blocksPerGroup)
  const bit = (block - firstDataBlock) % blocksPerGroup
  const bitmap = sb.blockBitmap(group)
  const at = sb.bdev.peek(bitmap, blockBytes) ?? (yield* sb.bdev.bread(bitmap, blockBytes))
  if ((sb.kernel.mem.read8(at + (bit >> 3)) & (1 << (bit & 7))) === 0)
    sb.error('ext2_free_blocks', `bit already cleared for block ${block}`)
  setBit(sb, at, bit, bitmap)
  sb.countBlocks(group, 1)
  sb.pendingBlocks.add(block)
}

/** A free inode's number: near its directory, while directories spread over the groups. */
export function* allocInode(sb: Ext2Super, dirIno: number, isDir: boolean): Sleeping<number> {
  const { inodesPerGroup, firstInode, groups, blockBytes } = sb.geometry
  const home = Math.floor((dirIno - 1) / inodesPerGroup)
  const first = isDir ? groupForDir(sb, home) : home
  for (let round = 0; round < 2; round++) {
    if (sb.get('free_inodes_count') === 0) fail(ENOSPC)
    for (let step = 0; step < groups; step++) {
      const group = (first + step) % groups
      if (sb.freeInodes(group) === 0) continue
      const bitmap = sb.inodeBitmap(group)
      const at = sb.bdev.peek(bitmap, blockBytes) ?? (yield* sb.bdev.bread(bitmap, blockBytes))
      const from = Math.max(0, firstInode - 1 - group * inodesPerGroup)
      const bytes = sb.kernel.mem.copyOut(at, blockBytes)
      const bit = clearBit(bytes, from, inodesPerGroup, sb.pendingInodes, group * inodesPerGroup + 1)
      if (bit < 0) continue
      setBit(sb, at, bit, bitmap)
      sb.countInodes(group, -1, isDir)
      return group * inodesPerGroup + bit + 1
    }
    if (sb.pendingInodes.size === 0) break
    yield* sb.writeAll()
  }
  return fail(ENOSPC)
}

/** Among the groups with at least the average of free inodes, the one with most free blocks (find_group_dir). */
function groupForDir(sb: Ext2Super, home: number): number {
  const { groups } = sb.geometry
  const average = Math.floor(sb.get('free_inodes_count') / groups)
  let best = home
  let most = -1
  for (let group = 0; group < groups; group++) {
    const free = sb.freeInodes(group)
    if (free === 0 || free < average || sb.freeBlocks(group) <= most) continue
    best = group
    most = sb.freeBlocks(group)
  }
  return best
}

export function* freeInode(sb: Ext2Super, ino: number, isDir: boolean): Sleeping<void> {
  const { inodesPerGroup, firstInode, inodes, blockBytes } = sb.geometry
  if (ino < firstInode || ino > inodes) sb.error('ext2_free_inode', `reserved or nonexistent inode ${ino}`)
  const group = Math.floor((ino - 1) / inodesPerGroup)
  const bit = (ino - 1) % inodesPerGroup
  const bitmap = sb.inodeBitmap(group)
  const at = sb.bdev.peek(bitmap, blockBytes) ?? (yield* sb.bdev.bread(bitmap, blockBytes))
  if ((sb.kernel.mem.read8(at + (bit >> 3)) & (1 << (bit & 7))) === 0)
    sb.error('ext2_free_inode', `bit already cleared for inode ${ino}`)
  setBit(sb, at, bit, bitmap)
  sb.countInodes(group, 1, isDir)
  sb.pendingInodes.add(ino)
}

/** Where inode `ino` lies in its group's table. */
export function inodePlace(sb: Ext2Super, ino: number): { block: number; at: number } {
  const { inodes, inodesPerGroup, inodeBytes, blockBytes } = sb.geometry
  if (ino < 1 || ino > inodes) fail(EIO)
  const offset = ((ino - 1) % inodesPerGroup) * inodeBytes
  const group = Math.floor((ino - 1) / inodesPerGroup)
  return { block: sb.inodeTable(group) + Math.floor(offset / blockBytes), at: offset % blockBytes }
}
