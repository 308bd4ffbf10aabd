/** Pass 1: every inode by itself: its mode, its blocks, its sizes. */
import { SECTOR_BYTES } from '../../block-store.ts'
import { Inode } from '../inode.ts'
import {
  EXT2_BAD_INO,
  EXT2_INDEX_FL,
  EXT2_ROOT_INO,
  FAST_SYMLINK_BYTES,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../layout.ts'
import { BAD, type Context, DIRECTORY, hasBit, USED } from './context.ts'
import { PIECE_BLOCKS, type Step } from './io.ts'
import { visitBlocks } from './pointers.ts'

const COMPAT_DIR_INDEX = 0x20
const RESIZE_INO = 7
const JOURNAL_INO = 8
/** More of them, and the inode is taken for garbage. */
const BAD_BLOCKS_MAX = 12
const KINDS = [S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK]

export function* pass1<Y>(ctx: Context<Y>): Step<Y, void> {
  yield* ctx.remark('Pass 1: Checking inodes, blocks, and sizes\n')
  const { inodesPerGroup, inodeBytes, blockBytes } = ctx.geometry
  for (let group = 0; group < ctx.groups.length; group++) {
    const { inodeTable } = ctx.groups[group]!
    for (let first = 0; first < ctx.tableBlocks; first += PIECE_BLOCKS) {
      const count = Math.min(PIECE_BLOCKS, ctx.tableBlocks - first)
      const piece = yield* ctx.blocks.piece(inodeTable + first, count)
      const base = (first * blockBytes) / inodeBytes
      for (let i = 0; i < (count * blockBytes) / inodeBytes && base + i < inodesPerGroup; i++) {
        const at = i * inodeBytes
        // Most inodes of a table have never been used.
        if (piece[at] === 0 && piece[at + 1] === 0 && piece[at + 26] === 0 && piece[at + 27] === 0) continue
        const ino = group * inodesPerGroup + base + i + 1
        yield* checkInode(ctx, new Inode(ino, piece.slice(at, at + inodeBytes)))
      }
    }
  }
}

function* checkInode<Y>(ctx: Context<Y>, inode: Inode): Step<Y, void> {
  const ino = inode.number
  const { firstInode } = ctx.geometry
  if (ino === RESIZE_INO) {
    // Its blocks are those behind the descriptors, but for the double indirect one.
    if (ctx.isBlock(inode.block(13))) ctx.claim(inode.block(13))
    return
  }
  if (ino < firstInode && ino !== EXT2_ROOT_INO && ino !== EXT2_BAD_INO && ino !== JOURNAL_INO) {
    if (
      inode.mode !== 0 &&
      (yield* ctx.fix({ text: `Reserved inode ${ino} has invalid mode.  `, prompt: 'clear', preen: true }))
    ) {
      inode.mode = 0
      yield* ctx.writeInode(inode)
    }
    return
  }
  if (ino === EXT2_ROOT_INO) {
    if (!inode.isDir && inode.links > 0) {
      if (yield* ctx.fix({ text: 'Root inode is not a directory.  ', prompt: 'clear' })) yield* ctx.clearInode(inode)
      return
    }
    if (inode.dtime !== 0 && inode.links > 0) {
      if (
        yield* ctx.fix({ text: 'Root inode has dtime set (probably due to old mke2fs).  ', prompt: 'fix', preen: true })
      ) {
        inode.dtime = 0
        yield* ctx.writeInode(inode)
      }
    }
  }
  if (inode.links === 0) {
    if (inode.dtime === 0 && inode.mode !== 0 && ino >= firstInode) {
      const text = `Deleted inode ${ino} has zero dtime.  `
      if (yield* ctx.fix({ text, prompt: 'fix', preen: true })) {
        inode.dtime = ctx.options.now
        yield* ctx.writeInode(inode)
      }
    }
    if (ino !== EXT2_BAD_INO) return
  }
  if (inode.dtime !== 0 && inode.dtime < ctx.geometry.inodes) {
    const text = `Inode ${ino} was part of the orphaned inode list.  `
    if (yield* ctx.fix({ text, prompt: 'fix', preen: true })) {
      inode.dtime = 0
      yield* ctx.writeInode(inode)
    }
  }
  const type = inode.mode & S_IFMT
  ctx.links[ino] = inode.links
  ctx.types[ino] = type >> 12
  if (ino === EXT2_BAD_INO || ino === JOURNAL_INO) {
    yield* checkBlocks(ctx, inode)
    return
  }
  if (!KINDS.includes(type)) {
    const mode = inode.mode.toString(8).padStart(7, '0')
    ctx.kinds[ino] = BAD
    if (yield* ctx.fix({ text: `Inode ${ino} has illegal mode (${mode}).  `, prompt: 'clear' }))
      yield* ctx.clearInode(inode)
    return
  }
  ctx.kinds[ino] = type === S_IFDIR ? DIRECTORY : USED
  if ((inode.flags & EXT2_INDEX_FL) !== 0 && (ctx.superblock.get('feature_compat') & COMPAT_DIR_INDEX) === 0) {
    const text = `Inode ${ino} has INDEX_FL flag set on filesystem without htree support.\n`
    if (yield* ctx.fix({ text, prompt: 'clear', preen: true })) {
      inode.flags &= ~EXT2_INDEX_FL
      yield* ctx.writeInode(inode)
    }
  }
  if (type === S_IFREG || type === S_IFDIR) yield* checkBlocks(ctx, inode)
  else if (type === S_IFLNK) yield* checkSymlink(ctx, inode)
  else yield* checkSpecial(ctx, inode)
}

/** Devices, FIFOs and sockets have no blocks. */
function* checkSpecial<Y>(ctx: Context<Y>, inode: Inode): Step<Y, void> {
  const type = inode.mode & S_IFMT
  const device = type === S_IFCHR || type === S_IFBLK
  for (let i = device ? 4 : 0; i < 15; i++) if (inode.block(i) !== 0) ctx.kinds[inode.number] = BAD
  if (inode.size !== 0) ctx.kinds[inode.number] = BAD
  if (ctx.kinds[inode.number] !== BAD) yield* checkAttributes(ctx, inode, 0)
}

function* checkSymlink<Y>(ctx: Context<Y>, inode: Inode): Step<Y, void> {
  const { blockBytes } = ctx.geometry
  const own = inode.fileAcl === 0 ? 0 : blockBytes / SECTOR_BYTES
  const text = inode.blockBytes
  if (inode.sectors === own) {
    const end = text.indexOf(0)
    const length = end < 0 ? FAST_SYMLINK_BYTES : end
    if (inode.size === 0 || inode.size >= FAST_SYMLINK_BYTES || length !== inode.size) ctx.kinds[inode.number] = BAD
    else yield* checkAttributes(ctx, inode, 0)
    return
  }
  const block = inode.block(0)
  let good = inode.size > 0 && inode.size < blockBytes && ctx.isBlock(block)
  for (let i = 1; i < 15; i++) if (inode.block(i) !== 0) good = false
  if (good) {
    const bytes = yield* ctx.blocks.get(block)
    const end = bytes.indexOf(0)
    good = (end < 0 ? blockBytes : end) === inode.size
  }
  if (good) yield* checkBlocks(ctx, inode)
  else ctx.kinds[inode.number] = BAD
}

/** The block of extended attributes counts with the others. The sectors that the inode ought to have. */
function* checkAttributes<Y>(ctx: Context<Y>, inode: Inode, dataBlocks: number): Step<Y, void> {
  const { blockBytes } = ctx.geometry
  const ino = inode.number
  let blocks = dataBlocks
  if (inode.fileAcl !== 0) {
    if (!ctx.isBlock(inode.fileAcl) || hasBit(ctx.metadata, inode.fileAcl)) {
      const text = `Inode ${ino} has a bad extended attribute block ${inode.fileAcl}.  `
      if (yield* ctx.fix({ text, prompt: 'clear' })) {
        inode.fileAcl = 0
        yield* ctx.writeInode(inode)
      }
    } else {
      // Inodes may share it.
      if (!hasBit(ctx.found, inode.fileAcl)) ctx.claim(inode.fileAcl)
      blocks++
    }
  }
  const sectors = (blocks * blockBytes) / SECTOR_BYTES
  if (inode.sectors === sectors) return
  const text = `Inode ${ino}, i_blocks is ${inode.sectors}, should be ${sectors}.  `
  if (!(yield* ctx.fix({ text, prompt: 'fix', preen: true }))) return
  inode.sectors = sectors
  yield* ctx.writeInode(inode)
}

function* checkBlocks<Y>(ctx: Context<Y>, inode: Inode): Step<Y, void> {
  const ino = inode.number
  const { blockBytes } = ctx.geometry
  const mine: number[] = []
  const dirBlocks: number[] = []
  let bad = 0
  let last = -1
  let before = 0
  let scattered = false
  let garbage = false
  const changed = yield* visitBlocks(ctx, inode, function* (block, index) {
    if (garbage) return block
    const overlaps = ctx.isBlock(block) && hasBit(ctx.metadata, block)
    if (!ctx.isBlock(block) || overlaps) {
      if (++bad > BAD_BLOCKS_MAX) {
        garbage = yield* ctx.fix({ text: `Too many illegal blocks in inode ${ino}.\n`, prompt: 'clearInode' })
        if (garbage) return block
      }
      const which = index < 0 ? '#-1' : `#${index}`
      const text = overlaps
        ? `Block ${which} (${block}) overlaps filesystem metadata in inode ${ino}.  `
        : `Illegal block ${which} (${block}) in inode ${ino}.  `
      return (yield* ctx.fix({ text, prompt: 'clear' })) ? 0 : block
    }
    mine.push(block)
    if (index >= 0) {
      if (index > last) last = index
      while (inode.isDir && dirBlocks.length < index) dirBlocks.push(0)
      if (inode.isDir) dirBlocks.push(block)
    }
    if (before !== 0 && block !== before + 1) scattered = true
    before = block
    return block
  })
  if (garbage) {
    yield* ctx.clearInode(inode)
    return
  }
  for (const block of mine) ctx.claim(block)
  if (scattered && ino >= ctx.geometry.firstInode) ctx.fragmented++
  if (changed) yield* ctx.writeInode(inode)
  if (inode.isDir) {
    if (last < 0) {
      const text = `Inode ${ino} is a zero-length directory.  `
      if (ino !== EXT2_ROOT_INO && (yield* ctx.fix({ text, prompt: 'clear', preen: true }))) {
        yield* ctx.clearInode(inode)
        return
      }
    }
    ctx.directories.set(ino, { ino, blocks: dirBlocks, dotdot: 0, parent: 0 })
  }
  const right = (last + 1) * blockBytes
  const wrong = inode.isDir ? inode.size !== right : last >= 0 && inode.size < last * blockBytes
  if (wrong && !inode.isSymlink) {
    const text = `Inode ${ino}, i_size is ${inode.size}, should be ${right}.  `
    if (yield* ctx.fix({ text, prompt: 'fix', preen: true })) {
      inode.size = right
      yield* ctx.writeInode(inode)
    }
  }
  yield* checkAttributes(ctx, inode, mine.length)
}
