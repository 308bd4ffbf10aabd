/** Small counts in a row, which grows at its end, with the sum of all that come before one (a Fenwick tree): each change and each look is a few steps. */
export class Sums {
  /** How many counts there are. */
  length = 0
  total = 0
  #values: Int32Array<ArrayBuffer>
  /** Numbered from 1; each holds the sum of so many up to itself as its lowest bit says. */
  #sums: Int32Array<ArrayBuffer>

  /** It has room for so many before it has to grow. */
  constructor(room = 4) {
    this.#values = new Int32Array(room)
    this.#sums = new Int32Array(room + 1)
  }

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow()
    this.#values[this.length] = value
    this.length++
    let sum = value
    for (let step = 1; step < lowestBit(this.length); step *= 2) sum += this.#sums[this.length - step]!
    this.#sums[this.length] = sum
    this.total += value
  }

  at(place: number): number {
    return this.#values[place]!
  }

  set(place: number, value: number): void {
    const more = value - this.at(place)
    if (more === 0) return
    this.#values[place] = value
    this.total += more
    for (let at = place + 1; at <= this.length; at += lowestBit(at)) this.#sums[at]! += more
  }

  /** The sum of all before `place`. */
  before(place: number): number {
    let sum = 0
    for (let at = place; at > 0; at -= lowestBit(at)) sum += this.#sums[at]!
    return sum
  }

  /** Whose the `nth` one of the total is, from 0. */
  find(nth: number): number {
    let at = 0
    let left = nth
    for (let step = 1 << (31 - Math.clz32(this.length)); step > 0; step >>= 1) {
      if (at + step > this.length || this.#sums[at + step]! > left) continue
      at += step
      left -= this.#sums[at]!
    }
    return at
  }

  #grow(): void {
    const room = Math.max(4, 2 * this.length)
    const values = new Int32Array(room)
    values.set(this.#values)
    this.#values = values
    const sums = new Int32Array(room + 1)
    sums.set(this.#sums)
    this.#sums = sums
  }
}

const lowestBit = (number: number): number => number & -number
