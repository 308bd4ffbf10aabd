/** What each request does (xenstored_core.c, _watch.c, _transaction.c, _domain.c: do_*). A row a type; what has no row answers ENOSYS. */
import { E2BIG, EACCES, EAGAIN, EBUSY, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM } from '#abi/posix/errno.ts'
import {
  XENSTORE_REL_PATH_MAX,
  XS_DEBUG,
  XS_DIRECTORY,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_INTRODUCE,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RELEASE,
  XS_RESUME,
  XS_RM,
  XS_SET_PERMS,
  XS_SET_TARGET,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WRITE,
} from '#abi/xen/io/xs_wire.ts'
import { DOMID_SELF } from '#abi/xen/xen.ts'
import {
  XS_PERM_OWNER,
  XS_PERM_READ,
  XS_PERM_WRITE,
  type XsPermission,
  xsPermFromString,
  xsPermToString,
  xsStrings,
} from '../libxs/perms.ts'
import { changed, commit, create, setPerms as givePerms, remove, tooBig } from './changes.ts'
import type { Connection, Domain } from './connection.ts'
import { getNode, isValidNodename } from './permissions.ts'
import type { Request, Result } from './requests.ts'
import { unwatchRecord, watchRecord } from './state.ts'
import type { Store } from './store.ts'
import { TOUCH_BELOW, TOUCH_CHILDREN, TOUCH_NODE, TOUCH_VALUE, touch } from './transactions.ts'
import { listingOf, type Node, parentOf } from './tree.ts'
import { tell } from './watches.ts'

type Operation = (store: Store, request: Request) => Result

const OK = 'OK\0'

/** onearg: exactly one NUL, at the end. */
const oneArg = (payload: string): string | undefined => {
  const nul = payload.indexOf('\0')
  return nul >= 0 && nul === payload.length - 1 ? payload.slice(0, nul) : undefined
}

/** canonicalize: relative paths begin in the domain's own directory; a socket has none. */
const canonical = ({ domain }: Connection, path: string): string =>
  path.startsWith('/') || path.startsWith('@') || !domain ? path : `${domain.path}/${path}`

/** atoi(3) in 32 bits: leading digits, 0 where there are none. */
const atoi = (text: string): number => Number(BigInt.asUintN(32, strtol(text)))

const strtol = (text: string): bigint => {
  const match = /^[ \t\n\v\f\r]*([-+]?)(\d+)/.exec(text)
  if (!match) return 0n
  const value = BigInt(match[2]!)
  const most = (1n << 63n) - 1n
  return (value > most ? most : value) * (match[1] === '-' ? -1n : 1n)
}

/** An operation on one node, which exists and of which the caller has `wanted`. */
function onNode(wanted: number, touched: number, act: (node: Node) => string): Operation {
  return (_store, { conn, payload, transaction, tree }) => {
    const path = oneArg(payload)
    if (path === undefined) return EINVAL
    const full = canonical(conn, path)
    if (transaction) touch(transaction, full, touched)
    const node = getNode(conn, tree, full, wanted)
    return typeof node === 'number' ? node : act(node)
  }
}

const directory = onNode(XS_PERM_READ, TOUCH_CHILDREN, listingOf)

const read = onNode(XS_PERM_READ, TOUCH_VALUE, ({ value }) => value)

const getPerms = onNode(XS_PERM_READ, TOUCH_NODE, ({ perms }) =>
  perms.map((perm) => `${xsPermToString(perm)}\0`).join(''),
)

function write(store: Store, request: Request): Result {
  const { conn, payload, transaction, tree } = request
  const nul = payload.indexOf('\0')
  if (nul < 0) return EINVAL
  const path = canonical(conn, payload.slice(0, nul))
  const value = payload.slice(nul + 1)
  if (transaction) touch(transaction, path, TOUCH_VALUE)
  const node = getNode(conn, tree, path, XS_PERM_WRITE)
  if (typeof node === 'number') return node === ENOENT ? create(store, request, path, value) || OK : node
  if (tooBig(store, conn, node.perms.length, value.length, node.childBytes)) return ENOSPC
  if (store.full && value.length > node.value.length) return ENOMEM
  changed(store, request, path, 'value', tree.setValue(path, value))
  return OK
}

