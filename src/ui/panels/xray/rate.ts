/** How often something happens in a second of virtual time, and how often it did in the seconds before. */

/** A tenth of a second each. */
const BUCKET_NS = 1e8
const A_SECOND = 10

/** Counts by tenths of a second, of the last `seconds`. */
export class Rate {
  /** One more than is told of: the last is not full yet. */
  readonly #buckets: Float64Array
  #last = 0
  total = 0

  constructor(seconds = 1) {
    this.#buckets = new Float64Array(seconds * A_SECOND + 1)
  }

  add(atNs: number, count = 1): void {
    this.total += count
    const bucket = this.#advance(atNs)
    const kept = this.#buckets.length
    // Processors' clocks differ a little: what comes late is put where it belongs while that is still kept.
    if (bucket >= 0 && bucket > this.#last - kept) this.#buckets[bucket % kept]! += count
  }

  #advance(atNs: number): number {
    const bucket = Math.floor(atNs / BUCKET_NS)
    const kept = this.#buckets.length
    if (bucket >= this.#last + kept) this.#buckets.fill(0)
    else for (let next = this.#last + 1; next <= bucket; next++) this.#buckets[next % kept] = 0
    this.#last = Math.max(this.#last, bucket)
    return bucket
  }

  /** Of the last ten tenths that are over. */
  perSecond(nowNs: number): number {
    this.#advance(nowNs)
    let sum = 0
    for (let i = 1; i <= A_SECOND; i++) sum += this.#count(this.#last - i)
    return sum
  }

  #count(bucket: number): number {
    return bucket >= 0 ? this.#buckets[bucket % this.#buckets.length]! : 0
  }

  /** By the tenth, as if each were a second long; the last that is over comes last. */
  series(nowNs: number): number[] {
    this.#advance(nowNs)
    const length = this.#buckets.length - 1
    return Array.from({ length }, (_, i) => this.#count(this.#last - length + i) * A_SECOND)
  }
}

/** Rates by number; a new life of the machine begins with `clear`. */
export class Rates {
  readonly #rates = new Map<number, Rate>()

  add(key: number, atNs: number, count = 1): void {
    let rate = this.#rates.get(key)
    if (!rate) {
      rate = new Rate()
      this.#rates.set(key, rate)
    }
    rate.add(atNs, count)
  }

  perSecond(key: number, nowNs: number): number {
    return this.#rates.get(key)?.perSecond(nowNs) ?? 0
  }

  total(key: number): number {
    return this.#rates.get(key)?.total ?? 0
  }

  keys(): IterableIterator<number> {
    return this.#rates.keys()
  }

  delete(key: number): void {
    this.#rates.delete(key)
  }

  clear(): void {
    this.#rates.clear()
  }
}
