/**
 * The heart of xenstored: connections, domains, the tree and its generation. Pure: bytes of messages in, queues of messages out; sockets, rings and
 * event channels are the daemon's affair (daemon.ts). What needs those is an errand that `handle` gives back.
 */
import { ENOENT, ENOMEM, ENOSPC, ENOSYS } from '#abi/posix/errno.ts'
import { XS_ERROR, xsd_errors } from '#abi/xen/io/xs_wire.ts'
import { XS_PERM_NONE, type XsPermission } from '../libxs/perms.ts'
import { type Access, type AccessTrace, remember, traceAccess } from './access-trace.ts'
import { Connection, type Domain, type Message } from './connection.ts'
import { OPERATIONS } from './operations.ts'
import type { Transaction } from './transactions.ts'
import { nodeSize, parentOf, Tree } from './tree.ts'
import { Watches } from './watches.ts'

/** What domains other than 0 may have. The names are the options'. */
export interface Quotas {
  /** Nodes that are its own. */
  readonly entryNb: number
  /** Bytes of a node's record: it has to stay below. */
  readonly entrySize: number
  /** One more is possible of each: both are compared by `>`. */
  readonly watchNb: number
  readonly transaction: number
}

export const QUOTAS: Quotas = { entryNb: 1000, entrySize: 2048, watchNb: 128, transaction: 10 }

/**
 * Who does not listen loses its connection when so much waits for it (3.3 keeps all of it until dom0 has no memory left); a domain is not asked for
 * more requests while a tenth of it waits.
 */
export const OUTPUT_BYTES_MAX = 4 << 20

/** INTRODUCE needs the ring page and the event channel before it can be answered. */
export interface Errand {
  readonly conn: Connection
  readonly message: Message
  readonly domid: number
  readonly mfn: number
  readonly port: number
  /** It is introduced already and only gets a new channel. */
  readonly again: Domain | undefined
}

/** A request under way. */
export interface Request {
  readonly conn: Connection
  readonly payload: string
  readonly transaction: Transaction | undefined
  /** The store, or the transaction's copy. */
  readonly tree: Tree
  /** Sent behind the reply. */
  after: (() => void) | undefined
}

/** The reply's payload; an errno; or something that is to be done first. */
export type Result = string | number | Omit<Errand, 'conn' | 'message'>

export interface StoreOptions {
  readonly quotas?: Quotas
  /** What is noted of connections, watches and transactions (-T). */
  readonly note?: (text: string) => void
  /** Where DEBUG prints. */
  readonly print?: (text: string) => void
  readonly access?: AccessTrace
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
  readonly #access: AccessTrace | undefined
  #serial: number

  constructor({ quotas = QUOTAS, note = () => {}, print = () => {}, access }: StoreOptions = {}) {
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
    this.#access = access
    this.#serial = 0
  }

  /** A client of the socket. */
  connect(canWrite: boolean): Connection {
    return this.#connect(0, canWrite, undefined)
  }

  /** A domain: `mfn` and `remotePort` say which page and channel it has. */
  addDomain(domid: number, mfn: number, remotePort: number): Connection {
    const path = `/local/domain/${domid}`
    const domain: Domain = { domid, path, mfn, remotePort, shutdown: false, entries: 0, watches: 0 }
    this.domains.unshift(domain)
    return this.#connect(domid, true, domain)
  }

  #connect(id: number, canWrite: boolean, domain: Domain | undefined): Connection {
    const conn = new Connection(++this.#serial, id, canWrite, domain, this.outgoing)
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
    conn.closed = true
    this.connections.delete(conn)
    this.outgoing.delete(conn)
    this.watches.removeAll(conn)
    conn.transactions.clear()
    this.ended.push(conn)
    this.note(`DESTROY connection 0x${conn.serial.toString(16)}\n`)
    if (!conn.domain) return
    this.domains.splice(this.domains.indexOf(conn.domain), 1)
    this.fire('@releaseDomain', false)
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
    const result = txId !== 0 && !transaction ? ENOENT : operation ? operation(this, request) : ENOSYS
    if (typeof result === 'object') return { conn, message, ...result }
    this.#reply(conn, message, result)
    request.after?.()
    this.#dropDeaf()
    return undefined
  }

  /** The errand is done, or it has failed with `errno`. */
  finish({ conn, message, domid, mfn, port, again }: Errand, errno: number): Connection | undefined {
    let introduced: Connection | undefined
    if (errno === 0) {
      if (again) again.remotePort = port
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
  }

  #reply(conn: Connection, { type, reqId, txId }: Message, result: string | number): void {
    if (typeof result === 'string') conn.send(type, reqId, txId, result)
    else conn.send(XS_ERROR, reqId, txId, `${errorName(result)}\0`)
  }

