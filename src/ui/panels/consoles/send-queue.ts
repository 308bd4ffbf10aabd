/** What has been pasted and not been sent yet. No paste is too large for it; what is typed meanwhile goes behind it. */
export interface SendProgress {
  readonly sent: number
  readonly total: number
}

export class SendQueue {
  readonly #parts: Uint8Array[] = []
  readonly #listeners = new Set<() => void>()
  #pending = 0
  #total = 0
  /** The same object as long as nothing has changed. */
  #progress: SendProgress | undefined

  /** Undefined: nothing waits. */
  get progress(): SendProgress | undefined {
    return this.#progress
  }

  get pending(): number {
    return this.#pending
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#parts.push(bytes)
    this.#pending += bytes.length
    this.#total += bytes.length
    this.#changed()
  }

  /** The next bytes, at most `count`. */
  take(count: number): Uint8Array {
    const taken = new Uint8Array(Math.min(count, this.#pending))
    for (let at = 0; at < taken.length; ) {
      const first = this.#parts[0]!
      const part = first.subarray(0, taken.length - at)
      taken.set(part, at)
      at += part.length
      if (part.length === first.length) this.#parts.shift()
      else this.#parts[0] = first.subarray(part.length)
    }
    this.#pending -= taken.length
    if (taken.length > 0) this.#changed()
    return taken
  }

  cancel(): void {
    this.#parts.length = 0
    this.#pending = 0
    this.#changed()
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #changed(): void {
    if (this.#pending === 0) this.#total = 0
    this.#progress = this.#pending === 0 ? undefined : { sent: this.#total - this.#pending, total: this.#total }
    for (const listener of this.#listeners) listener()
  }
}
