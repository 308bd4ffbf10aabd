/** What an open file that is a socket can do (Linux: net/socket.c, socket_file_ops). */
import { EBADF, EINVAL, ENOTSOCK } from '#abi/posix/errno.ts'
import { O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { FIONREAD, TIOCOUTQ } from '#abi/posix/ioctl.ts'
import { fail } from '../errno.ts'
import type { Task } from '../sched/task.ts'
import type { File, FileOps } from '../vfs/file.ts'
import { UnixSocket } from './unix-socket.ts'

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)

export const isNonblocking = (file: File): boolean => (file.flags & O_NONBLOCK) !== 0

export const socketOps = (socket: UnixSocket): FileOps => ({
  seekable: false,
  read: (file, count) => socket.read(count, isNonblocking(file)),
  readNow: (_file, count) => socket.readNow(count),
  readWait: (file) => (isNonblocking(file) ? undefined : socket.readWait()),
  writeNow: (_file, bytes) => socket.writeNow(bytes),
  write: (file, bytes) => socket.write(bytes, isNonblocking(file)),
  *ioctl(_file, request) {
    if (request === TIOCOUTQ) return word(socket.inFlight)
    if (request !== FIONREAD || socket.state === 'listening') return fail(EINVAL)
    return word(socket.unread)
  },
  poll: () => socket.poll(),
  pollQueues: () => [socket.changed],
  release: () => socket.release(),
})

/** The socket behind a descriptor. */
export function socketOf(task: Task, fd: number): { readonly file: File; readonly socket: UnixSocket } {
  const file = task.files.get(fd) ?? fail(EBADF)
  return file.data instanceof UnixSocket ? { file, socket: file.data } : fail(ENOTSOCK)
}
