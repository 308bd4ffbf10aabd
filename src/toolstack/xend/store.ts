/** XenStore as xend uses it (xen.xend.xenstore): values or nothing, transactions that are done again, watches with functions. */
import { ENOENT } from '#abi/posix/errno.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { Condition, type Threads } from '#user/libc/threads.ts'
import {
  XS_PERM_NONE,
  XS_PERM_READ,
  type XsHandle,
  type XsPermission,
  xsDirectory,
  xsIntroduceDomain,
  xsMkdir,
  xsPending,
  xsRead,
  xsReadWatch,
  xsRm,
  xsSetPermissions,
  xsTransaction,
  xsUnwatch,
  xsWatch,
  xsWrite,
} from '../libxs/xs.ts'

/** The owner first; its entry's rights are everybody else's. */
export type Permissions = readonly XsPermission[]

/** Nobody but the owner, and `readers`. */
export const owned = (owner: number, ...readers: readonly number[]): Permissions => [
  { id: owner, perms: XS_PERM_NONE },
  ...readers.map((id) => ({ id, perms: XS_PERM_READ })),
]

/** `domid` owns it, all may read it: how xend shows a guest a node of its own /vm directory. */
export const readable = (domid: number): Permissions => [{ id: domid, perms: XS_PERM_READ }]

/** Operations on the store as it is, or within one transaction. */
export interface Nodes {
  /** Undefined if there is no such node. */
  read(path: string): Sys<string | undefined>
  write(path: string, value: string): Sys<void>
  /** With all below it; nothing if it is not there. */
  rm(path: string): Sys<void>
  mkdir(path: string): Sys<void>
  /** Empty if there is no such node. */
  list(path: string): Sys<readonly string[]>
  setPermissions(path: string, permissions: Permissions): Sys<void>
}

/** Called for each change; false ends the watch. */
export type WatchFunction = (path: string) => Sys<boolean>

export interface Watch {
  readonly path: string
  readonly token: string
  readonly changed: WatchFunction
}

export interface Store extends Nodes {
  /** `body` as one change: done again until nobody has come between. */
  transaction<T>(body: (nodes: Nodes) => Sys<T>): Sys<T>
  introduceDomain(domid: number, mfn: number, port: number): Sys<void>
  watch(path: string, changed: WatchFunction): Sys<Watch>
  /** No harm if it has ended already. */
  unwatch(watch: Watch): Sys<void>
}

export const domainPath = (domid: number): string => `/local/domain/${domid}`

/** Names and values of everything below `path`: xstransact.ListRecursive. */
export type Tree = readonly (string | Tree)[]
export function* listRecursive(nodes: Nodes, path: string): Sys<Tree> {
  const tree: Tree[] = []
  for (const name of yield* nodes.list(path)) {
    const below = yield* listRecursive(nodes, `${path}/${name}`)
    tree.push([name, below.length > 0 ? below : ((yield* nodes.read(`${path}/${name}`)) ?? '')])
  }
  return tree
}

/** Write all members below `path`. */
export function* writeAllBelow(nodes: Nodes, path: string, values: Readonly<Record<string, string>>): Sys<void> {
  for (const [name, value] of Object.entries(values)) yield* nodes.write(`${path}/${name}`, value)
}

/** ENOENT as `otherwise`. */
function* orNone<T, U>(call: Sys<T>, otherwise: U): Sys<T | U> {
  try {
    return yield* call
  } catch (error) {
    if (error instanceof OsError && error.errno === ENOENT) return otherwise
    throw error
  }
}

const nodesOf = (h: XsHandle, t: number): Nodes => ({
  read: (path) => orNone(xsRead(h, t, path), undefined),
  write: (path, value) => xsWrite(h, t, path, value),
  rm: (path) => orNone(xsRm(h, t, path), undefined),
  mkdir: (path) => xsMkdir(h, t, path),
  list: (path) => orNone(xsDirectory(h, t, path), []),
  setPermissions: (path, permissions) => xsSetPermissions(h, t, path, permissions),
})

/**
 * The real store, over two connections: one for requests, one for watches. `run` is the thread that calls the watches' functions, one after the
 * other.
 */
export class XsStore implements Store {
  readonly #requests: XsHandle
  readonly #events: XsHandle
  readonly #threads: Threads
  readonly #watches: Map<string, Watch> = new Map()
  readonly #more: Condition = new Condition()
  readonly #failed: (error: unknown) => Sys<void>
  #tokens = 0
  readonly read: Nodes['read']
  readonly write: Nodes['write']
  readonly rm: Nodes['rm']
  readonly mkdir: Nodes['mkdir']
  readonly list: Nodes['list']
  readonly setPermissions: Nodes['setPermissions']

  /** `failed` hears what a watch's function did not catch. */
  constructor(requests: XsHandle, events: XsHandle, threads: Threads, failed: (error: unknown) => Sys<void>) {
    this.#failed = failed
    this.#requests = requests
    this.#events = events
    this.#threads = threads
    const nodes = nodesOf(requests, 0)
    this.read = nodes.read
    this.write = nodes.write
    this.rm = nodes.rm
    this.mkdir = nodes.mkdir
    this.list = nodes.list
    this.setPermissions = nodes.setPermissions
  }

  transaction<T>(body: (nodes: Nodes) => Sys<T>): Sys<T> {
    return xsTransaction(this.#requests, (t) => body(nodesOf(this.#requests, t)))
  }

  introduceDomain(domid: number, mfn: number, port: number): Sys<void> {
    return xsIntroduceDomain(this.#requests, domid, mfn, port)
  }

  *watch(path: string, changed: WatchFunction): Sys<Watch> {
    const watch: Watch = { path, token: String(++this.#tokens), changed }
    this.#watches.set(watch.token, watch)
    yield* xsWatch(this.#events, path, watch.token)
    // An event may have come with the answer: then the descriptor has nothing more to say.
    this.#more.notify()
    return watch
  }

  *unwatch({ path, token }: Watch): Sys<void> {
    if (!this.#watches.delete(token)) return
    yield* orNone(xsUnwatch(this.#events, path, token), undefined)
    this.#more.notify()
  }

  *run(): Sys<void> {
    for (;;) {
      // Woken by the condition alone there may be nothing to read, and reading would hold up everybody.
      while (!xsPending(this.#events))
        if ((yield* this.#threads.wait({ fd: this.#events.fd, events: POLLIN, condition: this.#more })) === 'fd') break
      const { path, token } = yield* xsReadWatch(this.#events)
      const watch = this.#watches.get(token)
      if (!watch) continue
      let again = true
      try {
        again = yield* watch.changed(path)
      } catch (error) {
        yield* this.#failed(error)
      }
      if (!again) yield* this.unwatch(watch)
    }
  }
}
