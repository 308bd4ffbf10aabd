/** What of the store is laid out in rows: which directories are open, what a filter leaves, and the outline of that, made when somebody looks. */
import type { StoreChange, StoreNode, StoreTree } from '#protocol/xenstore-tree.ts'
import { OpenPaths } from './open-paths.ts'
import { Outline } from './outline.ts'
import { ancestorsOf, nodeAt, parentPath, ROOT } from './rows.ts'
import { type Matcher, matcherOf } from './tools/query.ts'

const OPEN_AT_FIRST = ['/local', '/local/domain']
/** So many directories may be opened one by one before those that are gone are forgotten. */
const OPENED_MAX = 5000
/** Changes that wait for a picture. */
const NOTED_MAX = 50_000

export class Layout {
  /** A moment of the store. */
  root: StoreNode | undefined
  readonly #store: StoreTree
  /** What is open without a filter; with one, all that leads to a match, but for what was shut. */
  #open = new OpenPaths(false, OPEN_AT_FIRST)
  #openFiltered = new OpenPaths(true)
  #openedMax = OPENED_MAX
  #filter: Matcher | undefined
  #outline: Outline | undefined
  /** By which change the store was as it was laid out. */
  #outlinedAt = 0

  constructor(store: StoreTree) {
    this.#store = store
    this.root = store.root
  }

  get isFiltered(): boolean {
    return this.#filter !== undefined
  }

  /** Undefined where there is no store. */
  rows(): Outline | undefined {
    if (this.#outline || !this.root) return this.#outline
    // The newest moment: what has been heard before it needs no noting.
    this.root = this.#store.root
    this.#outlinedAt = this.#store.change
    if (this.root) this.#outline = new Outline(this.root, this.#opened, this.#filter)
    return this.#outline
  }

  /** The store's change of this number. */
  note(change: Exclude<StoreChange, { kind: 'conn' }>, number: number): void {
    if (number <= this.#outlinedAt) return
    if (change.kind === 'new') this.#outline = undefined
    else this.#outline?.note(change)
    // No picture is made where nobody looks: who comes back has it laid out anew.
    if (this.#outline && this.#outline.noted > NOTED_MAX) this.#outline = undefined
  }

  /** From now on the store is as it is. */
  update(): void {
    const before = this.root
    this.root = this.#store.root
    if (!this.root || !before) this.#outline = undefined
    else this.#outline?.counted(this.root)
    if (this.root && this.#open.others > this.#openedMax) this.#forgetGone()
  }

  filterBy(text: string): void {
    this.#filter = text === '' ? undefined : matcherOf(text)
    this.#openFiltered = new OpenPaths(true)
    this.#outline = undefined
  }

  matches(path: string, node: StoreNode): boolean {
    return this.#filter?.(path, node) ?? false
  }

  /** No filter hides `path`, as far as is known: one that is at work may not have come to what it will find. */
  shows(path: string): boolean {
    const node = nodeAt(this.root, path)
    if (!this.#filter || !node || path === ROOT || this.rows()?.place(path)) return true
    return this.rows()?.isWorking === true && this.matches(path, node)
  }

  /** Where one stands when `path` is gone: at what follows it, else at what was before it. */
  neighbour(path: string): string {
    const rows = this.rows()
    const place = rows?.place(path)
    const next = place && rows?.rowAt(place.index + place.rows)
    const same = next?.parent === parentPath(path) ? next : undefined
    return (place && (same ?? rows?.rowAt(place.index - 1))?.path) ?? parentPath(path)
  }

  isOpen(path: string): boolean {
    return path === ROOT || this.#opened.has(path)
  }

  /** What hides `path`, if something does. */
  firstShut(path: string): string | undefined {
    return this.#opened.firstShut(path)
  }

  set(path: string, open: boolean): void {
    const before = this.isOpen(path)
    if (path === ROOT) return
    this.#open.set(path, open)
    this.#openFiltered.set(path, open)
    if (before !== open) this.#outline?.reopened(path)
  }

  /** All above `path`. */
  openTo(path: string): void {
    for (const ancestor of ancestorsOf(path)) this.set(ancestor, true)
  }

  setAll(open: boolean): void {
    this.#open = new OpenPaths(open)
    this.#openFiltered = new OpenPaths(open)
    this.#outline = undefined
  }

  get #opened(): OpenPaths {
    return this.#filter ? this.#openFiltered : this.#open
  }

  #forgetGone(): void {
    this.#open = this.#open.without((path) => nodeAt(this.root, path) !== undefined)
    this.#openedMax = Math.max(OPENED_MAX, 2 * this.#open.others)
    if (!this.#filter) this.#outline = undefined
  }
}
