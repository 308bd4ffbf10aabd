/**
 * Reading an ext2 file system (also ext3 as it stands) from anything that gives sectors. GRUB, PyGRUB, the kernel and the image
 * recipes share it. Disks may be damaged or hostile: every number from the disk is checked before use, every walk is bounded, and
 * what contradicts itself is an `Ext2Error` EIO.
 */
import { byteString, bytesOfString } from '../../utf8.ts'
import { SECTOR_BYTES } from '../block-store.ts'
import { type DirEntry, findInBlock, slotName, slotsOf } from './directory.ts'
import { Ext2Error, inconsistent } from './errors.ts'
import { Inode } from './inode.ts'
import {
  blockPath,
  DIRECT_BLOCKS,
  DYNAMIC_REV,
  EXT2_NAME_MAX,
  EXT2_ROOT_INO,
  EXT2_SUPER_MAGIC,
  FAST_SYMLINK_BYTES,
  fileBlocksMax,
  GOOD_OLD_FIRST_INO,
  GOOD_OLD_INODE_BYTES,
  GROUP_DESC_BYTES,
  type GroupDesc,
  INCOMPAT_FILETYPE,
  INCOMPAT_RECOVER,
  PATH_MAX,
  readGroupDesc,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET,
  Superblock,
  viewOf,
} from './layout.ts'

/** What the reader needs of a disk or partition. `read` may throw errors of its own: they pass through. */
export interface SectorSource {
  readonly sectors: number
  read(lba: number, count: number): Uint8Array
}

/** Consecutive sectors of a file; `lba` (from the file system's first sector) is undefined for a hole. */
export interface SectorRun {
  readonly lba: number | undefined
  readonly count: number
}

export interface LookupOptions {
  /** Symbolic links that may be followed on the way; one more is ELOOP. GRUB 0.97: 5; Linux 2.6.18: 8 (the default). */
  readonly followLimit?: number
  /** False: a link at the end of the path is the answer itself, as for lstat. Default true. */
  readonly followLast?: boolean
  /** The directory that a relative path starts from; the root by default. */
  readonly from?: Inode
}

/** What the superblock says about sizes, checked. */
export interface Geometry {
  readonly blockBytes: number
  readonly blocks: number
  readonly firstDataBlock: number
  readonly blocksPerGroup: number
  readonly inodes: number
  readonly inodesPerGroup: number
  readonly inodeBytes: number
  readonly firstInode: number
  readonly groups: number
  /** Block numbers in one indirect block. */
  readonly pointers: number
}

/** Metadata blocks kept for the next look. */
const CACHE_BLOCKS = 256
/** Sectors asked for in one read: what fits below 64 KiB, as INT 13h takes. */
const READ_SECTORS_MAX = 126
/** Default bound of `readFile`, in bytes. */
const READ_FILE_MAX = 256 * 1024 * 1024
/** Bound of `fileBlocks`: a file in more pieces is EFBIG. */
const RUNS_MAX = 1 << 20

/** The geometry of a superblock, or why it cannot be one. */
export function geometryOf(superblock: Superblock): Geometry | string {
  if (superblock.get('magic') !== EXT2_SUPER_MAGIC) return 'no ext2 superblock'
  const log = superblock.get('log_block_size')
  if (log > 2) return 'unsupported block size'
  const blockBytes = 1024 << log
  const dynamic = superblock.get('rev_level') >= DYNAMIC_REV
  if (superblock.get('rev_level') > DYNAMIC_REV) return 'unsupported revision'
  const unknown = superblock.get('feature_incompat') & ~(INCOMPAT_FILETYPE | INCOMPAT_RECOVER)
  if (dynamic && unknown !== 0) return 'unsupported optional features'
  const geometry = {
    blockBytes,
    blocks: superblock.get('blocks_count'),
    firstDataBlock: superblock.get('first_data_block'),
    blocksPerGroup: superblock.get('blocks_per_group'),
    inodes: superblock.get('inodes_count'),
    inodesPerGroup: superblock.get('inodes_per_group'),
    inodeBytes: dynamic ? superblock.get('inode_size') : GOOD_OLD_INODE_BYTES,
    firstInode: dynamic ? superblock.get('first_ino') : GOOD_OLD_FIRST_INO,
    pointers: blockBytes / 4,
    groups: 0,
  }
  const { blocks, firstDataBlock, blocksPerGroup, inodes, inodesPerGroup, inodeBytes } = geometry
  if (inodeBytes < 128 || inodeBytes > blockBytes || (inodeBytes & (inodeBytes - 1)) !== 0) return 'wrong inode size'
  if (firstDataBlock !== (blockBytes === 1024 ? 1 : 0)) return 'wrong first data block'
  if (blocksPerGroup < 8 || blocksPerGroup > 8 * blockBytes) return 'wrong number of blocks per group'
  if (inodesPerGroup < 1 || inodesPerGroup > 8 * blockBytes) return 'wrong number of inodes per group'
  if (blocks <= firstDataBlock) return 'no blocks'
  const groups = Math.ceil((blocks - firstDataBlock) / blocksPerGroup)
  if (inodes !== groups * inodesPerGroup || inodes < geometry.firstInode) return 'wrong number of inodes'
  return { ...geometry, groups }
}