  #dropDeaf(): void {
    for (const conn of this.outgoing)
      if (conn.outBytes > OUTPUT_BYTES_MAX) {
        this.note(`connection 0x${conn.serial.toString(16)} does not listen\n`)
        this.disconnect(conn)
      }
  }

  fire(name: string, recurse: boolean): void {
    this.watches.fire(name, recurse)
  }

  /** add_change_node and fire_watches: a change of `path`, or of all below it, has been made. `also` are nodes that were created on the way. */
  changed({ conn, transaction }: Request, path: string, removed: boolean, also: readonly string[] = []): void {
    if (transaction) {
      if (!transaction.changes.has(path)) transaction.changes.set(path, removed)
      if (this.#access) {
        for (const parent of also) remember(transaction.accesses, parent, false)
        remember(transaction.accesses, path, removed)
      }
      return
    }
    this.generation++
    if (this.#access) {
      for (const parent of also) traceAccess(this.#access, conn, this.tree, parent, 'set')
      traceAccess(this.#access, conn, this.tree, path, removed ? 'rm' : 'set')
    }
    this.fire(path, removed)
  }

  /** The transaction becomes the store. */
  commit(conn: Connection, { tree, entries, accesses, changes }: Transaction): void {
    this.tree = tree
    for (const [domid, more] of entries) this.#charge(undefined, domid, more)
    if (this.#access)
      for (const [path, access] of accesses as Map<string, Access>) traceAccess(this.#access, conn, tree, path, access)
    for (const [path, recurse] of changes) this.fire(path, recurse)
    this.generation++
  }

  /** Create `path`, which is valid and missing, and what is missing above it: all or nothing. 0, or an errno. */
  create(request: Request, path: string, value: string): number {
    const { conn, tree, transaction } = request
    const missing = [path]
    let ancestor = tree.get(parentOf(path))
    for (let above = parentOf(path); !ancestor; ancestor = tree.get(above)) {
      missing.unshift(above)
      above = parentOf(above)
    }
    const perms =
      conn.id === 0 ? ancestor.perms : ancestor.perms.with(0, { id: conn.id, perms: ancestor.perms[0]!.perms })
    if (this.full) return ENOMEM
    if (conn.unprivileged) {
      const { domid, entries } = conn.domain!
      // The real daemon does not look at what a transaction has created, so that a guest could fill dom0 by one.
      if (entries + (transaction?.entries.get(domid) ?? 0) + missing.length > this.quotas.entryNb) return ENOENT
      if (this.tooBig(conn, ancestor.perms.length, ancestor.value.length, ancestor.childBytes + nameBytes(missing[0]!)))
        return ENOSPC
      for (let i = 0; i < missing.length; i++) {
        const leaf = i === missing.length - 1
        if (this.tooBig(conn, perms.length, leaf ? value.length : 0, leaf ? 0 : nameBytes(missing[i + 1]!)))
          return ENOSPC
      }
    }
    for (const made of missing) {
      tree.add(made, made === path ? value : '', perms)
      this.#charge(transaction, perms[0]!.id, 1)
    }
    this.changed(request, path, false, missing.slice(0, -1))
    return 0
  }

  /** write_node's limit. */
  tooBig(conn: Connection, perms: number, valueBytes: number, childBytes: number): boolean {
    return conn.unprivileged && nodeSize(perms, valueBytes, childBytes) >= this.quotas.entrySize
  }

  remove(request: Request, path: string): void {
    request.tree.remove(path, ({ perms }) => this.#charge(request.transaction, perms[0]!.id, -1))
    this.changed(request, path, true)
  }

  setPerms(request: Request, path: string, before: readonly XsPermission[], perms: readonly XsPermission[]): void {
    request.tree.setPerms(path, perms)
    this.#charge(request.transaction, before[0]!.id, -1)
    this.#charge(request.transaction, perms[0]!.id, 1)
    this.changed(request, path, false)
  }

  /** Nodes more or fewer. Only domains that have been introduced are counted. */
  #charge(transaction: Transaction | undefined, domid: number, more: number): void {
    if (transaction) transaction.entries.set(domid, (transaction.entries.get(domid) ?? 0) + more)
    else {
      const domain = this.domain(domid)
      if (domain) domain.entries = Math.max(0, domain.entries + more)
    }
  }

  /** domain_cleanup: VIRQ_DOM_EXC says that something happened to some domain; `infoOf` what there is now. */
  scanDomains(infoOf: (domid: number) => { readonly shutdown: boolean; readonly dying: boolean } | undefined): void {
    let news = false
    for (const domain of [...this.domains]) {
      const info = infoOf(domain.domid)
      if (info?.shutdown && !domain.shutdown) {
        domain.shutdown = true
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

const nameBytes = (path: string): number => path.length - path.lastIndexOf('/')

const errorName = (errno: number): string => (xsd_errors.find(([known]) => known === errno) ?? xsd_errors[0]!)[1]
