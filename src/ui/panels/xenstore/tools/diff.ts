/**
 * What differs between two moments of the store. Moments share what has not changed, so that a look at which nodes are the same objects leaves out
 * whatever nobody has touched.
 */
import { childPath, ROOT } from '../rows.ts'

/** What of a node is compared; a StoreNode is one, and what a file says of one. */
export interface Comparable {
  readonly value: string
  readonly perms: string
  readonly children: ReadonlyMap<string, Comparable>
}

export interface Difference {
  readonly path: string
  readonly before: Comparable | undefined
  readonly after: Comparable | undefined
}

export type DifferenceKind = 'added' | 'removed' | 'changed'

export const kindOf = ({ before, after }: Difference): DifferenceKind =>
  before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'

/** Of one node and all below it, parents first. Rewritten with what it had, a node is the same. */
export function diff(before: Comparable | undefined, after: Comparable | undefined, path = ROOT): Difference[] {
  const found: Difference[] = []
  const compare = (at: string, was: Comparable | undefined, is: Comparable | undefined): void => {
    if (was === is) return
    if (was?.value !== is?.value || was?.perms !== is?.perms) found.push({ path: at, before: was, after: is })
    if (was) {
      for (const [name, child] of was.children)
        if (!is?.children.has(name)) compare(childPath(at, name), child, undefined)
    }
    if (is) for (const [name, child] of is.children) compare(childPath(at, name), was?.children.get(name), child)
  }
  compare(path, before, after)
  return found
}

export function countKinds(differences: readonly Difference[]): Record<DifferenceKind, number> {
  const counts = { added: 0, removed: 0, changed: 0 }
  for (const difference of differences) counts[kindOf(difference)]++
  return counts
}

/** One line of the tree that the differences make. */
export interface DiffRow {
  readonly path: string
  /** The name; of directories that only lead on, several at once. */
  readonly label: string
  readonly level: number
  readonly difference: Difference | undefined
}

interface Branch {
  difference: Difference | undefined
  readonly children: Map<string, Branch>
}

export function diffRows(differences: readonly Difference[]): DiffRow[] {
  const root: Branch = { difference: undefined, children: new Map() }
  for (const difference of differences) {
    let branch = root
    for (const name of difference.path.split('/')) {
      if (name === '') continue
      let next = branch.children.get(name)
      if (!next) {
        next = { difference: undefined, children: new Map() }
        branch.children.set(name, next)
      }
      branch = next
    }
    branch.difference = difference
  }
  const rows: DiffRow[] = []
  if (root.difference) rows.push({ path: ROOT, label: ROOT, level: 0, difference: root.difference })
  const add = (parent: string, { children }: Branch, level: number): void => {
    for (const [name, first] of children) {
      let branch = first
      let path = childPath(parent, name)
      let label = level === 0 ? path : name
      while (!branch.difference && branch.children.size === 1) {
        const [next, child] = [...branch.children][0]!
        branch = child
        path = childPath(path, next)
        label += `/${next}`
      }
      rows.push({ path, label, level, difference: branch.difference })
      add(path, branch, level + 1)
    }
  }
  add(ROOT, root, 0)
  return rows
}
