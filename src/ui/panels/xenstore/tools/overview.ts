/**
 * What differs between two moments, for one who looks at it while the store goes on: all is counted, and so much of it is listed as anybody will read. What
 * is wholly new, or wholly gone, is counted by what the store says of it, and looked into no further than the list needs.
 */
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { childPath, ROOT } from '../rows.ts'
import type { Difference, DifferenceKind } from './diff.ts'

/** So many are listed. */
export const LISTED_MAX = 2000

export interface Overview {
  readonly counts: Readonly<Record<DifferenceKind, number>>
  /** Of those that are wanted the first, parents before what is below them. */
  readonly listed: readonly Difference[]
}

export const NO_DIFFERENCE: Overview = { counts: { added: 0, removed: 0, changed: 0 }, listed: [] }

export function overview(before: StoreNode, after: StoreNode, isWanted: (kind: DifferenceKind) => boolean): Overview {
  const counts = { added: 0, removed: 0, changed: 0 }
  const listed: Difference[] = []
  const list = (path: string, node: StoreNode, kind: 'added' | 'removed'): void => {
    if (listed.length >= LISTED_MAX) return
    listed.push(kind === 'added' ? { path, before: undefined, after: node } : { path, before: node, after: undefined })
    for (const [name, child] of node.children) {
      if (listed.length >= LISTED_MAX) return
      list(childPath(path, name), child, kind)
    }
  }
  const whole = (path: string, node: StoreNode, kind: 'added' | 'removed'): void => {
    counts[kind] += node.below + 1
    if (isWanted(kind)) list(path, node, kind)
  }
  const compare = (path: string, was: StoreNode, is: StoreNode): void => {
    if (was.value !== is.value || was.perms !== is.perms) {
      counts.changed++
      if (isWanted('changed') && listed.length < LISTED_MAX) listed.push({ path, before: was, after: is })
    }
    if (was.children === is.children) return
    was.children.forEach((child, name) => {
      if (!is.children.has(name)) whole(childPath(path, name), child, 'removed')
    })
    is.children.forEach((child, name) => {
      const old = was.children.get(name)
      if (old === child) return
      if (old) compare(childPath(path, name), old, child)
      else whole(childPath(path, name), child, 'added')
    })
  }
  compare(ROOT, before, after)
  return { counts, listed }
}
