/**
 * A mounted ext2 (Linux: fs/ext2/super.c). Super block, descriptors, bitmaps and inode tables are buffers of the device, so that what a tool
 * reads from or writes to the device is what is mounted. What is freed is not given out again before the disk knows that it is free: after a
 * power cut whatever was synced before is still whole.
 */
import { EINVAL, EIO, EROFS } from '#abi/posix/errno.ts'
import { MS_RDONLY, EXT2_SUPER_MAGIC as STATFS_MAGIC } from '#abi/posix/mount.ts'
import type { StatFs } from '#abi/posix/stat.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { Ext2Error } from '#lib/ondisk/ext2/errors.ts'
import {
  EXT2_ERROR_FS,
  EXT2_ROOT_INO,
  EXT2_VALID_FS,
  GROUP_DESC_BYTES,
  groupHasSuper,
  RO_COMPAT_LARGE_FILE,
  RO_COMPAT_SPARSE_SUPER,
  SB,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET,
  Superblock,
  type SuperblockField,
} from '#lib/ondisk/ext2/layout.ts'
import { type Geometry, geometryOf } from '#lib/ondisk/ext2/reader.ts'
import type { BlockDevice } from '../../block/device.ts'
import { fail, quietly } from '../../errno.ts'
import type { Kernel } from '../../kernel.ts'
import type { Sleeping } from '../../sched/wait.ts'
import type { FileSystemType, SuperBlock } from '../../vfs/inode.ts'
import { Mutex } from '../../vfs/mutex.ts'
import type { DirtyGroup, Page } from '../../vfs/page-cache.ts'
import { type Ext2Inode, iget } from './inode.ts'

const EXT2_ERRORS_RO = 2
const EXT2_ERRORS_PANIC = 3
const DFL_MAX_MNT_COUNT = 20
/** s_reserved_gdt_blocks. */
const SB_RESERVED_GDT_BLOCKS = 206

/** Options that change nothing here, as they do not there. */
const KNOWN_OPTIONS =
  /^(|check=none|nocheck|debug|nouid32|oldalloc|orlov|user_xattr|nouser_xattr|acl|noacl|bsddf|nogrpid|sysvgroups)$/

export class Ext2Super implements SuperBlock, DirtyGroup {
  readonly type: FileSystemType
  readonly kernel: Kernel
  readonly bdev: BlockDevice
  readonly geometry: Geometry
  readonly source: string
  readonly dev: number
  readonly blockBytes: number
  readonly inodes = new Map<number, Ext2Inode>()
  readonly dirtyInodes = new Set<Ext2Inode>()
  /** Freed, but the disk may still say that they are in use. */
  readonly pendingBlocks = new Set<number>()
  readonly pendingInodes = new Set<number>()
  flags: number
  dirtySinceNs = Number.POSITIVE_INFINITY
  root!: Ext2Inode
  /** s_state as it was found: what it will be again. */
  #mountState = 0
  #errors: number
  readonly #pinned: Page[] = []
  #superAt: Vaddr = 0
  readonly #descAt: Vaddr[] = []
  readonly #syncing = new Mutex()
  /** What is neither written nor waited for any more. */
  #gone = false

  private constructor(
    type: FileSystemType,
    kernel: Kernel,
    bdev: BlockDevice,
    source: string,
    geometry: Geometry,
    flags: number,
  ) {
    this.type = type
    this.kernel = kernel
    this.bdev = bdev
    this.dev = bdev.dev
    this.source = source
    this.geometry = geometry
    this.blockBytes = geometry.blockBytes
    this.flags = flags
    this.#errors = 0
  }

  /** ext2_fill_super. The device is open for it, and closed by `unmount`. */
  static *mount(
    type: FileSystemType,
    kernel: Kernel,
    bdev: BlockDevice,
    source: string,
    flags: number,
    data: string,
  ): Sleeping<Ext2Super> {
    if (bdev.bytes < SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES) fail(EINVAL)
    const at = yield* bdev.bread(1, SUPERBLOCK_BYTES)
    const superblock = new Superblock(kernel.mem.copyOut(at, SUPERBLOCK_BYTES))
    const geometry = geometryOf(superblock)
    if (typeof geometry === 'string') {
      const no = geometry === 'no ext2 superblock'
      kernel.log.printk(
        no ? `VFS: Can't find an ext2 filesystem on dev ${bdev.name}.\n` : `EXT2-fs: ${bdev.name}: ${geometry}.\n`,
      )
      return fail(EINVAL)
    }
    if (geometry.blocks * (geometry.blockBytes / 512) > bdev.sectors) {
      kernel.log.printk(`EXT2-fs: ${bdev.name}: the file system is larger than the device.\n`)
      fail(EINVAL)
    }
    const sb = new Ext2Super(
      type,
      kernel,
      bdev,
      source,
      geometry,
      flags & MS_RDONLY || bdev.readOnly ? flags | MS_RDONLY : flags,
    )
    sb.#errors = superblock.get('errors')
    sb.#options(data)
    const refusal = sb.#writeRefusal()
    yield* sb.#pin()
    try {
      if (refusal !== 0 && !(sb.flags & MS_RDONLY)) {
        kernel.log.printk(
          `EXT2-fs: ${bdev.name}: couldn't mount RDWR because of unsupported optional features (${refusal.toString(16)}).\n`,
        )
        fail(EINVAL)
      }
      sb.#checkDescriptors()
      sb.root = yield* iget(sb, EXT2_ROOT_INO)
      if (!sb.root.isDir) {
        kernel.log.printk('<3>EXT2-fs: corrupt root inode, run e2fsck\n')
        fail(EINVAL)
      }
    } catch (error) {
      sb.#unpin()
      throw error
    }
    bdev.mapping.group = sb
    sb.#mountState = sb.get('state')
    if (!(sb.flags & MS_RDONLY)) yield* sb.#setup()
    return sb
  }

