/** The rig's system calls about paths and files. */
import {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  ESPIPE,
} from '#abi/posix/errno.ts'
import {
  F_DUPFD,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from '#abi/posix/fcntl.ts'
import { EXT2_SUPER_MAGIC } from '#abi/posix/mount.ts'
import {
  type Dirent,
  DT_BLK,
  DT_CHR,
  DT_DIR,
  DT_FIFO,
  DT_LNK,
  DT_REG,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '#abi/posix/stat.ts'
import { read, ready, write } from './calls-io.ts'
import { descriptor, installFd, MAX_FDS, openFile } from './descriptors.ts'
import { type Inode, isDir, isLink, permitted, resize, statOf, W_OK, X_OK } from './fs.ts'
import type { Calls, RigKernel } from './kernel.ts'
import { open } from './open.ts'
import { Pipe } from './pipe.ts'
import { BLOCKED, type Process, until } from './process.ts'

const DIRENT_TYPES: Readonly<Record<number, number>> = {
  [S_IFIFO]: DT_FIFO,
  [S_IFCHR]: DT_CHR,
  [S_IFDIR]: DT_DIR,
  [S_IFBLK]: DT_BLK,
  [S_IFREG]: DT_REG,
  [S_IFLNK]: DT_LNK,
}

function chown(kernel: RigKernel, process: Process, node: Inode, uid: number, gid: number): number {
  const newUid = uid < 0 || uid === 0xffffffff ? node.uid : uid
  const newGid = gid < 0 || gid === 0xffffffff ? node.gid : gid
  if (process.euid !== 0) {
    if (process.euid !== node.uid || newUid !== node.uid) return -EPERM
    if (newGid !== process.gid && !process.groups.includes(newGid)) return -EPERM
  }
  node.uid = newUid
  node.gid = newGid
  if (!isDir(node) && (node.mode & 0o111) !== 0) node.mode &= ~0o6000
  node.ctime = kernel.seconds()
  return 0
}

function chmod(kernel: RigKernel, process: Process, node: Inode, mode: number): number {
  if (process.euid !== 0 && process.euid !== node.uid) return -EPERM
  node.mode = (node.mode & S_IFMT) | (mode & 0o7777)
  node.ctime = kernel.seconds()
  return 0
}

function truncate(kernel: RigKernel, node: Inode, bytes: number): number {
  if (bytes < 0) return -EINVAL
  if (bytes > 256 << 20) return -27
  resize(node, bytes)
  node.mtime = node.ctime = kernel.seconds()
  return 0
}

const STATFS = {
  type: EXT2_SUPER_MAGIC,
  bsize: 4096,
  blocks: 65536,
  bfree: 49152,
  bavail: 45875,
  files: 65536,
  ffree: 60000,
  namelen: 255,
}

export const fileCalls: Calls = {
  open,
  read,
  write,
  close(kernel, process, fd: number) {
    descriptor(process, fd)
    kernel.closeFd(process, fd)
    return 0
  },
  stat: (kernel, process, path: string) => statOf(kernel.tree.get(path, process.cwd, process)),
  lstat: (kernel, process, path: string) => statOf(kernel.tree.get(path, process.cwd, process, false)),
  fstat: (_kernel, process, fd: number) => {
    const file = descriptor(process, fd)
    return { ...statOf(file.node), ...(file.pipe && { size: 0 }) }
  },
  lseek(_kernel, process, fd: number, offset: number, whence: number) {
    const file = descriptor(process, fd)
    if (file.kind === 'pipe' || file.kind === 'tty' || file.kind === 'sink') return -ESPIPE
    if (whence < 0 || whence > 2) return -EINVAL
    const to = offset + (whence === 0 ? 0 : whence === 1 ? file.offset : file.node.size)
    if (to < 0) return -EINVAL
    file.offset = to
    return to
  },
  poll(kernel, process, fds: readonly number[], timeoutMs: number) {
    const check = (): unknown => {
      const revents: number[] = []
      for (let i = 0; i < fds.length; i += 2)
        revents.push(fds[i]! < 0 ? 0 : ready(process.fds.get(fds[i]!)?.file, fds[i + 1]!))
      return revents.some((bits) => bits !== 0) || timeoutMs === 0 ? revents : BLOCKED
    }
    const options =
      timeoutMs < 0
        ? {}
        : { deadlineNs: kernel.nowNs + timeoutMs * 1_000_000, expired: fds.filter((_, i) => i % 2).map(() => 0) }
    return until(check, options)
  },
  access(kernel, process, path: string, mode: number) {
    const node = kernel.tree.get(path, process.cwd, process)
    return permitted(node, process, mode & 7) ? 0 : -EACCES
  },
  pipe(kernel, process) {
    const pipe = new Pipe()
    pipe.readers = pipe.writers = 1
    const node = kernel.tree.make(S_IFIFO | 0o600, process)
    const make = (flags: number): number => installFd(process, openFile(node, flags, 'pipe:', { kind: 'pipe', pipe }))
    return [make(O_RDONLY), make(O_WRONLY)]
  },
  dup: (_kernel, process, fd: number) => installFd(process, descriptor(process, fd)),
  dup2(kernel, process, fd: number, to: number) {
    const file = descriptor(process, fd)
    if (to < 0 || to >= MAX_FDS) return -EBADF
    if (fd === to) return to
    file.users++
    kernel.closeFd(process, to)
    process.fds.set(to, { file, cloexec: false })
    return to
  },
  fcntl(_kernel, process, fd: number, command: number, arg: number) {
    const file = descriptor(process, fd)
    const entry = process.fds.get(fd)!
    switch (command) {
      case F_DUPFD:
        return arg < 0 || arg >= MAX_FDS ? -EINVAL : installFd(process, file, arg)
      case F_GETFD:
        return entry.cloexec ? 1 : 0
      case F_SETFD:
        entry.cloexec = (arg & 1) !== 0
        return 0
      case F_GETFL:
        return file.flags & ~(O_CREAT | O_EXCL | O_TRUNC)
      case F_SETFL:
        file.flags = (file.flags & ~(O_APPEND | O_NONBLOCK)) | (arg & (O_APPEND | O_NONBLOCK))
        return 0
      default:
        return -EINVAL
    }
  },
  flock(kernel, process, fd: number, operation: number) {
    const file = descriptor(process, fd)
    const { locks } = file.node
    const kind = operation & ~LOCK_NB
    if (kind === LOCK_UN) {
      locks.delete(file)
      kernel.changed()
      return 0
    }
    if (kind !== LOCK_SH && kind !== LOCK_EX) return -EINVAL
    return until(() => {
      for (const [owner, held] of locks)
        if (owner !== file && (kind === LOCK_EX || held === LOCK_EX)) return operation & LOCK_NB ? -EAGAIN : BLOCKED
      locks.set(file, kind)
      return 0
    })
  },
  fsync: (_kernel, process, fd: number) => (descriptor(process, fd) ? 0 : 0),
  sync: () => 0,
  truncate(kernel, process, path: string, bytes: number) {
    const node = kernel.tree.get(path, process.cwd, process)
    if (isDir(node)) return -EISDIR
    if (!permitted(node, process, W_OK)) return -EACCES
    return truncate(kernel, node, bytes)
  },
  ftruncate(kernel, process, fd: number, bytes: number) {
    const file = descriptor(process, fd)
    if (file.kind !== 'file' || (file.flags & O_ACCMODE) === O_RDONLY) return -EINVAL
    return truncate(kernel, file.node, bytes)
  },
  getdents(_kernel, process, fd: number) {
    const file = descriptor(process, fd)
    if (file.kind !== 'dir') return -ENOTDIR
    if (file.node.nlink === 0) return -ENOENT
    const all: Dirent[] = [
      { ino: file.node.ino, type: DT_DIR, name: '.' },
      { ino: file.node.parent!.ino, type: DT_DIR, name: '..' },
    ]
    for (const [name, node] of file.node.entries)
      all.push({ ino: node.ino, type: DIRENT_TYPES[node.mode & S_IFMT] ?? 0, name })
    const some = all.slice(file.offset, file.offset + 64)
    file.offset += some.length
    return some
  },
  getcwd: (kernel, process) => kernel.tree.pathOf(process.cwd),
  chdir(kernel, process, path: string) {
    const node = kernel.tree.get(path, process.cwd, process)
    if (!isDir(node)) return -ENOTDIR
    if (!permitted(node, process, X_OK)) return -EACCES
    process.cwd = node
    return 0
  },
  fchdir(_kernel, process, fd: number) {
    const { node } = descriptor(process, fd)
    if (!isDir(node)) return -ENOTDIR
    if (!permitted(node, process, X_OK)) return -EACCES
    process.cwd = node
    return 0
  },
  rename(kernel, process, from: string, to: string) {
    const source = kernel.tree.lookup(from, process.cwd, process, false)
    const node = source.node
    if (!node) return -ENOENT
    const target = kernel.tree.lookup(to, process.cwd, process, false)
    if (['.', '..'].includes(source.name) || ['.', '..'].includes(target.name)) return -EBUSY
    if (target.slash && !isDir(node)) return -ENOTDIR
    if (target.node === node) return 0
    if (isDir(node)) {
      for (let up = target.dir; ; up = up.parent!) {
        if (up === node) return -EINVAL
        if (up === up.parent) break
      }
    }
    if (target.node) {
      if (isDir(node) && !isDir(target.node)) return -ENOTDIR
      if (!isDir(node) && isDir(target.node)) return -EISDIR
      if (isDir(target.node) && target.node.entries.size > 0) return -ENOTEMPTY
    }
    if (!permitted(target.dir, process, W_OK | X_OK)) return -EACCES
    kernel.tree.remove(source.dir, source.name, process)
    if (target.node) kernel.tree.remove(target.dir, target.name, process)
    kernel.tree.enter(target.dir, target.name, node, process)
    return 0
  },
  mkdir(kernel, process, path: string, mode: number) {
    const found = kernel.tree.lookup(path, process.cwd, process, false)
    if (found.node) return -EEXIST
    kernel.tree.enter(
      found.dir,
      found.name,
      kernel.tree.make(S_IFDIR | (mode & 0o1777 & ~process.umask), process),
      process,
    )
    return 0
  },
  rmdir(kernel, process, path: string) {
    const { dir, name, node } = kernel.tree.lookup(path, process.cwd, process, false)
    if (!node) return -ENOENT
    if (!isDir(node)) return -ENOTDIR
    if (name === '.') return node === kernel.tree.root ? -EBUSY : -EINVAL
    if (name === '..' || node.entries.size > 0) return -ENOTEMPTY
    kernel.tree.remove(dir, name, process)
    return 0
  },
  link(kernel, process, existing: string, path: string) {
    const node = kernel.tree.get(existing, process.cwd, process, false)
    const found = kernel.tree.lookup(path, process.cwd, process, false)
    if (found.node) return -EEXIST
    if (isDir(node)) return -EPERM
    kernel.tree.enter(found.dir, found.name, node, process)
    return 0
  },
  unlink(kernel, process, path: string) {
    const { dir, name, node } = kernel.tree.lookup(path, process.cwd, process, false)
    if (!node) return -ENOENT
    if (isDir(node)) return -EISDIR
    kernel.tree.remove(dir, name, process)
    return 0
  },
  symlink(kernel, process, target: string, path: string) {
    const found = kernel.tree.lookup(path, process.cwd, process, false)
    if (found.node) return -EEXIST
    if (target === '') return -ENOENT
    const node = kernel.tree.make(S_IFLNK | 0o777, process)
    node.target = target
    kernel.tree.enter(found.dir, found.name, node, process)
    return 0
  },
  readlink(kernel, process, path: string) {
    const node = kernel.tree.get(path, process.cwd, process, false)
    return isLink(node) ? node.target : -EINVAL
  },
  chmod: (kernel, process, path: string, mode: number) =>
    chmod(kernel, process, kernel.tree.get(path, process.cwd, process), mode),
  fchmod: (kernel, process, fd: number, mode: number) => chmod(kernel, process, descriptor(process, fd).node, mode),
  chown: (kernel, process, path: string, uid: number, gid: number) =>
    chown(kernel, process, kernel.tree.get(path, process.cwd, process), uid, gid),
  lchown: (kernel, process, path: string, uid: number, gid: number) =>
    chown(kernel, process, kernel.tree.get(path, process.cwd, process, false), uid, gid),
  fchown: (kernel, process, fd: number, uid: number, gid: number) =>
    chown(kernel, process, descriptor(process, fd).node, uid, gid),
  utime(kernel, process, path: string, atime: number, mtime: number) {
    const node = kernel.tree.get(path, process.cwd, process)
    if (process.euid !== 0 && process.euid !== node.uid) return -EPERM
    node.atime = atime
    node.mtime = mtime
    node.ctime = kernel.seconds()
    return 0
  },
  mknod(kernel, process, path: string, mode: number, dev: number) {
    const found = kernel.tree.lookup(path, process.cwd, process, false)
    if (found.node) return -EEXIST
    const kind = mode & S_IFMT || S_IFREG
    if (kind === S_IFDIR) return -EPERM
    if (process.euid !== 0 && kind !== S_IFIFO && kind !== S_IFREG) return -EPERM
    const node = kernel.tree.make(kind | (mode & 0o7777 & ~process.umask), process, dev)
    kernel.tree.enter(found.dir, found.name, node, process)
    return 0
  },
  statfs: (kernel, process, path: string) => (kernel.tree.get(path, process.cwd, process) ? STATFS : -ENOENT),
  fstatfs: (_kernel, process, fd: number) => (descriptor(process, fd) ? STATFS : -EBADF),
}
