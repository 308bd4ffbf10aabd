/**
 * The heart of xenstored: connections, domains, the tree and its generation. Pure: bytes of messages in, queues of messages out; sockets, rings and
 * event channels are the daemon's affair (daemon.ts). What needs those is an errand that `handle` gives back.
 */
import { ENOENT, ENOSPC, ENOSYS } from '#abi/posix/errno.ts'
import { XS_ERROR, XS_TRANSACTION_END, xsd_errors } from '#abi/xen/io/xs_wire.ts'
import { XS_PERM_NONE, type XsPermission } from '../libxs/perms.ts'
import type { AccessTrace } from './access-trace.ts'
import { Connection, type Domain, type Message } from './connection.ts'
import { OPERATIONS } from './operations.ts'
import { type Errand, type LiveUpdate, QUOTAS, type Quotas, type Request } from './requests.ts'
import { closeRecord, domainRecord, endRecord, resetRecord, startRecord } from './state.ts'
import { newTransaction, type Transaction } from './transactions.ts'
import { Tree } from './tree.ts'
import { Watches } from './watches.ts'

/**
 * Who does not listen loses its connection when so much waits for it (3.3 keeps all of it until dom0 has no memory left); a domain is not asked for
 * more requests while a tenth of it waits.
 */
export const OUTPUT_BYTES_MAX = 4 << 20
/** What a message takes besides its bytes: many small ones are much, too. */
const MESSAGE_BYTES = 128

export interface StoreOptions {
  readonly quotas?: Quotas
  /** What is noted of connections, watches and transactions (-T). */
  readonly note?: (text: string) => void
  /** Where DEBUG prints. */
  readonly print?: (text: string) => void
  readonly access?: AccessTrace
  /** Hears of every change of what has to outlive this daemon (state.ts). */
  readonly keep?: (record: string) => void
  /** --merge-activate */
  readonly merges?: boolean
}

const OWNED_BY_DOM0: readonly XsPermission[] = [{ id: 0, perms: XS_PERM_NONE }]

export class Store {
  readonly quotas: Quotas
  readonly connections: Set<Connection>
  /** The newest first, as the real list. */
  readonly domains: Domain[]
  readonly watches: Watches
  /** Connections that have something to be sent; whoever sends it takes them out. */
  readonly outgoing: Set<Connection>
  /** Connections that have ended since somebody looked: their descriptors, rings and ports are to be given back. */
  readonly ended: Connection[]
  readonly note: (text: string) => void
  readonly print: (text: string) => void
  tree: Tree
  /** Counts changes, wherever they are. */
  generation: number
  /** No memory for more: what would grow the tree is refused. */
  full: boolean
  /** dom0's connections whose transactions have failed by domains' doing, and those domains': they wait (daemon.ts). */
  readonly hindered: Set<Connection>
  readonly hindering: Set<Connection>
  readonly merges: boolean
  /** The access trace, if anybody listens. */
  access: AccessTrace | undefined
  /** xenstore-control's live-update: what has been said of it so far, and what is to be done. */
  readonly live: { program: string | undefined; commandLine: string | undefined; due: LiveUpdate | undefined }
  /** Hears of every change of what has to outlive this daemon. */
  readonly keep: ((record: string) => void) | undefined
  /** Whose records are to be kept anew. */
  readonly #changedDomains: Set<Domain>
  #serial: number

  constructor({ quotas = QUOTAS, note = () => {}, print = () => {}, access, keep, merges = false }: StoreOptions = {}) {
    this.quotas = quotas
    this.connections = new Set()
    this.outgoing = new Set()
    this.domains = []
    this.watches = new Watches()
    this.ended = []
    this.note = note
    this.print = print
    this.tree = new Tree(OWNED_BY_DOM0)
    this.tree.add('/tool', '', OWNED_BY_DOM0)
    this.tree.add('/tool/xenstored', '', OWNED_BY_DOM0)
    this.generation = 0
    this.full = false
    this.hindered = new Set()
    this.hindering = new Set()
    this.merges = merges
    this.live = { program: undefined, commandLine: undefined, due: undefined }
    this.access = access
    this.keep = keep
    this.#changedDomains = new Set()
    this.#serial = 0
  }

