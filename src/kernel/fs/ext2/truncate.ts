/** Giving a file's blocks back (Linux: fs/ext2/inode.c, ext2_truncate). A pointer is cleared before what it leads to is free. */
import { DIRECT_BLOCKS } from '#lib/ondisk/ext2/layout.ts'
import type { Sleeping } from '../../sched/wait.ts'
import { freeBlock } from './alloc.ts'
import type { Ext2Inode } from './inode.ts'

/** From the file's block `keep` on, with the indirect blocks that nothing needs then. */
export function* cutBlocks(inode: Ext2Inode, keep: number): Sleeping<void> {
  const { pointers } = inode.sb.geometry
  for (let i = keep; i < DIRECT_BLOCKS; i++) {
    const block = inode.pointer(inode.raw.block(i))
    if (block === 0) continue
    inode.raw.setBlock(i, 0)
    yield* release(inode, block)
  }
  let first = DIRECT_BLOCKS
  let span = pointers
  for (let level = 1; level <= 3; level++) {
    const slot = DIRECT_BLOCKS + level - 1
    const block = inode.pointer(inode.raw.block(slot))
    const inside = Math.max(0, keep - first)
    if (block !== 0 && inside < span) {
      if (inside === 0) inode.raw.setBlock(slot, 0)
      yield* trim(inode, block, level, inside)
    }
    first += span
    span *= pointers
  }
  inode.markDirty()
}

/** Free what lies below the indirect block from its block `keep` on, and itself for 0. */
function* trim(inode: Ext2Inode, block: number, level: number, keep: number): Sleeping<void> {
  const { sb } = inode
  const { pointers } = sb.geometry
  const { blockBytes, bdev, kernel } = sb
  let span = 1
  for (let i = 1; i < level; i++) span *= pointers
  const first = Math.floor(keep / span)
  const va = yield* bdev.bread(block, blockBytes)
  const table = kernel.mem.copyOut(va, blockBytes)
  const view = new DataView(table.buffer)
  if (keep > 0) {
    // Those that go wholly are cleared now, before any of them is free.
    const whole = Math.ceil(keep / span)
    kernel.mem.fill(va + 4 * whole, blockBytes - 4 * whole, 0)
    bdev.bdirty(block, blockBytes)
  }
  for (let i = first; i < pointers; i++) {
    const below = inode.pointer(view.getUint32(4 * i, true))
    if (below === 0) continue
    if (level === 1) yield* release(inode, below)
    else yield* trim(inode, below, level - 1, Math.max(0, keep - i * span))
  }
  if (keep === 0) yield* release(inode, block)
}

function* release(inode: Ext2Inode, block: number): Sleeping<void> {
  const { sb } = inode
  // Directory and indirect blocks have buffers; what is in those must not be written any more.
  yield* sb.bdev.bforget(block, sb.blockBytes)
  yield* freeBlock(sb, block)
  inode.raw.sectors = Math.max(0, inode.raw.sectors - sb.blockBytes / 512)
  inode.blocks = inode.raw.sectors
}
