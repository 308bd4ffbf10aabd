/** The system calls about files. Each row checks what only it knows; types are the dispatcher's affair. */
import {
  EACCES,
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTTY,
  EPERM,
  ERANGE,
  EROFS,
  ESPIPE,
} from '#abi/posix/errno.ts'
import {
  F_DUPFD,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_APPEND,
  O_NONBLOCK,
  PATH_MAX,
  R_OK,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
  W_OK,
  X_OK,
} from '#abi/posix/fcntl.ts'
import { FIONREAD } from '#abi/posix/ioctl.ts'
import { MS_NOEXEC } from '#abi/posix/mount.ts'
import { RLIMIT_FSIZE } from '#abi/posix/resource.ts'
import { SIGXFSZ } from '#abi/posix/signal.ts'
import { type Dirent, DT_DIR, S_IFMT, S_IFREG, type Stat } from '#abi/posix/stat.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import { now, type SyscallTable, sleeping } from '../syscalls/row.ts'
import { chmod, chown, statOf, truncate, utime } from './attributes.ts'
import { cwdOf } from './core.ts'
import { fileOf, tableOf } from './file-table.ts'
import { closeFd, openPath, putFile, writeFile, writeFileNow } from './files.ts'
import { flock } from './flock.ts'
import type { Inode } from './inode.ts'
import { vfsOf } from './make.ts'
import { link, mkdir, mknod, rename, rmdir, symlink, unlink } from './names.ts'
import type { OpenFile } from './open-file.ts'
import { checkPermission, isRoot } from './permission.ts'
import type { Place } from './place.ts'
import { poll, pollNow, pollWait } from './poll.ts'
import { maySearch, pathOf, walkTo } from './walk.ts'

/** Work with what a path leads to, kept in memory meanwhile. */
function* at<T>(
  kernel: Kernel,
  task: Task,
  path: string,
  follow: boolean,
  work: (inode: Inode, place: Place) => Sleeping<T>,
): Sleeping<T> {
  const { core } = vfsOf(kernel)
  yield* core.bound()
  core.inFlight++
  try {
    const place = yield* walkTo(core, task, path, follow)
    return yield* work(place.inode, place)
  } finally {
    core.inFlight--
  }
}

function* statPath(kernel: Kernel, task: Task, path: string, follow: boolean): Sleeping<Stat> {
  const { core } = vfsOf(kernel)
  yield* core.bound()
  return statOf((yield* walkTo(core, task, path, follow)).inode)
}

/** `.` and `..` first, then what the file system has. */
function* getdents(kernel: Kernel, file: OpenFile): Sleeping<readonly Dirent[]> {
  if (!file.inode.isDir) fail(ENOTDIR)
  if (!file.ops.readdir) fail(ENOTDIR)
  if (file.path.dentry.gone) fail(ENOENT)
  if (file.offset === 0 && file.data !== 'dots') {
    file.data = 'dots'
    const { parent, mount } = file.path
    const up = parent ?? mount.at?.parent ?? mount.at ?? file.path
    return [
      { ino: file.inode.ino, type: DT_DIR, name: '.' },
      { ino: up.inode.ino, type: DT_DIR, name: '..' },
    ]
  }
  yield* file.inode.mutex.lock(kernel)
  try {
    return yield* file.ops.readdir(file)
  } finally {
    file.inode.mutex.unlock()
  }
}

function lseek(file: OpenFile, offset: number, whence: number): number {
  const { ops, inode } = file
  if (ops.seekable === false) fail(ESPIPE)
  let to = offset
  if (whence === SEEK_CUR) to += file.offset
  else if (whence === SEEK_END) to += ops.size ? ops.size(file) : inode.size
  else if (whence !== SEEK_SET) fail(EINVAL)
  if (to < 0) fail(EINVAL)
  file.offset = to
  if (inode.isDir && to === 0 && file.data === 'dots') file.data = undefined
  return to
}

