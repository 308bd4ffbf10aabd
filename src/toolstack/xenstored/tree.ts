/**
 * XenStore's tree. `fork` gives a second tree of the same contents at once, whatever their size: from then on both share their nodes, and each
 * copies what it changes (in life a transaction copies the whole database file).
 */
import type { XsPermission } from '../libxs/perms.ts'

export interface Node {
  readonly value: string
  /** Never empty. */
  readonly perms: readonly XsPermission[]
  /** In the order of creation. */
  readonly children: ReadonlyMap<string, Node>
  /** Names of the children, each with a NUL: what the real node's record holds. */
  readonly childBytes: number
}

interface OwnNode extends Node {
  /** The tree that may change this node in place. */
  owner: object
  value: string
  perms: readonly XsPermission[]
  children: Map<string, OwnNode>
  childBytes: number
}

/** What an object of the tree costs besides its texts. */
const NODE_BYTES = 160

/** `/a/b` of `/a/b/c`; `/` of `/a`, of itself, and of a special event. */
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '/'

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

export const childOf = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)

/** `child` is `parent` or lies below it. All lies below `/`, special events too. */
export const isChild = (child: string, parent: string): boolean =>
  parent === '/' || (child.startsWith(parent) && (child.length === parent.length || child[parent.length] === '/'))

/** The size of a node's record in the database: three counts, permissions, value, names of children. */
export const nodeSize = (perms: number, valueBytes: number, childBytes: number): number =>
  12 + 8 * perms + valueBytes + childBytes

export class Tree {
  #root: OwnNode
  #me: object
  /** About what it takes of the heap, as if nothing were shared. */
  bytes: number

  constructor(perms: readonly XsPermission[]) {
    this.#me = {}
    this.#root = { owner: this.#me, value: '', perms, children: new Map(), childBytes: 0 }
    this.bytes = NODE_BYTES
  }

  /** O(1). Neither tree sees what happens to the other from now on. */
  fork(): Tree {
    const copy = new Tree([])
    copy.#root = this.#root
    copy.bytes = this.bytes
    this.#me = {}
    return copy
  }

  get(path: string): Node | undefined {
    let node: OwnNode | undefined = this.#root
    for (let at = 1; node && at < path.length; ) {
      const slash = path.indexOf('/', at)
      const end = slash < 0 ? path.length : slash
      node = node.children.get(path.slice(at, end))
      at = end + 1
    }
    return node
  }

  setValue(path: string, value: string): void {
    const node = this.#own(path)
    this.bytes += value.length - node.value.length
    node.value = value
  }

  setPerms(path: string, perms: readonly XsPermission[]): void {
    this.#own(path).perms = perms
  }

  /** A new last child of a node that exists. */
  add(path: string, value: string, perms: readonly XsPermission[]): void {
    const parent = this.#own(parentOf(path))
    const name = nameOf(path)
    parent.children.set(name, { owner: this.#me, value, perms, children: new Map(), childBytes: 0 })
    parent.childBytes += name.length + 1
    this.bytes += NODE_BYTES + name.length + value.length
  }

  /** With all below it; each node that goes is told to `gone`. */
  remove(path: string, gone: (node: Node) => void): void {
    const parent = this.#own(parentOf(path))
    const name = nameOf(path)
    const node = parent.children.get(name)
    if (!node) return
    parent.children.delete(name)
    parent.childBytes -= name.length + 1
    const left: [string, Node][] = [[name, node]]
    for (let next = left.pop(); next; next = left.pop()) {
      this.bytes -= NODE_BYTES + next[0].length + next[1].value.length
      gone(next[1])
      for (const child of next[1].children) left.push(child)
    }
  }

  /** What does not add up: nothing, unless there is a bug. */
  check(): string[] {
    const wrong: string[] = []
    const left: [string, Node][] = [['/', this.#root]]
    for (let next = left.pop(); next; next = left.pop()) {
      const [path, node] = next
      let bytes = 0
      for (const [name, child] of node.children) {
        bytes += name.length + 1
        left.push([childOf(path, name), child])
      }
      if (bytes !== node.childBytes || node.perms.length === 0) wrong.push(path)
    }
    return wrong
  }

  /** Nodes in the order of a listing: parents first, children by age. */
  *walk(): Generator<readonly [path: string, node: Node], void, undefined> {
    const left: [string, Node][] = [['/', this.#root]]
    for (let next = left.pop(); next; next = left.pop()) {
      yield next
      const [path, node] = next
      for (const [name, child] of [...node.children].reverse()) left.push([childOf(path, name), child])
    }
  }

  /** The node at `path`, which exists, as this tree's own to be changed; so are all above it. */
  #own(path: string): OwnNode {
    if (this.#root.owner !== this.#me) this.#root = this.#copy(this.#root)
    let node = this.#root
    for (let at = 1; at < path.length; ) {
      const slash = path.indexOf('/', at)
      const end = slash < 0 ? path.length : slash
      const name = path.slice(at, end)
      let child: OwnNode = node.children.get(name)!
      if (child.owner !== this.#me) {
        child = this.#copy(child)
        node.children.set(name, child)
      }
      node = child
      at = end + 1
    }
    return node
  }

  #copy({ value, perms, children, childBytes }: OwnNode): OwnNode {
    return { owner: this.#me, value, perms, children: new Map(children), childBytes }
  }
}
