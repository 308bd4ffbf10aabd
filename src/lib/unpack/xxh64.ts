/** XXH64 of bytes that come piece by piece: the checksum of Zstandard's frames, which keep its lower half. 64-bit words are pairs of 32 bits. */

/** The primes, low word and high word. */
const P1 = [0x85ebca87, 0x9e3779b1] as const
const P2 = [0x27d4eb4f, 0xc2b2ae3d] as const
const P3 = [0x9e3779f9, 0x165667b1] as const
const P4 = [0xc2b2ae63, 0x85ebca77] as const
const P5 = [0x165667c5, 0x27d4eb2f] as const
const LANES = 4
const STRIPE_BYTES = 32

type Prime = readonly [number, number]

/** The upper half of a product of two words. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = a1 * b0 + ((a0 * b0) >>> 16)
  return (a1 * b1 + Math.floor(middle / 65536) + (a0 * b1 + (middle & 0xffff)) / 65536) | 0
}

/** A sum in the making. */
export interface Xxh64 {
  update(bytes: Uint8Array): void
  /** The lower 32 bits of the sum. */
  digest(): number
}

/** No class, as in lzma.ts. */
export function xxh64(): Xxh64 {
  /** v1 to v4: low word, high word. They start from P1 + P2, P2, 0 and -P1. */
  const lanes = Int32Array.of(0xadc0b5d6, 0x60ea27ee, 0x27d4eb4f, 0xc2b2ae3d, 0, 0, 0x7a143579, 0x61c8864e)
  const rest = new Uint8Array(STRIPE_BYTES)
  let restBytes = 0
  let total = 0
  /** What is computed with: low word, high word. */
  const acc = new Int32Array(2)

  function update(bytes: Uint8Array): void {
    total += bytes.length
    let at = 0
    if (restBytes > 0) {
      at = Math.min(STRIPE_BYTES - restBytes, bytes.length)
      rest.set(bytes.subarray(0, at), restBytes)
      restBytes += at
      if (restBytes < STRIPE_BYTES) return
      stripe(rest, 0)
    }
    for (; at + STRIPE_BYTES <= bytes.length; at += STRIPE_BYTES) stripe(bytes, at)
    rest.set(bytes.subarray(at))
    restBytes = bytes.length - at
  }

  function digest(): number {
    if (total < STRIPE_BYTES) set(P5[0], P5[1])
    else merge()
    add(total | 0, Math.floor(total / 2 ** 32))
    let at = 0
    for (; at + 8 <= restBytes; at += 8) {
      const [low, high] = [acc[0]!, acc[1]!]
      set(0, 0)
      round(word(rest, at), word(rest, at + 4))
      xor(low, high)
      rotate(27)
      multiply(P1)
      add(P4[0], P4[1])
    }
    if (at + 4 <= restBytes) {
      mixIn(word(rest, at), P1)
      rotate(23)
      multiply(P2)
      add(P3[0], P3[1])
      at += 4
    }
    for (; at < restBytes; at++) {
      mixIn(rest[at]!, P5)
      rotate(11)
      multiply(P1)
    }
    xor((acc[1]! >>> 1) | 0, 0)
    multiply(P2)
    // Shifted right by 29, and by 32.
    xor((acc[0]! >>> 29) | (acc[1]! << 3), acc[1]! >>> 29)
    multiply(P3)
    return (acc[0]! ^ acc[1]!) >>> 0
  }

  function stripe(bytes: Uint8Array, at: number): void {
    for (let lane = 0; lane < LANES; lane++) {
      take(lane)
      round(word(bytes, at + 8 * lane), word(bytes, at + 8 * lane + 4))
      keep(lane)
    }
  }

  function merge(): void {
    const turns = [1, 7, 12, 18]
    let [low, high] = [0, 0]
    for (const [lane, turn] of turns.entries()) {
      take(lane)
      rotate(turn)
      add(low, high)
      low = acc[0]!
      high = acc[1]!
    }
    for (let lane = 0; lane < LANES; lane++) {
      set(0, 0)
      round(lanes[2 * lane]!, lanes[2 * lane + 1]!)
      xor(low, high)
      multiply(P1)
      add(P4[0], P4[1])
      low = acc[0]!
      high = acc[1]!
    }
  }

  /** The accumulator and a word of the input. */
  function round(low: number, high: number): void {
    const [accLow, accHigh] = [acc[0]!, acc[1]!]
    set(low, high)
    multiply(P2)
    add(accLow, accHigh)
    rotate(31)
    multiply(P1)
  }

  /** Xor with a small word times a prime. */
  function mixIn(value: number, prime: Prime): void {
    const [low, high] = [acc[0]!, acc[1]!]
    set(value, 0)
    multiply(prime)
    xor(low, high)
  }

  function set(low: number, high: number): void {
    acc[0] = low | 0
    acc[1] = high | 0
  }

  function take(lane: number): void {
    acc[0] = lanes[2 * lane]!
    acc[1] = lanes[2 * lane + 1]!
  }

  function keep(lane: number): void {
    lanes[2 * lane] = acc[0]!
    lanes[2 * lane + 1] = acc[1]!
  }

  function add(low: number, high: number): void {
    const sum = (acc[0]! >>> 0) + (low >>> 0)
    acc[0] = sum | 0
    acc[1] = (acc[1]! + high + (sum > 0xffffffff ? 1 : 0)) | 0
  }

  function xor(low: number, high: number): void {
    acc[0]! ^= low
    acc[1]! ^= high
  }

  /** Left, by 1 to 31. */
  function rotate(bits: number): void {
    const low = acc[0]!
    acc[0] = (low << bits) | (acc[1]! >>> (32 - bits))
    acc[1] = (acc[1]! << bits) | (low >>> (32 - bits))
  }

  function multiply([low, high]: Prime): void {
    const mine = acc[0]!
    acc[1] = (mulHigh(mine, low) + Math.imul(mine, high) + Math.imul(acc[1]!, low)) | 0
    acc[0] = Math.imul(mine, low)
  }

  return { update, digest }
}

const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