/** The file system on `source`, or undefined where there is none that we can read. */
export function openExt2(source: SectorSource): Ext2Reader | undefined {
  if (source.sectors < (SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES) / SECTOR_BYTES) return undefined
  const superblock = new Superblock(
    source.read(SUPERBLOCK_OFFSET / SECTOR_BYTES, SUPERBLOCK_BYTES / SECTOR_BYTES).slice(),
  )
  const geometry = geometryOf(superblock)
  return typeof geometry === 'string' ? undefined : new Ext2Reader(source, superblock, geometry)
}

export class Ext2Reader {
  readonly geometry: Geometry
  protected readonly superblock: Superblock
  readonly #source: SectorSource
  readonly #cache = new Map<number, Uint8Array>()

  /** Use `openExt2`. */
  constructor(source: SectorSource, superblock: Superblock, geometry: Geometry) {
    this.#source = source
    this.superblock = superblock
    this.geometry = geometry
  }

  root(): Inode {
    return this.inode(EXT2_ROOT_INO)
  }

  /** Inode `number`, freshly read. EIO for a number that no inode has. */
  inode(number: number): Inode {
    const { block, at } = this.inodePlace(number)
    return new Inode(number, this.block(block).slice(at, at + this.geometry.inodeBytes))
  }

  /** Where inode `number` lies in the inode table of its group. */
  protected inodePlace(number: number): { block: number; at: number } {
    const { inodes, inodesPerGroup, inodeBytes, blockBytes } = this.geometry
    if (number < 1 || number > inodes) throw inconsistent(`inode ${number} does not exist`)
    const { inodeTable } = this.group(Math.floor((number - 1) / inodesPerGroup))
    const offset = ((number - 1) % inodesPerGroup) * inodeBytes
    return { block: inodeTable + Math.floor(offset / blockBytes), at: offset % blockBytes }
  }

  /** The descriptor of a block group, from the table behind the superblock. */
  protected group(group: number): GroupDesc {
    const { blockBytes, firstDataBlock } = this.geometry
    const offset = group * GROUP_DESC_BYTES
    const table = this.block(firstDataBlock + 1 + Math.floor(offset / blockBytes))
    return readGroupDesc(viewOf(table), offset % blockBytes)
  }

  /** A block of metadata. Shared: copy before changing. */
  protected block(number: number): Uint8Array {
    const known = this.#cache.get(number)
    if (known) return known
    const bytes = this.readBlocks(number, 1)
    this.remember(number, bytes)
    return bytes
  }

