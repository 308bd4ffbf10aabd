/** Which of the store's nodes the tree shows, in order; and what a filter leaves of them. Pure. */
import type { ItemMeta } from '@headless-tree/core'
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { textOf } from './values.ts'

export const ROOT = '/'

export const childPath = (parent: string, name: string): string => (parent === ROOT ? `/${name}` : `${parent}/${name}`)

export const parentPath = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || ROOT

/** The root and all that lie between it and `path`, itself left out; none for the root. */
export function ancestorsOf(path: string): string[] {
  if (path === ROOT) return []
  const names = path.split('/').slice(1, -1)
  return [ROOT, ...names.map((_, i) => `/${names.slice(0, i + 1).join('/')}`)]
}

export const isBelow = (path: string, ancestor: string): boolean =>
  path !== ancestor && path.startsWith(ancestor === ROOT ? ROOT : `${ancestor}/`)

export function nodeAt(root: StoreNode | undefined, path: string): StoreNode | undefined {
  let node = root
  for (const name of path.split('/')) if (name !== '') node = node?.children.get(name)
  return node
}

/** Of `path` and its ancestors the nearest that is there. */
export function nearest(root: StoreNode, path: string): string {
  let at = path
  while (at !== ROOT && !nodeAt(root, at)) at = parentPath(at)
  return at
}

export function descendants(node: StoreNode): number {
  let count = 0
  for (const child of node.children.values()) count += 1 + descendants(child)
  return count
}

/** Nodes whose path or value has `text` in it, whatever the case, and all above them. What has been looked at once is remembered by its node. */
export class Filter {
  readonly text: string
  readonly #shown = new WeakMap<StoreNode, boolean>()

  constructor(text: string) {
    this.text = text.toLowerCase()
  }

  matches(path: string, node: StoreNode): boolean {
    return path.toLowerCase().includes(this.text) || textOf(node.value).toLowerCase().includes(this.text)
  }

  shows(path: string, node: StoreNode): boolean {
    const known = this.#shown.get(node)
    if (known !== undefined) return known
    const shown = this.matches(path, node) || this.leadsOn(path, node)
    this.#shown.set(node, shown)
    return shown
  }

  /** Something below it is shown. */
  leadsOn(path: string, node: StoreNode): boolean {
    for (const [name, child] of node.children) if (this.shows(childPath(path, name), child)) return true
    return false
  }
}

/** The rows below the root, parents first, of what is open. */
export function flatten(root: StoreNode, isOpen: (path: string) => boolean, filter?: Filter): ItemMeta[] {
  const rows: ItemMeta[] = []
  const add = (parent: string, node: StoreNode, level: number): void => {
    const entries: (readonly [path: string, node: StoreNode])[] = []
    for (const [name, child] of node.children) {
      const path = childPath(parent, name)
      if (!filter || filter.shows(path, child)) entries.push([path, child])
    }
    entries.forEach(([path, child], posInSet) => {
      rows.push({ itemId: path, parentId: parent, level, index: rows.length, setSize: entries.length, posInSet })
      if (child.children.size > 0 && isOpen(path)) add(path, child, level + 1)
    })
  }
  add(ROOT, root, 0)
  return rows
}

const DOM0_VM = '/vm/00000000-0000-0000-0000-000000000000'

/** Whose directory this is, by what the store says of it: a domain's name beside its number or its uuid. A uuid may be nobody's any more. */
export function domainNameAt(
  root: StoreNode,
  path: string,
): { readonly name: string; readonly domid: number | undefined } | undefined {
  const domid = /^\/local\/domain\/(?:\d+\/backend\/[^/]+\/)?(\d+)$/.exec(path)?.[1]
  if (domid === undefined && !/^\/vm\/[^/]+$/.test(path)) return undefined
  const name = nodeAt(root, `${domid === undefined ? path : `/local/domain/${domid}`}/name`)?.value
  if (!name) return undefined
  return { name, domid: domid === undefined ? domainOfVm(root, path) : Number(domid) }
}

function domainOfVm(root: StoreNode, path: string): number | undefined {
  if (path === DOM0_VM) return 0
  const domains = nodeAt(root, '/local/domain')?.children ?? new Map<string, StoreNode>()
  for (const [domid, node] of domains) if (node.children.get('vm')?.value === path) return Number(domid)
  return undefined
}
