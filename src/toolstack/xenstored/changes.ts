/**
 * What changes the tree, and who has to hear of it: quotas, watches, the state file, the access trace. A transaction only remembers; when it ends
 * well, all of it happens at once.
 */
import { ENOENT, ENOMEM, ENOSPC } from '#abi/posix/errno.ts'
import type { XsPermission } from '../libxs/perms.ts'
import { remember, traceAccess } from './access-trace.ts'
import type { Connection } from './connection.ts'
import type { Change, Request } from './requests.ts'
import { goneRecord, nodeRecord, permsRecord, valueRecord } from './state.ts'
import type { Store } from './store.ts'
import { isUntouched, replay, type Transaction } from './transactions.ts'
import { type Node, nodeSize, parentOf } from './tree.ts'

const nameBytes = (path: string): number => path.length - path.lastIndexOf('/')

/** add_change_node and fire_watches: a change of `path`, which is `node` now, or is gone with all below it. `also` are nodes that were created on the way. */
export function changed(
  store: Store,
  { conn, transaction }: Request,
  path: string,
  change: Change,
  node: Node | undefined,
  also: readonly string[] = [],
): void {
  const removed = change === 'gone'
  if (transaction) {
    if (!transaction.changes.has(path)) transaction.changes.set(path, removed)
    for (const parent of also) remember(transaction.accesses, parent, false)
    remember(transaction.accesses, path, removed)
    return
  }
  conn.changedAt = ++store.generation
  const { access, keep } = store
  // Those on the way have the same permissions, and no value: a thousand of them need not be looked for.
  const onTheWay = node && { perms: node.perms, value: '' }
  if (keep) {
    for (const parent of also) keep(nodeRecord(parent, onTheWay!))
    keep(changeRecord(path, change, node))
  }
  if (access) {
    for (const parent of also) traceAccess(access, conn, parent, 'set', onTheWay)
    traceAccess(access, conn, path, removed ? 'rm' : 'set', node)
  }
  store.fire(path, removed)
}

function changeRecord(path: string, change: Change, node: Node | undefined): string {
  if (!node) return goneRecord(path)
  if (change === 'value') return valueRecord(path, node.value)
  return change === 'perms' ? permsRecord(path, node.perms) : nodeRecord(path, node)
}

/** Create `path`, which is valid and missing, and what is missing above it: all or nothing. 0, or an errno. */
export function create(store: Store, request: Request, path: string, value: string): number {
  const { conn, tree, transaction } = request
  const { at, node: ancestor } = tree.nearest(path)
  const missing: string[] = []
  for (let from = at === '/' ? 1 : at.length + 1; from < path.length; ) {
    const slash = path.indexOf('/', from)
    const end = slash < 0 ? path.length : slash
    missing.push(path.slice(0, end))
    from = end + 1
  }
  const perms =
    conn.id === 0 ? ancestor.perms : ancestor.perms.with(0, { id: conn.id, perms: ancestor.perms[0]!.perms })
  if (store.full) return ENOMEM
  if (conn.unprivileged) {
    const { domid, entries } = conn.domain!
    // The real daemon does not look at what a transaction has created, so that a guest could fill dom0 by one.
    if (entries + (transaction?.entries.get(domid) ?? 0) + missing.length > store.quotas.entryNb) return ENOENT
    if (tooBig(store, conn, ancestor.perms.length, ancestor.value.length, ancestor.childBytes + nameBytes(missing[0]!)))
      return ENOSPC
    for (let i = 0; i < missing.length; i++) {
      const leaf = i === missing.length - 1
      if (tooBig(store, conn, perms.length, leaf ? value.length : 0, leaf ? 0 : nameBytes(missing[i + 1]!)))
        return ENOSPC
    }
  }
  const made = tree.addAll(missing, value, perms)
  charge(store, transaction, perms[0]!.id, missing.length)
  changed(store, request, path, 'made', made, missing.slice(0, -1))
  return 0
}

/** write_node's limit. */
export function tooBig(store: Store, conn: Connection, perms: number, valueBytes: number, childBytes: number): boolean {
  return conn.unprivileged && nodeSize(perms, valueBytes, childBytes) >= store.quotas.entrySize
}

export function remove(store: Store, request: Request, path: string): void {
  request.tree.remove(path, ({ perms }) => charge(store, request.transaction, perms[0]!.id, -1))
  changed(store, request, path, 'gone', undefined)
}

export function setPerms(
  store: Store,
  request: Request,
  path: string,
  before: readonly XsPermission[],
  perms: readonly XsPermission[],
): void {
  const node = request.tree.setPerms(path, perms)
  charge(store, request.transaction, before[0]!.id, -1)
  charge(store, request.transaction, perms[0]!.id, 1)
  changed(store, request, path, 'perms', node)
}

/** Nodes more or fewer. Only domains that have been introduced are counted. */
function charge(store: Store, transaction: Transaction | undefined, domid: number, more: number): void {
  if (transaction) transaction.entries.set(domid, (transaction.entries.get(domid) ?? 0) + more)
  else {
    const domain = store.domain(domid)
    if (!domain) return
    domain.entries = Math.max(0, domain.entries + more)
    store.domainChanged(domain)
  }
}

/** The transaction becomes the store, or a part of it. False: something stands against it. */
export function commit(store: Store, conn: Connection, transaction: Transaction): boolean {
  const { tree, entries, accesses, changes, generation } = transaction
  if (generation === store.generation) store.tree = tree
  else if (canMerge(store, conn, transaction)) replay(transaction, store.tree)
  else {
    hinder(store, conn, generation)
    return false
  }
  store.helped(conn)
  for (const [domid, more] of entries) charge(store, undefined, domid, more)
  const { access: trace, keep } = store
  if (keep || trace)
    for (const [path, access] of accesses) {
      const node = access === 'rm' ? undefined : store.tree.get(path)
      if (keep && access !== 'set') keep(goneRecord(path))
      if (keep && node) keep(nodeRecord(path, node))
      if (trace) traceAccess(trace, conn, path, access, node)
    }
  for (const [path, recurse] of changes) store.fire(path, recurse)
  conn.changedAt = ++store.generation
  return true
}

function canMerge(store: Store, conn: Connection, transaction: Transaction): boolean {
  if (!isUntouched(transaction, store.tree)) return false
  if (!conn.unprivileged) return true
  // Others have made nodes, too: what is too much for a quota together has to be tried anew, and then hears of it.
  const { domid, entries } = conn.domain!
  const more = transaction.entries.get(domid) ?? 0
  if (more > 0 && entries + more > store.quotas.entryNb) return false
  for (const path of transaction.accesses.keys()) {
    const parent = store.tree.get(parentOf(path))
    if (!parent || store.tree.get(path) || !transaction.tree.get(path)) continue
    const { perms, value, childBytes } = parent
    if (tooBig(store, conn, perms.length, value.length, childBytes + nameBytes(path))) return false
  }
  return true
}

/** dom0's transaction has failed: domains whose changes that may be due to are to wait until it gets through. */
function hinder(store: Store, conn: Connection, generation: number): void {
  if (conn.unprivileged) return
  for (const other of store.connections)
    if (other.unprivileged && other.changedAt > generation) store.hindering.add(other)
  if (store.hindering.size > 0) store.hindered.add(conn)
}
