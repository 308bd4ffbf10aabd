/** The virtual file system put together: what other parts of the kernel call, and what is registered at boot. */
import { EINVAL, EISDIR } from '#abi/posix/errno.ts'
import { fail, quietly } from '../errno.ts'
import { ext2 } from '../fs/ext2/type.ts'
import { ramfs, tmpfs } from '../fs/tmpfs.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import { VfsCore } from './core.ts'
import type { File, FileTable, FsContext, Path } from './file.ts'
import { FdTable } from './file-table.ts'
import { closeFd, closeTable, openPath, putFile } from './files.ts'
import type { FileSystemType, Inode } from './inode.ts'
import { mount, mountRoot, mountsText, umount } from './mounts.ts'
import { OpenFile } from './open-file.ts'
import { checkPermission } from './permission.ts'
import { Place } from './place.ts'
import { Pipefs } from './special.ts'
import type { Mount, OpenDevice, Vfs } from './vfs.ts'
import { pathOf, walkTo } from './walk.ts'

class Context implements FsContext {
  #cwd: Path
  #root: Path
  umask: number

  constructor(cwd: Path, root: Path, umask: number) {
    this.#cwd = cwd
    this.#root = root
    this.umask = umask
  }

  get cwd(): Path {
    return this.#cwd
  }
  set cwd(path: Path) {
    this.#cwd = path
  }
  get root(): Path {
    return this.#root
  }
  set root(path: Path) {
    this.#root = path
  }
}

export class VirtualFileSystem implements Vfs {
  readonly core: VfsCore
  readonly pipefs: Pipefs

  constructor(kernel: Kernel) {
    this.core = new VfsCore(kernel)
    this.pipefs = new Pipefs(this.core)
  }

  get cache() {
    return this.core.cache
  }

  registerFileSystem(type: FileSystemType): void {
    if (!this.core.types.some(({ name }) => name === type.name)) this.core.types.push(type)
  }

  get fileSystems(): readonly FileSystemType[] {
    return this.core.types
  }

  registerCharDevice(major: number, name: string, open: OpenDevice): void {
    this.core.charDevices.set(major, { name, open })
  }

  unregisterCharDevice(major: number): void {
    this.core.charDevices.delete(major)
  }

  get charDevices() {
    return this.core.charDevices
  }

  get mounts(): readonly Mount[] {
    return this.core.mounts
  }

  mountRoot(source: string, types: readonly string[], flags: number): Sleeping<Mount> {
    return mountRoot(this.core, source, types, flags)
  }

  rootFsContext(): FsContext {
    const root = this.core.root ?? fail(EINVAL)
    return new Context(new Place(root, root.root), new Place(root, root.root), 0o22)
  }

  *mount(task: Task, source: string, target: string, type: string, flags: number, data: string): Sleeping<void> {
    this.core.inFlight++
    try {
      yield* mount(this.core, task, source, target, type, flags, data)
    } finally {
      this.core.inFlight--
    }
  }

  *umount(task: Task, target: string, flags: number): Sleeping<void> {
    this.core.inFlight++
    try {
      yield* umount(this.core, task, target, flags)
    } finally {
      this.core.inFlight--
    }
  }

  /** sync(2): every file system, then devices that are written as such. A disk that fails does not keep the others from it. */
  *syncAll(): Sleeping<void> {
    const { core } = this
    if (core.orphans.size > 0) yield* core.dropOrphans()
    for (const sb of new Set(core.mounts.map((each) => each.sb))) yield* quietly(sb.sync())
    yield* quietly(core.kernel.blocks.sync())
  }

  newFileTable(): FileTable {
    return new FdTable()
  }

  copyFileTable(table: FileTable): FileTable {
    return table instanceof FdTable ? table.copy() : new FdTable()
  }

  copyFsContext({ cwd, root, umask }: FsContext): FsContext {
    return new Context(cwd, root, umask)
  }

  *closeOnExec(table: FileTable): Sleeping<void> {
    if (!(table instanceof FdTable)) return
    for (const fd of [...table.cloexec]) yield* quietly(putFile(this.core, table.take(fd)))
  }

  *closeAll(table: FileTable): Sleeping<void> {
    if (table instanceof FdTable) yield* quietly(closeTable(this.core, table))
  }

