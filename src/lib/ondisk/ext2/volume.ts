/**
 * An ext2 file system opened for writing: superblock, group descriptors, the two bitmaps of each group, and who gets which block or
 * inode. Blocks go to the store at once; superblock and descriptors on `sync`.
 */
import { type BlockStore, SECTOR_BYTES } from '../block-store.ts'
import { Ext2Error, inconsistent } from './errors.ts'
import { Inode } from './inode.ts'
import {
  EXT2_ERROR_FS,
  EXT2_VALID_FS,
  GROUP_DESC_BYTES,
  type GroupDesc,
  groupHasSuper,
  INCOMPAT_RECOVER,
  RO_COMPAT_LARGE_FILE,
  RO_COMPAT_SPARSE_SUPER,
  readGroupDesc,
  type Superblock,
  viewOf,
  writeGroupDesc,
} from './layout.ts'
import { Ext2Reader, type Geometry } from './reader.ts'

/** s_reserved_gdt_blocks: room behind the descriptors for growing (resize_inode), used like them. */
const SB_RESERVED_GDT_BLOCKS = 206

export interface VolumeOptions {
  /** Seconds since 1970: the time that changes are stamped with. */
  readonly now: () => number
  /** Refuse every change with EROFS. */
  readonly readOnly?: boolean
}

export class Ext2Volume extends Ext2Reader {
  /** Whether allocations may use the blocks reserved for root. */
  useReserved = true
  protected readonly now: () => number
  readonly #store: BlockStore
  readonly #readOnly: boolean
  readonly #groups: GroupDesc[] = []
  readonly #wasValid: boolean
  #mounted = true
  #dirty = false

