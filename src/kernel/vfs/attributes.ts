/** Attributes and sizes (Linux: fs/attr.c, fs/open.c, fs/stat.c). */
import { EACCES, EINVAL, EISDIR, EPERM, EROFS } from '#abi/posix/errno.ts'
import { W_OK } from '#abi/posix/fcntl.ts'
import { MS_RDONLY } from '#abi/posix/mount.ts'
import { S_IFBLK, S_IFCHR, S_IFMT, S_IFREG, S_ISGID, S_ISUID, type Stat } from '#abi/posix/stat.ts'
import { fail } from '../errno.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { VfsCore } from './core.ts'
import type { Attributes, Inode } from './inode.ts'
import { checkPermission, inGroup, isRoot, mustOwn } from './permission.ts'

export function statOf(inode: Inode): Stat {
  const { sb } = inode
  const type = inode.mode & S_IFMT
  return {
    dev: sb.dev,
    ino: inode.ino,
    mode: inode.mode,
    nlink: inode.nlink,
    uid: inode.uid,
    gid: inode.gid,
    rdev: type === S_IFCHR || type === S_IFBLK ? inode.rdev : 0,
    size: inode.size,
    blksize: sb.blockBytes,
    blocks: inode.blocks,
    atime: inode.atime,
    mtime: inode.mtime,
    ctime: inode.ctime,
  }
}

function* change(vfs: VfsCore, inode: Inode, changes: Attributes): Sleeping<void> {
  if (inode.sb.flags & MS_RDONLY) fail(EROFS)
  yield* inode.mutex.lock(vfs.kernel)
  try {
    yield* inode.setattr({ ctime: vfs.kernel.time.seconds(), ...changes })
  } finally {
    inode.mutex.unlock()
  }
}

export function* chmod(vfs: VfsCore, task: Task, inode: Inode, mode: number): Sleeping<void> {
  if (inode.sb.flags & MS_RDONLY) fail(EROFS)
  mustOwn(task, inode)
  const keeps = isRoot(task) || inGroup(task.cred, inode.gid)
  yield* change(vfs, inode, { mode: (inode.mode & S_IFMT) | (mode & 0o7777 & (keeps ? -1 : ~S_ISGID)) })
}

/** -1 leaves user or group as they are. */
export function* chown(vfs: VfsCore, task: Task, inode: Inode, uid: number, gid: number): Sleeping<void> {
  if (inode.sb.flags & MS_RDONLY) fail(EROFS)
  const { cred } = task
  if (cred.fsuid !== 0) {
    const owns = cred.fsuid === inode.uid
    if (uid !== -1 && !(owns && uid === inode.uid)) fail(EPERM)
    if (gid !== -1 && !(owns && (gid === inode.gid || inGroup(cred, gid)))) fail(EPERM)
  }
  let { mode } = inode
  if (!inode.isDir) {
    mode &= ~S_ISUID
    if ((mode & 0o2010) === 0o2010) mode &= ~S_ISGID
  }
  yield* change(vfs, inode, {
    ...(uid === -1 ? {} : { uid }),
    ...(gid === -1 ? {} : { gid }),
    ...(mode === inode.mode ? {} : { mode }),
  })
}

export function* utime(vfs: VfsCore, task: Task, inode: Inode, atime: number, mtime: number): Sleeping<void> {
  if (inode.sb.flags & MS_RDONLY) fail(EROFS)
  if (task.cred.fsuid !== 0 && task.cred.fsuid !== inode.uid) {
    // The present time may be set by whoever may write: utime(path, NULL).
    const now = vfs.kernel.time.seconds()
    if (atime !== mtime || Math.abs(now - atime) > 1) fail(EPERM)
    try {
      checkPermission(task.cred, inode, W_OK)
    } catch {
      fail(EACCES)
    }
  }
  yield* change(vfs, inode, { atime, mtime })
}

/** `inode` may be written: checked by the caller. */
export function* truncate(vfs: VfsCore, inode: Inode, size: number): Sleeping<void> {
  if (size < 0) fail(EINVAL)
  if (inode.isDir) fail(EISDIR)
  if ((inode.mode & S_IFMT) !== S_IFREG) fail(EINVAL)
  if (inode.sb.flags & MS_RDONLY) fail(EROFS)
  const now = vfs.kernel.time.seconds()
  yield* inode.mutex.lock(vfs.kernel)
  try {
    yield* inode.setattr({ size, mtime: now, ctime: now })
  } finally {
    inode.mutex.unlock()
  }
}
