/**
 * XenStore as its access trace tells it (toolstack/xenstored/access-trace.ts has the format): a fold of lines into a tree, for whoever looks from
 * outside (design D9). What it holds is what the daemon has committed, with who did it.
 */

/** Whose connection a change came by: a domain, and the connection's number. */
export interface StoreWriter {
  readonly domid: number
  readonly connection: number
}

export interface StoreNode {
  readonly name: string
  /** A byte string. */
  readonly value: string
  /** As `n0,r5`: the owner first, with what others may; then exceptions. */
  readonly perms: string
  readonly children: ReadonlyMap<string, StoreNode>
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
    }
  | { readonly kind: 'rm'; readonly path: string; readonly writer: StoreWriter }

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', t: '\t', n: '\n', r: '\r' }

const unescaped = (text: string): string =>
  text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, named: string) =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[named] ?? named),
  )

/** What one line says; undefined for a line that is none. */
export function parseAccess(line: string): StoreChange | undefined {
  const [kind, domid, connection, path, perms, value] = line.replace(/\n$/, '').split('\t')
  if (kind === 'new') return { kind }
  if (path === undefined || !path.startsWith('/')) return undefined
  const writer = { domid: Number(domid), connection: Number(connection) }
  if (kind === 'rm') return { kind, path, writer }
  if (kind !== 'set' || perms === undefined || value === undefined) return undefined
  return { kind, path, perms, value: unescaped(value), writer }
}

const NOBODY: StoreWriter = { domid: 0, connection: 0 }
const parts = (path: string): string[] => path.split('/').filter((part) => part !== '')

/** A node as the tree itself sees it. */
interface OwnNode extends StoreNode {
  value: string
  perms: string
  writer: StoreWriter
  change: number
  readonly children: Map<string, OwnNode>
}

/**
 * Who holds a node holds a moment of the store: what has been shown is never changed, but replaced up to the root. What nobody has seen yet is changed
 * in place, so that many changes between two looks cost one copy of a directory, however long it is.
 */
export class StoreTree {
  #root: OwnNode | undefined
  #change = 0
  /** Made since somebody last looked. */
  #unseen = new Set<OwnNode>()

  /** Undefined as long as no daemon has said anything. */
  get root(): StoreNode | undefined {
    this.#look()
    return this.#root
  }

  /** How many changes there have been. */
  get change(): number {
    return this.#change
  }

  /** Nobody is there any more. */
  clear(): void {
    this.#root = undefined
  }

  apply(change: StoreChange): void {
    this.#change++
    if (change.kind === 'new') this.#root = this.#made('', NOBODY)
    else if (change.kind === 'set') this.#set(change)
    else this.#remove(parts(change.path))
  }

  get(path: string): StoreNode | undefined {
    this.#look()
    return this.#find(parts(path))
  }

  read(path: string): string | undefined {
    return this.#find(parts(path))?.value
  }

  #find(path: readonly string[]): OwnNode | undefined {
    let node = this.#root
    for (const part of path) node = node?.children.get(part)
    return node
  }

  #look(): void {
    if (this.#unseen.size > 0) this.#unseen = new Set()
  }

  #set({ path, value, perms, writer }: Extract<StoreChange, { kind: 'set' }>): void {
    if (!this.#root) return
    const node = this.#own(parts(path), writer)
    node.value = value
    node.perms = perms
    node.writer = writer
    node.change = this.#change
  }

  #remove(path: readonly string[]): void {
    const name = path.at(-1)
    // The daemon does not remove the root.
    if (name === undefined || !this.#find(path)) return
    this.#own(path.slice(0, -1), NOBODY).children.delete(name)
  }

  /** The node at `path`, made where it is missing, as one that may be changed; so are all above it. */
  #own(path: readonly string[], writer: StoreWriter): OwnNode {
    let node = this.#unseenOf(this.#root!)
    this.#root = node
    for (const name of path) {
      const child = node.children.get(name)
      const own = child ? this.#unseenOf(child) : this.#made(name, writer)
      if (own !== child) node.children.set(name, own)
      node = own
    }
    return node
  }

  #unseenOf(node: OwnNode): OwnNode {
    if (this.#unseen.has(node)) return node
    const copy = { ...node, children: new Map(node.children) }
    this.#unseen.add(copy)
    return copy
  }

  #made(name: string, writer: StoreWriter): OwnNode {
    const node: OwnNode = { name, value: '', perms: '', children: new Map(), writer, change: this.#change }
    this.#unseen.add(node)
    return node
  }
}
