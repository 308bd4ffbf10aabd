/**
 * The children of a node of XenStore, by age and by name: a map that is never changed, but followed by another that shares what is the same with it. A
 * directory of ten thousand is followed by one of ten thousand and one at the price of three short arrays, and both stay what they are.
 *
 * Each child has a slot, given by age, in a trie of 32 branches; a removed one leaves its slot empty until too many are. Where a name's slots are is
 * noted in one index for all the maps that follow one another: what a slot holds in this one decides.
 */
export interface Named {
  readonly name: string
}

const BITS = 5
const BRANCHES = 1 << BITS
/** So few are looked through, which needs no index. */
const FEW = 16

/** Branches at the bottom hold children, others tries. */
type Trie = readonly unknown[]
type Index = Map<string, number | readonly number[]>

const EMPTY: Trie = []

export class StoreChildren<V extends Named> implements ReadonlyMap<string, V> {
  readonly size: number
  /** Given so far, empty ones too. */
  readonly #slots: number
  readonly #trie: Trie
  /** Of the trie's root: by how much a slot is shifted to tell its branch. */
  readonly #shift: number
  readonly #index: Index | undefined

  private constructor(size: number, slots: number, trie: Trie, shift: number, index: Index | undefined) {
    this.size = size
    this.#slots = slots
    this.#trie = trie
    this.#shift = shift
    this.#index = index
  }

  static readonly NONE: StoreChildren<never> = new StoreChildren<never>(0, 0, EMPTY, 0, undefined)

  /** What it takes: one for each child, and some that are empty. */
  get slots(): number {
    return this.#slots
  }

  get(name: string): V | undefined {
    const slot = this.#slotOf(name)
    return slot < 0 ? undefined : this.#at(slot)
  }

  has(name: string): boolean {
    return this.#slotOf(name) >= 0
  }

  /** With `child` in the place of the one of that name, or as the youngest. */
  with(child: V): StoreChildren<V> {
    const at = this.#slotOf(child.name)
    if (at >= 0)
      return new StoreChildren(
        this.size,
        this.#slots,
        put(this.#trie, this.#shift, at, child),
        this.#shift,
        this.#index,
      )
    if (this.#slots > 2 * this.size + FEW) return this.#dense().with(child)
    const slot = this.#slots
    const isFull = slot === BRANCHES << this.#shift
    const shift = isFull ? this.#shift + BITS : this.#shift
    const trie = put(isFull ? [this.#trie] : this.#trie, shift, slot, child)
    return new StoreChildren(this.size + 1, slot + 1, trie, shift, this.#indexWith(child.name, slot))
  }

  without(name: string): StoreChildren<V> {
    const at = this.#slotOf(name)
    if (at < 0) return this
    if (this.size === 1) return StoreChildren.NONE
    const trie = put(this.#trie, this.#shift, at, undefined)
    return new StoreChildren(this.size - 1, this.#slots, trie, this.#shift, this.#index)
  }

  *values(): MapIterator<V> {
    for (let first = 0; first < this.#slots; first += BRANCHES)
      for (const child of this.#leaf(first) as readonly (V | undefined)[]) if (child) yield child
  }

  *entries(): MapIterator<[string, V]> {
    for (const child of this.values()) yield [child.name, child]
  }

  *keys(): MapIterator<string> {
    for (const child of this.values()) yield child.name
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }

  forEach(run: (child: V, name: string, map: ReadonlyMap<string, V>) => void): void {
    for (let first = 0; first < this.#slots; first += BRANCHES)
      for (const child of this.#leaf(first) as readonly (V | undefined)[]) if (child) run(child, child.name, this)
  }

  #leaf(slot: number): Trie {
    let trie = this.#trie
    for (let shift = this.#shift; shift > 0; shift -= BITS) trie = trie[(slot >>> shift) % BRANCHES] as Trie
    return trie
  }

  #at(slot: number): V | undefined {
    return this.#leaf(slot)[slot % BRANCHES] as V | undefined
  }

  /** -1: there is none. */
  #slotOf(name: string): number {
    const noted = this.#index?.get(name)
    if (typeof noted === 'number') return this.#holds(noted, name) ? noted : -1
    if (noted) return noted.find((slot) => this.#holds(slot, name)) ?? -1
    if (this.#index) return -1
    return this.#trie.findIndex((child) => (child as V | undefined)?.name === name)
  }

  #holds(slot: number, name: string): boolean {
    return slot < this.#slots && this.#at(slot)?.name === name
  }

  #indexWith(name: string, slot: number): Index | undefined {
    if (!this.#index && slot < FEW) return undefined
    const index = this.#index ?? new Map((this.#trie as V[]).flatMap((child, at) => (child ? [[child.name, at]] : [])))
    const noted = index.get(name)
    index.set(name, noted === undefined ? slot : [slot, ...(typeof noted === 'number' ? [noted] : noted)])
    return index
  }

  /** The same without empty slots. */
  #dense(): StoreChildren<V> {
    let dense: StoreChildren<V> = StoreChildren.NONE
    for (const child of this.values()) dense = dense.with(child)
    return dense
  }
}

function put(trie: Trie, shift: number, slot: number, child: unknown): Trie {
  const copy = [...trie]
  const branch = (slot >>> shift) % BRANCHES
  copy[branch] = shift === 0 ? child : put((trie[branch] as Trie | undefined) ?? EMPTY, shift - BITS, slot, child)
  return copy
}
