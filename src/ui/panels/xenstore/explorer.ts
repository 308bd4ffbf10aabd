/**
 * What the explorer's tree shows, as a store outside React: XenStore's changes come by hundreds while a guest is made, so they are gathered and
 * told once an animation frame, and the rows are laid out anew only when one comes or goes.
 */
import type { ItemMeta } from '@headless-tree/core'
import type { OpenLink } from '#protocol/open-link.ts'
import { XenstoreClient } from '#protocol/xenstore-client.ts'
import type { StoreChange, StoreNode, StoreTree } from '#protocol/xenstore-tree.ts'
import { type Clock, Flashes } from './flashes.ts'
import { ancestorsOf, Filter, flatten, isBelow, nearest, nodeAt, parentPath, ROOT } from './rows.ts'

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

const OPEN_AT_FIRST = ['/local', '/local/domain']

export class Explorer {
  readonly client: XenstoreClient
  /** A moment of the store. */
  root: StoreNode | undefined
  selected = '/local/domain'
  follow = true
  action: Action | undefined
  last: LastChange | undefined
  readonly flashes: Flashes
  /** What is to be scrolled to, and how often something was. */
  scroll = { path: ROOT, count: 0, focus: false }
  filterText = ''
  readonly #around: Surroundings
  readonly #open = new Set<string>(OPEN_AT_FIRST)
  /** With a filter all that leads to a match is open, but for these. */
  readonly #shut = new Set<string>()
  readonly #listeners = new Set<() => void>()
  #filter: Filter | undefined
  #rows: ItemMeta[] | undefined
  #version = 0
  #revealed = 0
  /** To be revealed when it is there. */
  #wanted: { readonly path: string; readonly focus: boolean } | undefined
  #pending: StoreChange[] = []
  #scheduled = false

  constructor(around: Surroundings) {
    this.#around = around
    this.client = new XenstoreClient(around.openLink)
    this.flashes = new Flashes(around, () => this.#told())
    this.root = around.xenstore.root
    around.onXenstore((changes) => {
      for (const change of changes) this.#pending.push(change)
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

  /** The same array until a row comes or goes. */
  rows(): ItemMeta[] {
    this.#rows ??= this.root ? flatten(this.root, (path) => this.isOpen(path), this.#filter) : []
    return this.#rows
  }

  isOpen(path: string): boolean {
    return path === ROOT || (this.#filter ? !this.#shut.has(path) : this.#open.has(path))
  }

  node(path: string): StoreNode | undefined {
    return nodeAt(this.root, path)
  }

  open(path: string): void {
    this.#open.add(path)
    this.#shut.delete(path)
    this.#laidOut()
  }

  shut(path: string): void {
    this.#open.delete(path)
    this.#shut.add(path)
    this.#laidOut()
  }

  openAll(): void {
    const add = (path: string, node: StoreNode): void => {
      if (node.children.size === 0) return
      this.#open.add(path)
      for (const [name, child] of node.children) add(path === ROOT ? `/${name}` : `${path}/${name}`, child)
    }
    if (this.root) add(ROOT, this.root)
    this.#shut.clear()
    this.#laidOut()
  }

  shutAll(): void {
    this.#open.clear()
    for (const { itemId } of this.rows()) this.#shut.add(itemId)
    this.follow = false
    this.#laidOut()
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
    const node = this.node(there)
    if (this.#filter && node && !this.#filter.shows(there, node)) this.filterBy('')
    this.#openTo(there)
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
    this.#rows = undefined
    this.#filter = text === '' ? undefined : new Filter(text)
    this.#shut.clear()
    // What was found stays in sight when the filter goes.
    if (!this.#filter) this.#openTo(this.selected)
    this.#laidOut()
  }

  matches(path: string, node: StoreNode): boolean {
    return this.#filter?.matches(path, node) ?? false
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
    const rows = this.rows()
    const at = rows.findIndex(({ itemId }) => itemId === path)
    const next = rows.slice(at + 1).find(({ itemId }) => !isBelow(itemId, path))
    const same = next?.parentId === parentPath(path) ? next : undefined
    return (at < 0 ? undefined : (same ?? rows[at - 1])?.itemId) ?? parentPath(path)
  }

  focusFirst(): void {
    const first = this.rows()[0]
    if (first) this.select(first.itemId)
    this.focusTree()
  }

  /** The keyboard goes back to the tree. */
  focusTree(): void {
    this.#scrollTo(this.selected, true)
    this.#told()
  }

  #openTo(path: string): void {
    for (const ancestor of ancestorsOf(path)) {
      if (!this.isOpen(ancestor)) this.#rows = undefined
      this.#open.add(ancestor)
      this.#shut.delete(ancestor)
    }
  }

  #scrollTo(path: string, focus: boolean): void {
    this.scroll = { path, count: this.scroll.count + 1, focus }
  }

  #laidOut(): void {
    this.#rows = undefined
    this.#told()
  }

  #told(): void {
    this.#version++
    for (const listener of this.#listeners) listener()
  }

  #soon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#around.frame(() => {
      this.#scheduled = false
      this.#fold()
    })
  }

  #fold(): void {
    const changes = this.#pending
    this.#pending = []
    const before = this.root
    this.root = this.#around.xenstore.root
    if (!this.root || !before || this.#filter) this.#rows = undefined
    const number = this.#around.xenstore.change - changes.length
    this.flashes.prune()
    changes.forEach((change, i) => {
      if (change.kind !== 'new') this.#changed(change, before, number + i + 1)
      else this.#rows = undefined
    })
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

  #changed(change: Exclude<StoreChange, { kind: 'new' }>, before: StoreNode | undefined, number: number): void {
    const { kind, path, writer } = change
    if (kind === 'rm' || !nodeAt(before, path)) {
      if (this.isOpen(parentPath(path))) this.#rows = undefined
      if (kind === 'rm') this.flashes.dropBelow(path)
    }
    // What the daemon tells a listener that has just come is nobody's doing.
    if (writer.connection === 0) return
    this.last = { number, kind, path, value: kind === 'set' ? change.value : '', domid: writer.domid }
    const there = kind === 'rm' ? parentPath(path) : path
    if (this.follow && !this.#filter && nodeAt(this.root, there)) {
      this.#openTo(there)
      this.#scrollTo(there, false)
    }
    const closed = ancestorsOf(there).find((ancestor) => !this.isOpen(ancestor))
    this.flashes.add(there, closed, kind === 'rm' ? 'gone' : 'here', writer.domid)
  }
}
