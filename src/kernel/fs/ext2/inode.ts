/** Inodes of ext2: attributes, the way to their blocks, contents in the page cache (Linux: fs/ext2/inode.c, namei.c, symlink.c). */
import { EFBIG, EINVAL, EIO, EMLINK, ENAMETOOLONG, ENOTEMPTY } from '#abi/posix/errno.ts'
import { major, makedev, minor, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import { type Gpfn, PAGE_SIZE } from '#abi/xen/types.ts'
import { Inode as DiskInode } from '#lib/ondisk/ext2/inode.ts'
import { blockPath, EXT2_LINK_MAX, FAST_SYMLINK_BYTES, fileBlocksMax } from '#lib/ondisk/ext2/layout.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { fail } from '../../errno.ts'
import type { Sleeping } from '../../sched/wait.ts'
import type { File, FileOps } from '../../vfs/file.ts'
import { type FileHost, pageFileOps } from '../../vfs/generic-file.ts'
import { type Attributes, Inode, type NewInode } from '../../vfs/inode.ts'
import { Mapping, PAGE_SECTORS, type Page, type PageStore } from '../../vfs/page-cache.ts'
import { vfsOf } from '../../vfs/vfs-of.ts'
import { allocBlock, allocInode, freeInode, inodePlace } from './alloc.ts'
import { addEntry, findEntry, isEmpty, makeEmpty, readdir, removeEntry, replaceEntry } from './directory.ts'
import type { Ext2Super } from './super.ts'
import { cutBlocks } from './truncate.ts'

/** i_size's bound: i_blocks counts sectors in 32 bits. */
const FILE_BYTES_MAX = 2 ** 41
const LARGE_FILE_BYTES = 2 ** 31
/** Inodes kept, beyond those in use. */
const INODES_MAX = 8192

export class Ext2Inode extends Inode implements PageStore, FileHost {
  readonly sb: Ext2Super
  raw: DiskInode
  readonly mapping: Mapping
  /** Where the last block was got: the next goes behind it. */
  #lastIndex = -2
  #lastBlock = 0
  #ops: FileOps | undefined
  /** A directory's first block that may have room. */
  roomFrom = 0
  /** Deleted, or forgotten: not to be stored any more. */
  #dead = false

  constructor(sb: Ext2Super, raw: DiskInode) {
    super(raw.number, raw.mode)
    this.sb = sb
    this.raw = raw
    this.mapping = new Mapping(this, 'cache', sb)
    this.#load()
  }

  override cachedFrames(): readonly Gpfn[] | undefined {
    return this.mapping.frames(this.size)
  }

  #load(): void {
    const { raw } = this
    this.mode = raw.mode
    this.uid = raw.uid
    this.gid = raw.gid
    this.nlink = raw.links
    this.size = raw.size
    this.atime = raw.atime
    this.mtime = raw.mtime
    this.ctime = raw.ctime
    this.blocks = raw.sectors
    const type = raw.mode & S_IFMT
    if (type === S_IFCHR || type === S_IFBLK) {
      const old = raw.block(0)
      this.rdev = old !== 0 ? makedev((old >> 8) & 0xff, old & 0xff) : raw.block(1)
    }
  }

  get inode(): Inode {
    return this
  }

  get disk() {
    return this.sb.bdev
  }

  get maxBytes(): number {
    return Math.min(FILE_BYTES_MAX, fileBlocksMax(this.sb.geometry.pointers) * this.sb.blockBytes)
  }

  // --- the inode itself ---

  markDirty(): void {
    if (this.#dead) return
    this.sb.dirtyInodes.add(this)
    this.sb.kernel.vfs.cache.noteDirty(this.sb)
  }

  /** Into its buffer. */
  *store(): Sleeping<void> {
    this.sb.dirtyInodes.delete(this)
    if (this.#dead) return
    const { block, at } = inodePlace(this.sb, this.ino)
    const { bdev, blockBytes, kernel } = this.sb
    const va = bdev.peek(block, blockBytes) ?? (yield* bdev.bread(block, blockBytes))
    const { raw } = this
    raw.mode = this.mode
    raw.uid = this.uid
    raw.gid = this.gid
    raw.links = this.nlink
    raw.size = this.size
    raw.atime = this.atime
    raw.mtime = this.mtime
    raw.ctime = this.ctime
    kernel.mem.copyIn(va + at, raw.bytes)
    bdev.bdirty(block, blockBytes)
  }

  /** A tool may have changed it on the device. */
  *reload(): Sleeping<void> {
    if (this.sb.dirtyInodes.has(this)) return
    this.raw = new DiskInode(this.ino, yield* rawBytes(this.sb, this.ino))
    this.#load()
    this.#lastIndex = -2
  }

  // --- the way to blocks ---

  /** A pointer as it was found; EIO for one that leads out of the file system. */
  pointer(block: number): number {
    const { firstDataBlock, blocks } = this.sb.geometry
    if (block !== 0 && (block <= firstDataBlock || block >= blocks))
      this.sb.error('ext2_get_block', `inode ${this.ino}: block ${block} does not exist`)
    return block
  }

  *#get(index: number, zeroed: boolean): Sleeping<number> {
    const { sb } = this
    const { firstDataBlock, blocksPerGroup, inodesPerGroup } = sb.geometry
    const home = firstDataBlock + Math.floor((this.ino - 1) / inodesPerGroup) * blocksPerGroup
    const near = index === this.#lastIndex + 1 || index === this.#lastIndex
    const block = yield* allocBlock(sb, near ? this.#lastBlock + 1 : home)
    this.#lastIndex = index
    this.#lastBlock = block
    this.raw.sectors += sb.blockBytes / 512
    this.blocks = this.raw.sectors
    if (zeroed) {
      yield* sb.bdev.bnew(block, sb.blockBytes)
      sb.bdev.bdirty(block, sb.blockBytes)
    }
    this.markDirty()
    return block
  }

  /**
   * The block that holds block `index` of the file; 0 for a hole, which `data` and `metadata` fill: with a block whose old contents are still
   * there, and with one that is a zeroed buffer.
   */
  *bmap(index: number, how: 'look' | 'data' | 'metadata'): Sleeping<number> {
    const { bdev, blockBytes, kernel, geometry } = this.sb
    const path = blockPath(index, geometry.pointers) ?? fail(EFBIG)
    const last = path.length - 1
    let block = this.pointer(this.raw.block(path[0]!))
    if (block === 0) {
      if (how === 'look') return 0
      block = yield* this.#get(index, last > 0 || how === 'metadata')
      this.raw.setBlock(path[0]!, block)
    }
    for (let depth = 1; depth <= last; depth++) {
      const slot = 4 * path[depth]!
      const va = bdev.peek(block, blockBytes) ?? (yield* bdev.bread(block, blockBytes))
      let next = this.pointer(kernel.mem.read32(va + slot))
      if (next === 0) {
        if (how === 'look') return 0
        next = yield* this.#get(index, depth < last || how === 'metadata')
        kernel.mem.write32((yield* bdev.bread(block, blockBytes)) + slot, next)
        bdev.bdirty(block, blockBytes)
      }
      block = next
    }
    if (index === this.#lastIndex + 1) {
      this.#lastIndex = index
      this.#lastBlock = block
    }
    return block
  }

  // --- contents ---

  *fill(pages: readonly Page[]): Sleeping<void> {
    const { sb } = this
    const { blockBytes, kernel } = sb
    const perPage = PAGE_SIZE / blockBytes
    const end = Math.ceil(this.size / blockBytes)
    let run: { block: number; count: number; vas: number[] } | undefined
    for (const page of pages) {
      const blocks: number[] = []
      for (let i = 0; i < perPage; i++) {
        const index = page.index * perPage + i
        const block = index < end ? yield* this.bmap(index, 'look') : 0
        blocks.push(block)
        const va = page.va + i * blockBytes
        if (block === 0) kernel.mem.fill(va, blockBytes, 0)
        else if (run && run.block + run.count === block) {
          run.count++
          run.vas.push(va)
        } else {
          if (run) yield* this.#readRun(run)
          run = { block, count: 1, vas: [va] }
        }
      }
      page.blocks = blocks
    }
    if (run) yield* this.#readRun(run)
  }

  *#readRun({ block, count, vas }: { block: number; count: number; vas: readonly number[] }): Sleeping<void> {
    const { blockBytes, kernel, bdev } = this.sb
    const per = blockBytes / 512
    const bytes = yield* bdev.readSectors(block * per, count * per)
    vas.forEach((va, i) => {
      kernel.mem.copyIn(va, bytes.subarray(i * blockBytes, (i + 1) * blockBytes))
    })
  }

  sector(page: Page, n: number): number {
    const { blockBytes } = this.sb
    const per = blockBytes / 512
    const block = page.blocks?.[Math.floor(n / per)] ?? 0
    return block <= 0 ? -1 : block * per + (n % per)
  }

  *prepare(page: Page, from: number, to: number): Sleeping<void> {
    const { blockBytes } = this.sb
    const perPage = PAGE_SIZE / blockBytes
    page.blocks ??= new Array<number>(perPage).fill(-1)
    for (let i = Math.floor(from / blockBytes); i * blockBytes < to; i++)
      if (page.blocks[i]! <= 0) page.blocks[i] = yield* this.bmap(page.index * perPage + i, 'data')
  }

  commit(page: Page, from: number, to: number): void {
    const per = this.sb.blockBytes / 512
    const first = Math.floor(from / 512 / per) * per
    const end = Math.min(PAGE_SECTORS, Math.ceil(to / 512 / per) * per)
    this.sb.kernel.vfs.cache.markDirty(page, (1 << end) - (1 << first))
  }

  accessed(): void {
    if (this.sb.readOnly) return
    const now = this.sb.kernel.time.seconds()
    if (this.atime === now) return
    this.atime = now
    this.markDirty()
  }

  modified(): void {
    this.mtime = this.ctime = this.sb.kernel.time.seconds()
    this.version++
    if (this.size >= LARGE_FILE_BYTES) this.sb.noteLargeFile()
    this.markDirty()
  }

  sync(): Sleeping<void> {
    return this.sb.sync()
  }

  override *open(_file: File): Sleeping<FileOps> {
    if (this.isDir) return { seekable: true, readdir: (file) => readdir(this, file), fsync: () => this.sb.sync() }
    if ((this.mode & S_IFMT) !== S_IFREG) fail(EINVAL)
    const { cache, writeback } = vfsOf(this.sb.kernel)
    this.#ops ??= pageFileOps(cache, writeback, this)
    return this.#ops
  }

  override *setattr(changes: Attributes): Sleeping<void> {
    const { size, ...others } = changes
    if (size !== undefined) yield* this.#truncate(size)
    Object.assign(this, others)
    this.markDirty()
  }

  *#truncate(size: number): Sleeping<void> {
    const { sb } = this
    if (size > this.maxBytes) fail(EFBIG)
    if (size < this.size) {
      const { cache } = sb.kernel.vfs
      const { blockBytes } = sb
      const keep = Math.ceil(size / blockBytes)
      const within = size % PAGE_SIZE
      // What is left of the last page is zeros, here and on the disk.
      if (within !== 0) {
        const page = yield* cache.read(this.mapping, Math.floor(size / PAGE_SIZE), 1)
        page.pins++
        yield* cache.wait(page)
        page.pins--
        sb.kernel.mem.fill(page.va + within, PAGE_SIZE - within, 0)
        page.blocks ??= new Array<number>(PAGE_SIZE / blockBytes).fill(-1)
        for (let i = 0; i < page.blocks.length; i++)
          if (page.index * (PAGE_SIZE / blockBytes) + i >= keep) {
            page.blocks[i] = 0
            const mask = ((1 << (blockBytes / 512)) - 1) << ((i * blockBytes) / 512)
            if ((page.dirty & ~mask) === 0) cache.clean(page)
            else page.dirty &= ~mask
          }
        if (size % blockBytes !== 0 && page.blocks[Math.floor(within / blockBytes)]! !== 0) {
          yield* this.#locate(page, Math.floor(within / blockBytes))
          if (page.blocks[Math.floor(within / blockBytes)]! > 0) this.commit(page, within, within + 1)
        }
      }
      this.size = size
      yield* cache.truncate(this.mapping, Math.ceil(size / PAGE_SIZE))
      yield* cutBlocks(this, keep)
      this.#lastIndex = -2
    } else this.size = size
    if (size >= LARGE_FILE_BYTES) sb.noteLargeFile()
    this.version++
    this.mtime = this.ctime = sb.kernel.time.seconds()
    this.markDirty()
  }

  *#locate(page: Page, i: number): Sleeping<void> {
    if (page.blocks![i] !== -1) return
    page.blocks![i] = yield* this.bmap(page.index * (PAGE_SIZE / this.sb.blockBytes) + i, 'look')
  }

  // --- names ---

  override *lookup(name: string): Sleeping<Inode | undefined> {
    const ino = yield* findEntry(this, name)
    return ino === undefined ? undefined : yield* iget(this.sb, ino)
  }

  /** A new inode without a name; `fill` gives it what it begins with. */
  *#make(name: string, what: NewInode, fill: (inode: Ext2Inode) => Sleeping<void>): Sleeping<Ext2Inode> {
    const { sb } = this
    const isDir = (what.mode & S_IFMT) === S_IFDIR
    const ino = yield* allocInode(sb, this.ino, isDir)
    const raw = new DiskInode(ino, new Uint8Array(sb.geometry.inodeBytes))
    raw.mode = what.mode
    raw.generation = (new DiskInode(ino, yield* rawBytes(sb, ino)).generation + 1) >>> 0
    const inode = new Ext2Inode(sb, raw)
    inode.uid = what.uid
    inode.gid = what.gid
    inode.nlink = isDir ? 2 : 1
    inode.atime = inode.mtime = inode.ctime = sb.kernel.time.seconds()
    sb.inodes.set(ino, inode)
    try {
      yield* fill(inode)
      inode.markDirty()
      yield* addEntry(this, name, ino, what.mode)
    } catch (error) {
      inode.nlink = 0
      yield* inode.evict()
      throw error
    }
    return inode
  }

  override *create(name: string, what: NewInode): Sleeping<Inode> {
    const type = what.mode & S_IFMT
    if (type === S_IFDIR && this.nlink >= EXT2_LINK_MAX) fail(EMLINK)
    const parent = this.ino
    const inode = yield* this.#make(name, what, function* (made) {
      if (type === S_IFDIR) yield* makeEmpty(made, parent)
      else if (type === S_IFCHR || type === S_IFBLK) {
        const dev = what.rdev ?? 0
        made.rdev = dev
        // Small numbers in the old form of 16 bits, others in the second pointer.
        if (major(dev) < 256 && minor(dev) < 256) made.raw.setBlock(0, (major(dev) << 8) | minor(dev))
        else made.raw.setBlock(1, dev >>> 0)
      }
    })
    if (type === S_IFDIR) {
      this.nlink++
      this.markDirty()
    }
    return inode
  }

  override *symlink(name: string, target: string, what: NewInode): Sleeping<Inode> {
    const { sb } = this
    if (target.length >= sb.blockBytes) fail(ENAMETOOLONG)
    const bytes = bytesOfString(target)
    return yield* this.#make(name, what, function* (made) {
      made.size = bytes.length
      if (bytes.length < FAST_SYMLINK_BYTES) {
        made.raw.blockBytes.set(bytes)
        return
      }
      const block = yield* made.bmap(0, 'metadata')
      sb.kernel.mem.copyIn(yield* sb.bdev.bread(block, sb.blockBytes), bytes)
      sb.bdev.bdirty(block, sb.blockBytes)
    })
  }

  get isFastSymlink(): boolean {
    if ((this.mode & S_IFMT) !== S_IFLNK) return false
    return this.raw.sectors - (this.raw.fileAcl === 0 ? 0 : this.sb.blockBytes / 512) <= 0
  }

  override *readlink(): Sleeping<string> {
    if ((this.mode & S_IFMT) !== S_IFLNK) fail(EINVAL)
    const { sb } = this
    if (this.isFastSymlink) return byteString(this.raw.blockBytes.subarray(0, Math.min(this.size, FAST_SYMLINK_BYTES)))
    const block = yield* this.bmap(0, 'look')
    if (block === 0 || this.size >= sb.blockBytes) fail(EIO)
    return byteString(sb.kernel.mem.copyOut(yield* sb.bdev.bread(block, sb.blockBytes), this.size))
  }

  override *link(name: string, inode: Inode): Sleeping<void> {
    if (inode.nlink >= EXT2_LINK_MAX) fail(EMLINK)
    const target = inode as Ext2Inode
    yield* addEntry(this, name, inode.ino, inode.mode)
    target.nlink++
    target.#stamp()
  }

  #stamp(): void {
    this.ctime = this.sb.kernel.time.seconds()
    this.markDirty()
  }

  override *unlink(name: string, inode: Inode): Sleeping<void> {
    yield* removeEntry(this, name)
    const target = inode as Ext2Inode
    target.nlink = Math.max(0, target.nlink - 1)
    target.#stamp()
  }

  override *rmdir(name: string, inode: Inode): Sleeping<void> {
    const target = inode as Ext2Inode
    if (!(yield* isEmpty(target))) fail(ENOTEMPTY)
    yield* removeEntry(this, name)
    target.nlink = 0
    target.size = 0
    target.#stamp()
    this.nlink = Math.max(0, this.nlink - 1)
    this.markDirty()
  }

  override *rename(name: string, inode: Inode, toDir: Inode, toName: string, replaced?: Inode): Sleeping<void> {
    const moved = inode as Ext2Inode
    const to = toDir as Ext2Inode
    const victim = replaced as Ext2Inode | undefined
    if (victim?.isDir && !(yield* isEmpty(victim))) fail(ENOTEMPTY)
    if (moved.isDir && to !== this && !victim && to.nlink >= EXT2_LINK_MAX) fail(EMLINK)
    if (victim) yield* replaceEntry(to, toName, moved.ino, moved.mode)
    else yield* addEntry(to, toName, moved.ino, moved.mode)
    yield* removeEntry(this, name)
    if (moved.isDir && to !== this) {
      yield* replaceEntry(moved, '..', to.ino, to.mode)
      this.nlink = Math.max(0, this.nlink - 1)
      to.nlink++
    }
    if (victim) {
      if (victim.isDir) {
        victim.nlink = 0
        victim.size = 0
        to.nlink = Math.max(0, to.nlink - 1)
      } else victim.nlink = Math.max(0, victim.nlink - 1)
      victim.#stamp()
    }
    moved.#stamp()
    this.markDirty()
    to.markDirty()
  }

  // --- the end ---

  override *evict(): Sleeping<void> {
    const { sb } = this
    if (this.#dead) return
    if (this.nlink > 0) {
      if (this.mapping.pages.size > 0) return
      if (sb.dirtyInodes.has(this)) yield* this.store()
      if (this.names > 0 || this.opens > 0 || sb.dirtyInodes.has(this)) return
      this.#dead = true
      sb.inodes.delete(this.ino)
      return
    }
    if (sb.readOnly) return
    this.#dead = true
    const { isDir } = this
    const type = this.mode & S_IFMT
    yield* sb.kernel.vfs.cache.truncate(this.mapping, 0)
    this.#dead = false
    this.raw.dtime = sb.kernel.time.seconds()
    if (type === S_IFREG || isDir || (type === S_IFLNK && !this.isFastSymlink)) yield* cutBlocks(this, 0)
    this.size = 0
    yield* this.store()
    this.#dead = true
    sb.dirtyInodes.delete(this)
    sb.inodes.delete(this.ino)
    yield* freeInode(sb, this.ino, isDir)
  }
}

