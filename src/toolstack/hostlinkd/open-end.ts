/**
 * What a link's address names in this domain: a unix socket or a terminal by its path; `file:PATH`, a file to be written anew;
 * `exec:COLSxROWS:PATH`, a program on a new terminal of that size.
 */
import {
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from '#abi/posix/fcntl.ts'
import { AF_UNIX, SOCK_STREAM, sockaddrUn, UNIX_PATH_MAX } from '#abi/posix/socket.ts'
import { S_IFCHR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { close, connect, fcntl, open, socket, stat } from '#user/libc/syscall.ts'
import { tcgetattr } from '#user/libc/termios.ts'
import { EXEC, startProgram } from './program.ts'

/** A terminal has no half: when either side ends, it is over. A program's end is the link's, in order. A file is only written. */
export type EndKind = 'socket' | 'terminal' | 'program' | 'file'

export interface End {
  readonly kind: EndKind
  readonly fd: number
}

const FILE = 'file:'
const PATH_MAX = 4096
const FILE_MODE = 0o644

/** Closed again if `body` fails. */
function* closingOnFailure(fd: number, body: Sys<unknown>): Sys<number> {
  try {
    yield* body
    return fd
  } catch (error) {
    yield* close(fd)
    throw error
  }
}

function* connected(fd: number, path: string): Sys<void> {
  yield* fcntl(fd, F_SETFL, O_NONBLOCK)
  yield* connect(fd, sockaddrUn(path))
}

function* isCharacterDevice(path: string): Sys<boolean> {
  try {
    return ((yield* stat(path)).mode & S_IFMT) === S_IFCHR
  } catch (error) {
    // Connecting says what is wrong.
    if (error instanceof OsError) return false
    throw error
  }
}

/** Undefined: it names nothing that a link can be joined to. What the kernel refuses is an OsError. */
export function* openEnd(to: string): Sys<End | undefined> {
  const end = yield* endOf(to)
  // Programs of other links have no business with it: one that held it would keep it open.
  if (end) yield* fcntl(end.fd, F_SETFD, FD_CLOEXEC)
  return end
}

function* endOf(to: string): Sys<End | undefined> {
  if (to.startsWith(EXEC)) return { kind: 'program', fd: yield* startProgram(to) }
  const isFile = to.startsWith(FILE)
  const path = isFile ? to.slice(FILE.length) : to
  if (!path.startsWith('/') || path.length >= PATH_MAX || path.includes('\0')) return undefined
  if (isFile) return { kind: 'file', fd: yield* open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, FILE_MODE) }
  if (yield* isCharacterDevice(path)) {
    const fd = yield* open(path, O_RDWR | O_NOCTTY | O_NONBLOCK, 0)
    // A device that is no terminal refuses this.
    return { kind: 'terminal', fd: yield* closingOnFailure(fd, tcgetattr(fd)) }
  }
  if (path.length >= UNIX_PATH_MAX) return undefined
  const fd = yield* socket(AF_UNIX, SOCK_STREAM, 0)
  return { kind: 'socket', fd: yield* closingOnFailure(fd, connected(fd, path)) }
}
