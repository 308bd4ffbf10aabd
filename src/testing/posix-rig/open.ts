/** open(2) and creat(2) of the rig: what a path becomes when it is opened. */
import { EACCES, EEXIST, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO } from '#abi/posix/errno.ts'
import {
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from '#abi/posix/fcntl.ts'
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from '#abi/posix/stat.ts'
import { installFd, openFile } from './descriptors.ts'
import { type Inode, isDir, isLink, isRegular, permitted, R_OK, resize, setContents, W_OK } from './fs.ts'
import type { RigKernel } from './kernel.ts'
import { BLOCKED, type OpenFile, type Process, until } from './process.ts'

const DEVICES: Readonly<Record<number, OpenFile['kind']>> = {
  259: 'null',
  261: 'zero',
  263: 'full',
  264: 'random',
  265: 'random',
}

function openNode(kernel: RigKernel, process: Process, node: Inode, flags: number, path: string): unknown {
  const kind = node.mode & S_IFMT
  if (kind === S_IFCHR) {
    const device = DEVICES[node.rdev]
    if (device) return installFd(process, openFile(node, flags, path, { kind: device }))
    const tty = node.rdev === 0x500 ? process.tty : kernel.ttys.get(node.rdev)
    if (!tty) return -ENXIO
    if (!tty.session && process.sid === process.pid && !process.tty && !(flags & 0o400)) {
      tty.session = process.sid
      tty.pgrp = process.pgid
      process.tty = tty
    }
    return installFd(process, openFile(node, flags, path, { kind: 'tty', tty }))
  }
  if (kind === S_IFBLK || kind === S_IFSOCK) return -ENXIO
  if (kind === S_IFIFO) {
    const pipe = node.pipe!
    const access = flags & O_ACCMODE
    const file = openFile(node, flags, path, { kind: 'pipe', pipe })
    const fd = installFd(process, file)
    if (access !== O_WRONLY) pipe.readers++
    if (access !== O_RDONLY) pipe.writers++
    kernel.changed()
    if (flags & O_NONBLOCK) {
      if (access === O_WRONLY && pipe.readers === 0) {
        kernel.closeFd(process, fd)
        return -ENXIO
      }
      return fd
    }
    return until(() => ((access === O_RDONLY ? pipe.writers : pipe.readers) > 0 ? fd : BLOCKED), {
      interrupted: () => {
        kernel.closeFd(process, fd)
        return -4
      },
    })
  }
  if (node.generate) setContents(node, node.generate())
  const file = openFile(node, flags, path)
  return installFd(process, file)
}

export function open(kernel: RigKernel, process: Process, path: string, flags: number, mode: number): unknown {
  const access = flags & O_ACCMODE
  const exclusive = (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0
  const found = kernel.tree.lookup(path, process.cwd, process, !(flags & O_NOFOLLOW) && !exclusive)
  let { node } = found
  if (!node) {
    if (!(flags & O_CREAT)) return -ENOENT
    if (found.slash) return -EISDIR
    node = kernel.tree.make(S_IFREG | (mode & 0o7777 & ~process.umask), process)
    kernel.tree.enter(found.dir, found.name, node, process)
  } else {
    if (exclusive) return -EEXIST
    if (isLink(node)) return -ELOOP
    if (flags & O_DIRECTORY && !isDir(node)) return -ENOTDIR
    if (isDir(node) && (access !== O_RDONLY || flags & O_CREAT)) return -EISDIR
    const want = (access !== O_WRONLY ? R_OK : 0) | (access !== O_RDONLY ? W_OK : 0)
    if (!permitted(node, process, want)) return -EACCES
    if (flags & O_TRUNC && isRegular(node)) {
      resize(node, 0)
      node.mtime = node.ctime = kernel.seconds()
    }
  }
  return openNode(kernel, process, node, flags, path)
}
