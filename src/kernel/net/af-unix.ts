/** Names and connections of the UNIX domain (Linux 2.6.18: net/unix/af_unix.c). */
import { EADDRINUSE, EAGAIN, ECONNREFUSED, EEXIST, EINTR, EINVAL, EISCONN } from '#abi/posix/errno.ts'
import { O_RDONLY, W_OK } from '#abi/posix/fcntl.ts'
import { AF_UNIX, UNIX_PATH_MAX } from '#abi/posix/socket.ts'
import { S_IFMT, S_IFSOCK } from '#abi/posix/stat.ts'
import { Errno, fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import { mknod } from '../vfs/names.ts'
import { OpenFile } from '../vfs/open-file.ts'
import { checkPermission } from '../vfs/permission.ts'
import { vfsOf } from '../vfs/vfs-of.ts'
import { walkTo } from '../vfs/walk.ts'
import { netOf } from './net.ts'
import { type PeerCredentials, UnixSocket } from './unix-socket.ts'

const FAMILY_BYTES = 2
/** sysctl_somaxconn */
const SOMAXCONN = 128

const credentialsOf = ({ pid, cred }: Task): PeerCredentials => ({ pid, uid: cred.euid, gid: cred.egid })

/** unix_mkname: a path without what follows its NUL, or a name that begins with one, of which every byte counts. */
function nameOf(address: Uint8Array): string {
  const { length } = address
  if (length <= FAMILY_BYTES || length > FAMILY_BYTES + UNIX_PATH_MAX) fail(EINVAL)
  if ((address[0]! | (address[1]! << 8)) !== AF_UNIX) fail(EINVAL)
  const text = String.fromCharCode(...address.subarray(FAMILY_BYTES))
  const end = text.indexOf('\0')
  return end > 0 ? text.slice(0, end) : text
}

/** The bytes of a struct sockaddr_un. */
export function addressOf(name: string | undefined): Uint8Array {
  const text = name === undefined || name.startsWith('\0') ? (name ?? '') : `${name}\0`
  const bytes = new Uint8Array(FAMILY_BYTES + text.length)
  bytes[0] = AF_UNIX
  for (let i = 0; i < text.length; i++) bytes[FAMILY_BYTES + i] = text.charCodeAt(i)
  return bytes
}

export function* bind(kernel: Kernel, task: Task, socket: UnixSocket, address: Uint8Array): Sleeping<void> {
  const name = nameOf(address)
  if (socket.address !== undefined) fail(EINVAL)
  if (name.startsWith('\0')) {
    const { abstract } = netOf(kernel)
    if (abstract.has(name)) fail(EADDRINUSE)
    abstract.set(name, socket)
    socket.address = name
    return
  }
  const vfs = vfsOf(kernel)
  try {
    yield* mknod(vfs, task, name, S_IFSOCK | 0o777, 0)
  } catch (error) {
    throw error instanceof Errno && error.errno === EEXIST ? new Errno(EADDRINUSE) : error
  }
  const place = yield* walkTo(vfs, task, name, false)
  const held = new OpenFile(place, place.inode, {}, O_RDONLY)
  vfs.open.add(held)
  held.users = 1
  place.inode.socket = socket
  socket.bound = held
  socket.address = name
}

export function listen(task: Task, socket: UnixSocket, backlog: number): void {
  if (socket.address === undefined || socket.state === 'connected') fail(EINVAL)
  socket.backlog = backlog < 0 || backlog > SOMAXCONN ? SOMAXCONN : backlog
  socket.state = 'listening'
  socket.peercred = credentialsOf(task)
  socket.room.wakeUp()
}

/** unix_find_other: who listens there, or did. */
function* find(kernel: Kernel, task: Task, name: string): Sleeping<UnixSocket> {
  if (name.startsWith('\0')) return netOf(kernel).abstract.get(name) ?? fail(ECONNREFUSED)
  const { inode } = yield* walkTo(vfsOf(kernel), task, name, true)
  checkPermission(task.cred, inode, W_OK)
  if ((inode.mode & S_IFMT) !== S_IFSOCK) fail(ECONNREFUSED)
  return inode.socket ?? fail(ECONNREFUSED)
}

export function* connect(
  kernel: Kernel,
  task: Task,
  socket: UnixSocket,
  address: Uint8Array,
  nonblock: boolean,
): Sleeping<void> {
  const name = nameOf(address)
  for (;;) {
    const listener = yield* find(kernel, task, name)
    if (listener.state !== 'listening') fail(ECONNREFUSED)
    if (listener.pending.length > listener.backlog) {
      if (nonblock) fail(EAGAIN)
      if ((yield* kernel.sched.sleepOn(listener.room)) === 'signal') fail(EINTR)
      continue
    }
    if (socket.state === 'connected') fail(EISCONN)
    if (socket.state === 'listening') fail(EINVAL)
    const accepted = new UnixSocket(kernel)
    netOf(kernel).sockets.add(accepted)
    accepted.address = listener.address
    accepted.peercred = credentialsOf(task)
    socket.peercred = listener.peercred
    accepted.join(socket)
    listener.pending.push(accepted)
    listener.changed.wakeUp()
    return
  }
}

/** The next connection. */
export function* accept(kernel: Kernel, listener: UnixSocket, nonblock: boolean): Sleeping<UnixSocket> {
  for (;;) {
    if (listener.state !== 'listening') fail(EINVAL)
    const socket = listener.pending.shift()
    if (socket) {
      listener.room.wakeUp()
      return socket
    }
    listener.throwError()
    if (listener.shut !== 0) fail(EINVAL)
    if (nonblock) fail(EAGAIN)
    if ((yield* kernel.sched.sleepOn(listener.changed)) === 'signal') fail(EINTR)
  }
}

export function pair(kernel: Kernel, task: Task): readonly [UnixSocket, UnixSocket] {
  const first = new UnixSocket(kernel)
  const second = new UnixSocket(kernel)
  first.join(second)
  first.peercred = second.peercred = credentialsOf(task)
  return [first, second]
}
