/** Open files (Linux: fs.h, struct file; fs_struct; files_struct). */
import type { Dirent } from '#abi/posix/stat.ts'
import type { Vma } from '../mm/vma.ts'
import type { Sleeping, WaitQueue } from '../sched/wait.ts'
import type { Inode } from './inode.ts'
import type { Mount } from './vfs.ts'

/** A place in the tree: an inode, the mount it is seen through, and the name and parent by which it was reached. */
export interface Path {
  readonly mount: Mount
  readonly inode: Inode
  /** Undefined at the mount's root. */
  readonly parent: Path | undefined
  readonly name: string
}

/** What an open file can do. A missing row is EINVAL, ENOTTY for ioctl; poll without a row: always ready. */
export interface FileOps {
  /** At most `count` bytes at `offset`; none at the end. May answer fewer. */
  read?(file: File, count: number, offset: number): Sleeping<Uint8Array>
  /** The same for what is not seekable, if it need not sleep or fail: else undefined, and `read` is asked. */
  readNow?(file: File, count: number): Uint8Array | undefined
  /** The same of `write`; regular files may have it, too. */
  writeNow?(file: File, bytes: Uint8Array, offset: number): number | undefined
  /** Where to sleep until `readNow` has something, if `read` would do nothing else. */
  readWait?(file: File): WaitQueue | undefined
  /** How many were taken. For O_APPEND `offset` is the end already. */
  write?(file: File, bytes: Uint8Array, offset: number): Sleeping<number>
  /** Some entries from `file.offset` on, which it moves; without `.` and `..` unless the file system has them itself: see `dots`. */
  readdir?(file: File): Sleeping<readonly Dirent[]>
  /** The size for SEEK_END, or ESPIPE by `seekable: false`. */
  readonly seekable?: boolean
  /** The end for SEEK_END, where it is not the inode's size (block devices). */
  size?(file: File): number
  ioctl?(file: File, request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array>
  /** POLLIN and its like that hold now. */
  poll?(file: File): number
  /** Where to sleep until that may have changed. */
  pollQueues?(file: File): readonly WaitQueue[]
  fsync?(file: File): Sleeping<void>
  /** Fill the area, or be ready to (an ioctl). Without this row mmap is ENODEV. */
  mmap?(file: File, vma: Vma): Sleeping<void>
  /** The last descriptor is gone. */
  release?(file: File): Sleeping<void>
}

/** An open file description: what descriptors made by dup and fork share. */
export interface File {
  readonly path: Path
  readonly inode: Inode
  readonly ops: FileOps
  /** O_*; F_SETFL changes O_APPEND and O_NONBLOCK. */
  flags: number
  offset: number
  /** For whoever made `ops`. */
  data: unknown
}

/** A task's descriptors. */
export interface FileTable {
  get(fd: number): File | undefined
  /** In order of their numbers. */
  entries(): readonly (readonly [fd: number, file: File])[]
}

export interface FsContext {
  cwd: Path
  root: Path
  umask: number
}
