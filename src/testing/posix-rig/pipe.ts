/** A pipe's buffer. */
const PIPE_BYTES = 65536

export class Pipe {
  readonly #parts: Uint8Array[] = []
  readonly capacity: number
  length = 0
  readers = 0
  writers = 0

  constructor(capacity = PIPE_BYTES) {
    this.capacity = capacity
  }

  get room(): number {
    return this.capacity - this.length
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#parts.push(bytes.slice())
    this.length += bytes.length
  }

  take(count: number): Uint8Array {
    const out = new Uint8Array(Math.min(count, this.length))
    let at = 0
    while (at < out.length) {
      const part = this.#parts[0]!
      const some = part.subarray(0, out.length - at)
      out.set(some, at)
      at += some.length
      if (some.length === part.length) this.#parts.shift()
      else this.#parts[0] = part.subarray(some.length)
    }
    this.length -= out.length
    return out
  }
}
