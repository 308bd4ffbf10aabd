/** Making, removing and renaming names (Linux: fs/namei.c). */
import { EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EROFS, EXDEV } from '#abi/posix/errno.ts'
import { W_OK, X_OK } from '#abi/posix/fcntl.ts'
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID } from '#abi/posix/stat.ts'
import { fail } from '../errno.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { VfsCore } from './core.ts'
import type { Inode, NewInode } from './inode.ts'
import { checkPermission, isRoot, mayDelete } from './permission.ts'
import type { Dentry } from './place.ts'
import { lookupLocked, type Walk, walkTo, walkToParent } from './walk.ts'

/** Owner and group of a new inode: a set-group-id directory passes its group on, and itself to directories. */
export function newInode(task: Task, dir: Inode, mode: number, rdev = 0): NewInode {
  const inherits = (dir.mode & S_ISGID) !== 0
  return {
    mode: inherits && (mode & S_IFMT) === S_IFDIR ? mode | S_ISGID : mode,
    uid: task.cred.fsuid,
    gid: inherits ? dir.gid : task.cred.fsgid,
    rdev,
  }
}

/** `work` with the parent of `path` locked and the last name looked up. */
function* atName<T>(
  vfs: VfsCore,
  task: Task,
  path: string,
  special: number,
  work: (walk: Walk, child: Dentry) => Sleeping<T>,
): Sleeping<T> {
  yield* vfs.bound()
  vfs.inFlight++
  try {
    const walk = yield* walkToParent(vfs, task, path)
    if (walk.last === '' || walk.last === '.' || walk.last === '..') fail(special)
    const dir = walk.dentry.inode!
    yield* dir.mutex.lock(vfs.kernel)
    try {
      return yield* work(walk, yield* lookupLocked(vfs, walk.dentry, walk.last))
    } finally {
      dir.mutex.unlock()
    }
  } finally {
    vfs.inFlight--
  }
}

function mayCreate(task: Task, walk: Walk, child: Dentry): void {
  if (child.inode) fail(EEXIST)
  if (walk.mount.readOnly) fail(EROFS)
  if (walk.dentry.gone) fail(ENOENT)
  checkPermission(task.cred, walk.dentry.inode!, W_OK | X_OK)
}

export function* mkdir(vfs: VfsCore, task: Task, path: string, mode: number): Sleeping<void> {
  yield* atName(vfs, task, path, EEXIST, function* (walk, child) {
    mayCreate(task, walk, child)
    const dir = walk.dentry.inode!
    const what = newInode(task, dir, S_IFDIR | (mode & 0o1777 & ~task.fs.umask))
    vfs.addChild(walk.dentry, walk.last, yield* dir.create(walk.last, what))
  })
}

export function* mknod(vfs: VfsCore, task: Task, path: string, mode: number, rdev: number): Sleeping<void> {
  const type = mode & S_IFMT || S_IFREG
  if (type === S_IFDIR) fail(EPERM)
  if (type !== S_IFREG && type !== S_IFCHR && type !== S_IFBLK && type !== S_IFIFO && type !== S_IFSOCK) fail(EINVAL)
  yield* atName(vfs, task, path, EEXIST, function* (walk, child) {
    if (!child.inode && walk.slash) fail(ENOENT)
    mayCreate(task, walk, child)
    if ((type === S_IFCHR || type === S_IFBLK) && !isRoot(task)) fail(EPERM)
    const dir = walk.dentry.inode!
    const what = newInode(task, dir, type | (mode & 0o7777 & ~task.fs.umask), rdev)
    vfs.addChild(walk.dentry, walk.last, yield* dir.create(walk.last, what))
  })
}

export function* symlink(vfs: VfsCore, task: Task, target: string, path: string): Sleeping<void> {
  if (target === '') fail(ENOENT)
  yield* atName(vfs, task, path, EEXIST, function* (walk, child) {
    if (!child.inode && walk.slash) fail(ENOENT)
    mayCreate(task, walk, child)
    const dir = walk.dentry.inode!
    const inode = yield* dir.symlink(walk.last, target, newInode(task, dir, 0o120777))
    vfs.addChild(walk.dentry, walk.last, inode)
  })
}

export function* link(vfs: VfsCore, task: Task, existing: string, path: string): Sleeping<void> {
  const old = yield* walkTo(vfs, task, existing, false)
  const { inode } = old
  inode.opens++
  try {
    yield* atName(vfs, task, path, EEXIST, function* (walk, child) {
      if (child.inode) fail(EEXIST)
      if (walk.slash) fail(ENOENT)
      if (walk.mount !== old.mount) fail(EXDEV)
      mayCreate(task, walk, child)
      if (inode.isDir) fail(EPERM)
      if (inode.nlink === 0) fail(ENOENT)
      yield* walk.dentry.inode!.link(walk.last, inode)
      vfs.addChild(walk.dentry, walk.last, inode)
    })
  } finally {
    inode.opens--
    // Its last name may have gone meanwhile.
    if (inode.nlink === 0) yield* vfs.drop(inode)
  }
}

