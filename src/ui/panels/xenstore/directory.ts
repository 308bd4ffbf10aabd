/**
 * A directory that the outline has looked into. Children have slots, by age, each of which stands for some rows: the child's own and those of all that
 * is open below it. A slot without rows is empty, or what a filter hides.
 */
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { Sums } from './sums.ts'

/** So many slots may be empty in any directory, and half of them in a long one. */
const EMPTY_MAX = 64

export class Directory {
  readonly path: string
  readonly parent: Directory | undefined
  /** As it was last counted. */
  node: StoreNode
  /** Of its children, those that have been looked into. */
  readonly below = new Map<string, Directory>()
  /** Children to which something has happened since. */
  readonly changed = new Set<string>()
  /** Slots that a filter has looked at so far; it is done when it has come to the end. */
  looked = 0
  isDone = false
  rows: Sums
  /** 1 for each slot that has rows. */
  shown: Sums
  #names: string[] = []
  #slots = new Map<string, number>()

  constructor(node: StoreNode, path: string, parent: Directory | undefined) {
    this.node = node
    this.path = path
    this.parent = parent
    this.rows = new Sums(node.children.size)
    this.shown = new Sums(node.children.size)
  }

  get name(): string {
    return this.node.name
  }

  /** Still one of those that are looked into. */
  get isThere(): boolean {
    return !this.parent || (this.parent.below.get(this.name) === this && this.parent.isThere)
  }

  get slotCount(): number {
    return this.#names.length
  }

  slotOf(name: string): number | undefined {
    return this.#slots.get(name)
  }

  /** Undefined where the slot is empty. */
  nameAt(slot: number): string | undefined {
    const name = this.#names[slot]!
    return this.#slots.get(name) === slot ? name : undefined
  }

  push(name: string, rows: number): void {
    this.#slots.set(name, this.#names.length)
    this.#names.push(name)
    this.rows.push(rows)
    this.shown.push(Math.min(rows, 1))
  }

  set(slot: number, rows: number): void {
    this.rows.set(slot, rows)
    this.shown.set(slot, Math.min(rows, 1))
  }

  remove(name: string): void {
    const slot = this.#slots.get(name)
    if (slot === undefined) return
    this.set(slot, 0)
    this.#slots.delete(name)
    this.below.delete(name)
    this.changed.delete(name)
    if (this.#names.length > 2 * this.#slots.size + EMPTY_MAX) this.#closeUp()
  }

  #closeUp(): void {
    const { rows } = this
    const names = this.#names
    const slots = this.#slots
    const looked = this.looked
    this.#names = []
    this.#slots = new Map()
    this.rows = new Sums()
    this.shown = new Sums()
    this.looked = 0
    for (const [slot, name] of names.entries()) {
      if (slots.get(name) !== slot) continue
      if (slot < looked) this.looked++
      this.push(name, rows.at(slot))
    }
  }
}
