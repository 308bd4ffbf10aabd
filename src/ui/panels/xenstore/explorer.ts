/**
 * What the explorer's tree shows, as a store outside React: XenStore's changes come by thousands in a second, so they are noted as they come, and counted
 * and told some times in a second. Nothing here costs more for a store of fifty thousand nodes than for a small one, but a filter, which looks at each
 * node once, a few milliseconds in each frame.
 */
import type { OpenLink } from '#protocol/open-link.ts'
import { XenstoreClient } from '#protocol/xenstore-client.ts'
import type { StoreChange, StoreNode, StoreTree } from '#protocol/xenstore-tree.ts'
import { type Clock, Flashes } from './flashes.ts'
import { Following } from './following.ts'
import { Layout } from './layout.ts'
import type { Row } from './outline.ts'
import { nearest, nodeAt, parentPath, ROOT } from './rows.ts'

export interface LastChange {
  readonly number: number
  readonly kind: 'set' | 'rm'
  readonly path: string
  readonly value: string
  readonly domid: number
}

/** What somebody is about to do to a node. */
export interface Action {
  readonly kind: 'edit' | 'add' | 'remove' | 'permissions'
  readonly path: string
}

/** The world around it. */
export interface Surroundings extends Clock {
  readonly xenstore: StoreTree
  readonly openLink: OpenLink
  onXenstore(listener: (changes: readonly StoreChange[]) => void): void
  /** Before the next picture. */
  frame(run: () => void): void
}

/** A picture is made at once, the next one no sooner. */
export const TELL_MS = 80
/** A filter works so long in a frame. */
const WORK_MS = 4