function fcntl(task: Task, fd: number, command: number, arg: number): number {
  const file = fileOf(task, fd)
  const table = tableOf(task)
  switch (command) {
    case F_DUPFD:
      if (arg < 0 || arg >= (task.limits[7]?.[0] ?? 1024)) fail(EINVAL)
      return table.install(task, file, arg, false)
    case F_GETFD:
      return table.cloexec.has(fd) ? FD_CLOEXEC : 0
    case F_SETFD:
      if (arg & FD_CLOEXEC) table.cloexec.add(fd)
      else table.cloexec.delete(fd)
      return 0
    case F_GETFL:
      return file.flags
    case F_SETFL:
      file.flags = (file.flags & ~(O_APPEND | O_NONBLOCK)) | (arg & (O_APPEND | O_NONBLOCK))
      return 0
    default:
      return fail(EINVAL)
  }
}

/** RLIMIT_FSIZE: what of a write may go in. */
function limited(kernel: Kernel, task: Task, file: OpenFile, bytes: Uint8Array): Uint8Array {
  const limit = task.limits[RLIMIT_FSIZE]?.[0] ?? Number.POSITIVE_INFINITY
  if (limit === Number.POSITIVE_INFINITY || (file.inode.mode & S_IFMT) !== S_IFREG) return bytes
  const offset = file.flags & O_APPEND ? file.inode.size : file.offset
  if (offset + bytes.length <= limit) return bytes
  if (offset >= limit) {
    kernel.sched.sendSignal(task, SIGXFSZ)
    fail(EFBIG)
  }
  return bytes.subarray(0, limit - offset)
}

