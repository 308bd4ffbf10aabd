/** The state of the virtual file system, which its parts share. */
import { ENOENT } from '#abi/posix/errno.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { Path as FilePath } from './file.ts'
import type { FileSystemType, Inode } from './inode.ts'
import { Mutex } from './mutex.ts'
import { OpenFiles } from './open-file.ts'
import { PageCache } from './page-cache.ts'
import { Dentry, MountedAt, Place } from './place.ts'
import type { OpenDevice } from './vfs.ts'
import { Writeback } from './writeback.ts'

/** Names remembered at most; reclaim takes more of them away. */
const DENTRIES_MAX = 4096

export class VfsCore {
  readonly kernel: Kernel
  readonly cache: PageCache
  readonly writeback: Writeback
  readonly open: OpenFiles
  readonly types: FileSystemType[] = []
  readonly mounts: MountedAt[] = []
  readonly charDevices = new Map<number, { readonly name: string; readonly open: OpenDevice }>()
  /** s_vfs_rename_mutex: one rename at a time. */
  readonly renameMutex = new Mutex()
  /** Removed inodes that some task still has as its directory. */
  readonly orphans = new Set<Inode>()
  /** Dentries that children maps hold. */
  dentries = 0
  /** Path walks and what follows them under way: they hold dentries that nobody counts. */
  inFlight = 0
  #nextAnonymous = 1
  #forget = false
  #nextAnonymousDev = 1

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.cache = new PageCache(kernel)
    this.writeback = new Writeback(kernel, this.cache)
    // files_init: a tenth of memory, at about a KiB for each.
    this.open = new OpenFiles(Math.max(1024, Math.floor((kernel.pages.total * 4) / 10)))
    kernel.pages.addShrinker({ name: 'dentries', shrink: (wanted) => this.#shrink(wanted) })
  }

  get root(): MountedAt | undefined {
    return this.mounts[0]
  }

  anonymousIno(): number {
    return this.#nextAnonymous++
  }

  /** st_dev of a file system without a device: major 0. */
  anonymousDev(): number {
    return this.#nextAnonymousDev++
  }

  // --- dentries ---

  addChild(dir: Dentry, name: string, inode: Inode | undefined): Dentry {
    const old = dir.children?.get(name)
    if (old) this.unlinkDentry(old)
    const dentry = new Dentry(dir.sb, dir, name, inode)
    dir.children ??= new Map()
    dir.children.set(name, dentry)
    this.dentries++
    return dentry
  }

  /** The name is no more; who holds the dentry still has its inode. */
  unlinkDentry(dentry: Dentry): void {
    if (dentry.gone) return
    dentry.gone = true
    if (dentry.inode) dentry.inode.names--
    if (dentry.parent?.children?.get(dentry.name) === dentry) {
      dentry.parent.children.delete(dentry.name)
      this.dentries--
    }
  }

  moveDentry(dentry: Dentry, dir: Dentry, name: string): void {
    const replaced = dir.children?.get(name)
    if (replaced && replaced !== dentry) this.unlinkDentry(replaced)
    dentry.parent?.children?.delete(dentry.name)
    dentry.parent = dir
    dentry.name = name
    dir.children ??= new Map()
    dir.children.set(name, dentry)
  }

  /** Every dentry that somebody stands on or looks through. */
  #used(): Set<Dentry> {
    const used = new Set<Dentry>()
    const mark = (from: Dentry | undefined): void => {
      for (let dentry = from; dentry && !used.has(dentry); dentry = dentry.parent) used.add(dentry)
    }
    for (const file of this.open.all) mark(file.path.dentry)
    for (const { fs } of this.kernel.sched.tasks) {
      mark((fs.cwd as Place | undefined)?.dentry)
      mark((fs.root as Place | undefined)?.dentry)
    }
    for (const mount of this.mounts) {
      mark(mount.root)
      mark(mount.at?.dentry)
    }
    return used
  }

  /** Forget names that nobody uses: those not looked at since the last time, or all. And the inodes that no name shows then. */
  *prune(all: boolean): Sleeping<number> {
    const used = this.#used()
    const idle: Inode[] = []
    let dropped = 0
    const sweep = (dir: Dentry): void => {
      if (!dir.children) return
      for (const child of [...dir.children.values()]) {
        sweep(child)
        if (used.has(child) || (child.children && child.children.size > 0)) continue
        if (child.referenced && !all) {
          child.referenced = false
          continue
        }
        this.unlinkDentry(child)
        dropped++
        if (child.inode && child.inode.names === 0 && child.inode.opens === 0) idle.push(child.inode)
      }
    }
    for (const mount of this.mounts) sweep(mount.root)
    for (const inode of idle) if (inode.names === 0 && inode.opens === 0) yield* inode.evict()
    return dropped
  }

  /** Before the next walk. */
  forgetNames(): void {
    this.#forget = true
  }

  *#shrink(_wanted: number): Sleeping<number> {
    if (this.inFlight === 0 && this.dentries > 0) yield* this.prune(true)
    return 0
  }

  /** Before a walk: keep the number of names within bounds. */
  *bound(): Sleeping<void> {
    if (this.#forget && this.inFlight === 0) {
      this.#forget = false
      yield* this.prune(true)
    }
    if (this.dentries <= DENTRIES_MAX || this.inFlight > 0) return
    yield* this.prune(false)
    if (this.dentries > DENTRIES_MAX) yield* this.prune(true)
  }

  // --- inodes that lost their last name ---

  /** A name or an open file of `inode` is gone: with the last of both it is deleted. */
  *drop(inode: Inode): Sleeping<void> {
    if (inode.nlink > 0 || inode.opens > 0 || inode.names > 0) return
    if (inode.isDir && this.isSomebodysDirectory(inode)) {
      this.orphans.add(inode)
      return
    }
    yield* inode.evict()
  }

  isSomebodysDirectory(inode: Inode): boolean {
    return this.kernel.sched.tasks.some(
      ({ fs }) => (fs.cwd as Path | undefined)?.inode === inode || (fs.root as Path | undefined)?.inode === inode,
    )
  }

  /** Tasks have gone or moved: delete what waited for that. */
  *dropOrphans(): Sleeping<void> {
    for (const inode of [...this.orphans]) {
      if (inode.opens > 0 || this.isSomebodysDirectory(inode)) continue
      if (this.orphans.delete(inode)) yield* inode.evict()
    }
  }
}

type Path = { readonly inode: Inode }

/** A path as a place. A mount's root may have been written down by hand. */
export function placeOf(path: FilePath): Place | undefined {
  if (path instanceof Place) return path
  return path.mount instanceof MountedAt ? new Place(path.mount, path.mount.root) : undefined
}

/** The place that a task stands on. Before the root is mounted there is none. */
export const cwdOf = ({ fs }: Task): Place => placeOf(fs.cwd) ?? fail(ENOENT)
export const rootOf = ({ fs }: Task): Place => placeOf(fs.root) ?? fail(ENOENT)
