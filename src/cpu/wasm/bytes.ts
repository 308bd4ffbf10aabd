/** A buffer that grows, with the numbers of WebAssembly's binary format (LEB128; WebAssembly Core Specification, 5.2.2). */

export class Bytes {
  #data = new Uint8Array(1024)
  length = 0

  get view(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }

  byte(value: number): void {
    if (this.length === this.#data.length) this.#grow(1)
    this.#data[this.length++] = value
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#data.length) this.#grow(bytes.length)
    this.#data.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Unsigned, up to 32 bits. */
  unsigned(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  /** Signed, 32 bits. */
  signed(value: number): void {
    let rest = value | 0
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    this.byte(rest & 0x7f)
  }

  /** Signed, 64 bits; the number may have been unsigned. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value)
    if (BigInt.asIntN(32, rest) === rest) {
      this.signed(Number(rest))
      return
    }
    while (rest < -0x80000000n || rest > 0x7fffffffn) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.signed(Number(rest))
  }

  name(text: string): void {
    this.unsigned(text.length)
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i))
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#data.length, this.length + by))
    larger.set(this.#data)
    this.#data = larger
  }
}