function mkdir(store: Store, request: Request): Result {
  const path = oneArg(request.payload)
  if (path === undefined) return EINVAL
  const full = canonical(request.conn, path)
  if (request.transaction) touch(request.transaction, full, TOUCH_NODE)
  const node = getNode(request.conn, request.tree, full, XS_PERM_WRITE)
  if (typeof node !== 'number') return OK
  return node === ENOENT ? create(store, request, full, '') || OK : node
}

function rm(store: Store, request: Request): Result {
  const { conn, transaction, tree } = request
  const path = oneArg(request.payload)
  if (path === undefined) return EINVAL
  const full = canonical(conn, path)
  if (transaction) touch(transaction, full, TOUCH_BELOW)
  const node = getNode(conn, tree, full, XS_PERM_WRITE)
  if (typeof node === 'number') return node === ENOENT && tree.get(parentOf(full)) ? OK : node
  if (full === '/') return EINVAL
  const parent = tree.get(parentOf(full))!
  const nameBytes = full.length - full.lastIndexOf('/')
  // The parent's record is written anew, and may be too big for this writer.
  if (tooBig(store, conn, parent.perms.length, parent.value.length, parent.childBytes - nameBytes)) return EINVAL
  remove(store, request, full)
  return OK
}

function setPerms(store: Store, request: Request): Result {
  const { conn, transaction, tree } = request
  const [path, ...texts] = xsStrings(request.payload)
  if (path === undefined || texts.length === 0) return EINVAL
  const full = canonical(conn, path)
  if (transaction) touch(transaction, full, TOUCH_VALUE)
  const node = getNode(conn, tree, full, XS_PERM_WRITE | XS_PERM_OWNER)
  if (typeof node === 'number') return node
  const perms: XsPermission[] = []
  for (const text of texts) {
    const perm = xsPermFromString(text)
    if (!perm) return EINVAL
    perms.push(perm)
  }
  if (conn.unprivileged && perms[0]!.id !== node.perms[0]!.id) return EPERM
  if (tooBig(store, conn, perms.length, node.value.length, node.childBytes)) return ENOSPC
  givePerms(store, request, full, node.perms, perms)
  return OK
}

function watch(store: Store, request: Request): Result {
  const { watches, quotas, note } = store
  const { conn, payload } = request
  const [path, token, more] = xsStrings(payload)
  if (path === undefined || token === undefined || more !== undefined) return EINVAL
  const special = path.startsWith('@')
  const node = canonical(conn, path)
  if (special ? path.length > XENSTORE_REL_PATH_MAX : !isValidNodename(node)) return EINVAL
  if (watches.find(conn, node, token)) return EEXIST
  if (conn.unprivileged && conn.domain!.watches > quotas.watchNb) return E2BIG
  const hidden = special || path.startsWith('/') ? 0 : conn.domain!.path.length
  const made = watches.add(conn, node, token, hidden)
  note(`CREATE watch 0x${made.serial.toString(16)}\n`)
  store.keepOf(conn, () => watchRecord(conn, hidden, node, token))
  // Once up front: whoever watches need not look besides.
  request.after = () => tell(made, node)
  return OK
}

function unwatch(store: Store, { conn, payload }: Request): Result {
  const { watches, note } = store
  const [path, token, more] = xsStrings(payload)
  if (path === undefined || token === undefined || more !== undefined) return EINVAL
  const node = canonical(conn, path)
  const found = watches.find(conn, node, token)
  if (!found) return ENOENT
  watches.remove(found)
  note(`DESTROY watch 0x${found.serial.toString(16)}\n`)
  store.keepOf(conn, () => unwatchRecord(conn, node, token))
  return OK
}

function transactionStart(store: Store, { conn, transaction }: Request): Result {
  if (transaction) return EBUSY
  if (conn.id !== 0 && conn.transactions.size > store.quotas.transaction) return ENOSPC
  const { id } = store.startTransaction(conn)
  store.note(`CREATE transaction 0x${id.toString(16)}\n`)
  return `${id}\0`
}

function transactionEnd(store: Store, { conn, payload, transaction }: Request): Result {
  const succeeds = payload === 'T\0'
  if (!succeeds && payload !== 'F\0') return EINVAL
  if (!transaction) return ENOENT
  store.endTransaction(conn, transaction)
  store.note(`DESTROY transaction 0x${transaction.id.toString(16)}\n`)
  return !succeeds || commit(store, conn, transaction) ? OK : EAGAIN
}

