/**
 * XenStore's tree. `fork` gives a second tree of the same contents at once, whatever their size: from then on both share their nodes, and each
 * copies what it changes (in life a transaction copies the whole database file).
 */
import type { XsPermission } from '../libxs/perms.ts'
import { Buckets, Few, MANY } from './children.ts'

/** What nodes with few and with many children have in common. */
export interface Children<T = Node> extends Iterable<[string, T]> {
  readonly size: number
  get(name: string): T | undefined
  has(name: string): boolean
  keys(): IterableIterator<string>
}

export interface Node {
  readonly value: string
  /** Never empty. */
  readonly perms: readonly XsPermission[]
  /** In the order of creation. */
  readonly children: Children
  /** Names of the children, each with a NUL: what the real node's record holds. */
  readonly childBytes: number
  /** These names, once `listingOf` has been asked for them. */
  listing: string | undefined
}

interface OwnNode extends Node {
  /** The tree that may change this node in place. */
  owner: object
  value: string
  perms: readonly XsPermission[]
  children: OwnChildren
  childBytes: number
  /** Among its parent's children. */
  readonly order: number
  /** The order of the next child. */
  births: number
}

type OwnChildren = Few<OwnNode> | Buckets<OwnNode>

/** Of all nodes that have none; nothing is ever put into it. */
const NO_CHILDREN: OwnChildren = new Few()

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

/** Names of the node's children, each with a NUL. */
export function listingOf(node: Node): string {
  if (node.listing === undefined) {
    let names = ''
    for (const name of node.children.keys()) names += `${name}\0`
    node.listing = names
  }
  return node.listing
}

export class Tree {
  #root: OwnNode
  #me: object
  /** About what it takes of the heap, as if nothing were shared. */
  bytes: number

  /** `like`: begins with all that another one has. */
  constructor(perms: readonly XsPermission[], like?: Tree) {
    this.#me = {}
    this.#root = like ? like.#root : newNode(this.#me, '', perms, 0)
    this.bytes = like ? like.bytes : NODE_BYTES
  }

  /** O(1). Neither tree sees what happens to the other from now on. */
  fork(): Tree {
    this.#me = {}
    return new Tree(this.#root.perms, this)
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

  /** The node that is nearest above `path`, or there, and its path. */
  nearest(path: string): { readonly at: string; readonly node: Node } {
    let node = this.#root
    let known = 0
    for (let at = 1; at < path.length; ) {
      const slash = path.indexOf('/', at)
      const end = slash < 0 ? path.length : slash
      const child = node.children.get(path.slice(at, end))
      if (!child) break
      node = child
      known = end
      at = end + 1
    }
    return { at: path.slice(0, known) || '/', node }
  }

  setValue(path: string, value: string): Node {
    const node = this.#own(path)
    this.bytes += value.length - node.value.length
    node.value = value
    return node
  }

  setPerms(path: string, perms: readonly XsPermission[]): Node {
    const node = this.#own(path)
    node.perms = perms
    return node
  }

  /** A new last child of a node that exists. */
  add(path: string, value: string, perms: readonly XsPermission[]): void {
    this.#bear(this.#own(parentOf(path)), nameOf(path), value, perms)
  }

  /** The same for several, each the child of the one before; the last has the value. */
  addAll(paths: readonly string[], value: string, perms: readonly XsPermission[]): Node {
    let parent = this.#own(parentOf(paths[0]!))
    for (let i = 0; i < paths.length; i++)
      parent = this.#bear(parent, nameOf(paths[i]!), i === paths.length - 1 ? value : '', perms)
    return parent
  }

  #bear(parent: OwnNode, name: string, value: string, perms: readonly XsPermission[]): OwnNode {
    const child = newNode(this.#me, value, perms, parent.births++)
    if (parent.children === NO_CHILDREN) parent.children = new Few()
    else if (parent.children.size === MANY && parent.children instanceof Few)
      parent.children = Buckets.of(parent.children)
    parent.children.set(name, child)
    parent.childBytes += name.length + 1
    if (parent.listing !== undefined) parent.listing += `${name}\0`
    this.bytes += NODE_BYTES + name.length + value.length
    return child
  }

  /** With all below it; each node that goes is told to `gone`. */
  remove(path: string, gone: (node: Node) => void): void {
    const parent = this.#own(parentOf(path))
    const name = nameOf(path)
    const node = parent.children.get(name)
    if (!node) return
    parent.children.delete(name)
    parent.childBytes -= name.length + 1
    parent.listing = undefined
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
    'no preempt'
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

  #copy(node: OwnNode): OwnNode {
    const copy = newNode(this.#me, node.value, node.perms, node.order)
    const { children } = node
    if (children !== NO_CHILDREN) copy.children = copied(children)
    copy.childBytes = node.childBytes
    copy.births = node.births
    copy.listing = node.listing
    return copy
  }
}

const newNode = (owner: object, value: string, perms: readonly XsPermission[], order: number): OwnNode => ({
  owner,
  value,
  perms,
  children: NO_CHILDREN,
  childBytes: 0,
  order,
  births: 0,
  listing: undefined,
})

const copied = (children: OwnChildren): OwnChildren =>
  children instanceof Few || children.size >= MANY / 2 ? children.copy() : children.few()
