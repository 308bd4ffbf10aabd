/**
 * The children of a node, made to be copied: a transaction copies what lies on the way to what it changes (tree.ts). A few are two plain lists, of which
 * copies share the names. Many are in buckets by their names, each of them such lists, so that a tree which changes one of ten thousand copies the
 * table of buckets and one bucket, not all of them.
 */

/** A child knows when it was born: buckets do not. */
interface Born {
  readonly order: number
}

/** So many are worth buckets; half as many are not. */
export const MANY = 24
/** On average in a bucket, at most. */
const BUCKET_MOST = 16

/** As a Map of them, in the order of insertion. */
export class Few<T extends Born> {
  #names: string[]
  #children: T[]
  /** Another one has the same list of names. */
  #shared: boolean

  constructor() {
    this.#names = []
    this.#children = []
    this.#shared = false
  }

  get size(): number {
    return this.#names.length
  }

  get(name: string): T | undefined {
    const at = this.#names.indexOf(name)
    return at < 0 ? undefined : this.#children[at]
  }

  has(name: string): boolean {
    return this.#names.indexOf(name) >= 0
  }

  set(name: string, child: T): void {
    const at = this.#names.indexOf(name)
    if (at >= 0) this.#children[at] = child
    else {
      this.#ownNames().push(name)
      this.#children.push(child)
    }
  }

  delete(name: string): boolean {
    const at = this.#names.indexOf(name)
    if (at < 0) return false
    this.#ownNames().splice(at, 1)
    this.#children.splice(at, 1)
    return true
  }

  copy(): Few<T> {
    const made = new Few<T>()
    made.#names = this.#names
    made.#children = this.#children.slice()
    made.#shared = this.#shared = true
    return made
  }

  #ownNames(): string[] {
    if (this.#shared) this.#names = this.#names.slice()
    this.#shared = false
    return this.#names
  }

  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.#names.map((name, i): [string, T] => [name, this.#children[i]!])[Symbol.iterator]()
  }

  keys(): IterableIterator<string> {
    return this.#names[Symbol.iterator]()
  }
}

const hashOf = (name: string): number => {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return hash ^ (hash >>> 15)
}

export class Buckets<T extends Born> {
  size: number
  #buckets: Few<T>[]
  /** Of each bucket: 1 where nobody else has it. */
  #own: Uint8Array

  private constructor(size: number, buckets: Few<T>[], own: Uint8Array) {
    this.size = size
    this.#buckets = buckets
    this.#own = own
  }

  static of<T extends Born>(children: Few<T>): Buckets<T> {
    const made = new Buckets<T>(children.size, [], new Uint8Array(0))
    made.#fill(children)
    return made
  }

  #fill(children: Iterable<readonly [string, T]>): void {
    let count = 1
    while (count * BUCKET_MOST < this.size * 2) count *= 2
    this.#buckets = Array.from({ length: count }, () => new Few<T>())
    this.#own = new Uint8Array(count).fill(1)
    for (const [name, child] of children) this.#buckets[hashOf(name) & (count - 1)]!.set(name, child)
  }

  get(name: string): T | undefined {
    return this.#buckets[hashOf(name) & (this.#buckets.length - 1)]!.get(name)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  set(name: string, child: T): void {
    const bucket = this.#bucket(name)
    const before = bucket.size
    bucket.set(name, child)
    this.size += bucket.size - before
    if (this.size > this.#buckets.length * BUCKET_MOST) this.#fill(this.#all())
  }

  delete(name: string): boolean {
    const gone = this.#bucket(name).delete(name)
    if (gone) this.size--
    return gone
  }

  /** One that may be changed; this one no longer is. */
  copy(): Buckets<T> {
    return new Buckets(this.size, this.#buckets.slice(), new Uint8Array(this.#own.length))
  }

  /** As few again, oldest first. */
  few(): Few<T> {
    const made = new Few<T>()
    for (const [name, child] of this) made.set(name, child)
    return made
  }

  /** Oldest first. */
  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.#all()
      .sort((a, b) => a[1].order - b[1].order)
      [Symbol.iterator]()
  }

  keys(): IterableIterator<string> {
    return [...this].map(([name]) => name)[Symbol.iterator]()
  }

  #all(): [string, T][] {
    return this.#buckets.flatMap((bucket) => [...bucket])
  }

  /** The name's bucket, to be changed. */
  #bucket(name: string): Few<T> {
    const at = hashOf(name) & (this.#buckets.length - 1)
    const bucket = this.#buckets[at]!
    if (this.#own[at] === 1) return bucket
    const own = bucket.copy()
    this.#buckets[at] = own
    this.#own[at] = 1
    return own
  }
}
