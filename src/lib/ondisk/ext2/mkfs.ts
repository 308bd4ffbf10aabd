/**
 * Making an ext2 file system, with the layout and the arithmetic of mke2fs 1.39 (CentOS 5): each group holds, where it has one, the
 * backup of superblock and descriptors, then its two bitmaps and its inode table. Features: filetype and sparse_super.
 */
import { bytesOfString } from '../../utf8.ts'
import { type BlockStore, SECTOR_BYTES } from '../block-store.ts'
import { emptyDirBlock, writeEntry } from './directory.ts'
import { Ext2Error } from './errors.ts'
import { Inode } from './inode.ts'
import {
  DIRECT_BLOCKS,
  DYNAMIC_REV,
  EXT2_ERRORS_CONTINUE,
  EXT2_ROOT_INO,
  EXT2_SUPER_MAGIC,
  EXT2_VALID_FS,
  GOOD_OLD_FIRST_INO,
  GOOD_OLD_INODE_BYTES,
  GROUP_DESC_BYTES,
  groupHasSuper,
  INCOMPAT_FILETYPE,
  RO_COMPAT_SPARSE_SUPER,
  S_IFDIR,
  SB_LABEL,
  SB_LABEL_BYTES,
  SB_UUID,
  SB_UUID_BYTES,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET,
  Superblock,
  viewOf,
  writeGroupDesc,
} from './layout.ts'

export interface MkfsOptions {
  /** 1024, 2048 or 4096. */
  readonly blockBytes: number
  /** 16 bytes. */
  readonly uuid: Uint8Array
  /** Seconds since 1970, for every time in the file system. */
  readonly nowSeconds: number
  /** At most 16 characters. */
  readonly label?: string
  /** Bytes of disk for each inode; mke2fs's "small" default is 4096. */
  readonly inodeRatio?: number
  /** Blocks that only root may use. Default 5. */
  readonly reservedPercent?: number
}

/** A last group smaller than its own tables and this many blocks is not made (mke2fs). */
const LAST_GROUP_MIN = 50
/** EXT2_DFL_MAX_MNT_COUNT and EXT2_DFL_CHECKINTERVAL. */
const MAX_MOUNTS = 20
const CHECK_INTERVAL_SECONDS = 180 * 86400
const LOST_FOUND_BYTES = 16 * 1024
const LOST_FOUND_INO = GOOD_OLD_FIRST_INO

/** Where everything lies: computed before anything is written. */
interface Plan {
  readonly blockBytes: number
  readonly blocks: number
  readonly firstDataBlock: number
  readonly blocksPerGroup: number
  readonly inodesPerGroup: number
  readonly groups: number
  readonly descBlocks: number
  readonly inodeTableBlocks: number
}

function plan(sectors: number, { blockBytes, inodeRatio = 4096 }: MkfsOptions): Plan {
  if (blockBytes !== 1024 && blockBytes !== 2048 && blockBytes !== 4096)
    throw new Ext2Error('EINVAL', 'block size is not 1024, 2048 or 4096')
  if (!Number.isInteger(inodeRatio) || inodeRatio < 1024) throw new Ext2Error('EINVAL', 'inode ratio below 1024')
  const firstDataBlock = blockBytes === 1024 ? 1 : 0
  const blocksPerGroup = 8 * blockBytes
  let blocks = Math.floor((sectors * SECTOR_BYTES) / blockBytes)
  for (;;) {
    if (blocks - firstDataBlock < 1) throw new Ext2Error('ENOSPC', 'device too small for a file system')
    const groups = Math.ceil((blocks - firstDataBlock) / blocksPerGroup)
    const descBlocks = Math.ceil((groups * GROUP_DESC_BYTES) / blockBytes)
    const perBlock = blockBytes / GOOD_OLD_INODE_BYTES
    const wanted = Math.max(Math.floor((blocks * blockBytes) / inodeRatio), GOOD_OLD_FIRST_INO + 1)
    // Whole blocks of inodes, and whole bytes of bitmap.
    const inodeTableBlocks = Math.ceil(Math.min(Math.ceil(wanted / groups), 8 * blockBytes) / perBlock)
    const inodesPerGroup = inodeTableBlocks * perBlock
    const last = groups - 1
    const rest = blocks - firstDataBlock - last * blocksPerGroup
    const overhead = 2 + inodeTableBlocks + (groupHasSuper(last, true) ? 1 + descBlocks : 0)
    if (last === 0 && rest < overhead + DIRECT_BLOCKS + 2)
      throw new Ext2Error('ENOSPC', 'device too small for a file system')
    if (last > 0 && rest < overhead + LAST_GROUP_MIN) {
      blocks -= rest
      continue
    }
    return { blockBytes, blocks, firstDataBlock, blocksPerGroup, inodesPerGroup, groups, descBlocks, inodeTableBlocks }
  }
}

