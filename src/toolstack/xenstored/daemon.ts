/**
 * xenstored's loop: one poll over the sockets and the event channels, a bounded piece of work for each connection that has some, and what
 * came out of it sent. A connection that misbehaves costs itself.
 */
import { EINTR, EINVAL } from '#abi/posix/errno.ts'
import { POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { SO_PEERCRED, SOL_SOCKET } from '#abi/posix/socket.ts'
import { CLOCK_MONOTONIC, SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { XS_MKDIR, XS_RM, XS_SET_PERMS, XS_TRANSACTION_END, XS_WRITE } from '#abi/xen/io/xs_wire.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { sbrk } from '#user/libc/heap.ts'
import { readFile } from '#user/libc/stdio.ts'
import { clock_gettime, raw } from '#user/libc/syscall.ts'
import { connLine } from './access-trace.ts'
import type { Connection } from './connection.ts'
import type { Hypervisor } from './hypervisor.ts'
import { Keeper } from './keeper.ts'
import type { Errand } from './requests.ts'
import type { Restorer } from './restorer.ts'
import { RingTransport } from './ring-transport.ts'
import { SocketTransport } from './socket-transport.ts'
import type { StateFile } from './state-file.ts'
import type { Store } from './store.ts'
import type { LineSink, TraceFile } from './trace-file.ts'
import type { Transport } from './transport.ts'

/** Who has so much waiting is not asked for more. */
const HOLD_BYTES = 64 * 1024
/** So long domains wait for a transaction of dom0's that failed because of them. */
const HINDERED_MS = 100
/** What changes the tree, or may. */
const CHANGES: ReadonlySet<number> = new Set([XS_WRITE, XS_MKDIR, XS_RM, XS_SET_PERMS, XS_TRANSACTION_END])
/** The heap grows by so much at a time. */
const HEAP_STEP = 128 * 1024

export interface DaemonParts {
  readonly store: Store
  readonly socket: number
  readonly readOnlySocket: number
  /** Undefined: --no-domain-init. */
  readonly hypervisor: Hypervisor | undefined
  readonly trace: TraceFile
  /** The access trace's device, if there is one. */
  readonly access: LineSink | undefined
  /** Undefined: nothing outlives this daemon. */
  readonly state: StateFile | undefined
  /** --pid-file, open and locked; -1: none. */
  readonly pidFile: number
}

export class Daemon {
  readonly keeper: Keeper
  readonly #parts: DaemonParts
  readonly #transports: Map<Connection, Transport>
  /** By descriptor. */
  readonly #sockets: Map<number, Connection>
  /** By the local port of its channel. */
  readonly #rings: Map<number, Connection>
  /** Whose last messages wait until it has listened. */
  readonly #held: Set<Connection>
  /** What a notification may be due to. */
  readonly #touched: Set<Connection>
  /** Rings that have news which nobody will tell of, or had them while they had to wait. */
  readonly #again: Set<Connection>
  /** Socket's clients that the access trace does not know yet. */
  readonly #unnamed: Set<Connection>
  /** When those who hinder dom0 may go on; 0: nobody does. */
  #hinderedUntilMs: number
  /** SIGTERM: this round is the last. */
  ending: boolean
  #heap: number
  /** What `#watched` has found, while it holds. */
  #fds: readonly number[] | undefined

  constructor(parts: DaemonParts) {
    this.#parts = parts
    this.#transports = new Map()
    this.keeper = new Keeper(parts, this.#transports)
    this.#sockets = new Map()
    this.#rings = new Map()
    this.#held = new Set()
    this.#touched = new Set()
    this.#again = new Set()
    this.#unnamed = new Set()
    this.#hinderedUntilMs = 0
    this.ending = false
    this.#heap = 0
    this.#fds = undefined
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

  /** Go on where an earlier daemon was: its domains' rings, and after a live update its sockets. */
  *resume({ rings, sockets }: Restorer): Sys<void> {
    const { hypervisor, store } = this.#parts
    for (const conn of [...store.connections]) {
      const { domain } = conn
      const state = rings.get(conn) ?? { cons: -1, input: '', output: [], port: undefined }
      const socket = sockets.get(conn)
      if (socket) {
        const transport = new SocketTransport(socket.fd)
        conn.resume(bytesOfString(socket.input), bytesOfString(socket.output))
        this.#add(conn, transport)
        if (conn.input.length > 0) this.#held.add(conn)
        continue
      }
      try {
        if (!domain || !hypervisor) throw new OsError(EINVAL, 'xenstored')
        const link = yield* domain.mfn < 0
          ? hypervisor.dom0(state.port)
          : hypervisor.link(domain.domid, domain.mfn, domain.remotePort, state.port)
        const ring = new RingTransport(link)
        this.#add(conn, ring)
        yield* ring.resume(conn, state)
        // Whatever has come in the meantime has had nobody to notify.
        this.#again.add(conn)
        yield* link.notify(link.port)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        store.disconnect(conn)
      }
    }
    if (hypervisor) yield* this.#scan(hypervisor)
  }

  #add(conn: Connection, transport: Transport): void {
    this.#transports.set(conn, transport)
    if (transport instanceof SocketTransport) {
      this.#sockets.set(transport.fd, conn)
      this.#fds = undefined
      if (this.#parts.access) this.#unnamed.add(conn)
    } else if (transport instanceof RingTransport && transport.link.port !== 0)
      this.#rings.set(transport.link.port, conn)
  }

  /** Until SIGTERM, or `update`. */
  *loop(): Sys<void> {
    const { socket, readOnlySocket, hypervisor, store, trace } = this.#parts
    yield* this.#settle()
    for (;;) {
      const fds = this.#fds ?? this.#watched()
      const waits =
        this.#hinderedUntilMs !== 0 || store.hindering.size > 0 || this.#held.size > 0 || this.#again.size > 0
      const polled = yield [SYSCALL_NR.poll, fds, waits ? yield* this.#patience() : -1]
      if (typeof polled === 'number' && polled !== -EINTR) throw new OsError(-polled, 'poll')
      const revents = typeof polled === 'number' ? [] : (polled as readonly number[])
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
      if (this.#again.size > 0)
        for (const conn of [...this.#again]) {
          if (!this.#goesOn(conn) || this.#held.has(conn)) continue
          this.#again.delete(conn)
          yield* this.#serve(conn, true)
        }
      yield* this.#settle()
      if (this.ending || store.live.due) return
    }
  }

  /** What to poll: as long as everybody listens it stays the same, until somebody comes or goes. */
  #watched(): readonly number[] {
    const { socket, readOnlySocket, hypervisor } = this.#parts
    const fds = [socket, POLLIN, readOnlySocket, POLLIN]
    if (hypervisor) fds.push(hypervisor.fd, POLLIN)
    let same = true
    for (const [fd, conn] of this.#sockets) {
      const wanted = this.#wants(conn)
      if (wanted !== POLLIN) same = false
      fds.push(fd, wanted)
    }
    this.#fds = same ? fds : undefined
    return fds
  }

  /** How long the next poll may take, in ms; and the end of waiting for those who waited long enough. */
  *#patience(): Sys<number> {
    const { hindered, hindering } = this.#parts.store
    let most = -1
    if (hindering.size === 0) this.#hinderedUntilMs = 0
    else {
      const [seconds, ns] = yield* clock_gettime(CLOCK_MONOTONIC)
      const nowMs = seconds * 1000 + Math.floor(ns / 1e6)
      if (this.#hinderedUntilMs === 0) this.#hinderedUntilMs = nowMs + HINDERED_MS
      most = this.#hinderedUntilMs - nowMs
      if (most <= 0) {
        hindered.clear()
        hindering.clear()
        this.#hinderedUntilMs = 0
        most = -1
      }
    }
    for (const waiting of [this.#held, this.#again]) for (const conn of waiting) if (this.#goesOn(conn)) return 0
    return most
  }

  /** It is heard by who asks, and nobody has to wait because of it. */
  #goesOn(conn: Connection): boolean {
    return listens(conn) && !this.#parts.store.hindering.has(conn)
  }

  #wants(conn: Connection): number {
    const blocked = this.#transports.get(conn)?.blocked ? POLLOUT : 0
    return listens(conn) ? blocked | POLLIN : blocked
  }

  *#accept(listening: number, canWrite: boolean): Sys<void> {
    const fd = yield* raw(SYSCALL_NR.accept, listening)
    if (typeof fd !== 'number' || fd < 0) return
    const conn = this.#parts.store.connect(canWrite)
    this.#add(conn, yield* SocketTransport.accepted(fd))
    const peer = this.#parts.access && (yield* raw(SYSCALL_NR.getsockopt, fd, SOL_SOCKET, SO_PEERCRED))
    if (peer instanceof Uint8Array) conn.pid = new DataView(peer.buffer, peer.byteOffset).getInt32(0, true)
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
        yield* this.#scan(hypervisor)
      }
    }
    yield* hypervisor.unmask(ports)
  }

  *#scan(hypervisor: Hypervisor): Sys<void> {
    const { store } = this.#parts
    const infos = yield* hypervisor.domains(store.domains.map(({ domid }) => domid))
    store.scanDomains((domid) => infos.get(domid))
  }

  /** One connection's turn: what it sends at once, and no more. */
  *#serve(conn: Connection, readable: boolean): Sys<void> {
    const transport = this.#transports.get(conn)
    if (!transport || conn.closed) return
    this.#touched.add(conn)
    if (conn.out.length > 0) this.#parts.store.outgoing.add(conn)
    if (!readable) return
    if (!this.#goesOn(conn) || this.#held.has(conn)) {
      if (conn.domain) this.#again.add(conn)
      return
    }
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
      if (!this.#goesOn(conn)) {
        this.#held.add(conn)
        return
      }
      const message = conn.next()
      if (!message) return
      if (message === 'bad') return store.disconnect(conn)
      if (trace.on) yield* trace.received(conn, message.type, message.payload)
      if (this.#unnamed.size > 0 && CHANGES.has(message.type) && this.#unnamed.delete(conn))
        yield* this.#introduceClient(conn)
      const errand = store.handle(conn, message)
      if (errand) yield* this.#introduce(errand)
    }
  }

  /** The access trace hears of a client before it hears of its changes. */
  *#introduceClient(conn: Connection): Sys<void> {
    if (conn.pid <= 0) return
    try {
      const stat = yield* readFile(`/proc/${conn.pid}/stat`)
      this.#parts.access?.put(connLine(conn, stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))))
    } catch (error) {
      // It has gone already.
      if (!(error instanceof OsError)) throw error
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

  /** Keep what has changed, send what there is, and give back what ended connections held. */
  *#settle(): Sys<void> {
    const { store, state, trace } = this.#parts
    do {
      if (state) yield* this.keeper.keep(state, this.#touched)
      // A ring's requests are done with, even if nothing answers them.
      for (const conn of this.#touched) if (conn.domain) store.outgoing.add(conn)
      for (const conn of store.outgoing) {
        store.outgoing.delete(conn)
        const transport = conn.closed ? undefined : this.#transports.get(conn)
        if (!transport) continue
        this.#touched.add(conn)
        if (!(yield* transport.flush(conn, (message) => trace.sent(conn, message)))) store.disconnect(conn)
        if (transport.blocked || !listens(conn)) this.#fds = undefined
        if (transport instanceof RingTransport && transport.more) this.#again.add(conn)
      }
      for (const conn of this.#touched) {
        const transport = conn.domain && this.#transports.get(conn)
        if (transport) yield* transport.notify()
      }
      this.#touched.clear()
      for (let conn = store.ended.shift(); conn; conn = store.ended.shift()) yield* this.#release(conn)
      // Who was found gone just now is told to others.
    } while (store.outgoing.size > 0 || state?.dirty)
    if (trace.waits) yield* trace.flush()
    if (store.tree.bytes > this.#heap || store.full) yield* this.#grow()
  }

  *#release(conn: Connection): Sys<void> {
    const transport = this.#transports.get(conn)
    if (!transport) return
    this.#transports.delete(conn)
    this.#held.delete(conn)
    this.#again.delete(conn)
    this.#unnamed.delete(conn)
    if (transport instanceof RingTransport) this.#rings.delete(transport.link.port)
    else if (transport instanceof SocketTransport) {
      // Its last answers, as far as there is room for them.
      yield* transport.flush(conn, () => {})
      this.#sockets.delete(transport.fd)
      this.#fds = undefined
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
