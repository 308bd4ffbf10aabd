/** The daemon's state goes into the file (state-file.ts) each round, before anything of the round is answered. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import type { Connection } from './connection.ts'
import type { DaemonParts } from './daemon.ts'
import { RingTransport } from './ring-transport.ts'
import { SocketTransport } from './socket-transport.ts'
import { connectionsRecords, descriptorsRecord, record } from './state.ts'
import type { StateFile } from './state-file.ts'
import type { Transport } from './transport.ts'

export class Keeper {
  readonly #parts: DaemonParts
  readonly #transports: ReadonlyMap<Connection, Transport>

  constructor(parts: DaemonParts, transports: ReadonlyMap<Connection, Transport>) {
    this.#parts = parts
    this.#transports = transports
  }

  /** Before anything is answered: what an answer says has happened is in the file then. */
  *keep(state: StateFile, touched: ReadonlySet<Connection>): Sys<void> {
    const { store } = this.#parts
    store.keepDomains()
    const changed = state.dirty
    for (const waiting of [touched, store.outgoing])
      for (const conn of waiting) {
        const transport = conn.domain && !conn.closed && this.#transports.get(conn)
        if (transport instanceof RingTransport) state.put(yield* transport.record(conn, changed, false))
      }
    if (state.dirty) yield* state.flush()
    // The first file at once: until it is there, what counts is the last daemon's.
    const { isFirst } = state
    if (state.due) yield* state.begin(store.tree.fork(), yield* this.#connections(false))
    yield* state.step(isFirst)
  }

  /** All but the tree, as records. `live`: the socket's clients and all descriptors, too. */
  *#connections(live: boolean): Sys<string> {
    let first = ''
    let rings = ''
    for (const [conn, transport] of this.#transports) {
      if (conn.closed) continue
      if (transport instanceof RingTransport) {
        rings += yield* transport.record(conn, true, true)
        if (live) rings += record(`c${conn.serial}\0${transport.link.port}`)
      } else if (live && transport instanceof SocketTransport) {
        const { serial, canWrite, lastTransactionId, pid, input } = conn
        const numbers = `${serial}\0${transport.fd}\0${Number(canWrite)}\0${lastTransactionId}\0${pid}\0${input.length}`
        first += record(`s${numbers}\0${byteString(input)}${byteString(transport.unsent(conn))}`)
      }
    }
    return first + connectionsRecords(this.#parts.store, live) + rings
  }

  /** All of it into the file; `live`: for a daemon that has this one's descriptors. False: there is no file. */
  *keepAll(live: boolean): Sys<boolean> {
    const { store, state, socket, readOnlySocket, hypervisor, pidFile, access } = this.#parts
    if (!state) return false
    const own = descriptorsRecord({
      socket,
      readOnlySocket,
      evtchn: hypervisor?.fd ?? -1,
      domExcPort: hypervisor?.domExcPort ?? 0,
      pidFile,
      access: access?.fd ?? -1,
      lines: access?.waiting ?? '',
    })
    yield* state.begin(store.tree.fork(), (yield* this.#connections(live)) + (live ? own : ''))
    yield* state.step(true)
    return !state.lost
  }
}
