/** A process's file descriptors. */
import { EBADF } from '#abi/posix/errno.ts'
import { fail, type Inode, isDir } from './fs.ts'
import type { OpenFile, Process } from './process.ts'

export const MAX_FDS = 256

export function descriptor(process: Process, fd: number): OpenFile {
  return process.fds.get(fd)?.file ?? fail(EBADF)
}

export function installFd(process: Process, file: OpenFile, from = 0, cloexec = false): number {
  for (let fd = from; fd < MAX_FDS; fd++)
    if (!process.fds.has(fd)) {
      file.users++
      process.fds.set(fd, { file, cloexec })
      return fd
    }
  return fail(24)
}

export function openFile(node: Inode, flags: number, path: string, more: Partial<OpenFile> = {}): OpenFile {
  return {
    kind: isDir(node) ? 'dir' : 'file',
    node,
    flags,
    offset: 0,
    users: 0,
    pipe: undefined,
    tty: undefined,
    sink: undefined,
    path,
    ...more,
  }
}
