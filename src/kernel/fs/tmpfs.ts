/**
 * tmpfs and ramfs (Linux: mm/shmem.c, fs/ramfs): files whose only copy is their pages. tmpfs has a limit (`size=`, half of memory), ramfs has
 * none.
 */
import { EINVAL, ENOSPC, ENOTEMPTY } from '#abi/posix/errno.ts'
import { RAMFS_MAGIC, TMPFS_MAGIC } from '#abi/posix/mount.ts'
import { type Dirent, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, type StatFs } from '#abi/posix/stat.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { VfsCore } from '../vfs/core.ts'
import type { File, FileOps } from '../vfs/file.ts'
import { type FileHost, pageFileOps } from '../vfs/generic-file.ts'
import { type Attributes, type FileSystemType, Inode, type NewInode, type SuperBlock } from '../vfs/inode.ts'
import { Mapping, type Page, type PageStore } from '../vfs/page-cache.ts'

/** An inode's own memory (BOGO_INODE_SIZE), and a name's. */
const INODE_BYTES = 1024
const NAME_BYTES = 20

interface Limits {
  pages: number
  inodes: number
  mode: number
  uid: number
  gid: number
}

/** Options of a mount: size=, nr_blocks=, nr_inodes=, mode=, uid=, gid=. EINVAL for others, as the real ones are. */
function parse(data: string, limits: Limits, total: number): Limits {
  const out = { ...limits }
  for (const option of data.split(',')) {
    if (option === '') continue
    const equals = option.indexOf('=')
    const name = equals < 0 ? option : option.slice(0, equals)
    const text = equals < 0 ? '' : option.slice(equals + 1)
    if (name === 'size') out.pages = Math.ceil(sizeOf(text, total * PAGE_SIZE) / PAGE_SIZE)
    else if (name === 'nr_blocks') out.pages = sizeOf(text, 0)
    else if (name === 'nr_inodes') out.inodes = sizeOf(text, 0)
    else if (name === 'mode' && /^[0-7]+$/.test(text)) out.mode = Number.parseInt(text, 8) & 0o7777
    else if ((name === 'uid' || name === 'gid') && /^\d+$/.test(text)) out[name] = Number(text)
    else fail(EINVAL)
  }
  return out
}

/** memparse: a number with k, m or g; `50%` of `whole`. */
function sizeOf(text: string, whole: number): number {
  const match = /^(\d+)([kKmMgG%]?)$/.exec(text)
  if (!match) fail(EINVAL)
  const value = Number(match[1])
  if (match[2] === '%') return whole === 0 ? fail(EINVAL) : Math.floor((whole * value) / 100)
  return value * ({ k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]!.toLowerCase()] ?? 1)
}

class TmpSuper implements SuperBlock {
  readonly type: FileSystemType
  readonly vfs: VfsCore
  readonly dev: number
  readonly source: string
  readonly root: TmpInode
  readonly blockBytes = PAGE_SIZE
  readonly cacheNames = true
  flags: number
  limits: Limits
  pages = 0
  inodes = 0
  #nextIno = 1

  constructor(type: FileSystemType, vfs: VfsCore, source: string, flags: number, limits: Limits) {
    this.type = type
    this.vfs = vfs
    this.dev = vfs.anonymousDev()
    this.source = source
    this.flags = flags
    this.limits = limits
    this.root = this.newInode({ mode: S_IFDIR | limits.mode, uid: limits.uid, gid: limits.gid })
  }

  get optionText(): string {
    return ''
  }

