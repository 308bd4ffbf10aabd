/**
 * What of the daemon outlives it: its state as records, which another one replays. The first records of a file make the state from nothing, all later
 * ones are changes as they took place: one reader for both, and the file of a daemon that was killed is as good as that of one that ended in peace.
 *
 * A record is `LENGTH KIND FIELDS`: the length of what follows the blank in decimal, a letter, fields with a NUL between. The last field may hold
 * any bytes. Text and not structures, since the store's own texts are most of it; nothing in it depends on how the daemon keeps it in memory.
 *
 *   n PATH PERMS VALUE       a node is made (its parent exists), or was made anew        v PATH VALUE, p PATH PERMS   it is changed
 *   r PATH                   it is gone, with all below it
 *   d SERIAL DOMID MFN PORT SHUTDOWN ENTRIES TARGET LAST   a domain with its connection, as it is now; TARGET may be empty; LAST: its last transaction
 *   x SERIAL                 that connection has ended
 *   z SERIAL                 it begins anew (INTRODUCE): neither watches nor transactions, and nothing under way
 *   w SERIAL HIDDEN PATH TOKEN, u SERIAL PATH TOKEN   a watch comes, or goes
 *   t SERIAL ID, e SERIAL ID   a transaction begins, or ends. Those that are open at the end end by EAGAIN: their copies are not kept
 *   R SERIAL CONS PROD LENGTH BYTES   of a ring: requests before CONS have been taken; LENGTH bytes of the next one have, too, and are the first of
 *                            BYTES; all others are answers and events that begin at PROD of the responses
 *   s SERIAL FD MAYWRITE LAST PID LENGTH BYTES   of live update alone: a client of the socket, its half request, and what it has not been sent
 *   l SOCKET READONLY EVTCHN DOMEXC PIDFILE TRACE BYTES   the daemon's own descriptors, -1 for none, and unwritten lines of the access trace
 *   c SERIAL PORT            the local port of a domain's event channel
 */
import { type XsPermission, xsPermsText } from '../libxs/perms.ts'
import type { Connection, Domain } from './connection.ts'
import type { Descriptors } from './restorer.ts'
import type { Store } from './store.ts'
import type { Node, Tree } from './tree.ts'

export const record = (body: string): string => `${body.length} ${body}`

export const nodeRecord = (path: string, { perms, value }: Pick<Node, 'perms' | 'value'>): string =>
  record(`n${path}\0${xsPermsText(perms)}\0${value}`)
export const valueRecord = (path: string, value: string): string => record(`v${path}\0${value}`)
export const permsRecord = (path: string, perms: readonly XsPermission[]): string =>
  record(`p${path}\0${xsPermsText(perms)}`)
export const goneRecord = (path: string): string => record(`r${path}`)

export const domainRecord = (
  { serial, target, lastTransactionId }: Connection,
  { domid, mfn, remotePort, shutdown, entries }: Domain,
): string =>
  record(
    `d${serial}\0${domid}\0${mfn}\0${remotePort}\0${Number(shutdown)}\0${entries}\0${target ?? ''}\0${lastTransactionId}`,
  )
export const endRecord = ({ serial }: Connection): string => record(`x${serial}`)
export const resetRecord = ({ serial }: Connection): string => record(`z${serial}`)
export const watchRecord = ({ serial }: Connection, hidden: number, node: string, token: string): string =>
  record(`w${serial}\0${hidden}\0${node}\0${token}`)
export const unwatchRecord = ({ serial }: Connection, node: string, token: string): string =>
  record(`u${serial}\0${node}\0${token}`)
export const startRecord = ({ serial }: Connection, id: number): string => record(`t${serial}\0${id}`)
export const closeRecord = ({ serial }: Connection, id: number): string => record(`e${serial}\0${id}`)

/** All of a connection but its ring or descriptor. */
function connectionRecords(conn: Connection): string {
  let text = conn.domain ? domainRecord(conn, conn.domain) : ''
  for (const { node, token, hidden } of conn.watches) text += watchRecord(conn, hidden, node, token)
  for (const id of conn.transactions.keys()) text += startRecord(conn, id)
  return text
}

/** Domains with their watches and transactions; with `sockets` also those of the socket's clients, whose own records come first. */
export function connectionsRecords(store: Store, sockets: boolean): string {
  let text = ''
  // The newest is the list's first.
  for (const domain of [...store.domains].reverse()) {
    const conn = store.connectionOf(domain)
    if (conn) text += connectionRecords(conn)
  }
  if (sockets) for (const conn of store.connections) if (!conn.domain) text += connectionRecords(conn)
  return text
}

/** The tree's records, some at a time. */
export function* treeRecords(tree: Tree): Generator<string, void, undefined> {
  'no preempt'
  for (const [path, node] of tree.walk()) yield nodeRecord(path, node)
}

export const descriptorsRecord = (own: Descriptors): string =>
  record(
    `l${own.socket}\0${own.readOnlySocket}\0${own.evtchn}\0${own.domExcPort}\0${own.pidFile}\0${own.access}\0${own.lines}`,
  )