function* rawBytes(sb: Ext2Super, ino: number): Sleeping<Uint8Array> {
  const { block, at } = inodePlace(sb, ino)
  const va = sb.bdev.peek(block, sb.blockBytes) ?? (yield* sb.bdev.bread(block, sb.blockBytes))
  return sb.kernel.mem.copyOut(va + at, sb.geometry.inodeBytes)
}

/** The inode of that number, the same object for all. */
export function* iget(sb: Ext2Super, ino: number): Sleeping<Ext2Inode> {
  const known = sb.inodes.get(ino)
  if (known) return known
  if (ino < 1 || ino > sb.geometry.inodes) sb.error('ext2_get_inode', `bad inode number: ${ino}`)
  const raw = new DiskInode(ino, yield* rawBytes(sb, ino))
  const other = sb.inodes.get(ino)
  if (other) return other
  // A name that outlived its inode: a power cut's work.
  if (raw.links === 0 && (raw.mode === 0 || raw.dtime !== 0)) fail(EIO)
  const inode = new Ext2Inode(sb, raw)
  sb.inodes.set(ino, inode)
  if (sb.inodes.size > INODES_MAX) forgetIdle(sb)
  return inode
}

function forgetIdle(sb: Ext2Super): void {
  for (const [ino, inode] of sb.inodes)
    if (inode.names === 0 && inode.opens === 0 && inode.nlink > 0 && inode.mapping.pages.size === 0)
      if (inode !== sb.root && !sb.dirtyInodes.has(inode) && !inode.mutex.held) sb.inodes.delete(ino)
}