  /** Keep `bytes` as block `number`'s content; undefined forgets it. */
  protected remember(number: number, bytes: Uint8Array | undefined): void {
    this.#cache.delete(number)
    if (!bytes) return
    if (this.#cache.size >= CACHE_BLOCKS)
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest)
        break
      }
    this.#cache.set(number, bytes)
  }

  /** `count` blocks from block `number` on. EIO outside the file system, ENXIO outside the device. */
  protected readBlocks(number: number, count: number): Uint8Array {
    const { blockBytes, firstDataBlock, blocks } = this.geometry
    if (number < firstDataBlock || number + count > blocks) throw inconsistent(`block ${number} does not exist`)
    const perBlock = blockBytes / SECTOR_BYTES
    if ((number + count) * perBlock > this.#source.sectors)
      throw new Ext2Error('ENXIO', `block ${number} lies outside the device`)
    const sectors = count * perBlock
    if (sectors <= READ_SECTORS_MAX) return this.#source.read(number * perBlock, sectors)
    const bytes = new Uint8Array(count * blockBytes)
    for (let done = 0; done < sectors; done += READ_SECTORS_MAX) {
      const part = this.#source.read(number * perBlock + done, Math.min(READ_SECTORS_MAX, sectors - done))
      bytes.set(part, done * SECTOR_BYTES)
    }
    return bytes
  }

  /** A block number read from an inode or an indirect block: 0, or inside the file system. */
  protected pointer(value: number): number {
    const { firstDataBlock, blocks } = this.geometry
    if (value !== 0 && (value <= firstDataBlock || value >= blocks))
      throw inconsistent(`block number ${value} is out of bounds`)
    return value
  }

  /**
   * The block that holds the file's block `index` (0: a hole), and for how many blocks from there on it stays so: consecutive
   * blocks, or the same hole. At most `most`.
   */
  mapBlocks(inode: Inode, index: number, most: number): { block: number; count: number } {
    const { pointers } = this.geometry
    const path = blockPath(index, pointers)
    if (!path) throw inconsistent(`file block ${index} is past the triple indirect block`)
    let table = viewOf(inode.blockBytes)
    for (let depth = 0; depth < path.length; depth++) {
      const at = path[depth]!
      const block = this.pointer(table.getUint32(4 * at, true))
      if (block === 0) {
        // Everything that this pointer would lead to is the hole.
        let span = 1
        let inside = 0
        for (const step of path.slice(depth + 1)) {
          span *= pointers
          inside = inside * pointers + step
        }
        return { block: 0, count: Math.min(most, span - inside) }
      }
      if (depth === path.length - 1) {
        const end = depth === 0 ? DIRECT_BLOCKS : pointers
        let count = 1
        while (count < most && at + count < end && table.getUint32(4 * (at + count), true) === block + count) count++
        this.pointer(block + count - 1)
        return { block, count }
      }
      table = viewOf(this.block(block))
    }
    throw inconsistent('a block path without an end')
  }

  /** Refuses a size that no file of this file system can have. */
  protected checkedSize(inode: Inode): number {
    const { pointers, blockBytes } = this.geometry
    if (inode.size > fileBlocksMax(pointers) * blockBytes) throw inconsistent(`inode ${inode.number} is too large`)
    return inode.size
  }

  /** Up to `length` bytes from `offset` on, fewer at the end of the file. Holes read as zeros. */
  readAt(inode: Inode, offset: number, length: number): Uint8Array {
    const { blockBytes } = this.geometry
    const end = Math.min(this.checkedSize(inode), offset + length)
    if (end <= offset) return new Uint8Array(0)
    const bytes = new Uint8Array(end - offset)
    const last = Math.floor((end - 1) / blockBytes)
    let index = Math.floor(offset / blockBytes)
    while (index <= last) {
      const { block, count } = this.mapBlocks(inode, index, last - index + 1)
      if (block !== 0) {
        const from = index * blockBytes
        const part = this.readBlocks(block, count)
        const skip = Math.max(0, offset - from)
        bytes.set(part.subarray(skip, Math.min(part.length, end - from)), from + skip - offset)
      }
      index += count
    }
    return bytes
  }

  /** A whole regular file (a path or an inode). EISDIR or EINVAL for other things, EFBIG past `limitBytes`. */
  readFile(file: Inode | string, limitBytes = READ_FILE_MAX): Uint8Array {
    const inode = typeof file === 'string' ? this.lookup(file) : file
    if (inode.isDir) throw new Ext2Error('EISDIR', 'is a directory')
    if (!inode.isFile) throw new Ext2Error('EINVAL', 'not a regular file')
    if (inode.size > limitBytes) throw new Ext2Error('EFBIG', 'file too large to read whole')
    return this.readAt(inode, 0, inode.size)
  }

  /** The file's sectors in order, neighbours joined, the last block whole: what a block list is made of. */
  fileBlocks(inode: Inode): SectorRun[] {
    const { blockBytes } = this.geometry
    const perBlock = blockBytes / SECTOR_BYTES
    const blocks = Math.ceil(this.checkedSize(inode) / blockBytes)
    const runs: { lba: number | undefined; count: number }[] = []
    for (let index = 0; index < blocks; ) {
      const { block, count } = this.mapBlocks(inode, index, blocks - index)
      const lba = block === 0 ? undefined : block * perBlock
      const before = runs.at(-1)
      const joins = before && (lba === undefined ? before.lba === undefined : before.lba === lba - before.count)
      if (joins) before.count += count * perBlock
      else runs.push({ lba, count: count * perBlock })
      if (runs.length > RUNS_MAX) throw new Ext2Error('EFBIG', 'file in too many pieces')
      index += count
    }
    return runs
  }

  /** Blocks of a directory: never holes, never more than the file system has. */
  protected dirBlocks(dir: Inode): number {
    const { blockBytes, blocks } = this.geometry
    if (!dir.isDir) throw new Ext2Error('ENOTDIR', 'not a directory')
    const count = Math.ceil(dir.size / blockBytes)
    if (count > blocks) throw inconsistent(`directory ${dir.number} is larger than its file system`)
    return count
  }

  /** Block `index` of a directory and where it lies. Shared: copy before changing. */
  protected dirBlock(dir: Inode, index: number): { number: number; bytes: Uint8Array } {
    const { block } = this.mapBlocks(dir, index, 1)
    if (block === 0) throw inconsistent(`directory ${dir.number} contains a hole`)
    return { number: block, bytes: this.block(block) }
  }

  /** The entries of a directory, `.` and `..` among them, in the order of the disk. */
  list(dir: Inode): DirEntry[] {
    const typed = (this.superblock.get('feature_incompat') & INCOMPAT_FILETYPE) !== 0
    const entries: DirEntry[] = []
    const blocks = this.dirBlocks(dir)
    for (let index = 0; index < blocks; index++) {
      const { bytes } = this.dirBlock(dir, index)
      for (const slot of slotsOf(bytes, this.geometry.inodes))
        if (slot.inode !== 0)
          entries.push({ name: slotName(bytes, slot), inode: slot.inode, fileType: typed ? slot.fileType : 0 })
    }
    return entries
  }

  /** The inode number that `name` has in `dir`, or undefined. ENOTDIR where `dir` is none. */
  find(dir: Inode, name: string): number | undefined {
    const blocks = this.dirBlocks(dir)
    if (name.length > EXT2_NAME_MAX) throw new Ext2Error('ENAMETOOLONG', 'name too long')
    const wanted = nameBytes(name)
    for (let index = 0; wanted && index < blocks; index++) {
      const number = findInBlock(this.dirBlock(dir, index).bytes, wanted, this.geometry.inodes)
      if (number !== undefined) return number
    }
    return undefined
  }

  /**
   * What `path` (a byte string) names. ENOENT, ENOTDIR (also `file/`), ELOOP, ENAMETOOLONG, EIO. The empty path is ENOENT.
   */
  lookup(path: string, options: LookupOptions = {}): Inode {
    const { followLimit = 8, followLast = true, from } = options
    if (path === '') throw new Ext2Error('ENOENT', 'empty path')
    let followed = 0
    let rest = path
    let here = from !== undefined && !path.startsWith('/') ? from : this.root()
    for (;;) {
      if (rest.length >= PATH_MAX) throw new Ext2Error('ENAMETOOLONG', 'path too long')
      const slash = rest.startsWith('/')
      if (slash || rest === '') {
        let start = 0
        while (rest[start] === '/') start++
        if (slash && !here.isDir) throw new Ext2Error('ENOTDIR', 'not a directory')
        rest = rest.slice(start)
        if (rest === '') return here
      }
      const end = rest.indexOf('/')
      const name = end < 0 ? rest : rest.slice(0, end)
      const after = end < 0 ? '' : rest.slice(end)
      const number = this.find(here, name)
      if (number === undefined) throw new Ext2Error('ENOENT', `no ${name}`)
      const inode = this.inode(number)
      if (!inode.isSymlink || (after === '' && !followLast)) {
        here = inode
        rest = after
        continue
      }
      if (++followed > followLimit) throw new Ext2Error('ELOOP', 'too many symbolic links')
      const target = this.readlink(inode)
      if (target === '') throw new Ext2Error('ENOENT', 'empty symbolic link')
      if (target.startsWith('/')) here = this.root()
      rest = target + after
    }
  }

  /** Whether a symbolic link keeps its target in place of its block pointers. */
  protected isFastSymlink(inode: Inode): boolean {
    const attributes = inode.fileAcl === 0 ? 0 : this.geometry.blockBytes / SECTOR_BYTES
    return inode.isSymlink && inode.sectors === attributes
  }

  /** A symbolic link's target, a byte string. EINVAL for anything else. */
  readlink(inode: Inode): string {
    if (!inode.isSymlink) throw new Ext2Error('EINVAL', 'not a symbolic link')
    if (this.isFastSymlink(inode)) {
      if (inode.size >= FAST_SYMLINK_BYTES) throw inconsistent(`symbolic link ${inode.number} is too long`)
      return byteString(inode.blockBytes.subarray(0, inode.size))
    }
    if (inode.size >= PATH_MAX) throw inconsistent(`symbolic link ${inode.number} is too long`)
    return byteString(this.readAt(inode, 0, inode.size))
  }
}

/** A name's bytes; undefined for one that is no byte string, and that no directory can hold. */
function nameBytes(name: string): Uint8Array | undefined {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 255) return undefined
  return bytesOfString(name)
}