export function* unlink(vfs: VfsCore, task: Task, path: string): Sleeping<void> {
  yield* atName(vfs, task, path, EISDIR, function* (walk, child) {
    const { inode } = child
    if (!inode) fail(ENOENT)
    if (walk.slash) fail(inode.isDir ? EISDIR : ENOTDIR)
    mayDelete(task, walk.dentry.inode!, inode)
    if (inode.isDir) fail(EISDIR)
    if (child.mounts?.length) fail(EBUSY)
    yield* walk.dentry.inode!.unlink(walk.last, inode)
    vfs.unlinkDentry(child)
    yield* vfs.drop(inode)
  })
}

/** rmdir(2)'s own words for the names that are none. */
export function* rmdir(vfs: VfsCore, task: Task, path: string): Sleeping<void> {
  const last = /(?:^|\/)(\.\.?|)\/*$/.exec(path)?.[1]
  const special = last === '.' ? EINVAL : last === '..' ? ENOTEMPTY : EBUSY
  yield* atName(vfs, task, path, special, function* (walk, child) {
    const { inode } = child
    if (!inode) fail(ENOENT)
    mayDelete(task, walk.dentry.inode!, inode)
    if (!inode.isDir) fail(ENOTDIR)
    if (child.mounts?.length) fail(EBUSY)
    yield* inode.mutex.lock(vfs.kernel)
    try {
      yield* walk.dentry.inode!.rmdir(walk.last, inode)
      vfs.unlinkDentry(child)
    } finally {
      inode.mutex.unlock()
    }
    yield* vfs.drop(inode)
  })
}

const isBelow = (dentry: Dentry, top: Dentry): boolean => {
  for (let at: Dentry | undefined = dentry; at; at = at.parent) if (at === top) return true
  return false
}

export function* rename(vfs: VfsCore, task: Task, from: string, to: string): Sleeping<void> {
  vfs.inFlight++
  const { kernel } = vfs
  try {
    const source = yield* walkToParent(vfs, task, from)
    const target = yield* walkToParent(vfs, task, to)
    if (source.mount !== target.mount) fail(EXDEV)
    for (const { last } of [source, target]) if (last === '' || last === '.' || last === '..') fail(EBUSY)
    yield* vfs.renameMutex.lock(kernel)
    // The upper of the two first, as rmdir takes them.
    const below = isBelow(source.dentry, target.dentry)
    const first = (below ? target : source).dentry.inode!
    const second = (below ? source : target).dentry.inode!
    yield* first.mutex.lock(kernel)
    if (second !== first) yield* second.mutex.lock(kernel)
    try {
      yield* renameLocked(vfs, task, source, target)
    } finally {
      if (second !== first) second.mutex.unlock()
      first.mutex.unlock()
      vfs.renameMutex.unlock()
    }
  } finally {
    vfs.inFlight--
  }
}

function* renameLocked(vfs: VfsCore, task: Task, source: Walk, target: Walk): Sleeping<void> {
  const child = yield* lookupLocked(vfs, source.dentry, source.last)
  const { inode } = child
  if (!inode) fail(ENOENT)
  if (!inode.isDir && (source.slash || target.slash)) fail(ENOTDIR)
  if (isBelow(target.dentry, child)) fail(EINVAL)
  const old = yield* lookupLocked(vfs, target.dentry, target.last)
  const replaced = old.inode
  if (replaced && isBelow(source.dentry, old)) fail(ENOTEMPTY)
  if (replaced === inode) return
  const fromDir = source.dentry.inode!
  const toDir = target.dentry.inode!
  if (source.mount.readOnly) fail(EROFS)
  if (source.dentry.gone || target.dentry.gone) fail(ENOENT)
  mayDelete(task, fromDir, inode)
  if (replaced) {
    mayDelete(task, toDir, replaced)
    if (inode.isDir && !replaced.isDir) fail(ENOTDIR)
    if (!inode.isDir && replaced.isDir) fail(EISDIR)
  } else checkPermission(task.cred, toDir, W_OK | X_OK)
  // A directory that moves has its `..` rewritten.
  if (inode.isDir && fromDir !== toDir) checkPermission(task.cred, inode, W_OK)
  if (child.mounts?.length || old.mounts?.length) fail(EBUSY)
  const lockReplaced = replaced?.isDir ? replaced.mutex : undefined
  if (lockReplaced) yield* lockReplaced.lock(vfs.kernel)
  try {
    yield* fromDir.rename(source.last, inode, toDir, target.last, replaced)
    vfs.moveDentry(child, target.dentry, target.last)
  } finally {
    lockReplaced?.unlock()
  }
  if (replaced) yield* vfs.drop(replaced)
}