  #options(data: string): void {
    for (const option of data.split(',')) {
      const errors = /^errors=(continue|remount-ro|panic)$/.exec(option)
      if (errors)
        this.#errors = errors[1] === 'panic' ? EXT2_ERRORS_PANIC : errors[1] === 'continue' ? 1 : EXT2_ERRORS_RO
      else if (!KNOWN_OPTIONS.test(option)) fail(EINVAL)
    }
  }

  get optionText(): string {
    return ''
  }

  get readOnly(): boolean {
    return (this.flags & MS_RDONLY) !== 0
  }

  // --- the super block and the descriptors, in their buffers ---

  /** Their pages stay. */
  *#pin(): Sleeping<void> {
    const { firstDataBlock, blockBytes, groups } = this.geometry
    const first = yield* this.bdev.pin(1, SUPERBLOCK_BYTES)
    this.#pinned.push(first)
    this.#superAt = first.va + SUPERBLOCK_OFFSET
    const perBlock = blockBytes / GROUP_DESC_BYTES
    for (let group = 0; group < groups; group += perBlock) {
      const block = firstDataBlock + 1 + group / perBlock
      this.#pinned.push(yield* this.bdev.pin(block, blockBytes))
      this.#descAt.push(this.bdev.peek(block, blockBytes)!)
    }
  }

  #unpin(): void {
    for (const page of this.#pinned) page.pins--
    this.#pinned.length = 0
  }

  get(field: SuperblockField): number {
    const [at, width] = SB[field]
    return width === 4 ? this.kernel.mem.read32(this.#superAt + at) : this.kernel.mem.read16(this.#superAt + at)
  }

  set(field: SuperblockField, value: number): void {
    const [at, width] = SB[field]
    if (width === 4) this.kernel.mem.write32(this.#superAt + at, value)
    else this.kernel.mem.write16(this.#superAt + at, value)
    this.bdev.bdirty(1, SUPERBLOCK_BYTES)
  }

  #desc(group: number): Vaddr {
    const perBlock = this.geometry.blockBytes / GROUP_DESC_BYTES
    return this.#descAt[Math.floor(group / perBlock)]! + (group % perBlock) * GROUP_DESC_BYTES
  }

  blockBitmap(group: number): number {
    return this.kernel.mem.read32(this.#desc(group))
  }
  inodeBitmap(group: number): number {
    return this.kernel.mem.read32(this.#desc(group) + 4)
  }
  inodeTable(group: number): number {
    return this.kernel.mem.read32(this.#desc(group) + 8)
  }
  freeBlocks(group: number): number {
    return this.kernel.mem.read16(this.#desc(group) + 12)
  }
  freeInodes(group: number): number {
    return this.kernel.mem.read16(this.#desc(group) + 14)
  }

  #add(group: number, at: number, by: number): void {
    const { mem } = this.kernel
    const va = this.#desc(group) + at
    mem.write16(va, (mem.read16(va) + by) & 0xffff)
    const { firstDataBlock, blockBytes } = this.geometry
    this.bdev.bdirty(firstDataBlock + 1 + Math.floor((group * GROUP_DESC_BYTES) / blockBytes), blockBytes)
  }

  countBlocks(group: number, by: number): void {
    this.#add(group, 12, by)
    this.set('free_blocks_count', this.get('free_blocks_count') + by)
  }

  countInodes(group: number, by: number, isDir: boolean): void {
    this.#add(group, 14, by)
    if (isDir) this.#add(group, 16, -by)
    this.set('free_inodes_count', this.get('free_inodes_count') + by)
  }

  get tableBlocks(): number {
    const { inodesPerGroup, inodeBytes, blockBytes } = this.geometry
    return Math.ceil((inodesPerGroup * inodeBytes) / blockBytes)
  }

  /** ext2_check_descriptors. */
  #checkDescriptors(): void {
    const { blocksPerGroup, firstDataBlock, blocks, groups } = this.geometry
    for (let group = 0; group < groups; group++) {
      const start = firstDataBlock + group * blocksPerGroup
      const end = Math.min(start + blocksPerGroup, blocks)
      const inside = (first: number, count: number): boolean => first >= start && first + count <= end
      const [what, block] = !inside(this.blockBitmap(group), 1)
        ? ['Block bitmap', this.blockBitmap(group)]
        : !inside(this.inodeBitmap(group), 1)
          ? ['Inode bitmap', this.inodeBitmap(group)]
          : !inside(this.inodeTable(group), this.tableBlocks)
            ? ['Inode table', this.inodeTable(group)]
            : ['', 0]
      if (what === '') continue
      this.kernel.log.printk(
        `<2>EXT2-fs error (device ${this.bdev.name}): ext2_check_descriptors: ${what} for group ${group} not in group (block ${block})!\n`,
      )
      this.kernel.log.printk('<3>EXT2-fs: group descriptors corrupted!\n')
      fail(EINVAL)
    }
  }

  /** Whether `block` holds superblocks, descriptors, bitmaps or inodes. */
  isMetadata(block: number): boolean {
    const { firstDataBlock, blocksPerGroup, blockBytes, groups } = this.geometry
    if (block <= firstDataBlock) return true
    const group = Math.floor((block - firstDataBlock) / blocksPerGroup)
    if (block === this.blockBitmap(group) || block === this.inodeBitmap(group)) return true
    const table = this.inodeTable(group)
    if (block >= table && block < table + this.tableBlocks) return true
    if (!groupHasSuper(group, (this.get('feature_ro_compat') & RO_COMPAT_SPARSE_SUPER) !== 0)) return false
    const descBlocks = Math.ceil((groups * GROUP_DESC_BYTES) / blockBytes)
    const reserved = this.kernel.mem.read16(this.#superAt + SB_RESERVED_GDT_BLOCKS)
    return block <= firstDataBlock + group * blocksPerGroup + descBlocks + reserved
  }

  /** Files of 2 GiB and more are announced. */
  noteLargeFile(): void {
    const features = this.get('feature_ro_compat')
    if ((features & RO_COMPAT_LARGE_FILE) === 0) this.set('feature_ro_compat', features | RO_COMPAT_LARGE_FILE)
  }

  // --- mounting for writing, and errors ---

  #writeRefusal(): number {
    const at = this.bdev.peek(1, SUPERBLOCK_BYTES)
    if (at === undefined) return 0
    const known = RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE
    return this.kernel.mem.read32(at + SB.feature_ro_compat[0]) & ~known
  }

  /** ext2_setup_super: what is wrong is said, and that it is in use. */
  *#setup(): Sleeping<void> {
    const { log, time } = this.kernel
    const most = this.get('max_mnt_count')
    const interval = this.get('checkinterval')
    const warn = (why: string): void => log.printk(`<4>EXT2-fs warning: ${why}, running e2fsck is recommended\n`)
    if (!(this.#mountState & EXT2_VALID_FS)) warn('mounting unchecked fs')
    else if (this.#mountState & EXT2_ERROR_FS) warn('mounting fs with errors')
    else if (most < 0x8000 && this.get('mnt_count') >= most) warn('maximal mount count reached')
    else if (interval !== 0 && this.get('lastcheck') + interval <= time.seconds()) warn('checktime reached')
    if (most === 0) this.set('max_mnt_count', DFL_MAX_MNT_COUNT)
    this.set('mnt_count', (this.get('mnt_count') + 1) & 0xffff)
    this.set('state', this.get('state') & ~EXT2_VALID_FS)
    this.set('mtime', time.seconds())
    yield* this.writeAll()
  }

  /** ext2_error: EIO, or worse, for the caller; and the next check is told. */
  error(where: string, why: string): never {
    const { log } = this.kernel
    log.printk(`<2>EXT2-fs error (device ${this.bdev.name}): ${where}: ${why}\n`)
    if (!this.readOnly) {
      this.#mountState |= EXT2_ERROR_FS
      this.set('state', this.get('state') | EXT2_ERROR_FS)
      if (this.#errors === EXT2_ERRORS_PANIC)
        this.kernel.panic(`EXT2-fs panic (device ${this.bdev.name}): ${where}: ${why}`)
      if (this.#errors === EXT2_ERRORS_RO) {
        log.printk('Remounting filesystem read-only\n')
        this.flags |= MS_RDONLY
      }
    }
    return fail(EIO)
  }

  /** What lib/ondisk/ext2 finds wrong with a block, in the kernel's words. */
  checked<T>(where: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof Ext2Error) this.error(where, error.message.replace(/^\w+: /, ''))
      throw error
    }
  }

  // --- writing back ---

  /** Contents, inodes, and what names and counts them, in an order that a check can repair wherever it is cut off; then FLUSH. */
  *writeAll(): Sleeping<void> {
    if (this.#gone) return
    const { cache } = this.kernel.vfs
    yield* this.#syncing.lock(this.kernel)
    try {
      cache.noteClean(this)
      for (const inode of [...this.inodes.values()])
        if (inode.mapping.dirty.size > 0) yield* cache.flushMapping(inode.mapping)
      const blocks = [...this.pendingBlocks]
      const inodes = [...this.pendingInodes]
      for (const inode of [...this.dirtyInodes]) yield* inode.store()
      const { mapping } = this.bdev
      if (mapping.dirty.size > 0) {
        if (!this.readOnly) this.set('wtime', this.kernel.time.seconds())
        const rank = new Map([...mapping.dirty].map((page) => [page, this.#rank(page)]))
        yield* cache.flush([...rank.keys()].sort((a, b) => rank.get(a)! - rank.get(b)! || a.index - b.index))
      }
      yield* this.bdev.flush()
      for (const block of blocks) this.pendingBlocks.delete(block)
      for (const ino of inodes) this.pendingInodes.delete(ino)
    } finally {
      this.#syncing.unlock()
    }
    if (!this.bdev.mapping.failed) return
    this.bdev.mapping.failed = false
    fail(EIO)
  }

  /** Directories and indirect blocks first, then bitmaps and counts, then inodes: nothing points at what was not yet written. */
  #rank(page: Page): number {
    const { blockBytes, firstDataBlock, blocksPerGroup } = this.geometry
    const block = Math.floor((page.index * 4096) / blockBytes)
    if (block <= firstDataBlock) return 1
    const group = Math.floor((block - firstDataBlock) / blocksPerGroup)
    const table = this.inodeTable(group)
    if (block + 4096 / blockBytes > table && block < table + this.tableBlocks) return 2
    return this.isMetadata(block) ? 1 : 0
  }

  *sync(): Sleeping<void> {
    if (this.dirtySinceNs === Number.POSITIVE_INFINITY && this.bdev.mapping.dirty.size === 0 && !this.#syncing.held)
      return
    yield* this.writeAll()
  }

  *#markClean(): Sleeping<void> {
    yield* this.writeAll()
    this.set('state', this.#mountState)
    this.set('mtime', this.kernel.time.seconds())
    yield* this.writeAll()
  }

  *remount(flags: number, data: string): Sleeping<void> {
    const { log } = this.kernel
    this.#options(data)
    if (flags & MS_RDONLY) {
      if (this.readOnly) return
      yield* this.#markClean()
      this.flags = flags
      return
    }
    if (!this.readOnly) {
      this.flags = flags
      return
    }
    if (this.bdev.readOnly) fail(EROFS)
    const refusal = this.#writeRefusal()
    if (refusal !== 0) {
      log.printk(
        `EXT2-fs: ${this.bdev.name}: couldn't remount RDWR because of unsupported optional features (${refusal.toString(16)}).\n`,
      )
      fail(EROFS)
    }
    // A check may have been at the device meanwhile.
    for (const inode of [...this.inodes.values()]) yield* inode.reload()
    this.#mountState = this.get('state')
    this.flags = flags
    yield* this.#setup()
  }

  *unmount(): Sleeping<void> {
    const { cache } = this.kernel.vfs
    if (!this.readOnly) yield* quietly(this.#markClean())
    this.#gone = true
    cache.noteClean(this)
    for (const inode of this.inodes.values()) yield* cache.truncate(inode.mapping, 0)
    this.inodes.clear()
    this.#unpin()
    this.bdev.mapping.group = this.bdev
    this.bdev.holder = undefined
    yield* this.bdev.put()
  }

  *statfs(): Sleeping<StatFs> {
    const { blocks, firstDataBlock, groups, blockBytes, inodes } = this.geometry
    const sparse = (this.get('feature_ro_compat') & RO_COMPAT_SPARSE_SUPER) !== 0
    const descBlocks = Math.ceil((groups * GROUP_DESC_BYTES) / blockBytes)
    let overhead = firstDataBlock + groups * (2 + this.tableBlocks)
    for (let group = 0; group < groups; group++) if (groupHasSuper(group, sparse)) overhead += 1 + descBlocks
    const free = this.get('free_blocks_count')
    return {
      type: STATFS_MAGIC,
      bsize: blockBytes,
      blocks: blocks - overhead,
      bfree: free,
      bavail: Math.max(0, free - this.get('r_blocks_count')),
      files: inodes,
      ffree: this.get('free_inodes_count'),
      namelen: 255,
    }
  }
}
