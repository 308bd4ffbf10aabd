/** The XML-RPC server on its unix socket: a thread for the socket, and one for each connection (server/XMLRPCServer.py). */
import { EAGAIN } from '#abi/posix/errno.ts'
import { F_GETFL, F_SETFL, O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { dirname } from '#user/libc/path.ts'
import { accept, bind, close, fcntl, listen, read, socket, unlink, write } from '#user/libc/syscall.ts'
import type { Threads } from '#user/libc/threads.ts'
import { XML_RPC_SOCKET } from '../xmlrpc/client.ts'
import type { ByteStream } from '../xmlrpc/http.ts'
import { serve } from '../xmlrpc/server.ts'
import type { Xend } from './context.ts'
import { makeDirectories } from './managed.ts'
import { dispatch, internalError } from './rpc.ts'

const CHUNK = 65536
/** SocketServer's. */
const BACKLOG = 5

/** A connection as a stream that lets other threads run while it waits. */
export const threadStream = (threads: Threads, fd: number): ByteStream => ({
  *read() {
    yield* threads.wait({ fd, events: POLLIN })
    return yield* read(fd, CHUNK)
  },
  *write(bytes) {
    for (let done = 0; done < bytes.length; ) {
      try {
        done += yield* write(fd, bytes.subarray(done, done + CHUNK))
      } catch (error) {
        if (!(error instanceof OsError) || error.errno !== EAGAIN) throw error
        yield* threads.wait({ fd, events: POLLOUT })
      }
    }
  },
})

export class XmlRpcServer {
  readonly #xend: Xend
  #fd = -1

  constructor(xend: Xend) {
    this.#xend = xend
  }

  /** Listen, and start the thread that accepts. */
  *open(): Sys<void> {
    const { log, threads } = this.#xend
    // The legacy interface of 3.3 asks for no password: only root reaches the directory.
    yield* log.info('XMLRPCServer:155', `Opening Unix domain socket XML-RPC server on ${XML_RPC_SOCKET}.`)
    yield* makeDirectories(dirname(XML_RPC_SOCKET), 0o700)
    try {
      yield* unlink(XML_RPC_SOCKET)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
    this.#fd = yield* socket(AF_UNIX, SOCK_STREAM, 0)
    yield* bind(this.#fd, sockaddrUn(XML_RPC_SOCKET))
    yield* listen(this.#fd, BACKLOG)
    threads.start('XMLRPCServer', this.#accept(this.#fd))
  }

  *close(): Sys<void> {
    yield* this.#xend.log.debug('XMLRPCServer:235', 'XMLRPCServer.cleanup()')
    if (this.#fd >= 0) yield* close(this.#fd)
    this.#fd = -1
  }

  *#accept(listening: number): Sys<void> {
    const { threads } = this.#xend
    for (let count = 1; ; count++) {
      yield* threads.wait({ fd: listening, events: POLLIN })
      // Closed, and perhaps opened anew, by `reload`.
      if (this.#fd !== listening) return
      const fd = yield* accept(listening)
      if (threads.full) yield* close(fd)
      else threads.start(`connection ${count}`, this.#connection(fd))
    }
  }

  *#connection(fd: number): Sys<void> {
    const xend = this.#xend
    try {
      yield* fcntl(fd, F_SETFL, (yield* fcntl(fd, F_GETFL, 0)) | O_NONBLOCK)
      yield* serve(threadStream(xend.threads, fd), {
        call: (method, params) => dispatch(xend, method, params),
        failed: (method, error) => internalError(xend, method, error),
      })
    } catch (error) {
      // The client has gone.
      if (!(error instanceof OsError)) throw error
    } finally {
      yield* close(fd)
    }
  }
}
