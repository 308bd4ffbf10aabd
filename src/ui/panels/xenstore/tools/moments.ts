/** Moments of the store that somebody has marked: roots that never change, sharing with each other what did not change between. */
import type { StoreNode, StoreTree } from '#protocol/xenstore-tree.ts'

export interface Moment {
  /** A, B, C, ... */
  readonly name: string
  readonly root: StoreNode
  readonly atNs: number
  /** The number of the last change in it. */
  readonly change: number
}

/** More are let go of, the oldest first. */
export const MOMENTS_MAX = 12
const LETTERS = 26

export class Moments {
  readonly #listeners = new Set<() => void>()
  readonly #xenstore: StoreTree
  #list: readonly Moment[] = []
  #marked = 0

  constructor(xenstore: StoreTree) {
    this.#xenstore = xenstore
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Oldest first; the same array until one comes or goes. */
  readonly list = (): readonly Moment[] => this.#list

  get(name: string): Moment | undefined {
    return this.#list.find((moment) => moment.name === name)
  }

  /** Undefined: there is no store. */
  mark(atNs: number): Moment | undefined {
    const { root, change } = this.#xenstore
    if (!root) return undefined
    const round = Math.floor(this.#marked / LETTERS)
    const name = `${String.fromCharCode(0x41 + (this.#marked % LETTERS))}${round > 0 ? round + 1 : ''}`
    this.#marked++
    const moment = { name, root, atNs, change }
    this.#show([...this.#list, moment].slice(-MOMENTS_MAX))
    return moment
  }

  forgetAll(): void {
    this.#marked = 0
    if (this.#list.length > 0) this.#show([])
  }

  #show(list: readonly Moment[]): void {
    this.#list = list
    for (const listener of this.#listeners) listener()
  }
}