  *walk(task: Task, path: string, follow: boolean): Sleeping<Path> {
    yield* this.core.bound()
    return yield* walkTo(this.core, task, path, follow)
  }

  open(task: Task, path: string, flags: number, mode: number): Sleeping<File> {
    return openPath(this.core, task, path, flags, mode)
  }

  install(task: Task, file: File, from: number, cloexec: boolean): number {
    return (task.files as FdTable).install(task, file as OpenFile, from, cloexec)
  }

  close(task: Task, fd: number): Sleeping<void> {
    return closeFd(this.core, task, fd)
  }

  holdFile(file: File): void {
    ;(file as OpenFile).users++
  }

  dropFile(file: File): Sleeping<void> {
    return putFile(this.core, file as OpenFile)
  }

  *readAll(inode: Inode): Sleeping<Uint8Array> {
    if (inode.isDir) fail(EISDIR)
    const { core } = this
    const place = core.root ? new Place(core.root, core.root.root) : undefined
    const file = new OpenFile(place!, inode, {}, 0)
    inode.opens++
    try {
      const ops = yield* inode.open(file)
      if (!ops.read) fail(EINVAL)
      const parts: Uint8Array[] = []
      let bytes = 0
      for (;;) {
        const part = yield* ops.read(file, Math.max(65536, inode.size - bytes), bytes)
        if (part.length === 0) break
        parts.push(part)
        bytes += part.length
      }
      if (parts.length === 1) return parts[0]!
      const out = new Uint8Array(bytes)
      let at = 0
      for (const part of parts) {
        out.set(part, at)
        at += part.length
      }
      return out
    } finally {
      inode.opens--
      if (inode.nlink === 0) yield* core.drop(inode)
    }
  }

  permission(_task: Task, inode: Inode, mask: number): void {
    checkPermission(_task.cred, inode, mask)
  }

  pathText(task: Task, path: Path): string {
    return path instanceof Place ? (pathOf(task, path) ?? path.name) : path.name
  }

  newAnonymousIno(): number {
    return this.core.anonymousIno()
  }

  mountsText(task: Task): string {
    return mountsText(this.core, task)
  }

  get openFiles(): number {
    return this.core.open.all.size
  }

  get fileMax(): number {
    return this.core.open.max
  }
  set fileMax(max: number) {
    this.core.open.max = max
  }
}

export function makeVfs(kernel: Kernel): Vfs {
  const vfs = new VirtualFileSystem(kernel)
  for (const type of [ext2(), tmpfs(vfs.core), ramfs(vfs.core)]) vfs.registerFileSystem(type)
  return vfs
}

export const vfsOf = (kernel: Kernel): VirtualFileSystem => kernel.vfs as VirtualFileSystem

function registerProc(kernel: Kernel): void {
  const { core } = vfsOf(kernel)
  kernel.proc.add('filesystems', {
    mode: 0o444,
    read: () => core.types.map(({ name, nodev }) => `${nodev ? 'nodev' : ''}\t${name}\n`).join(''),
  })
  kernel.proc.add('sys/fs/file-nr', { mode: 0o444, read: () => `${core.open.all.size}\t0\t${core.open.max}\n` })
  kernel.proc.add('sys/fs/file-max', {
    mode: 0o644,
    read: () => `${core.open.max}\n`,
    write(text) {
      if (!/^\s*\d{1,9}\s*$/.test(text)) fail(EINVAL)
      core.open.max = Number(text)
    },
  })
  let dropped = 0
  kernel.proc.add('sys/vm/drop_caches', {
    mode: 0o644,
    read: () => `${dropped}\n`,
    write(text) {
      const match = /^\s*(\d{1,9})/.exec(text)
      if (!match) fail(EINVAL)
      dropped = Number(match[1])
      if (dropped & 1) core.cache.dropClean()
      if (dropped & 2) core.forgetNames()
    },
  })
}

export const vfsInitcalls: readonly Initcall[] = [
  function* vfsInit(kernel) {
    registerProc(kernel)
    const { writeback } = vfsOf(kernel).core
    kernel.sched.kthread('pdflush', () => writeback.pdflush())
  },
]
