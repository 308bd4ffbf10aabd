/** The system calls about sockets (Linux: net/socket.c). Of families there is one, and of its types streams. */
import { EAFNOSUPPORT, EINVAL, ENOTCONN, EPROTONOSUPPORT, ESOCKTNOSUPPORT } from '#abi/posix/errno.ts'
import { AF_UNIX, SOCK_STREAM } from '#abi/posix/socket.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import { now, type SyscallTable, sleeping } from '../syscalls/row.ts'
import { tableOf } from '../vfs/file-table.ts'
import { installBoth } from '../vfs/special.ts'
import { vfsOf } from '../vfs/vfs-of.ts'
import { accept, addressOf, bind, connect, listen, pair } from './af-unix.ts'
import { netOf } from './net.ts'
import { getsockopt, setsockopt } from './options.ts'
import { isNonblocking, socketOf } from './socket-file.ts'
import { UnixSocket } from './unix-socket.ts'

/** SOCK_MAX */
const TYPES = 11

function check(family: number, type: number, protocol: number): void {
  if (family !== AF_UNIX) fail(EAFNOSUPPORT)
  if (type < 0 || type >= TYPES) fail(EINVAL)
  if (protocol !== 0 && protocol !== AF_UNIX) fail(EPROTONOSUPPORT)
  if (type !== SOCK_STREAM) fail(ESOCKTNOSUPPORT)
}

/** A descriptor for `socket`. */
function install(kernel: Kernel, task: Task, socket: UnixSocket): number {
  const { open } = vfsOf(kernel)
  const file = netOf(kernel).file(task, socket)
  try {
    open.add(file)
    return tableOf(task).install(task, file, 0, false)
  } catch (error) {
    open.remove(file)
    throw error
  }
}

export const socketSyscalls = {
  socket: sleeping(['int', 'int', 'int'], function* (kernel, task, family, type, protocol) {
    check(family, type, protocol)
    const socket = new UnixSocket(kernel)
    try {
      return install(kernel, task, socket)
    } catch (error) {
      yield* socket.release()
      throw error
    }
  }),
  socketpair: sleeping(['int', 'int', 'int'], function* (kernel, task, family, type, protocol) {
    check(family, type, protocol)
    const ends = pair(kernel, task)
    const [first, second] = ends.map((end) => netOf(kernel).file(task, end))
    try {
      return installBoth(vfsOf(kernel), task, first!, second!)
    } catch (error) {
      for (const end of ends) yield* end.release()
      throw error
    }
  }),
  bind: sleeping(['int', 'bytes'], function* (kernel, task, fd, address) {
    yield* bind(kernel, task, socketOf(task, fd).socket, address)
    return 0
  }),
  listen: now(['int', 'int'], (_kernel, task, fd, backlog) => {
    listen(task, socketOf(task, fd).socket, backlog)
    return 0
  }),
  connect: sleeping(['int', 'bytes'], function* (kernel, task, fd, address) {
    const { file, socket } = socketOf(task, fd)
    yield* connect(kernel, task, socket, address, isNonblocking(file))
    return 0
  }),
  accept: sleeping(['int'], function* (kernel, task, fd) {
    const { file, socket } = socketOf(task, fd)
    const accepted = yield* accept(kernel, socket, isNonblocking(file))
    try {
      return install(kernel, task, accepted)
    } catch (error) {
      // It waits for an accept that has a descriptor for it.
      socket.pending.unshift(accepted)
      throw error
    }
  }),
  shutdown: now(['int', 'int'], (_kernel, task, fd, how) => {
    // SHUT_RD, SHUT_WR and SHUT_RDWR are one less than the bits.
    socketOf(task, fd).socket.shutdown((how + 1) & 3)
    return 0
  }),
  getsockname: now(['int'], (_kernel, task, fd) => addressOf(socketOf(task, fd).socket.address)),
  getpeername: now(['int'], (_kernel, task, fd) =>
    addressOf((socketOf(task, fd).socket.peer ?? fail(ENOTCONN)).address),
  ),
  getsockopt: now(['int', 'int', 'int'], (_kernel, task, fd, level, name) =>
    getsockopt(socketOf(task, fd).socket, level, name),
  ),
  setsockopt: now(['int', 'int', 'int', 'bytes'], (_kernel, task, fd, level, name, value) => {
    setsockopt(socketOf(task, fd).socket, level, name, value)
    return 0
  }),
} satisfies SyscallTable
