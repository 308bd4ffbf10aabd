/** Options of a socket (Linux: net/core/sock.c). */
import { EINVAL, ENOPROTOOPT, EOPNOTSUPP } from '#abi/posix/errno.ts'
import { SO_ERROR, SO_PEERCRED, SO_TYPE, SOCK_STREAM, SOL_SOCKET } from '#abi/posix/socket.ts'
import { fail } from '../errno.ts'
import type { UnixSocket } from './unix-socket.ts'

const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_ACCEPTCONN = 30
const SOCK_MIN_SNDBUF = 2048
const WMEM_MAX = 131071

const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer)

export function getsockopt(socket: UnixSocket, level: number, name: number): Uint8Array {
  if (level !== SOL_SOCKET) fail(EOPNOTSUPP)
  switch (name) {
    case SO_TYPE:
      return words(SOCK_STREAM)
    case SO_ERROR:
      return words(socket.takeError())
    case SO_PEERCRED:
      return words(socket.peercred.pid, socket.peercred.uid, socket.peercred.gid)
    case SO_ACCEPTCONN:
      return words(socket.state === 'listening' ? 1 : 0)
    case SO_SNDBUF:
    // A stream's receiver keeps no account of its own.
    case SO_RCVBUF:
      return words(socket.sndbuf)
    default:
      return fail(ENOPROTOOPT)
  }
}

export function setsockopt(socket: UnixSocket, level: number, name: number, value: Uint8Array): void {
  if (level !== SOL_SOCKET) fail(EOPNOTSUPP)
  if (value.length < 4) fail(EINVAL)
  const wanted = new DataView(value.buffer, value.byteOffset).getInt32(0, true)
  switch (name) {
    case SO_SNDBUF:
      socket.sndbuf = Math.max(SOCK_MIN_SNDBUF, Math.min(wanted >>> 0, WMEM_MAX) * 2)
      socket.changed.wakeUp()
      return
    case SO_RCVBUF:
      return
    default:
      fail(ENOPROTOOPT)
  }
}