const setBit = (bitmap: Uint8Array, bit: number): void => {
  bitmap[bit >> 3] = bitmap[bit >> 3]! | (1 << (bit & 7))
}

/** Make an empty file system with `lost+found` on all of `store`. ENOSPC where it is too small, EINVAL for wrong options. */
export function mkfs(store: BlockStore, options: MkfsOptions): void {
  const { nowSeconds, label = '', uuid, reservedPercent = 5 } = options
  if (uuid.length !== SB_UUID_BYTES) throw new Ext2Error('EINVAL', 'the uuid is not 16 bytes long')
  if (label.length > SB_LABEL_BYTES) throw new Ext2Error('EINVAL', 'label too long')
  if (!(reservedPercent >= 0 && reservedPercent <= 50)) throw new Ext2Error('EINVAL', 'impossible reserved percentage')
  const p = plan(store.sectors, options)
  const perBlock = p.blockBytes / SECTOR_BYTES
  const writeBlock = (block: number, bytes: Uint8Array): void => store.write(block * perBlock, bytes)

  // Blocks of the root directory and of lost+found come right behind the first group's tables.
  const firstTables = p.firstDataBlock + 1 + p.descBlocks
  const rootBlock = firstTables + 2 + p.inodeTableBlocks
  const lostBlocks = Math.min(LOST_FOUND_BYTES / p.blockBytes, DIRECT_BLOCKS)
  const dataBlocks = 1 + lostBlocks

  const descriptors = new Uint8Array(p.descBlocks * p.blockBytes)
  let freeBlocks = 0
  for (let group = 0; group < p.groups; group++) {
    const start = p.firstDataBlock + group * p.blocksPerGroup
    const count = Math.min(p.blocksPerGroup, p.blocks - start)
    const tables = start + (groupHasSuper(group, true) ? 1 + p.descBlocks : 0)
    const used = tables - start + 2 + p.inodeTableBlocks + (group === 0 ? dataBlocks : 0)
    const blockBitmap = new Uint8Array(p.blockBytes)
    for (let bit = 0; bit < used; bit++) setBit(blockBitmap, bit)
    for (let bit = count; bit < 8 * p.blockBytes; bit++) setBit(blockBitmap, bit)
    const inodeBitmap = new Uint8Array(p.blockBytes)
    const usedInodes = group === 0 ? LOST_FOUND_INO : 0
    for (let bit = 0; bit < usedInodes; bit++) setBit(inodeBitmap, bit)
    for (let bit = p.inodesPerGroup; bit < 8 * p.blockBytes; bit++) setBit(inodeBitmap, bit)
    writeBlock(tables, blockBitmap)
    writeBlock(tables + 1, inodeBitmap)
    const zero = new Uint8Array(p.blockBytes)
    for (let i = 0; i < p.inodeTableBlocks; i++) writeBlock(tables + 2 + i, zero)
    writeGroupDesc(viewOf(descriptors), group * GROUP_DESC_BYTES, {
      blockBitmap: tables,
      inodeBitmap: tables + 1,
      inodeTable: tables + 2,
      freeBlocks: count - used,
      freeInodes: p.inodesPerGroup - usedInodes,
      usedDirs: group === 0 ? 2 : 0,
    })
    freeBlocks += count - used
  }

  const makeDir = (number: number, first: number, blocks: number, links: number, mode: number): Inode => {
    const inode = new Inode(number, new Uint8Array(GOOD_OLD_INODE_BYTES))
    inode.mode = S_IFDIR | mode
    inode.size = blocks * p.blockBytes
    inode.links = links
    inode.sectors = blocks * perBlock
    inode.atime = nowSeconds
    inode.ctime = nowSeconds
    inode.mtime = nowSeconds
    for (let i = 0; i < blocks; i++) inode.setBlock(i, first + i)
    return inode
  }
  const root = makeDir(EXT2_ROOT_INO, rootBlock, 1, 3, 0o755)
  const lost = makeDir(LOST_FOUND_INO, rootBlock + 1, lostBlocks, 2, 0o700)
  const table = new Uint8Array(p.inodeTableBlocks * p.blockBytes)
  for (const inode of [root, lost]) table.set(inode.bytes, (inode.number - 1) * GOOD_OLD_INODE_BYTES)
  store.write((firstTables + 2) * perBlock, table)

  writeBlock(
    rootBlock,
    dirBlock(p.blockBytes, [
      [EXT2_ROOT_INO, '.'],
      [EXT2_ROOT_INO, '..'],
      [LOST_FOUND_INO, 'lost+found'],
    ]),
  )
  writeBlock(
    rootBlock + 1,
    dirBlock(p.blockBytes, [
      [LOST_FOUND_INO, '.'],
      [EXT2_ROOT_INO, '..'],
    ]),
  )
  for (let i = 1; i < lostBlocks; i++) writeBlock(rootBlock + 1 + i, emptyDirBlock(p.blockBytes))

  const superblock = new Superblock(new Uint8Array(SUPERBLOCK_BYTES))
  superblock.set('inodes_count', p.inodesPerGroup * p.groups)
  superblock.set('blocks_count', p.blocks)
  superblock.set('r_blocks_count', Math.floor((p.blocks * reservedPercent) / 100))
  superblock.set('free_blocks_count', freeBlocks)
  superblock.set('free_inodes_count', p.inodesPerGroup * p.groups - LOST_FOUND_INO)
  superblock.set('first_data_block', p.firstDataBlock)
  superblock.set('log_block_size', p.blockBytes === 1024 ? 0 : p.blockBytes === 2048 ? 1 : 2)
  superblock.set('log_frag_size', superblock.get('log_block_size'))
  superblock.set('blocks_per_group', p.blocksPerGroup)
  superblock.set('frags_per_group', p.blocksPerGroup)
  superblock.set('inodes_per_group', p.inodesPerGroup)
  superblock.set('wtime', nowSeconds)
  // mke2fs spreads the checks of several file systems by their uuids.
  superblock.set('max_mnt_count', MAX_MOUNTS + (uuid.reduce((sum, byte) => sum + byte, 0) % MAX_MOUNTS))
  superblock.set('magic', EXT2_SUPER_MAGIC)
  superblock.set('errors', EXT2_ERRORS_CONTINUE)
  superblock.set('lastcheck', nowSeconds)
  superblock.set('checkinterval', CHECK_INTERVAL_SECONDS)
  superblock.set('rev_level', DYNAMIC_REV)
  superblock.set('first_ino', GOOD_OLD_FIRST_INO)
  superblock.set('inode_size', GOOD_OLD_INODE_BYTES)
  superblock.set('feature_incompat', INCOMPAT_FILETYPE)
  superblock.set('feature_ro_compat', RO_COMPAT_SPARSE_SUPER)
  superblock.set('mkfs_time', nowSeconds)
  superblock.bytes.set(uuid, SB_UUID)
  superblock.bytes.set(bytesOfString(label), SB_LABEL)

  // The first 1024 bytes of a file system belong to a boot loader; mke2fs clears them too.
  writeBlock(0, new Uint8Array(p.blockBytes))
  for (let group = 0; group < p.groups; group++) {
    if (!groupHasSuper(group, true)) continue
    const start = p.firstDataBlock + group * p.blocksPerGroup
    superblock.set('block_group_nr', group)
    // A backup never says that the file system is clean: whoever needs it had better check.
    superblock.set('state', group === 0 ? EXT2_VALID_FS : 0)
    const at = group === 0 ? SUPERBLOCK_OFFSET / SECTOR_BYTES : start * perBlock
    store.write(at, superblock.bytes)
    store.write((start + 1) * perBlock, descriptors)
  }
}

/** A directory's first block with the given entries, all of them directories. */
function dirBlock(blockBytes: number, entries: readonly (readonly [number, string])[]): Uint8Array {
  const block = emptyDirBlock(blockBytes)
  let at = 0
  entries.forEach(([inode, name], i) => {
    const recLen = i === entries.length - 1 ? blockBytes - at : (8 + name.length + 3) & ~3
    writeEntry(block, at, recLen, { inode, fileType: 2, name: bytesOfString(name) })
    at += recLen
  })
  return block
}
