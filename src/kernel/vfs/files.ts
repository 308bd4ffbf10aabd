/** Opening and closing (Linux: fs/namei.c, open_namei; fs/open.c). */
import { EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EPERM, EROFS } from '#abi/posix/errno.ts'
import {
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  R_OK,
  W_OK,
} from '#abi/posix/fcntl.ts'
import { MS_NODEV } from '#abi/posix/mount.ts'
import { RLIMIT_FSIZE } from '#abi/posix/resource.ts'
import { major, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '#abi/posix/stat.ts'
import { fail } from '../errno.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { VfsCore } from './core.ts'
import type { FileOps } from './file.ts'
import { type FdTable, tableOf } from './file-table.ts'
import { releaseFlock } from './flock.ts'
import { newInode } from './names.ts'
import { OpenFile } from './open-file.ts'
import { checkPermission, isRoot } from './permission.ts'
import { openFifo } from './pipe.ts'
import type { Place } from './place.ts'
import { followLink, lookupLocked, Walk, walkPath } from './walk.ts'

/** Of open's flags, what the file keeps. */
const OPENING_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC

/** open(2) without a descriptor. */
export function* openPath(vfs: VfsCore, task: Task, path: string, flags: number, mode: number): Sleeping<OpenFile> {
  yield* vfs.bound()
  vfs.inFlight++
  let found: { place: Place; created: boolean }
  try {
    if ((flags & O_CREAT) !== 0) found = yield* openCreating(vfs, task, path, flags, mode)
    else {
      const walk = new Walk(task)
      yield* walkPath(vfs, walk, path, (flags & O_NOFOLLOW) === 0, false)
      found = { place: walk.place, created: false }
    }
    mayOpen(task, found.place, flags, found.created)
    found.place.inode.opens++
  } finally {
    vfs.inFlight--
  }
  const { inode } = found.place
  try {
    if (flags & O_TRUNC && !found.created && (inode.mode & S_IFMT) === S_IFREG) {
      yield* inode.mutex.lock(vfs.kernel)
      try {
        yield* inode.setattr({ size: 0 })
      } finally {
        inode.mutex.unlock()
      }
    }
    return yield* openPlace(vfs, task, found.place, flags)
  } finally {
    inode.opens--
    if (inode.nlink === 0) yield* vfs.drop(inode)
  }
}

function* openCreating(
  vfs: VfsCore,
  task: Task,
  path: string,
  flags: number,
  mode: number,
): Sleeping<{ place: Place; created: boolean }> {
  const walk = new Walk(task)
  let rest = path
  for (;;) {
    yield* walkPath(vfs, walk, rest, false, true)
    const { last } = walk
    if (last === '' || last === '.' || last === '..' || walk.slash) {
      // Something that can only be a directory, which open does not make.
      if (walk.slash) yield* walkPath(vfs, walk, last, true, false)
      if (flags & O_EXCL) fail(EEXIST)
      fail(EISDIR)
    }
    const dir = walk.dentry.inode!
    yield* dir.mutex.lock(vfs.kernel)
    try {
      const child = yield* lookupLocked(vfs, walk.dentry, last)
      if (!child.inode) {
        if (walk.mount.readOnly) fail(EROFS)
        if (walk.dentry.gone) fail(ENOENT)
        checkPermission(task.cred, dir, W_OK | 1)
        const inode = yield* dir.create(last, newInode(task, dir, S_IFREG | (mode & ~task.fs.umask & 0o7777)))
        walk.dentry = vfs.addChild(walk.dentry, last, inode)
        return { place: walk.place, created: true }
      }
      if (flags & O_EXCL) fail(EEXIST)
      if ((child.inode.mode & S_IFMT) !== S_IFLNK) {
        walk.dentry = child
        walk.cross()
        return { place: walk.place, created: false }
      }
      if (flags & O_NOFOLLOW) fail(ELOOP)
      const target = yield* followLink(walk, child.inode)
      if (typeof target !== 'string') return { place: target, created: false }
      rest = target
    } finally {
      dir.mutex.unlock()
    }
  }
}

/** may_open: by kind, permission and mount. */
function mayOpen(task: Task, place: Place, flags: number, created: boolean): void {
  const { inode, mount } = place
  const access = flags & O_ACCMODE
  if (access === O_ACCMODE) fail(EINVAL)
  const type = inode.mode & S_IFMT
  if (type === S_IFLNK) fail(ELOOP)
  if (flags & O_DIRECTORY && type !== S_IFDIR) fail(ENOTDIR)
  const writes = access !== O_RDONLY || (flags & O_TRUNC) !== 0
  if (type === S_IFDIR && (writes || flags & O_CREAT)) fail(EISDIR)
  if (type === S_IFSOCK) fail(ENXIO)
  if ((type === S_IFCHR || type === S_IFBLK) && mount.flags & MS_NODEV) fail(EACCES)
  if (created) return
  const mask = (access === O_WRONLY ? 0 : R_OK) | (writes ? W_OK : 0)
  checkPermission(task.cred, inode, mask)
  // Append-only and immutable files are not kept here; O_NOATIME neither.
  if (access === O_RDWR && type === S_IFDIR) fail(EPERM)
}

/** An open file for an inode that may be opened. */
function* openPlace(vfs: VfsCore, task: Task, place: Place, flags: number): Sleeping<OpenFile> {
  const { inode } = place
  const file = new OpenFile(place, inode, NO_OPS, flags & ~OPENING_FLAGS)
  vfs.open.add(file)
  try {
    file.ops = yield* opsOf(vfs, task, file, flags)
  } catch (error) {
    vfs.open.remove(file)
    yield* vfs.drop(inode)
    throw error
  }
  return file
}

const NO_OPS: FileOps = {}

function* opsOf(vfs: VfsCore, task: Task, file: OpenFile, flags: number): Sleeping<FileOps> {
  const { inode } = file
  switch (inode.mode & S_IFMT) {
    case S_IFCHR: {
      const driver = vfs.charDevices.get(major(inode.rdev)) ?? fail(ENXIO)
      return yield* driver.open({ inode, flags }, task)
    }
    case S_IFBLK:
      return yield* vfs.kernel.blocks.open(inode.rdev, file.writable)
    case S_IFIFO: {
      const { ops, data } = yield* openFifo(vfs.kernel, inode, flags)
      file.data = data
      return ops
    }
    default:
      return yield* inode.open(file)
  }
}

/** One user of the file less; the last closes it. */
export function* putFile(vfs: VfsCore, file: OpenFile): Sleeping<void> {
  if (--file.users > 0) return
  if (file.inode.flocks) releaseFlock(file)
  try {
    if (file.ops.release) yield* file.ops.release(file)
  } finally {
    vfs.open.remove(file)
    if (file.inode.nlink === 0) yield* vfs.drop(file.inode)
  }
}

export function* closeFd(vfs: VfsCore, task: Task, fd: number): Sleeping<void> {
  yield* putFile(vfs, tableOf(task).take(fd))
}

/** For exit: everything. */
export function* closeTable(vfs: VfsCore, table: FdTable): Sleeping<void> {
  for (let fd = 0; fd < table.files.length; fd++) if (table.files[fd]) yield* putFile(vfs, table.take(fd))
  if (vfs.orphans.size > 0) yield* vfs.dropOrphans()
}

/** read(2)'s write: into the file at its offset, or its end. */
export function* writeFile(vfs: VfsCore, file: OpenFile, bytes: Uint8Array): Sleeping<number> {
  const { ops, inode } = file
  if (!ops.write) fail(EINVAL)
  if ((inode.mode & S_IFMT) !== S_IFREG) {
    if (file.flags & O_APPEND && ops.seekable && inode.isDir) fail(EISDIR)
    const count = yield* ops.write(file, bytes, file.offset)
    if (ops.seekable !== false) file.offset += count
    return count
  }
  yield* inode.mutex.lock(vfs.kernel)
  try {
    if (file.flags & O_APPEND) file.offset = inode.size
    // Who is not root leaves no set-user-id behind.
    if ((inode.mode & 0o4000 || (inode.mode & 0o2010) === 0o2010) && !isRoot(vfs.kernel.sched.current))
      yield* inode.setattr({ mode: inode.mode & ~(inode.mode & 0o010 ? 0o6000 : 0o4000) })
    const count = yield* ops.write(file, bytes, file.offset)
    file.offset += count
    return count
  } finally {
    inode.mutex.unlock()
  }
}

/** The same, if it need neither sleep nor fail, nor change more than the file's bytes: else undefined. */
export function writeFileNow(task: Task, file: OpenFile, bytes: Uint8Array): number | undefined {
  const { ops, inode } = file
  if ((inode.mode & S_IFMT) !== S_IFREG) return ops.writeNow?.(file, bytes, 0)
  if (inode.mutex.held || inode.mode & 0o6000 || Number.isFinite(task.limits[RLIMIT_FSIZE]?.[0])) return undefined
  const offset = file.flags & O_APPEND ? inode.size : file.offset
  const count = ops.writeNow?.(file, bytes, offset)
  if (count !== undefined) file.offset = offset + count
  return count
}
