/**
 * Transactions (xenstored_transaction.c). Each works on a copy of the whole store, which costs nothing (tree.ts), and becomes the store if nothing
 * stands against it. By 3.3's rule that is any change at all since it began, wherever that was and even if the transaction only read. By the later
 * rule, --merge-activate, it is a change of a node that it has read, listed, written, made or removed; then what it has changed is done again on
 * the store as it is by now, which costs what it has touched.
 */
import type { Access } from './access-trace.ts'
import { listingOf, type Node, parentOf, type Tree } from './tree.ts'

/** What a transaction has to do with a node. Its being there, and its permissions, are part of all. */
export const TOUCH_NODE = 1
export const TOUCH_VALUE = 2
export const TOUCH_CHILDREN = 4
/** All of it: what lies below too. */
export const TOUCH_BELOW = 8

export interface Transaction {
  readonly id: number
  /** The store's when it began. NaN: the daemon was another then, and it cannot be done. */
  readonly generation: number
  readonly tree: Tree
  /** --merge-activate: the store as it was. */
  readonly base: Tree | undefined
  /** What changed, in the order of first changes: how watches are fired at the end. The value: with all below it. */
  readonly changes: Map<string, boolean>
  /** Nodes more or fewer, by owner. */
  readonly entries: Map<number, number>
  /** What became of each path. */
  readonly accesses: Map<string, Access>
  /** --merge-activate: TOUCH_ bits by path. */
  readonly touched: Map<string, number> | undefined
}

export const newTransaction = (id: number, generation: number, store: Tree, merges: boolean): Transaction => ({
  id,
  generation,
  base: merges ? store.fork() : undefined,
  tree: store.fork(),
  changes: new Map(),
  entries: new Map(),
  accesses: new Map(),
  touched: merges ? new Map() : undefined,
})

/** It is going to look at `path`, or to change it. Of one that is missing also who decides about that: the nearest above it that is not. */
export function touch({ touched, tree }: Transaction, path: string, bits: number): void {
  if (!touched) return
  touched.set(path, (touched.get(path) ?? 0) | bits)
  const { at: nearest } = tree.nearest(path)
  for (let at = path; at.length > nearest.length; ) {
    at = parentOf(at)
    touched.set(at, (touched.get(at) ?? 0) | TOUCH_NODE)
  }
}

/** Whether nothing that the transaction has touched is different in `now`. */
export function isUntouched({ base, touched }: Transaction, now: Tree): boolean {
  if (!touched || !base) return false
  for (const [path, bits] of touched) if (!same(base.get(path), now.get(path), bits)) return false
  return true
}

/** Trees share what no one has changed. */
function same(before: Node | undefined, after: Node | undefined, bits: number): boolean {
  if (before === after) return true
  if (!before || !after || bits & TOUCH_BELOW || before.perms !== after.perms) return false
  if (bits & TOUCH_VALUE && before.value !== after.value) return false
  return !(bits & TOUCH_CHILDREN) || listingOf(before) === listingOf(after)
}

/** Do in `now` what the transaction has done in its own tree. */
export function replay({ accesses, tree }: Transaction, now: Tree): void {
  for (const [path, access] of accesses) {
    if (access !== 'set' && now.get(path)) now.remove(path, () => {})
    const node = access === 'rm' ? undefined : tree.get(path)
    if (!node) continue
    if (now.get(path)) {
      now.setValue(path, node.value)
      now.setPerms(path, node.perms)
    } else now.add(path, node.value, node.perms)
  }
}
