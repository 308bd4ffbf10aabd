/**
 * "Who changed this": a time line of what the store's access trace tells, with what was there before. Changes are gathered and worked off once a picture,
 * together, so that a thousand a second cost no more than a look at the tree.
 */
import type { StoreChange, StoreClient, StoreNode, StoreTree, StoreWriter } from '#protocol/xenstore-tree.ts'
import { ancestorsOf, descendants, isBelow, nodeAt } from '../rows.ts'

/** What a node was, or became. */
export interface Content {
  readonly value: string
  readonly perms: string
}

export interface Entry {
  /** Of the change, as the explorer counts them. */
  readonly number: number
  /** Virtual time of the host. */
  readonly atNs: number
  readonly path: string
  /** Where the daemon came up anew there is no path. */
  readonly kind: 'set' | 'rm' | 'new'
  readonly writer: StoreWriter
  /** The process behind the connection, where it is known. */
  readonly client: StoreClient | undefined
  /** Undefined: it was not there. */
  readonly before: Content | undefined
  readonly after: Content | undefined
  /** How many nodes went with a removed one. */
  readonly below: number
}

/** What of it somebody wants to see. */
export interface Wanted {
  readonly scope: 'node' | 'below' | 'all'
  readonly path: string
  /** Undefined: everybody's. */
  readonly domid: number | undefined
}

export interface HistoryParts {
  readonly xenstore: StoreTree
  readonly onXenstore: (listener: (changes: readonly StoreChange[]) => void) => void
  /** Before the next picture. */
  readonly frame: (run: () => void) => void
}

/** So many are remembered. */
export const ENTRIES_MAX = 10_000
/** Where no pictures are drawn, so many wait at most. */
const PENDING_MAX = 5_000

type TreeChange = Exclude<StoreChange, { kind: 'conn' }>

interface Pending {
  readonly change: TreeChange
  readonly number: number
  readonly client: StoreClient | undefined
}

export class History {
  readonly #parts: HistoryParts
  readonly #listeners = new Set<() => void>()
  /** Oldest first; a little longer than what is remembered, so that the rest is moved up seldom. */
  #entries: Entry[] = []
  #dropped = 0
  #version = 0
  /** The store as the entries leave it. */
  #root: StoreNode | undefined
  #pending: Pending[] = []
  #scheduled = false