export const fileSyscalls = {
  read: sleeping(
    ['int', 'int'],
    function* (_kernel, task, fd, count) {
      const file = fileOf(task, fd)
      if (!file.readable) fail(EBADF)
      if (count < 0) fail(EINVAL)
      const { ops } = file
      if (!ops.read) fail(file.inode.isDir ? EISDIR : EINVAL)
      const bytes = yield* ops.read(file, count, file.offset)
      if (ops.seekable !== false) file.offset += bytes.length
      return bytes
    },
    true,
    (_kernel, task, fd, count) => {
      const file = fileOf(task, fd)
      return file.readable && count > 0 ? file.ops.readNow?.(file, count) : undefined
    },
    (_kernel, task, fd, count) => {
      const file = fileOf(task, fd)
      return file.readable && count > 0 ? file.ops.readWait?.(file) : undefined
    },
  ),
  write: sleeping(
    ['int', 'bytes'],
    function* (kernel, task, fd, bytes) {
      const file = fileOf(task, fd)
      if (!file.writable) fail(EBADF)
      return yield* writeFile(vfsOf(kernel).core, file, limited(kernel, task, file, bytes))
    },
    true,
    (_kernel, task, fd, bytes) => {
      const file = fileOf(task, fd)
      return file.writable && file.ops.writeNow ? writeFileNow(task, file, bytes) : undefined
    },
  ),
  open: sleeping(['path', 'int', 'int'], function* (kernel, task, path, flags, mode) {
    const { core } = vfsOf(kernel)
    const file = yield* openPath(core, task, path, flags, mode)
    try {
      return tableOf(task).install(task, file, 0, false)
    } catch (error) {
      file.users++
      yield* putFile(core, file)
      throw error
    }
  }),
  close: sleeping(
    ['int'],
    function* (kernel, task, fd) {
      yield* closeFd(vfsOf(kernel).core, task, fd)
      return 0
    },
    false,
  ),
  stat: sleeping(['path'], (kernel, task, path) => statPath(kernel, task, path, true)),
  lstat: sleeping(['path'], (kernel, task, path) => statPath(kernel, task, path, false)),
  fstat: now(['int'], (_kernel, task, fd) => statOf(fileOf(task, fd).inode)),
  poll: sleeping(['ints', 'int'], poll, false, pollNow, pollWait),
  lseek: now(['int', 'int', 'int'], (_kernel, task, fd, offset, whence) => lseek(fileOf(task, fd), offset, whence)),
  ioctl: sleeping(['int', 'int', 'ioctl'], function* (_kernel, task, fd, request, arg) {
    const file = fileOf(task, fd)
    if (request === FIONREAD && (file.inode.mode & S_IFMT) === S_IFREG) {
      const out = new Uint8Array(4)
      new DataView(out.buffer).setUint32(0, Math.max(0, file.inode.size - file.offset), true)
      return out
    }
    if (!file.ops.ioctl) fail(ENOTTY)
    return yield* file.ops.ioctl(file, request, arg)
  }),
  access: sleeping(['path', 'int'], function* (kernel, task, path, mode) {
    if (mode & ~(R_OK | W_OK | X_OK)) fail(EINVAL)
    const { core } = vfsOf(kernel)
    // By the real ids, as set-user-id programs want to know.
    const cred = { ...task.cred, fsuid: task.cred.uid, fsgid: task.cred.gid }
    const { inode, mount } = yield* walkTo(core, task, path, true, cred)
    if (mode === 0) return 0
    checkPermission(cred, inode, mode)
    if (mode & W_OK && mount.readOnly && inode.isDir) fail(EROFS)
    if (mode & X_OK && mount.flags & MS_NOEXEC && !inode.isDir) fail(EACCES)
    return 0
  }),
  pipe: now([], (kernel, task) => vfsOf(kernel).pipefs.make(task)),
  dup: now(['int'], (_kernel, task, fd) => tableOf(task).install(task, fileOf(task, fd), 0, false)),
  dup2: sleeping(['int', 'int'], function* (kernel, task, fd, to) {
    const file = fileOf(task, fd)
    const table = tableOf(task)
    if (to < 0 || to >= Math.min(1024, task.limits[7]?.[0] ?? 1024)) fail(EBADF)
    if (to === fd) return to
    const old = table.get(to) ? table.take(to) : undefined
    table.put(to, file)
    if (old) yield* putFile(vfsOf(kernel).core, old)
    return to
  }),
  fcntl: now(['int', 'int', 'int'], (_kernel, task, fd, command, arg) => fcntl(task, fd, command, arg)),
  flock: sleeping(['int', 'int'], function* (kernel, task, fd, operation) {
    yield* flock(kernel, fileOf(task, fd), operation)
    return 0
  }),
  fsync: sleeping(['int'], function* (_kernel, task, fd) {
    const file = fileOf(task, fd)
    if (!file.ops.fsync) fail(EINVAL)
    yield* file.ops.fsync(file)
    return 0
  }),
  truncate: sleeping(['path', 'int'], (kernel, task, path, bytes) =>
    at(kernel, task, path, true, function* (inode) {
      if (inode.isDir) fail(EISDIR)
      checkPermission(task.cred, inode, W_OK)
      yield* truncate(vfsOf(kernel).core, inode, bytes)
      return 0
    }),
  ),
  ftruncate: sleeping(['int', 'int'], function* (kernel, task, fd, bytes) {
    const { inode, writable } = fileOf(task, fd)
    if (!writable || (inode.mode & S_IFMT) !== S_IFREG) fail(EINVAL)
    yield* truncate(vfsOf(kernel).core, inode, bytes)
    return 0
  }),
  getdents: sleeping(['int'], (kernel, task, fd) => getdents(kernel, fileOf(task, fd))),
  getcwd: now([], (_kernel, task) => {
    const path = pathOf(task, cwdOf(task)) ?? fail(ENOENT)
    return path.length >= PATH_MAX ? fail(ERANGE) : path
  }),
  chdir: sleeping(['path'], (kernel, task, path) =>
    at(kernel, task, path, true, function* (_inode, place) {
      maySearch(task, place)
      task.fs.cwd = place
      const { core } = vfsOf(kernel)
      if (core.orphans.size > 0) yield* core.dropOrphans()
      return 0
    }),
  ),
  fchdir: now(['int'], (_kernel, task, fd) => {
    const { path } = fileOf(task, fd)
    maySearch(task, path)
    task.fs.cwd = path
    return 0
  }),
  rename: sleeping(['path', 'path'], function* (kernel, task, from, to) {
    yield* rename(vfsOf(kernel).core, task, from, to)
    return 0
  }),
  mkdir: sleeping(['path', 'int'], function* (kernel, task, path, mode) {
    yield* mkdir(vfsOf(kernel).core, task, path, mode)
    return 0
  }),
  rmdir: sleeping(['path'], function* (kernel, task, path) {
    yield* rmdir(vfsOf(kernel).core, task, path)
    return 0
  }),
  link: sleeping(['path', 'path'], function* (kernel, task, existing, path) {
    yield* link(vfsOf(kernel).core, task, existing, path)
    return 0
  }),
  unlink: sleeping(['path'], function* (kernel, task, path) {
    yield* unlink(vfsOf(kernel).core, task, path)
    return 0
  }),
  symlink: sleeping(['path', 'path'], function* (kernel, task, target, path) {
    yield* symlink(vfsOf(kernel).core, task, target, path)
    return 0
  }),
  readlink: sleeping(['path'], (kernel, task, path) => at(kernel, task, path, false, (inode) => inode.readlink())),
  chmod: sleeping(['path', 'int'], (kernel, task, path, mode) =>
    at(kernel, task, path, true, function* (inode) {
      yield* chmod(vfsOf(kernel).core, task, inode, mode)
      return 0
    }),
  ),
  fchmod: sleeping(['int', 'int'], function* (kernel, task, fd, mode) {
    yield* chmod(vfsOf(kernel).core, task, fileOf(task, fd).inode, mode)
    return 0
  }),
  chown: sleeping(['path', 'int', 'int'], (kernel, task, path, uid, gid) =>
    at(kernel, task, path, true, function* (inode) {
      yield* chown(vfsOf(kernel).core, task, inode, uid, gid)
      return 0
    }),
  ),
  lchown: sleeping(['path', 'int', 'int'], (kernel, task, path, uid, gid) =>
    at(kernel, task, path, false, function* (inode) {
      yield* chown(vfsOf(kernel).core, task, inode, uid, gid)
      return 0
    }),
  ),
  fchown: sleeping(['int', 'int', 'int'], function* (kernel, task, fd, uid, gid) {
    yield* chown(vfsOf(kernel).core, task, fileOf(task, fd).inode, uid, gid)
    return 0
  }),
  umask: now(['int'], (_kernel, task, mask) => {
    const { umask } = task.fs
    task.fs.umask = mask & 0o777
    return umask
  }),
  utime: sleeping(['path', 'int', 'int'], (kernel, task, path, atime, mtime) =>
    at(kernel, task, path, true, function* (inode) {
      yield* utime(vfsOf(kernel).core, task, inode, atime, mtime)
      return 0
    }),
  ),
  mknod: sleeping(['path', 'int', 'int'], function* (kernel, task, path, mode, dev) {
    yield* mknod(vfsOf(kernel).core, task, path, mode, dev)
    return 0
  }),
  statfs: sleeping(['path'], (kernel, task, path) => at(kernel, task, path, true, (inode) => inode.sb.statfs())),
  fstatfs: sleeping(['int'], (_kernel, task, fd) => fileOf(task, fd).inode.sb.statfs()),
  mount: sleeping(['text', 'path', 'text', 'int', 'text'], function* (kernel, task, source, target, type, flags, data) {
    yield* kernel.vfs.mount(task, source, target, type, flags, data)
    return 0
  }),
  umount2: sleeping(['path', 'int'], function* (kernel, task, target, flags) {
    yield* kernel.vfs.umount(task, target, flags)
    return 0
  }),
  chroot: sleeping(['path'], (kernel, task, path) =>
    at(kernel, task, path, true, function* (_inode, place) {
      maySearch(task, place)
      if (!isRoot(task)) fail(EPERM)
      task.fs.root = place
      return 0
    }),
  ),
  sync: sleeping([], function* (kernel) {
    yield* kernel.vfs.syncAll()
    return 0
  }),
} satisfies SyscallTable
