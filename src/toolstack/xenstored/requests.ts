/** What passes between the store and its operations: a request under way, what comes of it, and what domains are allowed. */
import type { Connection, Domain, Message } from './connection.ts'
import type { Transaction } from './transactions.ts'
import type { Tree } from './tree.ts'

/** What domains other than 0 may have. The names are the options'. */
export interface Quotas {
  /** Nodes that are its own. */
  readonly entryNb: number
  /** Bytes of a node's record: it has to stay below. */
  readonly entrySize: number
  /** One more is possible of each: both are compared by `>`. */
  readonly watchNb: number
  readonly transaction: number
  /** Nodes that one transaction changes (with --merge-activate: touches). Later daemons' quota, and without it one transaction could fill dom0. */
  readonly transactionNodes: number
}

export const QUOTAS: Quotas = { entryNb: 1000, entrySize: 2048, watchNb: 128, transaction: 10, transactionNodes: 1024 }

/** INTRODUCE needs the ring page and the event channel before it can be answered. */
export interface Errand {
  readonly conn: Connection
  readonly message: Message
  readonly domid: number
  readonly mfn: number
  readonly port: number
  /** It is introduced already and only gets a new channel. */
  readonly again: Domain | undefined
}

/** live-update: the daemon is to execute `program` in its own place. */
export interface LiveUpdate {
  readonly conn: Connection
  readonly message: Message
  /** Undefined: its own. */
  readonly program: string | undefined
  readonly commandLine: string | undefined
}

/** What an operation did to a path. */
export type Change = 'made' | 'value' | 'perms' | 'gone'

/** A request under way. */
export interface Request {
  readonly conn: Connection
  readonly payload: string
  readonly transaction: Transaction | undefined
  /** The store, or the transaction's copy. */
  readonly tree: Tree
  /** Sent behind the reply. */
  after: (() => void) | undefined
}

/** The reply's payload; an errno; or something that is to be done first. */
export type Result = string | number | Omit<Errand, 'conn' | 'message'> | Omit<LiveUpdate, 'conn' | 'message'>
