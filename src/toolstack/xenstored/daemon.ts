/**
 * xenstored's loop: one poll over the sockets and the event channels, a bounded piece of work for each connection that has some, and what
 * came out of it sent. A connection that misbehaves costs itself.
 */
import { EINTR, EINVAL } from '#abi/posix/errno.ts'
import { POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { sbrk } from '#user/libc/heap.ts'
import { poll, raw } from '#user/libc/syscall.ts'
import type { Connection } from './connection.ts'
import type { Hypervisor } from './hypervisor.ts'
import { RingTransport } from './ring-transport.ts'
import { SocketTransport } from './socket-transport.ts'
import type { Errand, Store } from './store.ts'
import type { TraceFile } from './trace-file.ts'
import type { Transport } from './transport.ts'

/** Who has so much waiting is not asked for more. */
const HOLD_BYTES = 64 * 1024
/** The heap grows by so much at a time. */
const HEAP_STEP = 128 * 1024

export interface DaemonParts {
  readonly store: Store
  readonly socket: number
  readonly readOnlySocket: number
  /** Undefined: --no-domain-init. */
  readonly hypervisor: Hypervisor | undefined
  readonly trace: TraceFile
}

export class Daemon {
  readonly #parts: DaemonParts
  readonly #transports: Map<Connection, Transport>
  /** By descriptor. */
  readonly #sockets: Map<number, Connection>
  /** By the local port of its channel. */
  readonly #rings: Map<number, Connection>
  /** Whose last messages wait until it has listened. */
  readonly #held: Set<Connection>
  /** What a notification may be due to. */
  readonly #touched: Set<Transport>
  #heap: number

  constructor(parts: DaemonParts) {
    this.#parts = parts
    this.#transports = new Map()
    this.#sockets = new Map()
    this.#rings = new Map()
    this.#held = new Set()
    this.#touched = new Set()
    this.#heap = 0
  }

  /** dom0's own ring; not introduced by anybody. */
  *serveDom0(): Sys<void> {
    const { hypervisor, store } = this.#parts
    const link = yield* hypervisor!.dom0()
    const conn = store.addDomain(0, -1, 0)
    this.#transports.set(conn, new RingTransport(link))
    this.#rings.set(link.port, conn)
    yield* link.notify(link.port)
  }

  /** Never comes back. */
  *loop(): Sys<never> {
    const { socket, readOnlySocket, hypervisor, trace } = this.#parts
    for (;;) {
      const fds = [socket, POLLIN, readOnlySocket, POLLIN]
      if (hypervisor) fds.push(hypervisor.fd, POLLIN)
      for (const [fd, conn] of this.#sockets) fds.push(fd, this.#wants(conn))
      let revents: readonly number[]
      try {
        revents = yield* poll(fds, this.#held.size > 0 && [...this.#held].some(listens) ? 0 : -1)
      } catch (error) {
        if (!(error instanceof OsError) || error.errno !== EINTR) throw error
        revents = []
      }
      if (trace.stale) yield* trace.reopen()
      for (let i = 0; i < revents.length; i++) {
        if (revents[i] === 0) continue
        const fd = fds[2 * i]!
        if (fd === socket || fd === readOnlySocket) yield* this.#accept(fd, fd === socket)
        else if (fd === hypervisor?.fd) yield* this.#events(hypervisor)
        else {
          const conn = this.#sockets.get(fd)
          if (conn) yield* this.#serve(conn, (revents[i]! & ~POLLOUT) !== 0)
        }
      }
      // A copy: who still does not listen comes back in.
      if (this.#held.size > 0) for (const conn of [...this.#held]) yield* this.#process(conn)
      yield* this.#settle()
    }
  }

  #wants(conn: Connection): number {
    const blocked = this.#transports.get(conn)?.blocked ? POLLOUT : 0
    return listens(conn) ? blocked | POLLIN : blocked
  }

  *#accept(listening: number, canWrite: boolean): Sys<void> {
    const fd = yield* raw(SYSCALL_NR.accept, listening)
    if (typeof fd !== 'number' || fd < 0) return
    const conn = this.#parts.store.connect(canWrite)
    this.#sockets.set(fd, conn)
    this.#transports.set(conn, yield* SocketTransport.accepted(fd))
    // Who connects mostly has asked by now: this saves a poll.
    yield* this.#serve(conn, true)
  }

  /** What the event channel device has: domains that ask or make room, and news of domains' ends. */
  *#events(hypervisor: Hypervisor): Sys<void> {
    const ports = yield* hypervisor.pending()
    for (const port of ports) {
      const conn = this.#rings.get(port)
      if (conn) yield* this.#serve(conn, true)
      else if (port === hypervisor.domExcPort) {
        const infos = yield* hypervisor.domains(this.#parts.store.domains.map(({ domid }) => domid))
        this.#parts.store.scanDomains((domid) => infos.get(domid))
      }
    }
    yield* hypervisor.unmask(ports)
  }

  /** One connection's turn: what it sends at once, and no more. */
  *#serve(conn: Connection, readable: boolean): Sys<void> {
    const transport = this.#transports.get(conn)
    if (!transport || conn.closed) return
    this.#touched.add(transport)
    if (conn.out.length > 0) this.#parts.store.outgoing.add(conn)
    if (!readable || !listens(conn) || this.#held.has(conn)) return
    const bytes = yield* transport.receive()
    if (bytes === 'gone') return this.#parts.store.disconnect(conn)
    if (!bytes) return
    conn.feed(bytes)
    yield* this.#process(conn)
  }

  *#process(conn: Connection): Sys<void> {
    const { store, trace } = this.#parts
    this.#held.delete(conn)
    while (!conn.closed) {
      if (!listens(conn)) {
        this.#held.add(conn)
        return
      }
      const message = conn.next()
      if (!message) return
      if (message === 'bad') return store.disconnect(conn)
      if (trace.on) yield* trace.received(conn, message.type, message.payload)
      const errand = store.handle(conn, message)
      if (errand) yield* this.#introduce(errand)
    }
  }

  /** INTRODUCE: the page and the channel, or the same page and a new channel. */
  *#introduce(errand: Errand): Sys<void> {
    const { hypervisor, store } = this.#parts
    const { again, domid, mfn, port } = errand
    const old = again && store.connectionOf(again)
    const before = old && this.#transports.get(old)
    let ring: RingTransport
    try {
      if (!hypervisor) throw new OsError(EINVAL, 'xenstored')
      if (before instanceof RingTransport) {
        ring = before
        this.#rings.delete(ring.link.port)
        yield* hypervisor.rebind(ring.link, domid, port)
      } else ring = new RingTransport(yield* hypervisor.link(domid, mfn, port))
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      store.finish(errand, error.errno)
      return
    }
    yield* ring.reset()
    const conn = store.finish(errand, 0)
    if (!conn) return
    this.#transports.set(conn, ring)
    if (ring.link.port !== 0) this.#rings.set(ring.link.port, conn)
  }

  /** Send what there is, and give back what ended connections held. */
  *#settle(): Sys<void> {
    const { store, trace } = this.#parts
    for (const conn of store.outgoing) {
      store.outgoing.delete(conn)
      const transport = this.#transports.get(conn)
      if (!transport) continue
      this.#touched.add(transport)
      if (!(yield* transport.flush(conn, (message) => trace.sent(conn, message)))) store.disconnect(conn)
    }
    for (const transport of this.#touched) yield* transport.notify()
    this.#touched.clear()
    for (let conn = store.ended.shift(); conn; conn = store.ended.shift()) yield* this.#release(conn)
    yield* trace.flush()
    if (store.tree.bytes > this.#heap || store.full) yield* this.#grow()
  }

  *#release(conn: Connection): Sys<void> {
    const transport = this.#transports.get(conn)
    if (!transport) return
    this.#transports.delete(conn)
    this.#held.delete(conn)
    if (transport instanceof RingTransport) this.#rings.delete(transport.link.port)
    else if (transport instanceof SocketTransport) {
      // Its last answers, as far as there is room for them.
      yield* transport.flush(conn, () => {})
      this.#sockets.delete(transport.fd)
    }
    yield* transport.close()
  }

  /** The tree's memory is real: without any left, nothing grows. */
  *#grow(): Sys<void> {
    const { store } = this.#parts
    try {
      while (store.tree.bytes > this.#heap) {
        yield* sbrk(HEAP_STEP)
        this.#heap += HEAP_STEP
      }
      store.full = false
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      store.full = true
    }
  }
}

const listens = (conn: Connection): boolean => conn.outBytes <= HOLD_BYTES
