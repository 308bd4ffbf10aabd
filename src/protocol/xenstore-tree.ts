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

/** Nodes are never changed, but replaced up to the root: who holds one holds a moment of the store. */
export class StoreTree {
  #root: StoreNode | undefined
  #change = 0

  /** Undefined as long as no daemon has said anything. */
  get root(): StoreNode | undefined {
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
    if (change.kind === 'new') this.#root = this.#node('', '', '', NOBODY)
    else if (this.#root) this.#root = this.#changed(this.#root, parts(change.path), change)
  }

  get(path: string): StoreNode | undefined {
    let node = this.#root
    for (const part of parts(path)) node = node?.children.get(part)
    return node
  }

  read(path: string): string | undefined {
    return this.get(path)?.value
  }

  #node(name: string, value: string, perms: string, writer: StoreWriter): StoreNode {
    return { name, value, perms, children: new Map(), writer, change: this.#change }
  }

  #changed(node: StoreNode, path: readonly string[], change: Exclude<StoreChange, { kind: 'new' }>): StoreNode {
    const [name, ...below] = path
    if (name === undefined) {
      if (change.kind === 'rm') return node
      return { ...node, value: change.value, perms: change.perms, writer: change.writer, change: this.#change }
    }
    const child = node.children.get(name)
    const children = new Map(node.children)
    if (change.kind === 'rm' && below.length === 0) {
      if (!child) return node
      children.delete(name)
    } else if (change.kind === 'rm' && !child) return node
    else children.set(name, this.#changed(child ?? this.#node(name, '', '', change.writer), below, change))
    return { ...node, children }
  }
}