export class Explorer {
  readonly client: XenstoreClient
  selected = '/local/domain'
  follow = true
  action: Action | undefined
  last: LastChange | undefined
  readonly flashes: Flashes
  /** What is to be scrolled to, and how often something was. */
  scroll = { path: ROOT, count: 0, focus: false }
  filterText = ''
  readonly #around: Surroundings
  readonly #layout: Layout
  readonly #listeners = new Set<() => void>()
  /** The moment that the last picture showed. */
  #pictured: StoreNode | undefined
  #version = 0
  #revealed = 0
  /** To be revealed when it is there. */
  #wanted: { readonly path: string; readonly focus: boolean } | undefined
  readonly #following: Following
  #scheduled = false
  #working = false
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(around: Surroundings) {
    this.#around = around
    this.client = new XenstoreClient(around.openLink)
    this.flashes = new Flashes(around, () => this.#told())
    this.#following = new Following(around, () => this.#soon())
    this.#layout = new Layout(around.xenstore)
    this.#pictured = this.root
    around.onXenstore((changes) => {
      this.#heard(changes.filter((change) => change.kind !== 'conn'))
      this.#soon()
    })
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  readonly version = (): number => this.#version

  /** A moment of the store. */
  get root(): StoreNode | undefined {
    return this.#layout.root
  }

  /** How many rows the tree has now. */
  get rowCount(): number {
    return this.#layout.rows()?.count ?? 0
  }

  /** Found as it is asked for: there is no list of them. */
  rowAt(index: number): Row | undefined {
    return this.#layout.rows()?.rowAt(index)
  }

  /** The row of `path`; -1 where it has none. */
  indexOf(path: string): number {
    return this.#layout.rows()?.place(path)?.index ?? -1
  }

  /** The filter has not seen all of the store yet: there may be more rows. */
  get isWorking(): boolean {
    return this.#layout.rows()?.isWorking ?? false
  }

  isOpen(path: string): boolean {
    return this.#layout.isOpen(path)
  }

  node(path: string): StoreNode | undefined {
    return nodeAt(this.root, path)
  }

  open(path: string): void {
    this.#layout.set(path, true)
    this.#told()
  }

  shut(path: string): void {
    this.#layout.set(path, false)
    this.#told()
  }

  setAll(open: boolean): void {
    if (!open) this.follow = false
    this.#layout.setAll(open)
    this.#work()
    this.#told()
  }

  select(path: string): void {
    // The focus comes back to where it was while what is wanted is on its way.
    if (path === this.selected) return
    this.#wanted = undefined
    this.selected = path
    this.action = undefined
    this.#told()
  }

  /** Open the way to `path`, select it and show it. */
  reveal(path: string, focus = false): void {
    const there = this.root ? nearest(this.root, path) : path
    this.#layout.openTo(there)
    if (!this.#layout.shows(there)) this.filterBy('')
    this.#layout.openTo(there)
    this.select(there)
    this.follow = false
    this.#scrollTo(there, focus)
    // The daemon's answer may come before its trace does.
    this.#wanted = there === path ? undefined : { path, focus }
    this.#told()
  }

  /** What another panel asks for, once, whenever this one comes to look. */
  revealOnce({ path, count }: { readonly path: string; readonly count: number }): void {
    if (count <= this.#revealed) return
    this.#revealed = count
    this.reveal(path)
  }

  filterBy(text: string): void {
    this.filterText = text
    this.#layout.filterBy(text)
    // What was found stays in sight when the filter goes.
    if (text === '') {
      this.#layout.openTo(this.selected)
      this.#scrollTo(this.selected, false)
    }
    this.#work()
    this.#told()
  }

  matches(path: string, node: StoreNode): boolean {
    return this.#layout.matches(path, node)
  }

  followChanges(follow: boolean): void {
    if (follow === this.follow) return
    this.follow = follow
    this.#told()
  }

  act(kind: Action['kind'] | undefined): void {
    this.action = kind && { kind, path: this.selected }
    // A form takes room from the tree; what it is about stays in sight.
    if (kind) this.#scrollTo(this.selected, false)
    this.#told()
  }

  /** Where one stands when `path` is gone: at what follows it, else at what was before it. */
  neighbour(path: string): string {
    return this.#layout.neighbour(path)
  }

  focusFirst(): void {
    const first = this.rowAt(0)
    if (first) this.select(first.path)
    this.focusTree()
  }

  /** The keyboard goes to `path`, or back to the tree. */
  focusTree(path = this.selected): void {
    this.select(path)
    this.#scrollTo(path, true)
    this.#told()
  }

  #scrollTo(path: string, focus: boolean): void {
    this.scroll = { path, count: this.scroll.count + 1, focus }
  }

  #told(): void {
    this.#version++
    for (const listener of this.#listeners) listener()
  }

  /** A filter's slice, and the next ones frame by frame. */
  #work(): void {
    const rows = this.#layout.rows()
    if (!rows?.isWorking) return
    const { nowMs } = this.#around
    const untilMs = nowMs() + WORK_MS
    rows.work(() => nowMs() >= untilMs)
    if (!rows.isWorking || this.#working) return
    this.#working = true
    this.#around.frame(() => {
      this.#working = false
      this.#work()
      this.#told()
    })
  }

  #heard(changes: readonly Exclude<StoreChange, { kind: 'conn' }>[]): void {
    const before = this.#around.xenstore.change - changes.length
    for (const [i, change] of changes.entries()) {
      const number = before + i + 1
      this.#layout.note(change, number)
      if (change.kind === 'new') continue
      const { kind, path, writer } = change
      if (kind === 'rm') this.flashes.drop(path)
      // What the daemon tells a listener that has just come is nobody's doing.
      if (writer.connection === 0) continue
      this.last = { number, kind, path, value: kind === 'set' ? change.value : '', domid: writer.domid }
      const there = kind === 'rm' ? parentPath(path) : path
      this.#following.changed(there)
      this.flashes.add(there, this.#layout.firstShut(there), kind === 'rm' ? 'gone' : 'here', writer.domid)
    }
  }

  #soon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const picture = (): void => {
      this.#scheduled = false
      this.#picture()
    }
    const waitMs = this.#toldMs + TELL_MS - this.#around.nowMs()
    if (waitMs <= 0) this.#around.frame(picture)
    else this.#around.after(waitMs, () => this.#around.frame(picture))
  }

  #picture(): void {
    this.#toldMs = this.#around.nowMs()
    const before = this.#pictured
    this.#layout.update()
    this.#pictured = this.root
    this.flashes.prune()
    this.#followOn()
    this.#work()
    if (!this.root) this.action = undefined
    else if (!this.action) {
      const there = nearest(this.root, this.selected)
      // Before there is a domain there is none to select; the wish stays.
      if (there !== this.selected && before && nodeAt(before, this.selected)) this.selected = there
    }
    const wanted = this.#wanted
    if (wanted && this.node(wanted.path)) this.reveal(wanted.path, wanted.focus)
    else this.#told()
  }

  #followOn(): void {
    const isFollowed = this.follow && !this.#layout.isFiltered
    const { open, show } = this.#following.step((path) => isFollowed && this.node(path) !== undefined)
    for (const path of open) this.#layout.openTo(path)
    if (show !== undefined) this.#scrollTo(show, false)
  }
}
