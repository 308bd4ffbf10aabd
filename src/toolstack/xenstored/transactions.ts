/**
 * Transactions by 3.3's rule (xenstored_transaction.c): each works on a copy of the whole store, and may replace it only if nothing at all has changed
 * since it began, wherever that was and even if it only read.
 */
import type { Access } from './access-trace.ts'
import type { Tree } from './tree.ts'

export interface Transaction {
  readonly id: number
  /** The store's when it began. */
  readonly generation: number
  readonly tree: Tree
  /** What changed, in the order of first changes: how watches are fired at the end. The value: with all below it. */
  readonly changes: Map<string, boolean>
  /** Nodes more or fewer, by owner. */
  readonly entries: Map<number, number>
  /** What the access trace will tell. */
  readonly accesses: Map<string, Access>
}
