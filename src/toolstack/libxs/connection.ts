/**
 * A connection to xenstored and the framing of its messages (libxenstore: xs.c). The daemon's answers come in the order of the requests; what a
 * watch saw may come between them and is queued. One request at a time: a connection belongs to one process.
 */
import { E2BIG, EBADF, EINTR, EINVAL } from '#abi/posix/errno.ts'
import { F_SETFD, FD_CLOEXEC, O_RDWR } from '#abi/posix/fcntl.ts'
import { SIG_IGN, SIGPIPE } from '#abi/posix/signal.ts'
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import { S_IFMT, S_IFSOCK } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { XENSTORE_PAYLOAD_MAX, XS_ERROR, XS_WATCH_EVENT, xsd_errors } from '#abi/xen/io/xs_wire.ts'
import { byteStringOf } from '#lib/utf8.ts'
import { setWord, word } from '#lib/words.ts'
import { getenv } from '#user/libc/env.ts'
import { OsError } from '#user/libc/errno.ts'
import { close, connect, fcntl, open, read, rt_sigaction, socket, stat, write } from '#user/libc/syscall.ts'

const HEADER = 16
const NOTHING = new Uint8Array(0)

/** An answer of the largest size, and a little of what follows. */
const READ_BYTES = 2 * XENSTORE_PAYLOAD_MAX

export interface XsEvent {
  readonly path: string
  readonly token: string
}

interface Reply {
  readonly type: number
  readonly payload: string
}

/** struct xs_handle */
export interface XsHandle {
  /** Readable when the daemon has something to say that was not read off yet (xsPending: what was). -1 once the connection is broken. */
  fd: number
  /** Events that have been read off, oldest first. */
  readonly events: XsEvent[]
  readonly replies: Reply[]
  /** The beginning of a message. */
  partial: Uint8Array
}

/** A new handle over a descriptor that speaks the protocol. */
export const xsHandle = (fd: number): XsHandle => ({ fd, events: [], replies: [], partial: NOTHING })

/** xs_daemon_rundir and its like: the variables say where a daemon under test lies. */
export const xsDaemonSocket = (env: readonly string[] = []): string =>
  getenv(env, 'XENSTORED_PATH') ?? `${getenv(env, 'XENSTORED_RUNDIR') ?? '/var/run/xenstored'}/socket`

/** xs_daemon_open: a connection over the unix socket, which has all rights. */
export const xsDaemonOpen = (env: readonly string[] = []): Sys<XsHandle> =>
  handleAt(xsDaemonSocket(env), true, getenv(env, 'XENSTORED_PATH') !== undefined)

/** xs_daemon_open_readonly */
export const xsDaemonOpenReadonly = (env: readonly string[] = []): Sys<XsHandle> =>
  handleAt(`${xsDaemonSocket(env)}_ro`, true, getenv(env, 'XENSTORED_PATH') !== undefined)

/** xs_domain_open: this domain's own connection, through its kernel. */
export const xsDomainOpen = (env: readonly string[] = []): Sys<XsHandle> =>
  handleAt(getenv(env, 'XENSTORED_PATH') ?? '/proc/xen/xenbus', false, getenv(env, 'XENSTORED_PATH') !== undefined)

/** What kind of file it is need only be asked where the environment names it. */
function* handleAt(path: string, isSocket: boolean, ask: boolean): Sys<XsHandle> {
  if (ask ? ((yield* stat(path)).mode & S_IFMT) === S_IFSOCK : isSocket) return xsHandle(yield* connectTo(path))
  return xsHandle(yield* open(path, O_RDWR, 0))
}

/** A stream socket, connected to `path`. The daemon's end shows as EPIPE: libxenstore lives without the signal. */
function* connectTo(path: string): Sys<number> {
  const fd = yield* socket(AF_UNIX, SOCK_STREAM, 0)
  try {
    yield* fcntl(fd, F_SETFD, FD_CLOEXEC)
    yield* connect(fd, sockaddrUn(path))
    yield* rt_sigaction(SIGPIPE, SIG_IGN, 0, 0)
    return fd
  } catch (error) {
    yield* close(fd)
    throw error
  }
}

/** xs_daemon_close */
export function* xsDaemonClose(h: XsHandle): Sys<void> {
  const { fd } = h
  h.fd = -1
  if (fd >= 0) yield* close(fd)
}

/** xs_talkv: ask, and wait for the answer. The daemon's errors are OsErrors of `call`; after any other trouble the connection is closed. */
export function* xsTalk(h: XsHandle, call: string, t: number, type: number, payload: string): Sys<string> {
  if (payload.length > XENSTORE_PAYLOAD_MAX) throw new OsError(E2BIG, call)
  if (h.fd < 0) throw new OsError(EBADF, call)
  let reply: Reply
  try {
    yield* writeMessage(h.fd, t, type, payload)
    while (h.replies.length === 0) yield* readMore(h)
    reply = h.replies.shift()!
  } catch (error) {
    yield* xsDaemonClose(h)
    throw error instanceof OsError ? new OsError(error.errno, call) : error
  }
  if (reply.type === XS_ERROR) {
    const name = reply.payload.split('\0', 1)[0]
    throw new OsError(xsd_errors.find(([, errstring]) => errstring === name)?.[0] ?? EINVAL, call)
  }
  if (reply.type !== type) {
    yield* xsDaemonClose(h)
    throw new OsError(EBADF, call)
  }
  return reply.payload
}

function* writeMessage(fd: number, t: number, type: number, payload: string): Sys<void> {
  const { length } = payload
  const bytes = new Uint8Array(HEADER + length)
  setWord(bytes, 0, type)
  setWord(bytes, 8, t)
  setWord(bytes, 12, length)
  for (let i = 0; i < length; i++) bytes[HEADER + i] = payload.charCodeAt(i)
  for (let done = 0; done < bytes.length; ) {
    try {
      done += yield* write(fd, done === 0 ? bytes : bytes.subarray(done))
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== EINTR) throw error
    }
  }
}

/** Wait until something has come, and sort what is complete. The end of the connection is EBADF. */
export function* readMore(h: XsHandle): Sys<void> {
  let bytes: Uint8Array
  try {
    bytes = yield* read(h.fd, READ_BYTES)
  } catch (error) {
    if (error instanceof OsError && error.errno === EINTR) return
    throw error
  }
  if (bytes.length === 0) throw new OsError(EBADF, 'read')
  if (h.partial.length > 0) {
    const joined = new Uint8Array(h.partial.length + bytes.length)
    joined.set(h.partial)
    joined.set(bytes, h.partial.length)
    bytes = joined
  }
  let at = 0
  while (bytes.length - at >= HEADER) {
    const end = at + HEADER + word(bytes, at + 12)
    if (end > bytes.length) break
    const type = word(bytes, at)
    const payload = byteStringOf(bytes, at + HEADER, end)
    if (type === XS_WATCH_EVENT) {
      const [path = '', token = ''] = payload.split('\0', 2)
      h.events.push({ path, token })
    } else h.replies.push({ type, payload })
    at = end
  }
  h.partial = at === bytes.length ? NOTHING : bytes.slice(at)
}
