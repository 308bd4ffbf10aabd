/** The virtual file system as the rest of the kernel uses it. */
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { File, FileOps, FileTable, FsContext, Path } from './file.ts'
import type { FileSystemType, Inode, SuperBlock } from './inode.ts'
import type { PageCache } from './page-cache.ts'

/** A file system in its place. */
export interface Mount {
  readonly sb: SuperBlock
  /** Where it is mounted; undefined for the root. */
  readonly at: Path | undefined
  /** MS_NOSUID and its like; read-only is the super block's as well. */
  flags: number
}

/** A character driver's open: called for each open of a device with its major number. */
export type OpenDevice = (file: { readonly inode: Inode; readonly flags: number }, task: Task) => Sleeping<FileOps>

export interface Vfs {
  /** File contents and buffers in frames. */
  readonly cache: PageCache
  registerFileSystem(type: FileSystemType): void
  readonly fileSystems: readonly FileSystemType[]
  /** `name` as in /proc/devices. */
  registerCharDevice(major: number, name: string, open: OpenDevice): void
  unregisterCharDevice(major: number): void
  readonly charDevices: ReadonlyMap<number, { readonly name: string; readonly open: OpenDevice }>
  readonly mounts: readonly Mount[]
  /** The root file system: what the kernel mounts before init runs. Fails like mount(2). */
  mountRoot(source: string, types: readonly string[], flags: number): Sleeping<Mount>
  /** Standing on the root: for init, once that is mounted. */
  rootFsContext(): FsContext
  mount(task: Task, source: string, target: string, type: string, flags: number, data: string): Sleeping<void>
  umount(task: Task, target: string, flags: number): Sleeping<void>
  syncAll(): Sleeping<void>
  /** An empty table. */
  newFileTable(): FileTable
  /** For fork. */
  copyFileTable(table: FileTable): FileTable
  copyFsContext(fs: FsContext): FsContext
  /** For execve: what is FD_CLOEXEC. And for exit: everything. */
  closeOnExec(table: FileTable): Sleeping<void>
  closeAll(table: FileTable): Sleeping<void>
  /** Walk `path` for `task`. Fails as stat(2) does. `follow`: a symbolic link at the end too. */
  walk(task: Task, path: string, follow: boolean): Sleeping<Path>
  /** open(2) without a descriptor. */
  open(task: Task, path: string, flags: number, mode: number): Sleeping<File>
  /** A descriptor for `file`, the lowest from `from` on. EMFILE by the task's limit. */
  install(task: Task, file: File, from: number, cloexec: boolean): number
  close(task: Task, fd: number): Sleeping<void>
  /** Keep an open file beyond its descriptors (a loop device's), and let go of it. */
  holdFile(file: File): void
  dropFile(file: File): Sleeping<void>
  /** Read it whole; for exec and the kernel's own use. */
  readAll(inode: Inode): Sleeping<Uint8Array>
  /** EACCES unless `task` may (R_OK, W_OK, X_OK by its fsuid). */
  permission(task: Task, inode: Inode, mask: number): void
  /** The absolute path within `task`'s root. ` (deleted)` is not added. */
  pathText(task: Task, path: Path): string
  /** Inode number → a stable number for an anonymous inode (pipes). */
  newAnonymousIno(): number
  /** /proc/mounts for a task: what it can see of the tree. */
  mountsText(task: Task): string
  /** Open files there are, and how many there may be: /proc/sys/fs/file-nr. */
  readonly openFiles: number
  fileMax: number
}
