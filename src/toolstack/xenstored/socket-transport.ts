/** Clients of /var/run/xenstored/socket. The descriptor does not block: who does not read waits alone. */
import { EAGAIN, EINTR } from '#abi/posix/errno.ts'
import { F_SETFL, O_NONBLOCK, O_RDWR } from '#abi/posix/fcntl.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { close, fcntl } from '#user/libc/syscall.ts'
import type { Connection } from './connection.ts'
import type { Outgoing } from './outbox.ts'
import { advance, nextRun, type Transport } from './transport.ts'

/** Read, and written, in a round. */
const ROUND_BYTES = 8192

export class SocketTransport implements Transport {
  readonly fd: number
  blocked: boolean
  #from: number

  constructor(fd: number) {
    this.fd = fd
    this.blocked = false
    this.#from = 0
  }

  static *accepted(fd: number): Sys<SocketTransport> {
    yield* fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK)
    return new SocketTransport(fd)
  }

  *receive(): Sys<Uint8Array | undefined | 'gone'> {
    const got = yield [SYSCALL_NR.read, this.fd, ROUND_BYTES]
    if (got instanceof Uint8Array) return got.length === 0 ? 'gone' : got
    return got === -EAGAIN || got === -EINTR ? undefined : 'gone'
  }

  *flush(conn: Connection, sent: (message: Outgoing) => void): Sys<boolean> {
    this.blocked = false
    if (conn.out.length === 0) return true
    const bytes = nextRun(conn.out, this.#from, ROUND_BYTES)
    const done = yield [SYSCALL_NR.write, this.fd, bytes]
    if (typeof done !== 'number' || (done < 0 && done !== -EAGAIN && done !== -EINTR)) return false
    if (done > 0) this.#from = advance(conn, this.#from, done, sent)
    this.blocked = conn.out.length > 0
    return true
  }

  /** What is left of the queue. */
  unsent(conn: Connection): Uint8Array {
    return conn.out.length === 0 ? new Uint8Array(0) : nextRun(conn.out, this.#from, conn.outBytes)
  }

  *notify(): Sys<void> {}

  *close(): Sys<void> {
    yield* close(this.fd)
  }
}
