/** What a serial line said: bytes, kept in order. */
import { utf8Decode } from '#lib/utf8.ts'

/** Bytes in the order they came, up to a limit. */
export class ByteLog {
  readonly #limit: number
  #store = new Uint8Array(4096)
  #length = 0
  full = false

  constructor(limit: number) {
    this.#limit = limit
  }

  add(byte: number): void {
    if (this.#length === this.#store.length) {
      if (this.#length >= this.#limit) {
        this.full = true
        return
      }
      const larger = new Uint8Array(this.#length * 2)
      larger.set(this.#store)
      this.#store = larger
    }
    this.#store[this.#length++] = byte
  }

  bytes(): Uint8Array {
    return this.#store.slice(0, this.#length)
  }
}

/** UTF-8 as text; every byte that is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  const whole = utf8Decode(bytes)
  if (whole !== undefined) return whole
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!
    const length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    const char = utf8Decode(bytes.subarray(at, at + length))
    text += char ?? '\ufffd'
    at += char === undefined ? 1 : length
  }
  return text
}
