/**
 * XenStore as its access trace tells it (toolstack/xenstored/access-trace.ts has the format): a fold of lines into a tree, for whoever looks from
 * outside (design D9). What it holds is what the daemon has committed, with who did it.
 */
import { StoreChildren } from './store-children.ts'

/** Whose connection a change came by: a domain, and the connection's number. */
export interface StoreWriter {
  readonly domid: number
  readonly connection: number
}

/** The process behind a connection to a socket, when it connected. */
export interface StoreClient {
  readonly pid: number
  /** As ps shows it; cut at 15 characters, as there. */
  readonly name: string
}

export interface StoreNode {
  readonly name: string
  /** A byte string. */
  readonly value: string
  /** As `n0,r5`: the owner first, with what others may; then exceptions. */
  readonly perms: string
  /** By age. */
  readonly children: ReadonlyMap<string, StoreNode>
  /** How many nodes are below it. */
  readonly below: number
  readonly writer: StoreWriter
  /** The number of the change that made it what it is. */
  readonly change: number
}

export type StoreChange =
  | { readonly kind: 'new' }
  | {
      readonly kind: 'set'
      readonly path: string
      readonly value: string
      readonly perms: string
      readonly writer: StoreWriter
      /** Virtual time of the host; 0 where nobody says. */
      readonly atNs: number
    }
  | { readonly kind: 'rm'; readonly path: string; readonly writer: StoreWriter; readonly atNs: number }
  /** Who a connection is, before the first change that comes by it. */
  | { readonly kind: 'conn'; readonly connection: number; readonly client: StoreClient }

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', t: '\t', n: '\n', r: '\r' }

const unescaped = (text: string): string =>
  text.includes('\\')
    ? text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, named: string) =>
        hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[named] ?? named),
      )
    : text

/** What one line says, which came at `atNs`; undefined for a line that is none. */
export function parseAccess(line: string, atNs = 0): StoreChange | undefined {
  const [kind, domid, connection, path, perms, value] = (line.endsWith('\n') ? line.slice(0, -1) : line).split('\t')
  if (kind === 'new') return { kind }
  if (kind === 'conn' && path !== undefined && perms !== undefined)
    return { kind, connection: Number(connection), client: { pid: Number(path), name: unescaped(perms) } }
  if (path === undefined || !path.startsWith('/')) return undefined
  const writer = { domid: Number(domid), connection: Number(connection) }
  if (kind === 'rm') return { kind, path, writer, atNs }
  if (kind !== 'set' || perms === undefined || value === undefined) return undefined
  return { kind, path, perms, value: unescaped(value), writer, atNs }
}

const NOBODY: StoreWriter = { domid: 0, connection: 0 }
const parts = (path: string): string[] => path.split('/').filter((part) => part !== '')

/** A node as the tree itself sees it. */
interface OwnNode extends StoreNode {
  readonly children: StoreChildren<OwnNode>
}

/** Who holds a node holds a moment of the store: nothing is ever changed, but replaced up to the root, and what has not changed is shared. */
export class StoreTree {
  #root: OwnNode | undefined
  #change = 0
  readonly #clients = new Map<number, StoreClient>()

  /** Undefined as long as no daemon has said anything. */
  get root(): StoreNode | undefined {
    return this.#root
  }

  /** How many changes there have been. */
  get change(): number {
    return this.#change
  }

  /** The process that a connection was made by; undefined for domains' rings, and for connections that have changed nothing. */
  client(connection: number): StoreClient | undefined {
    return this.#clients.get(connection)
  }

  /** Nobody is there any more. */
  clear(): void {
    this.#root = undefined
    this.#clients.clear()
  }

  apply(change: StoreChange): void {
    if (change.kind === 'conn') {
      this.#clients.set(change.connection, change.client)
      return
    }
    this.#change++
    if (change.kind === 'new') {
      this.#root = this.#made('', NOBODY)
      this.#clients.clear()
    }
    if (!this.#root) return
    if (change.kind === 'set') this.#root = this.#set(this.#root, '', parts(change.path), 0, change)
    if (change.kind === 'rm') this.#root = removed(this.#root, parts(change.path), 0)
  }

  get(path: string): StoreNode | undefined {
    let node = this.#root
    for (const part of parts(path)) node = node?.children.get(part)
    return node
  }

  read(path: string): string | undefined {
    return this.get(path)?.value
  }

  /** `node`, made where it is missing, with the change in it that is made at `path` from `depth` on. */
  #set(
    node: OwnNode | undefined,
    name: string,
    path: readonly string[],
    depth: number,
    set: Extract<StoreChange, { kind: 'set' }>,
  ): OwnNode {
    const { writer, value, perms } = set
    const before = node ?? this.#made(name, writer)
    const next = path[depth]
    if (next === undefined)
      return { name, value, perms, children: before.children, below: before.below, writer, change: this.#change }
    const child = before.children.get(next)
    return withChild(before, child, this.#set(child, next, path, depth + 1, set))
  }

  #made(name: string, writer: StoreWriter): OwnNode {
    return { name, value: '', perms: '', children: StoreChildren.NONE, below: 0, writer, change: this.#change }
  }
}

function withChild(node: OwnNode, before: OwnNode | undefined, child: OwnNode): OwnNode {
  const { name, value, perms, writer, change } = node
  const below = node.below + child.below - (before ? before.below : -1)
  return { name, value, perms, children: node.children.with(child), below, writer, change }
}

/** The same node where there is nothing to remove; the daemon does not remove the root. */
function removed(node: OwnNode, path: readonly string[], depth: number): OwnNode {
  const child = node.children.get(path[depth] ?? '')
  if (!child) return node
  if (depth === path.length - 1) {
    const { name, value, perms, writer, change } = node
    return {
      name,
      value,
      perms,
      children: node.children.without(child.name),
      below: node.below - child.below - 1,
      writer,
      change,
    }
  }
  const after = removed(child, path, depth + 1)
  return after === child ? node : withChild(node, child, after)
}
