/**
 * Inodes and mounted file systems (Linux: fs.h). A file system derives its inodes from `Inode` and overrides what it can do; what it
 * cannot fails as the real one does. Names are byte strings.
 */
import { EINVAL, ENOTDIR, EPERM } from '#abi/posix/errno.ts'
import { S_IFDIR, S_IFMT, type StatFs } from '#abi/posix/stat.ts'
import type { Gpfn } from '#abi/xen/types.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { UnixSocket } from '../net/unix-socket.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { File, FileOps, Path } from './file.ts'
import type { FlockList } from './flock.ts'
import { Mutex } from './mutex.ts'
import type { Pipe } from './pipe.ts'

export interface NewInode {
  /** With its S_IFMT. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly rdev?: number
}

/** What chmod, chown, truncate and utime change. */
export interface Attributes {
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly size?: number
  readonly atime?: number
  readonly mtime?: number
  readonly ctime?: number
}

export abstract class Inode {
  abstract readonly sb: SuperBlock
  readonly ino: number
  /** With its S_IFMT. */
  mode: number
  uid = 0
  gid = 0
  nlink = 1
  size = 0
  rdev = 0
  /** Seconds since 1970. */
  atime = 0
  mtime = 0
  ctime = 0
  /** Of 512 bytes. */
  blocks = 0

  // --- The VFS's own. ---

  /** i_mutex: one change of names or contents at a time. */
  readonly mutex = new Mutex()
  /** Open files. */
  opens = 0
  /** Dentries that show it. */
  names = 0
  /** A FIFO's, while somebody has it open. */
  pipe: Pipe | undefined
  /** A socket's: who is bound to it. */
  socket: UnixSocket | undefined
  /** Counts changes of the contents. */
  version = 0
  flocks: FlockList | undefined

  constructor(ino: number, mode: number) {
    this.ino = ino
    this.mode = mode
  }

  get isDir(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR
  }

  /** The frames of the whole contents, where they are all in the page cache. */
  cachedFrames(): readonly Gpfn[] | undefined {
    return undefined
  }

  // --- Directories. The VFS has checked permissions, that names exist or do not, and that both are of one mount. ---

  /** `.` and `..` are the VFS's own affair. */
  *lookup(_name: string): Sleeping<Inode | undefined> {
    return fail(ENOTDIR)
  }
  /** Any kind of inode but symbolic links. */
  *create(_name: string, _what: NewInode): Sleeping<Inode> {
    return fail(EPERM)
  }
  *symlink(_name: string, _target: string, _what: NewInode): Sleeping<Inode> {
    return fail(EPERM)
  }
  *link(_name: string, _inode: Inode): Sleeping<void> {
    fail(EPERM)
  }
  *unlink(_name: string, _inode: Inode): Sleeping<void> {
    fail(EPERM)
  }
  /** ENOTEMPTY is the file system's to find. */
  *rmdir(_name: string, _inode: Inode): Sleeping<void> {
    fail(EPERM)
  }
  /** `replaced` is what `toName` names until now. */
  *rename(_name: string, _inode: Inode, _toDir: Inode, _toName: string, _replaced: Inode | undefined): Sleeping<void> {
    fail(EPERM)
  }

  // --- All kinds ---

  *readlink(): Sleeping<string> {
    return fail(EINVAL)
  }
  /** Where a magic link of /proc (`/proc/self/fd/0`, `exe`, `cwd`) leads, whatever `readlink` tells. Undefined for other links. */
  *jump(): Sleeping<Path | undefined> {
    return undefined
  }
  /** Change attributes; a new `size` truncates or extends. */
  *setattr(_changes: Attributes): Sleeping<void> {
    fail(EPERM)
  }
  /** Operations for a new open file. Devices, FIFOs and sockets are opened by the VFS itself, whatever file system names them. */
  *open(_file: File): Sleeping<FileOps> {
    return fail(EINVAL)
  }
  /** Nobody uses it any more, and no name is left or memory is wanted. */
  *evict(): Sleeping<void> {}
}

export interface SuperBlock {
  readonly type: FileSystemType
  /** st_dev. */
  readonly dev: number
  /** As /proc/mounts shows it: `/dev/hda1`, `proc`. */
  readonly source: string
  readonly root: Inode
  /** MS_*. */
  flags: number
  readonly blockBytes: number
  /** Mount options that are not flags, for /proc/mounts: `,size=1024k`. */
  readonly optionText: string
  /** Names change only through the VFS, so that it may remember them. Default: what has a disk does so, `nodev` does not. */
  readonly cacheNames?: boolean
  statfs(): Sleeping<StatFs>
  /** Everything that was written is on the disk's platter when it returns. */
  sync(): Sleeping<void>
  remount(flags: number, data: string): Sleeping<void>
  /** The last mount is gone; nothing of it is open. */
  unmount(): Sleeping<void>
}

export interface FileSystemType {
  readonly name: string
  /** No block device under it: `nodev` in /proc/filesystems. */
  readonly nodev: boolean
  /** `source` is what mount(2) was given. Fails with EINVAL where no such file system is on it. */
  mount(kernel: Kernel, source: string, flags: number, data: string): Sleeping<SuperBlock>
}