  newInode(what: NewInode): TmpInode {
    if (this.inodes >= this.limits.inodes) fail(ENOSPC)
    this.vfs.kernel.pages.charge('slab', INODE_BYTES)
    this.inodes++
    const inode = new TmpInode(this, this.#nextIno++, what.mode)
    inode.uid = what.uid
    inode.gid = what.gid
    inode.rdev = what.rdev ?? 0
    inode.atime = inode.mtime = inode.ctime = this.vfs.kernel.time.seconds()
    if (inode.isDir) inode.nlink = 2
    return inode
  }

  takePage(): void {
    if (this.pages >= this.limits.pages) fail(ENOSPC)
    this.pages++
  }

  *statfs(): Sleeping<StatFs> {
    const limited = Number.isFinite(this.limits.pages)
    const blocks = limited ? this.limits.pages : 0
    const free = limited ? Math.max(0, blocks - this.pages) : 0
    const files = limited ? this.limits.inodes : 0
    return {
      type: limited ? TMPFS_MAGIC : RAMFS_MAGIC,
      bsize: PAGE_SIZE,
      blocks,
      bfree: free,
      bavail: free,
      files,
      ffree: limited ? Math.max(0, files - this.inodes) : 0,
      namelen: 255,
    }
  }

  *sync(): Sleeping<void> {}

  *remount(flags: number, data: string): Sleeping<void> {
    const limits = parse(data, this.limits, this.vfs.kernel.pages.total)
    if (limits.pages < this.pages || limits.inodes < this.inodes) fail(EINVAL)
    this.limits = limits
    this.flags = flags
  }

  *unmount(): Sleeping<void> {
    yield* this.root.discard()
  }
}

class TmpInode extends Inode implements PageStore, FileHost {
  readonly sb: TmpSuper
  readonly mapping: Mapping = new Mapping(this, 'cache')
  readonly children: Map<string, TmpInode> | undefined
  readonly disk = undefined
  readonly maxBytes = 2 ** 43
  target = ''
  #ops: FileOps | undefined
  /** Entries in the order of their making, for readdir: offset n is the n-th. */
  #order: { name: string; at: number }[] = []
  #nextAt = 2

  constructor(sb: TmpSuper, ino: number, mode: number) {
    super(ino, mode)
    this.sb = sb
    this.children = this.isDir ? new Map() : undefined
  }

  get inode(): Inode {
    return this
  }

  // --- contents ---

  *fill(pages: readonly Page[]): Sleeping<void> {
    const { pages: frames } = this.sb.vfs.kernel
    for (const page of pages) frames.zero(page.pfn)
  }

  sector(): number {
    return -1
  }

  isPrepared(page: Page): boolean {
    return page.blocks !== undefined
  }

  *prepare(page: Page): Sleeping<void> {
    if (this.isPrepared(page)) return
    this.sb.takePage()
    page.blocks = []
    this.blocks += PAGE_SIZE / 512
  }

  commit(): void {}

  accessed(): void {
    this.atime = this.sb.vfs.kernel.time.seconds()
  }

  modified(): void {
    this.version++
    this.mtime = this.ctime = this.sb.vfs.kernel.time.seconds()
  }

  *sync(): Sleeping<void> {}

  // --- names ---

  #touch(): void {
    this.mtime = this.ctime = this.sb.vfs.kernel.time.seconds()
  }

