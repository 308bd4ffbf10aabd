/** Paths of the store, what lies above and below them, and whose they are. Pure. */
import type { StoreNode } from '#protocol/xenstore-tree.ts'

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

export const descendants = (node: StoreNode): number => node.below

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
