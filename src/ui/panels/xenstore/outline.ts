/**
 * Which of the store's nodes the tree shows, and in which row: never as a list of them. Each directory that has been looked into knows for how many rows
 * each child stands, so that a row is found by going down, and a node that comes, goes, opens or shuts costs a few steps for each directory above it.
 * What is wholly open, or wholly shut, is counted by what the store says of it, and not looked into before somebody wants to see it.
 *
 * With a filter each node has to be looked at once; that is done in slices (`work`), from the top, and rows are there as they are found.
 */
import type { StoreChange, StoreNode } from '#protocol/xenstore-tree.ts'
import { Directory } from './directory.ts'
import type { Mark, OpenPaths } from './open-paths.ts'
import { childPath, ROOT } from './rows.ts'
import type { Matcher } from './tools/query.ts'

export interface Row {
  readonly path: string
  readonly node: StoreNode
  /** The directory's path. */
  readonly parent: string
  /** 0 below the root. */
  readonly level: number
  readonly index: number
  /** Among the shown children of its directory, from 0. */
  readonly posInSet: number
  readonly setSize: number
}

type PathChange = Extract<StoreChange, { readonly path: string }>

/** Children are looked at between two looks at the clock. */
const LOOKS_MAX = 64

export class Outline {
  readonly #open: OpenPaths
  readonly #filter: Matcher | undefined
  readonly #top: Directory
  /** Directories that a filter has yet to look through; the next one last. */
  readonly #unread: Directory[] = []
  #noted: PathChange[] = []
  #looks = 0

  constructor(root: StoreNode, open: OpenPaths, filter?: Matcher) {
    this.#open = open
    this.#filter = filter
    this.#top = this.#laidOut(root, ROOT, undefined, open.root)
  }

  /** How many rows there are. */
  get count(): number {
    return this.#top.rows.total
  }

  /** How often a node has been looked at, ever: what it all has cost. */
  get looks(): number {
    return this.#looks
  }

