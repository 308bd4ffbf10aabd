/** What waits to be sent to one client. First in, first out, at the same cost for one message and for a hundred thousand. */

/** What is to be sent: header and payload, and what the trace file wants to know of it. */
export interface Outgoing {
  readonly type: number
  readonly bytes: Uint8Array
}

/** In `Outgoing`: parts of messages that an earlier daemon has made. */
export const RESUMED = -1

/** Places of messages that have gone are given up when there are so many of them, and as many as of others. */
const GONE_MIN = 256

export class Outbox implements Iterable<Outgoing> {
  #messages: (Outgoing | undefined)[]
  /** So many at the beginning have gone. */
  #gone: number

  constructor() {
    this.#messages = []
    this.#gone = 0
  }

  get length(): number {
    return this.#messages.length - this.#gone
  }

  /** From the oldest; -1 is the newest. */
  at(index: number): Outgoing | undefined {
    return this.#messages[index < 0 ? this.#messages.length + index : this.#gone + index]
  }

  push(message: Outgoing): void {
    this.#messages.push(message)
  }

  /** The oldest, which has been sent. */
  shift(): Outgoing | undefined {
    const first = this.#messages[this.#gone]
    if (!first) return undefined
    this.#messages[this.#gone++] = undefined
    const { length } = this.#messages
    if (this.#gone === length) this.clear()
    else if (this.#gone >= GONE_MIN && 2 * this.#gone >= length) {
      this.#messages = this.#messages.slice(this.#gone)
      this.#gone = 0
    }
    return first
  }

  /** The newest, which is not to be sent. */
  pop(): Outgoing | undefined {
    return this.length > 0 ? this.#messages.pop() : undefined
  }

  clear(): void {
    this.#messages = []
    this.#gone = 0
  }

  [Symbol.iterator](): IterableIterator<Outgoing> {
    return this.#messages.slice(this.#gone).values() as IterableIterator<Outgoing>
  }
}