  /** Nothing, not even what a new store has: an earlier daemon's nodes follow. */
  clear(): void {
    this.tree = new Tree(OWNED_BY_DOM0)
  }

  /** A client of the socket. */
  connect(canWrite: boolean, serial: number = this.#serial + 1): Connection {
    return this.#connect(0, canWrite, undefined, serial)
  }

  /** A domain: `mfn` and `remotePort` say which page and channel it has. */
  addDomain(domid: number, mfn: number, remotePort: number, serial: number = this.#serial + 1): Connection {
    const path = `/local/domain/${domid}`
    const domain: Domain = { domid, path, mfn, remotePort, shutdown: false, entries: 0, watches: 0 }
    this.domains.unshift(domain)
    if (this.keep) this.#changedDomains.add(domain)
    return this.#connect(domid, true, domain, serial)
  }

  #connect(id: number, canWrite: boolean, domain: Domain | undefined, serial: number): Connection {
    this.#serial = Math.max(this.#serial, serial)
    const conn = new Connection(serial, id, canWrite, domain, this.outgoing)
    this.connections.add(conn)
    this.note(`CREATE connection 0x${conn.serial.toString(16)}\n`)
    return conn
  }

  domain(domid: number): Domain | undefined {
    return this.domains.find((domain) => domain.domid === domid)
  }

  connectionOf(domain: Domain): Connection | undefined {
    for (const conn of this.connections) if (conn.domain === domain) return conn
    return undefined
  }

  /** The connection is over, and so is the domain that it served. */
  disconnect(conn: Connection): void {
    if (conn.closed) return
    this.keepDomains()
    this.forget(conn)
    this.ended.push(conn)
    this.note(`DESTROY connection 0x${conn.serial.toString(16)}\n`)
    if (!conn.domain) return
    this.keep?.(endRecord(conn))
    this.fire('@releaseDomain', false)
  }

  /** The same, and nobody hears of it. */
  forget(conn: Connection): void {
    conn.closed = true
    this.connections.delete(conn)
    this.outgoing.delete(conn)
    this.watches.removeAll(conn)
    conn.transactions.clear()
    this.hindering.delete(conn)
    this.helped(conn)
    const { domain } = conn
    if (!domain) return
    this.domains.splice(this.domains.indexOf(domain), 1)
    this.#changedDomains.delete(domain)
    // A later domain of the same number has nothing to do with who was this one's helper.
    for (const other of this.connections) if (other.target === domain.domid) other.target = undefined
  }

  /** What was in this connection's way may go on. */
  helped(conn: Connection): void {
    if (this.hindered.delete(conn) && this.hindered.size === 0) this.hindering.clear()
  }

  /** Domains' records are kept once a round, however much of them changes. */
  keepDomains(): void {
    for (const domain of this.#changedDomains) {
      const conn = this.connectionOf(domain)
      if (conn) this.keep?.(domainRecord(conn, domain))
    }
    this.#changedDomains.clear()
  }

  /** Something of it has changed that its record tells. */
  domainChanged(domain: Domain): void {
    if (this.keep) this.#changedDomains.add(domain)
  }

  /** A record about a domain's own connection; its own record has to come first. */
  keepOf(conn: Connection, make: () => string): void {
    if (!this.keep || !conn.domain) return
    if (this.#changedDomains.size > 0) this.keepDomains()
    this.keep(make())
  }

  /** Answer a message: replies and events are in the queues afterwards. An errand's answer waits for `finish`. */
  handle(conn: Connection, message: Message): Errand | undefined {
    const { type, txId, payload } = message
    const transaction = txId === 0 ? undefined : conn.transactions.get(txId)
    const operation = OPERATIONS.get(type)
    const request: Request = {
      conn,
      payload,
      transaction,
      tree: transaction ? transaction.tree : this.tree,
      after: undefined,
    }
    const result =
      txId !== 0 && !transaction
        ? ENOENT
        : transaction && type !== XS_TRANSACTION_END && this.#isTooLong(conn, transaction)
          ? ENOSPC
          : operation
            ? operation(this, request)
            : ENOSYS
    if (typeof result === 'object') {
      if ('domid' in result) return { conn, message, ...result }
      this.live.due = { conn, message, ...result }
      return undefined
    }
    this.#reply(conn, message, result)
    request.after?.()
    this.#dropDeaf()
    return undefined
  }

  /** The errand is done, or it has failed with `errno`. */
  finish({ conn, message, domid, mfn, port, again }: Errand, errno: number): Connection | undefined {
    let introduced: Connection | undefined
    if (errno === 0) {
      if (again) {
        again.remotePort = port
        this.domainChanged(again)
      }
      introduced = again ? this.connectionOf(again) : this.addDomain(domid, mfn, port)
      if (!again) this.fire('@introduceDomain', false)
      if (introduced) this.#reset(introduced)
    }
    if (!conn.closed) this.#reply(conn, message, errno === 0 ? 'OK\0' : errno)
    this.#dropDeaf()
    return introduced
  }

  /** domain_conn_reset: the domain begins to speak anew. */
  #reset(conn: Connection): void {
    this.watches.removeAll(conn)
    conn.transactions.clear()
    conn.reset()
    this.keepOf(conn, () => resetRecord(conn))
  }

  /** The daemon has done what was asked of it besides the store. */
  answer(conn: Connection, message: Message, result: string | number): void {
    if (!conn.closed) this.#reply(conn, message, result)
  }

  #isTooLong({ unprivileged }: Connection, { changes, touched }: Transaction): boolean {
    return unprivileged && Math.max(changes.size, touched?.size ?? 0) >= this.quotas.transactionNodes
  }

  startTransaction(conn: Connection): Transaction {
    do conn.lastTransactionId = (conn.lastTransactionId + 1) >>> 0
    while (conn.lastTransactionId === 0 || conn.transactions.has(conn.lastTransactionId))
    const transaction = newTransaction(conn.lastTransactionId, this.generation, this.tree, this.merges)
    conn.transactions.set(transaction.id, transaction)
    this.keepOf(conn, () => startRecord(conn, transaction.id))
    return transaction
  }

  /** One that an earlier daemon began: it can only end. */
  lostTransaction(conn: Connection, id: number): void {
    // Those that are still open may be older than the last one.
    if (((id - conn.lastTransactionId) | 0) > 0) conn.lastTransactionId = id
    conn.transactions.set(id, newTransaction(id, Number.NaN, this.tree, false))
  }

  endTransaction(conn: Connection, { id }: Transaction): void {
    conn.transactions.delete(id)
    this.keepOf(conn, () => closeRecord(conn, id))
  }

  #reply(conn: Connection, { type, reqId, txId }: Message, result: string | number): void {
    if (typeof result === 'string') conn.send(type, reqId, txId, result)
    else conn.send(XS_ERROR, reqId, txId, `${errorName(result)}\0`)
  }

  #dropDeaf(): void {
    for (const conn of this.outgoing)
      if (conn.outBytes + MESSAGE_BYTES * conn.out.length > OUTPUT_BYTES_MAX) {
        this.note(`connection 0x${conn.serial.toString(16)} does not listen\n`)
        this.disconnect(conn)
      }
  }

  fire(name: string, recurse: boolean): void {
    this.watches.fire(name, recurse)
  }

  /** domain_cleanup: VIRQ_DOM_EXC says that something happened to some domain; `infoOf` what there is now. */
  scanDomains(infoOf: (domid: number) => { readonly shutdown: boolean; readonly dying: boolean } | undefined): void {
    let news = false
    for (const domain of [...this.domains]) {
      const info = infoOf(domain.domid)
      if (info?.shutdown && !domain.shutdown) {
        domain.shutdown = true
        this.domainChanged(domain)
        news = true
      }
      if (info && !info.dying) continue
      const conn = this.connectionOf(domain)
      if (conn) this.disconnect(conn)
      news = false
    }
    if (news) this.fire('@releaseDomain', false)
    this.#dropDeaf()
  }
}

const errorName = (errno: number): string => (xsd_errors.find(([known]) => known === errno) ?? xsd_errors[0]!)[1]