  constructor(parts: HistoryParts) {
    this.#parts = parts
    this.#root = parts.xenstore.root
    parts.onXenstore((changes) => this.#heard(changes))
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  readonly version = (): number => this.#version

  get size(): number {
    return Math.min(this.#entries.length, ENTRIES_MAX)
  }

  /** The number of the last change that is here. */
  get newest(): number {
    return this.#entries.at(-1)?.number ?? 0
  }

  /** How many are forgotten. */
  get dropped(): number {
    return this.#dropped + this.#entries.length - this.size
  }

  /** Newest first. */
  select({ scope, path, domid }: Wanted): Entry[] {
    const found: Entry[] = []
    const above = new Set(scope === 'all' ? [] : ancestorsOf(path))
    const oldest = this.#entries.length - this.size
    for (let i = this.#entries.length - 1; i >= oldest; i--) {
      const entry = this.#entries[i]!
      if (domid !== undefined && (entry.kind === 'new' || entry.writer.domid !== domid)) continue
      // What removes a node may have been done to one above it.
      const meant =
        scope === 'all' ||
        entry.kind === 'new' ||
        entry.path === path ||
        (scope === 'below' && isBelow(entry.path, path)) ||
        (entry.kind === 'rm' && above.has(entry.path))
      if (meant) found.push(entry)
    }
    return found
  }

  /** Who has written, in order of their numbers. */
  domids(): number[] {
    const seen = new Set<number>()
    for (const { kind, writer } of this.#entries) if (kind !== 'new') seen.add(writer.domid)
    return [...seen].sort((a, b) => a - b)
  }

  forget(): void {
    this.#entries = []
    this.#dropped = 0
    this.#told()
  }

  #heard(changes: readonly StoreChange[]): void {
    const { xenstore } = this.#parts
    if (changes.length === 0 && !xenstore.root) {
      // The machine is gone, or its dom0.
      this.#pending = []
      this.#root = undefined
      this.forget()
      return
    }
    let number = xenstore.change
    for (const { kind } of changes) if (kind !== 'conn') number--
    for (const change of changes) {
      if (change.kind === 'conn') continue
      number++
      const client = change.kind === 'new' ? undefined : xenstore.client(change.writer.connection)
      this.#pending.push({ change, number, client })
    }
    if (this.#pending.length >= PENDING_MAX) this.#fold()
    if (this.#scheduled) return
    this.#scheduled = true
    this.#parts.frame(() => {
      this.#scheduled = false
      this.#fold()
    })
  }

  #fold(): void {
    const pending = this.#pending
    this.#pending = []
    const before = new Before(this.#root)
    this.#root = this.#parts.xenstore.root
    for (const { change, number, client } of pending) {
      if (change.kind === 'new') {
        if (before.isThere) this.#add({ ...NEW, number, atNs: this.#entries.at(-1)?.atNs ?? 0 })
        before.clear()
        continue
      }
      const { kind, path, writer, atNs } = change
      const was = before.at(path)
      const below = kind === 'rm' ? before.below(path) : 0
      const after = kind === 'set' ? { value: change.value, perms: change.perms } : undefined
      before.becomes(path, after)
      // What the daemon tells a listener that has just come is nobody's doing.
      if (writer.connection === 0) continue
      this.#add({ number, atNs, path, kind, writer, client, before: was, after, below })
    }
    this.#told()
  }

  #add(entry: Entry): void {
    this.#entries.push(entry)
    if (this.#entries.length < ENTRIES_MAX * 1.25) return
    const gone = this.#entries.length - ENTRIES_MAX
    this.#entries.splice(0, gone)
    this.#dropped += gone
  }

  #told(): void {
    this.#version++
    for (const listener of this.#listeners) listener()
  }
}

const NEW = {
  path: '',
  kind: 'new',
  writer: { domid: 0, connection: 0 },
  client: undefined,
  before: undefined,
  after: undefined,
  below: 0,
} as const satisfies Partial<Entry>

/** What was there between the changes of one picture: the store of the last one, and what has become of it since. */
class Before {
  #root: StoreNode | undefined
  #changes = 0
  readonly #set = new Map<string, { readonly at: number; readonly content: Content }>()
  readonly #removed = new Map<string, number>()

  constructor(root: StoreNode | undefined) {
    this.#root = root
  }

  /** A daemon had said something. */
  get isThere(): boolean {
    return this.#root !== undefined
  }

  clear(): void {
    this.#root = undefined
    this.#set.clear()
    this.#removed.clear()
  }

  at(path: string): Content | undefined {
    const set = this.#set.get(path)
    const removed = this.#removedAt(path)
    if (set) return set.at > removed ? set.content : undefined
    if (removed >= 0) return undefined
    const node = nodeAt(this.#root, path)
    return node && { value: node.value, perms: node.perms }
  }

  /** What was made and removed within one picture is not counted. */
  below(path: string): number {
    const node = this.#removedAt(path) >= 0 ? undefined : nodeAt(this.#root, path)
    return node ? descendants(node) : 0
  }

  becomes(path: string, content: Content | undefined): void {
    this.#changes++
    if (content) this.#set.set(path, { at: this.#changes, content })
    else this.#removed.set(path, this.#changes)
  }

  /** When it went, or what it was below; -1: never. */
  #removedAt(path: string): number {
    if (this.#removed.size === 0) return -1
    let at = this.#removed.get(path) ?? -1
    for (const ancestor of ancestorsOf(path)) at = Math.max(at, this.#removed.get(ancestor) ?? -1)
    return at
  }
}
