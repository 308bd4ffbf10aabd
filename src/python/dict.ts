/**
 * dict, with the order that CPython 2 shows: keys live in a table of 8, 16, 32... slots, found by hash and perturbation (Objects/dictobject.c); the order of
 * iteration is the order of slots. Finding a key needs no slots, so they are filled only when somebody looks at the order.
 */
import { hashOf, keyOf, type MapKey } from './hash.ts'
import { Obj, type Value } from './objects.ts'

interface Entry {
  readonly key: Value
  value: Value
  readonly mapKey: MapKey
}

const DUMMY = 0

export class PyDict extends Obj {
  override get kind(): string {
    return 'dict'
  }
  readonly #map: Map<MapKey, Entry>
  #slots: (Entry | typeof DUMMY | undefined)[]
  /** Slots that are not free. */
  #fill: number
  /** Those put in since the slots were last looked at. */
  #pending: Entry[]
  readonly #numbers: Map<Obj, number>

  constructor() {
    super()
    this.#map = new Map()
    this.#slots = freeSlots(8)
    this.#fill = 0
    this.#pending = []
    this.#numbers = new Map()
  }

  static of(pairs: Iterable<readonly [Value, Value]>): PyDict {
    const dict = new PyDict()
    for (const [key, value] of pairs) dict.set(key, value)
    return dict
  }

  get size(): number {
    return this.#map.size
  }

  /** `undefined` if it is not there. Unhashable keys throw TypeError. */
  get(key: Value): Value | undefined {
    return this.#map.get(typeof key === 'string' ? key : keyOf(key, this.#numbers))?.value
  }

  has(key: Value): boolean {
    return this.#map.has(typeof key === 'string' ? key : keyOf(key, this.#numbers))
  }

  set(key: Value, value: Value): void {
    const mapKey = typeof key === 'string' ? key : keyOf(key, this.#numbers)
    const found = this.#map.get(mapKey)
    if (found) {
      found.value = value
      return
    }
    const entry = { key, value, mapKey }
    this.#map.set(mapKey, entry)
    this.#pending.push(entry)
  }

  delete(key: Value): Value | undefined {
    const mapKey = typeof key === 'string' ? key : keyOf(key, this.#numbers)
    const found = this.#map.get(mapKey)
    if (!found) return undefined
    this.#settle()
    this.#map.delete(mapKey)
    this.#slots[this.#slots.indexOf(found)] = DUMMY
    return found.value
  }

  clear(): void {
    this.#map.clear()
    this.#slots = freeSlots(8)
    this.#fill = 0
    this.#pending = []
  }

  entries(): readonly Entry[] {
    this.#settle()
    return this.#slots.filter((slot): slot is Entry => typeof slot === 'object')
  }

  keys(): Value[] {
    return this.entries().map(({ key }) => key)
  }

  values(): Value[] {
    return this.entries().map(({ value }) => value)
  }

  copy(): PyDict {
    const copy = new PyDict()
    copy.update(this)
    return copy
  }

  /** dict.update: a table that is about to get crowded grows first. */
  update(other: PyDict): void {
    if (other === this) return
    this.#settle()
    if ((this.#fill + other.size) * 3 >= this.#slots.length * 2) this.#resize((this.#map.size + other.size) * 2)
    for (const { key, value } of other.entries()) this.set(key, value)
    this.#settle()
  }

  #settle(): void {
    if (this.#pending.length === 0) return
    let used = this.#map.size - this.#pending.length
    for (const entry of this.#pending) {
      if (this.#place(entry)) this.#fill++
      used++
      if (this.#fill * 3 >= this.#slots.length * 2) this.#resize(used > 50000 ? used * 2 : used * 4)
    }
    this.#pending = []
  }

  #resize(least: number): void {
    let size = 8
    while (size <= least) size *= 2
    const old = this.#slots
    this.#slots = freeSlots(size)
    this.#fill = 0
    for (const slot of old)
      if (typeof slot === 'object') {
        this.#place(slot)
        this.#fill++
      }
  }

  /** Into the first free or given-up slot of its probe sequence; true if it was free. */
  #place(entry: Entry): boolean {
    const mask = BigInt(this.#slots.length - 1)
    let perturb = BigInt.asUintN(64, hashOf(entry.key))
    let i = perturb & mask
    for (;;) {
      const at = Number(i & mask)
      const slot = this.#slots[at]
      if (typeof slot !== 'object') {
        this.#slots[at] = entry
        return slot === undefined
      }
      i = i * 5n + perturb + 1n
      perturb >>= 5n
    }
  }
}

function freeSlots(count: number): undefined[] {
  const slots: undefined[] = []
  while (slots.length < count) slots.push(undefined)
  return slots
}
