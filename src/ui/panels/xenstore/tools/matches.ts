/**
 * How many nodes match what is typed, which of them the selected one is, and which comes next. What has been counted once is remembered by its node, and
 * counting goes on in slices, so that fifty thousand nodes hold nobody up.
 */
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { childPath, ROOT } from '../rows.ts'
import type { Matcher } from './query.ts'

/** Nodes are looked at between two looks at the clock. */
const LOOKS_MAX = 256

export class Matches {
  readonly #matches: Matcher
  /** With all below. */
  readonly #counts = new WeakMap<StoreNode, number>()
  #root: StoreNode | undefined
  #work: Generator<void, number> | undefined
  #looks = 0

  constructor(matches: Matcher) {
    this.#matches = matches
  }

  /** Undefined as long as not all has been looked at. */
  get total(): number | undefined {
    return this.#root && !this.#work ? this.#counts.get(this.#root) : undefined
  }

  /** Count `root` from now on. */
  look(root: StoreNode): void {
    if (root === this.#root) return
    this.#root = root
    this.#work = this.#count(root, '')
  }

  /** Go on; true when all has been looked at. */
  work(isOver: () => boolean): boolean {
    while (this.#work) {
      if (this.#work.next().done) this.#work = undefined
      else if (isOver()) return false
    }
    return true
  }

  /** The place of `path` among the matches, from 1; of what does not match, that of the last one before it. */
  rank(path: string): number {
    let node = this.#root
    let rank = 0
    let at = ''
    for (const name of path.split('/').slice(1)) {
      if (name === '') break
      if (!node?.children.has(name)) return rank
      for (const [other, sibling] of node.children) {
        if (other === name) break
        rank += this.#counts.get(sibling) ?? 0
      }
      node = node.children.get(name)!
      at = `${at}/${name}`
      if (this.#matches(at, node)) rank++
    }
    return rank
  }

  /** The path of the `nth` match, from 1. */
  nth(nth: number): string | undefined {
    let node = nth > 0 ? this.#root : undefined
    let path = ROOT
    let left = nth
    while (node) {
      let next: StoreNode | undefined
      for (const [name, child] of node.children) {
        const count = this.#counts.get(child) ?? 0
        if (left > count) {
          left -= count
          continue
        }
        path = childPath(path, name)
        if (this.#matches(path, child)) left--
        if (left === 0) return path
        next = child
        break
      }
      node = next
    }
    return undefined
  }

  *#count(node: StoreNode, path: string): Generator<void, number> {
    let count = path !== '' && this.#matches(path, node) ? 1 : 0
    for (const [name, child] of node.children) {
      count += this.#counts.get(child) ?? (yield* this.#count(child, `${path}/${name}`))
      if (++this.#looks % LOOKS_MAX === 0) yield
    }
    this.#counts.set(node, count)
    return count
  }
}
