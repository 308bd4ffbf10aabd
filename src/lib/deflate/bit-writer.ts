/** Bits out, lowest first, into bytes. */

export class BitWriter {
  #bytes = new Uint8Array(65536)
  #length = 0
  #hold = 0
  #bits = 0

  /** At most 16 bits. */
  put(value: number, count: number): void {
    this.#hold |= value << this.#bits
    this.#bits += count
    while (this.#bits >= 8) {
      if (this.#length === this.#bytes.length) this.#grow(1)
      this.#bytes[this.#length++] = this.#hold & 255
      this.#hold >>>= 8
      this.#bits -= 8
    }
  }

  /** To the next whole byte. */
  align(): void {
    if (this.#bits > 0) this.put(0, 8 - this.#bits)
  }

  /** After `align`. */
  copy(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Whole bytes so far; they are forgotten here. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return taken
  }

  #grow(more: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