  #add(name: string, inode: TmpInode): void {
    this.children!.set(name, inode)
    this.#order.push({ name, at: this.#nextAt++ })
    this.size += NAME_BYTES
    this.#touch()
  }

  #remove(name: string): void {
    this.children!.delete(name)
    this.#order = this.#order.filter((entry) => entry.name !== name)
    this.size -= NAME_BYTES
    this.#touch()
  }

  override *lookup(name: string): Sleeping<Inode | undefined> {
    return this.children!.get(name)
  }

  override *create(name: string, what: NewInode): Sleeping<Inode> {
    const inode = this.sb.newInode(what)
    if (inode.isDir) this.nlink++
    this.#add(name, inode)
    return inode
  }

  override *symlink(name: string, target: string, what: NewInode): Sleeping<Inode> {
    const inode = this.sb.newInode(what)
    inode.target = target
    inode.size = target.length
    this.#add(name, inode)
    return inode
  }

  override *link(name: string, inode: Inode): Sleeping<void> {
    inode.nlink++
    inode.ctime = this.sb.vfs.kernel.time.seconds()
    this.#add(name, inode as TmpInode)
  }

  override *unlink(name: string, inode: Inode): Sleeping<void> {
    inode.nlink--
    inode.ctime = this.sb.vfs.kernel.time.seconds()
    this.#remove(name)
  }

  override *rmdir(name: string, inode: Inode): Sleeping<void> {
    if ((inode as TmpInode).children!.size > 0) fail(ENOTEMPTY)
    inode.nlink = 0
    this.nlink--
    this.#remove(name)
  }

  override *rename(name: string, inode: Inode, toDir: Inode, toName: string, replaced?: Inode): Sleeping<void> {
    const to = toDir as TmpInode
    if (replaced) {
      if (replaced.isDir) yield* to.rmdir(toName, replaced)
      else yield* to.unlink(toName, replaced)
    }
    this.#remove(name)
    to.#add(toName, inode as TmpInode)
    if (inode.isDir && to !== this) {
      this.nlink--
      to.nlink++
    }
    inode.ctime = this.sb.vfs.kernel.time.seconds()
  }

  // --- all kinds ---

  override *readlink(): Sleeping<string> {
    if ((this.mode & S_IFMT) !== S_IFLNK) fail(EINVAL)
    return this.target
  }

  override *setattr(changes: Attributes): Sleeping<void> {
    const { size } = changes
    if (size !== undefined && size < this.size) {
      const keep = Math.ceil(size / PAGE_SIZE)
      for (const page of this.mapping.pages.values())
        if (page.index >= keep && page.blocks) {
          this.sb.pages--
          this.blocks -= PAGE_SIZE / 512
        }
      const { cache, kernel } = this.sb.vfs
      yield* cache.truncate(this.mapping, keep)
      const last = size % PAGE_SIZE === 0 ? undefined : this.mapping.pages.get(keep - 1)
      if (last) kernel.mem.fill(last.va + (size % PAGE_SIZE), PAGE_SIZE - (size % PAGE_SIZE), 0)
    }
    Object.assign(this, changes)
  }

  override *open(_file: File): Sleeping<FileOps> {
    if (this.isDir) return { seekable: true, readdir: (file) => this.#readdir(file) }
    if ((this.mode & S_IFMT) !== S_IFREG) fail(EINVAL)
    const { cache, writeback } = this.sb.vfs
    this.#ops ??= pageFileOps(cache, writeback, this)
    return this.#ops
  }

  *#readdir(file: File): Sleeping<readonly Dirent[]> {
    const out: Dirent[] = []
    for (const { name, at } of this.#order) {
      if (at < file.offset) continue
      if (out.length === 64) break
      const inode = this.children!.get(name)!
      out.push({ ino: inode.ino, type: (inode.mode & S_IFMT) >> 12, name })
      file.offset = at + 1
    }
    return out
  }

  /** Its pages and its memory are given back, if no name is left. */
  override *evict(): Sleeping<void> {
    if (this.nlink > 0) return
    yield* this.#free()
  }

  *#free(): Sleeping<void> {
    for (const page of this.mapping.pages.values()) if (page.blocks) this.sb.pages--
    yield* this.sb.vfs.cache.truncate(this.mapping, 0)
    this.sb.inodes--
    this.sb.vfs.kernel.pages.uncharge('slab', INODE_BYTES)
  }

  /** The file system goes away with all that is in it. */
  *discard(): Sleeping<void> {
    for (const child of this.children?.values() ?? []) if (child.isDir || --child.nlink === 0) yield* child.discard()
    yield* this.#free()
  }
}

export function tmpfs(vfs: VfsCore): FileSystemType {
  const type: FileSystemType = {
    name: 'tmpfs',
    nodev: true,
    *mount(kernel: Kernel, source, flags, data) {
      const { total } = kernel.pages
      const half = Math.floor(total / 2)
      const limits = parse(data, { pages: half, inodes: half, mode: 0o1777, uid: 0, gid: 0 }, total)
      return new TmpSuper(type, vfs, source, flags, limits)
    },
  }
  return type
}

export function ramfs(vfs: VfsCore): FileSystemType {
  const type: FileSystemType = {
    name: 'ramfs',
    nodev: true,
    *mount(_kernel, source, flags) {
      const pages = Number.POSITIVE_INFINITY
      return new TmpSuper(type, vfs, source, flags, { pages, inodes: pages, mode: 0o755, uid: 0, gid: 0 })
    },
  }
  return type
}
