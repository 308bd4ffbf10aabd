/** Who may do what with an inode (Linux: fs/namei.c, generic_permission and may_delete). */
import { EACCES, EPERM, EROFS } from '#abi/posix/errno.ts'
import { W_OK, X_OK } from '#abi/posix/fcntl.ts'
import { MS_RDONLY } from '#abi/posix/mount.ts'
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISVTX } from '#abi/posix/stat.ts'
import { fail } from '../errno.ts'
import type { Credentials, Task } from '../sched/task.ts'
import type { Inode } from './inode.ts'

export const inGroup = (cred: Credentials, gid: number): boolean => cred.fsgid === gid || cred.groups.includes(gid)

/** capable(): root is what there is of capabilities. */
export const isRoot = (task: Task): boolean => task.cred.fsuid === 0

/** Bits of R_OK, W_OK, X_OK that the mode grants. */
function granted(cred: Credentials, inode: Inode): number {
  if (cred.fsuid === inode.uid) return (inode.mode >> 6) & 7
  return inGroup(cred, inode.gid) ? (inode.mode >> 3) & 7 : inode.mode & 7
}

export function checkPermission(cred: Credentials, inode: Inode, mask: number): void {
  if (mask & W_OK && inode.sb.flags & MS_RDONLY) {
    const type = inode.mode & S_IFMT
    if (type === S_IFREG || type === S_IFDIR || type === S_IFLNK) fail(EROFS)
  }
  if ((granted(cred, inode) & mask) === mask) return
  // Root may all, but run only what somebody may run.
  if (cred.fsuid === 0 && (!(mask & X_OK) || inode.isDir || (inode.mode & 0o111) !== 0)) return
  fail(EACCES)
}

/** Removing or renaming `inode`'s name in `dir`. */
export function mayDelete(task: Task, dir: Inode, inode: Inode): void {
  checkPermission(task.cred, dir, W_OK | X_OK)
  const { fsuid } = task.cred
  if (dir.mode & S_ISVTX && fsuid !== 0 && fsuid !== inode.uid && fsuid !== dir.uid) fail(EPERM)
}

/** What only its owner and root may do. */
export function mustOwn(task: Task, inode: Inode): void {
  if (task.cred.fsuid !== 0 && task.cred.fsuid !== inode.uid) fail(EPERM)
}
