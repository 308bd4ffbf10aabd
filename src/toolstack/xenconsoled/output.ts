/** What a domain has said and its pseudo terminal has not taken yet (struct buffer of tools/console/daemon/io.c). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { sbrk } from '#user/libc/heap.ts'

/** A limit is never more, whatever the store says: the domain itself may write it. */
export const LIMIT_MAX = 16 << 20
const STEP_BYTES = 4096

export class Output {
  #data: Uint8Array
  #consumed: number
  #size: number
  /** dom->buffer.max_capacity. */
  limit: number

  constructor() {
    this.#data = new Uint8Array(0)
    this.#consumed = 0
    this.#size = 0
    this.limit = LIMIT_MAX
  }

  get empty(): boolean {
    return this.#size === 0
  }

  /** Of what was said since it was last empty. */
  get full(): boolean {
    return this.#size >= this.limit
  }

  /** What is next, at most `count` bytes. */
  next(count: number): Uint8Array {
    return this.#data.subarray(this.#consumed, Math.min(this.#size, this.#consumed + count))
  }

  /** buffer_append. `discard`: of what is more than the limit, the middle is lost. */
  *append(bytes: Uint8Array, discard: boolean): Sys<void> {
    const wanted = this.#size + bytes.length
    if (wanted > this.#data.length) {
      const capacity = Math.max(wanted + STEP_BYTES, 2 * this.#data.length)
      yield* sbrk(capacity - this.#data.length)
      const grown = new Uint8Array(capacity)
      grown.set(this.#data.subarray(0, this.#size))
      this.#data = grown
    }
    this.#data.set(bytes, this.#size)
    this.#size = wanted
    if (!discard || wanted <= this.limit) return
    const over = wanted - this.limit
    const newest = Math.min(over, this.limit)
    this.#data.copyWithin(this.limit - newest, wanted - newest, wanted)
    this.#size = this.limit
    this.#consumed = Math.min(this.#consumed, this.limit - newest)
  }

  /** buffer_advance. */
  *advance(count: number): Sys<void> {
    this.#consumed += count
    if (this.#consumed < this.#size) return
    this.#consumed = 0
    this.#size = 0
    if (this.#data.length > this.limit) yield* this.release()
  }

  *release(): Sys<void> {
    yield* sbrk(-this.#data.length)
    this.#data = new Uint8Array(0)
    this.#consumed = 0
    this.#size = 0
  }
}