  /** What it takes: a slot for each child of a directory that has been looked into, and some that are empty. */
  get slots(): number {
    const of = (directory: Directory): number =>
      [...directory.below.values()].reduce((sum, inside) => sum + of(inside), directory.slotCount)
    return of(this.#top)
  }

  /** Some of the store has not been looked at yet. */
  get isWorking(): boolean {
    return this.#unread.length > 0
  }

  rowAt(index: number): Row | undefined {
    if (index < 0 || index >= this.count) return undefined
    let directory = this.#top
    let left = index
    for (let level = 0; ; level++) {
      const slot = directory.rows.find(left)
      const name = directory.nameAt(slot)!
      left -= directory.rows.before(slot)
      if (left === 0)
        return {
          path: childPath(directory.path, name),
          node: directory.node.children.get(name)!,
          parent: directory.path,
          level,
          index,
          posInSet: directory.shown.before(slot),
          setSize: directory.shown.total,
        }
      left--
      directory = this.#into(directory, name)
    }
  }

  /** The row of `path`, and how many it has with all that is open below it; undefined where it has none. */
  place(path: string): { readonly index: number; readonly rows: number } | undefined {
    const names = namesOf(path)
    const last = names.pop()
    let directory = this.#top
    let index = 0
    for (const name of names) {
      const slot = directory.slotOf(name)
      // Not there, or shut: nothing below it has a row.
      if (slot === undefined || directory.rows.at(slot) < 2) return undefined
      index += directory.rows.before(slot) + 1
      directory = this.#into(directory, name)
    }
    const slot = last === undefined ? undefined : directory.slotOf(last)
    const rows = slot === undefined ? 0 : directory.rows.at(slot)
    return rows === 0 ? undefined : { index: index + directory.rows.before(slot!), rows }
  }

  /** Something happens; until it is `counted` all rows are as they were. */
  note(change: PathChange): void {
    this.#noted.push(change)
  }

  /** How many changes wait to be counted. */
  get noted(): number {
    return this.#noted.length
  }

  /** After all that was noted, `root` is the store. */
  counted(root: StoreNode): void {
    for (const change of this.#noted) this.#take(change)
    this.#noted = []
    this.#count(this.#top, root)
  }

  #take({ kind, path }: PathChange): void {
    const names = namesOf(path)
    let directory: Directory | undefined = this.#top
    for (const [i, name] of names.entries()) {
      if (!directory) return
      const isThere = directory.slotOf(name) !== undefined
      // What is not there is not removed, nor made by that.
      if (kind === 'rm' && !isThere) return
      if (kind === 'rm' && i === names.length - 1) {
        directory.remove(name)
        return
      }
      if (!isThere) directory.push(name, 0)
      directory.changed.add(name)
      directory = directory.below.get(name)
    }
  }

  /** `path` has been opened or shut. */
  reopened(path: string): void {
    let directory = this.#top
    for (const name of namesOf(path)) {
      const slot = directory.slotOf(name)
      const node = directory.node.children.get(name)
      if (slot === undefined || !node) return
      const inside = directory.below.get(name)
      const isIt = childPath(directory.path, name) === path
      if (inside && !isIt) {
        directory = inside
        continue
      }
      if (isIt && !this.#filter) directory.below.delete(name)
      if (!this.#filter || inside) directory.set(slot, this.#rowsOf(directory, name, node))
      this.#settle(directory)
      return
    }
  }

  /** Look on, until there is nothing left or time is over. */
  work(isOver: () => boolean): void {
    for (let directory = this.#unread.at(-1); directory; directory = this.#unread.at(-1)) {
      if (!directory.isThere || this.#lookThrough(directory)) {
        directory.isDone = true
        this.#unread.pop()
      }
      this.#settle(directory)
      if (isOver()) return
    }
  }

  /** Some children of `directory`, as long as none of them has to be looked into first. True: those were all. */
  #lookThrough(directory: Directory): boolean {
    const end = Math.min(directory.slotCount, directory.looked + LOOKS_MAX)
    while (directory.looked < end) {
      const slot = directory.looked++
      const name = directory.nameAt(slot)
      const node = name === undefined ? undefined : directory.node.children.get(name)
      if (!node) continue
      const rows = this.#rowsOf(directory, name!, node)
      if (rows > 0) directory.set(slot, rows)
      if (this.#unread.at(-1) !== directory) return false
    }
    return directory.looked === directory.slotCount
  }

  #count(directory: Directory, node: StoreNode): void {
    directory.node = node
    for (const name of directory.changed) {
      const child = node.children.get(name)
      if (!child) {
        directory.remove(name)
        continue
      }
      const inside = directory.below.get(name)
      if (inside) this.#count(inside, child)
      const slot = directory.slotOf(name)!
      // What a filter has not come to yet, it will.
      if (!this.#filter || directory.isDone || slot < directory.looked)
        directory.set(slot, this.#rowsOf(directory, name, child))
    }
    directory.changed.clear()
  }

  /** Rows have come or gone in `directory`: so they have in all above it. */
  #settle(directory: Directory): void {
    for (let inside = directory; inside.parent; inside = inside.parent) {
      const { parent, name } = inside
      const slot = parent.slotOf(name)
      const node = parent.node.children.get(name)
      if (slot === undefined || !node || parent.below.get(name) !== inside) return
      parent.set(slot, this.#rowsOf(parent, name, node))
    }
  }

  #rowsOf(directory: Directory, name: string, node: StoreNode): number {
    const path = childPath(directory.path, name)
    if (!this.#filter) return this.#openRows(directory, node, this.#open.markAt(path))
    this.#looks++
    const found = node.children.size > 0 ? this.#insideOf(directory, node, path, undefined).rows.total : 0
    if (found === 0) return this.#filter(path, node) ? 1 : 0
    return this.#open.has(path) ? 1 + found : 1
  }

  /** Without a filter. */
  #openRows(directory: Directory, node: StoreNode, mark: Mark | undefined): number {
    this.#looks++
    if (node.children.size === 0 || !this.#open.isOpen(mark)) return 1
    if (mark?.below) return 1 + this.#insideOf(directory, node, childPath(directory.path, node.name), mark).rows.total
    const inside = directory.below.get(node.name)
    if (inside) return 1 + inside.rows.total
    return 1 + (this.#open.rest ? node.below : node.children.size)
  }

  #into(directory: Directory, name: string): Directory {
    const path = childPath(directory.path, name)
    return this.#insideOf(directory, directory.node.children.get(name)!, path, this.#open.markAt(path))
  }

  #insideOf(directory: Directory, node: StoreNode, path: string, mark: Mark | undefined): Directory {
    const known = directory.below.get(node.name)
    if (known) return known
    const inside = this.#laidOut(node, path, directory, mark)
    directory.below.set(node.name, inside)
    return inside
  }

  #laidOut(node: StoreNode, path: string, parent: Directory | undefined, mark: Mark | undefined): Directory {
    const directory = new Directory(node, path, parent)
    if (this.#filter) this.#unread.push(directory)
    node.children.forEach((child, name) => {
      directory.push(name, this.#filter ? 0 : this.#openRows(directory, child, mark?.below?.get(name)))
    })
    return directory
  }
}

const namesOf = (path: string): string[] => (path === ROOT ? [] : path.slice(1).split('/'))