  /** Use `Ext2.mount`. */
  constructor(store: BlockStore, superblock: Superblock, geometry: Geometry, options: VolumeOptions) {
    super(store, superblock, geometry)
    this.#store = store
    this.now = options.now
    this.#readOnly = options.readOnly ?? false
    this.#wasValid = (superblock.get('state') & EXT2_VALID_FS) !== 0
    for (let group = 0; group < geometry.groups; group++) this.#groups.push(this.#checkedGroup(group))
    if (this.#readOnly) return
    superblock.set('state', superblock.get('state') & ~EXT2_VALID_FS)
    superblock.set('mnt_count', (superblock.get('mnt_count') + 1) & 0xffff)
    superblock.set('mtime', this.now())
    this.#dirty = true
    this.sync()
  }

  /** A descriptor whose bitmaps and table lie inside its group, as Linux demands. */
  #checkedGroup(group: number): GroupDesc {
    const { blocksPerGroup, firstDataBlock, blocks, blockBytes } = this.geometry
    const offset = group * GROUP_DESC_BYTES
    const desc = readGroupDesc(
      viewOf(this.block(firstDataBlock + 1 + Math.floor(offset / blockBytes))),
      offset % blockBytes,
    )
    const start = firstDataBlock + group * blocksPerGroup
    const end = Math.min(start + blocksPerGroup, blocks)
    const inside = (first: number, count: number): boolean => first >= start && first + count <= end
    if (!inside(desc.blockBitmap, 1) || !inside(desc.inodeBitmap, 1) || !inside(desc.inodeTable, this.#tableBlocks()))
      throw inconsistent(`the descriptor of group ${group} is corrupt`)
    return desc
  }

  #tableBlocks(): number {
    const { inodesPerGroup, inodeBytes, blockBytes } = this.geometry
    return Math.ceil((inodesPerGroup * inodeBytes) / blockBytes)
  }

  protected override group(group: number): GroupDesc {
    return this.#groups[group] ?? super.group(group)
  }

  get readOnly(): boolean {
    return this.#readOnly
  }

  /** What Linux would warn of at mount: the last user did not unmount, errors were seen, a check is due. */
  checkDue(): 'unchecked' | 'errors' | 'mounts' | 'interval' | undefined {
    const sb = this.superblock
    if (!this.#wasValid) return 'unchecked'
    if ((sb.get('state') & EXT2_ERROR_FS) !== 0) return 'errors'
    const most = sb.get('max_mnt_count')
    if (most !== 0 && most !== 0xffff && sb.get('mnt_count') >= most) return 'mounts'
    const interval = sb.get('checkinterval')
    return interval !== 0 && sb.get('lastcheck') + interval <= this.now() ? 'interval' : undefined
  }

  /** What statfs tells. `available` leaves out the blocks reserved for root. */
  statfs(): { blockBytes: number; blocks: number; free: number; available: number; files: number; filesFree: number } {
    const sb = this.superblock
    const free = sb.get('free_blocks_count')
    return {
      blockBytes: this.geometry.blockBytes,
      blocks: this.geometry.blocks,
      free,
      available: Math.max(0, free - sb.get('r_blocks_count')),
      files: this.geometry.inodes,
      filesFree: sb.get('free_inodes_count'),
    }
  }

  /** Refuse changes where none are allowed. */
  protected assertWritable(): void {
    if (this.#readOnly || !this.#mounted) throw new Ext2Error('EROFS', 'the file system is read-only')
  }

  /** Bring superblock and group descriptors to the store. The backups stay as mkfs made them, as under Linux. */
  sync(): void {
    if (!this.#dirty) return
    const { firstDataBlock, blockBytes } = this.geometry
    this.superblock.set('wtime', this.now())
    this.#store.write(2, this.superblock.bytes)
    const perBlock = blockBytes / GROUP_DESC_BYTES
    for (let first = 0; first < this.#groups.length; first += perBlock) {
      const number = firstDataBlock + 1 + first / perBlock
      const bytes = this.block(number).slice()
      const view = viewOf(bytes)
      this.#groups.slice(first, first + perBlock).forEach((group, i) => {
        writeGroupDesc(view, i * GROUP_DESC_BYTES, group)
      })
      this.writeBlock(number, bytes)
    }
    this.#dirty = false
  }

  /** Sync and mark the file system clean, if it was so when mounted. Changes after this are refused. */
  unmount(): void {
    if (!this.#mounted) return
    if (!this.#readOnly) {
      if (this.#wasValid) this.superblock.set('state', this.superblock.get('state') | EXT2_VALID_FS)
      this.#dirty = true
      this.sync()
    }
    this.#mounted = false
  }

  /** Note for the next check that the structures contradict themselves, and make the error to throw. */
  protected corrupt(message: string): Ext2Error {
    if (!this.#readOnly) {
      this.superblock.set('state', this.superblock.get('state') | EXT2_ERROR_FS)
      this.#dirty = true
    }
    return inconsistent(message)
  }

  /** Store a metadata block. The file system keeps `bytes`. */
  protected writeBlock(number: number, bytes: Uint8Array): void {
    this.#put(number, bytes)
    this.remember(number, bytes)
  }

  /** Store a block of a file. */
  protected writeData(number: number, bytes: Uint8Array): void {
    this.#put(number, bytes)
    this.remember(number, undefined)
  }

  #put(number: number, bytes: Uint8Array): void {
    const { firstDataBlock, blocks, blockBytes } = this.geometry
    if (number < firstDataBlock || number >= blocks) throw this.corrupt(`block ${number} does not exist`)
    const perBlock = blockBytes / SECTOR_BYTES
    if ((number + 1) * perBlock > this.#store.sectors)
      throw new Ext2Error('ENXIO', `block ${number} lies outside the device`)
    this.#store.write(number * perBlock, bytes)
  }

  /** Store an inode in its table. */
  protected storeInode(inode: Inode): void {
    const { block, at } = this.inodePlace(inode.number)
    const bytes = this.block(block).slice()
    bytes.set(inode.bytes, at)
    this.writeBlock(block, bytes)
  }

  /** Files of 2 GiB and more are announced in the superblock. */
  protected noteLargeFile(): void {
    const features = this.superblock.get('feature_ro_compat')
    if ((features & RO_COMPAT_LARGE_FILE) !== 0) return
    this.superblock.set('feature_ro_compat', features | RO_COMPAT_LARGE_FILE)
    this.#dirty = true
  }

  /** Blocks that may be allocated now. */
  protected blocksAvailable(): number {
    const { free, available } = this.statfs()
    return this.useReserved ? free : available
  }

  /** Whether `block` holds superblocks, descriptors, bitmaps or inodes. */
  #isMetadata(block: number): boolean {
    const { firstDataBlock, blocksPerGroup, blockBytes, groups } = this.geometry
    if (block <= firstDataBlock) return true
    const number = Math.floor((block - firstDataBlock) / blocksPerGroup)
    const desc = this.#groups[number]!
    if (block === desc.blockBitmap || block === desc.inodeBitmap) return true
    if (block >= desc.inodeTable && block < desc.inodeTable + this.#tableBlocks()) return true
    const sparse = (this.superblock.get('feature_ro_compat') & RO_COMPAT_SPARSE_SUPER) !== 0
    if (!groupHasSuper(number, sparse)) return false
    const descBlocks = Math.ceil((groups * GROUP_DESC_BYTES) / blockBytes)
    const reserved = viewOf(this.superblock.bytes).getUint16(SB_RESERVED_GDT_BLOCKS, true)
    return block <= firstDataBlock + number * blocksPerGroup + descBlocks + reserved
  }

  /** Take the first free block from `goal` on, in its group, then in the groups behind. ENOSPC. */
  protected allocBlock(goal: number): number {
    const { firstDataBlock, blocksPerGroup, blocks, groups } = this.geometry
    if (this.blocksAvailable() < 1) throw new Ext2Error('ENOSPC', 'no space left on device')
    const from = goal > firstDataBlock && goal < blocks ? goal : firstDataBlock
    const first = Math.floor((from - firstDataBlock) / blocksPerGroup)
    // The goal's group comes twice: from the goal on, and at the end from its start.
    for (let step = 0; step <= groups; step++) {
      const number = (first + step) % groups
      const group = this.#groups[number]!
      if (group.freeBlocks === 0) continue
      const start = firstDataBlock + number * blocksPerGroup
      const bits = Math.min(blocksPerGroup, blocks - start)
      const bit = clearBitFrom(this.block(group.blockBitmap), step === 0 ? from - start : 0, bits)
      if (bit === undefined) continue
      const block = start + bit
      if (this.#isMetadata(block)) throw this.corrupt(`block ${block} is in a system zone but free`)
      this.#flipBit(group.blockBitmap, bit)
      this.#countBlocks(group, -1)
      return block
    }
    throw new Ext2Error('ENOSPC', 'no space left on device')
  }

  /** Give a block back. EIO for one that no file can have or that is free already. */
  protected freeBlock(block: number): void {
    const { firstDataBlock, blocksPerGroup, blocks } = this.geometry
    if (block <= firstDataBlock || block >= blocks || this.#isMetadata(block))
      throw this.corrupt(`freeing block ${block}, which is no data block`)
    const number = Math.floor((block - firstDataBlock) / blocksPerGroup)
    const group = this.#groups[number]!
    const bit = (block - firstDataBlock) % blocksPerGroup
    if (!testBit(this.block(group.blockBitmap), bit)) throw this.corrupt(`block ${block} is free already`)
    this.#flipBit(group.blockBitmap, bit)
    this.#countBlocks(group, 1)
    this.remember(block, undefined)
  }

  #countBlocks(group: GroupDesc, by: number): void {
    group.freeBlocks += by
    this.superblock.set('free_blocks_count', this.superblock.get('free_blocks_count') + by)
    this.#dirty = true
  }

  #flipBit(bitmap: number, bit: number): void {
    const bytes = this.block(bitmap).slice()
    bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7))
    this.writeBlock(bitmap, bytes)
  }

  /** A new inode, all zeros but its generation: near its directory, while directories spread over the groups. ENOSPC. */
  protected allocInode(parent: Inode, isDir: boolean): Inode {
    const { inodesPerGroup, firstInode, groups, inodeBytes } = this.geometry
    const home = Math.floor((parent.number - 1) / inodesPerGroup)
    const first = isDir ? this.#groupForDir(home) : home
    for (let step = 0; step < groups; step++) {
      const number = (first + step) % groups
      const group = this.#groups[number]!
      if (group.freeInodes === 0) continue
      const from = Math.max(0, firstInode - 1 - number * inodesPerGroup)
      const bit = clearBitFrom(this.block(group.inodeBitmap), from, inodesPerGroup)
      if (bit === undefined) continue
      this.#flipBit(group.inodeBitmap, bit)
      this.#countInodes(group, -1, isDir)
      const old = this.inode(number * inodesPerGroup + bit + 1)
      const inode = new Inode(old.number, new Uint8Array(inodeBytes))
      inode.generation = (old.generation + 1) >>> 0
      return inode
    }
    throw new Ext2Error('ENOSPC', 'no inode left')
  }

  /** Among the groups with at least the average of free inodes, the one with most free blocks (Linux's find_group_dir). */
  #groupForDir(home: number): number {
    const average = Math.floor(this.superblock.get('free_inodes_count') / this.geometry.groups)
    let best = home
    let most = -1
    this.#groups.forEach((group, number) => {
      if (group.freeInodes === 0 || group.freeInodes < average || group.freeBlocks <= most) return
      best = number
      most = group.freeBlocks
    })
    return best
  }

  /** Give an inode's number back. Its content and table entry are the caller's business. */
  protected freeInode(number: number, isDir: boolean): void {
    const { inodesPerGroup, firstInode, inodes } = this.geometry
    if (number < firstInode || number > inodes) throw this.corrupt(`freeing reserved inode ${number}`)
    const group = this.#groups[Math.floor((number - 1) / inodesPerGroup)]!
    const bit = (number - 1) % inodesPerGroup
    if (!testBit(this.block(group.inodeBitmap), bit)) throw this.corrupt(`inode ${number} is free already`)
    this.#flipBit(group.inodeBitmap, bit)
    this.#countInodes(group, 1, isDir)
  }

  #countInodes(group: GroupDesc, by: number, isDir: boolean): void {
    group.freeInodes += by
    if (isDir) group.usedDirs -= by
    this.superblock.set('free_inodes_count', this.superblock.get('free_inodes_count') + by)
    this.#dirty = true
  }

  /** The first block of the group that an inode lives in: where its data begins, when nothing says otherwise. */
  protected homeBlock(inode: Inode): number {
    const { firstDataBlock, blocksPerGroup, inodesPerGroup } = this.geometry
    return firstDataBlock + Math.floor((inode.number - 1) / inodesPerGroup) * blocksPerGroup
  }
}

/** Features that forbid writing: those unknown to us, and a journal that wants replaying. */
export function writeRefusal(superblock: Superblock): string | undefined {
  const unknown = superblock.get('feature_ro_compat') & ~(RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE)
  if (unknown !== 0) return `unsupported optional features (0x${unknown.toString(16)})`
  if ((superblock.get('feature_incompat') & INCOMPAT_RECOVER) !== 0) return 'the journal needs recovery'
  return undefined
}

const testBit = (bitmap: Uint8Array, bit: number): boolean => (bitmap[bit >> 3]! & (1 << (bit & 7))) !== 0

/** The first clear bit in [from, to). */
function clearBitFrom(bitmap: Uint8Array, from: number, to: number): number | undefined {
  for (let bit = from; bit < to; bit++) {
    if ((bit & 7) === 0 && bitmap[bit >> 3] === 0xff) bit += 7
    else if (!testBit(bitmap, bit)) return bit
  }
  return undefined
}