function introduce(store: Store, { conn, payload }: Request): Result {
  const [domidText, mfnText, portText] = xsStrings(payload)
  if (portText === undefined) return EINVAL
  if (conn.id !== 0 || !conn.canWrite) return EACCES
  const domid = atoi(domidText!)
  const mfn = Number(strtol(mfnText!))
  const port = atoi(portText)
  if (port === 0) return EINVAL
  const again = store.domain(domid)
  if (again && (again.mfn !== mfn || again === conn.domain)) return EINVAL
  return { domid, mfn, port, again }
}

/** The domain that a privileged request is about. */
function introduced({ conn, payload }: Request, store: Store): Domain | number {
  const text = oneArg(payload)
  const domid = text === undefined ? 0 : atoi(text)
  if (domid === 0) return EINVAL
  if (conn.id !== 0) return EACCES
  return store.domain(domid) ?? ENOENT
}

function release(store: Store, request: Request): Result {
  const domain = introduced(request, store)
  if (typeof domain === 'number') return domain
  const conn = store.connectionOf(domain)
  if (!conn) return EINVAL
  store.disconnect(conn)
  return OK
}

function resume(store: Store, request: Request): Result {
  const domain = introduced(request, store)
  if (typeof domain === 'number') return domain
  domain.shutdown = false
  store.domainChanged(domain)
  return OK
}

function setTarget(store: Store, { conn, payload }: Request): Result {
  const [domidText, targetText] = xsStrings(payload)
  if (targetText === undefined) return EINVAL
  if (conn.id !== 0 || !conn.canWrite) return EACCES
  const domain = store.domain(atoi(domidText!))
  const target = domain && store.domain(atoi(targetText))
  if (!target) return ENOENT
  const served = store.connectionOf(domain)
  if (!served) return EINVAL
  served.target = target.domid
  store.domainChanged(domain)
  return OK
}

function getDomainPath(_store: Store, { payload }: Request): Result {
  const domid = oneArg(payload)
  return domid === undefined ? EINVAL : `/local/domain/${atoi(domid)}\0`
}

function isDomainIntroduced(store: Store, { payload }: Request): Result {
  const text = oneArg(payload)
  if (text === undefined) return EINVAL
  const domid = atoi(text)
  return domid === DOMID_SELF || store.domain(domid) ? 'T\0' : 'F\0'
}

/**
 * do_control_lu of today's daemon, as far as a process has need of it: `-f FILE` what to execute, `-c OPTIONS`, `-a` forgets both, `-s` begins. That waits
 * for nothing, so -t and -F change nothing: who has a transaction open does it again.
 */
function liveUpdate(live: Store['live'], [what, text, ...more]: readonly string[]): Result {
  if (what === '-s') return { program: live.program, commandLine: live.commandLine }
  if (what === '-a' && text === undefined) {
    live.program = undefined
    live.commandLine = undefined
  } else if (text === undefined || more.length > 0) return EINVAL
  else if (what === '-f') live.program = text
  else if (what === '-c') live.commandLine = text
  else return EINVAL
  return OK
}

function debug(store: Store, { conn, payload }: Request): Result {
  if (conn.id !== 0) return EACCES
  const strings = xsStrings(payload)
  if (strings[0] === 'print') {
    if (strings.length < 2) return EINVAL
    store.print(`debug: ${strings[1]}`)
  }
  if (strings[0] === 'check') {
    store.note('Checking store ...\n')
    for (const path of store.tree.check()) store.note(`check_store: '${path}' is wrong\n`)
    store.note('Checking store complete.\n')
  }
  return strings[0] === 'live-update' ? liveUpdate(store.live, strings.slice(1)) : OK
}

export const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [XS_DEBUG, debug],
  [XS_DIRECTORY, directory],
  [XS_READ, read],
  [XS_GET_PERMS, getPerms],
  [XS_WATCH, watch],
  [XS_UNWATCH, unwatch],
  [XS_TRANSACTION_START, transactionStart],
  [XS_TRANSACTION_END, transactionEnd],
  [XS_INTRODUCE, introduce],
  [XS_RELEASE, release],
  [XS_GET_DOMAIN_PATH, getDomainPath],
  [XS_WRITE, write],
  [XS_MKDIR, mkdir],
  [XS_RM, rm],
  [XS_SET_PERMS, setPerms],
  [XS_IS_DOMAIN_INTRODUCED, isDomainIntroduced],
  [XS_RESUME, resume],
  [XS_SET_TARGET, setTarget],
])
