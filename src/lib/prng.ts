/**
 * Dice: sfc32 (Chris Doty-Humphrey's small fast counting generator, PractRand), whose state is four 32-bit words. Streams have
 * names, so that a new consumer never shifts another's draws. Integers only: the same in every engine.
 */
export interface Rng {
  /** 0 to 2^32 - 1. */
  u32(): number
  /** 0 to `bound` - 1, every value alike. RangeError unless 1 <= bound <= 2^32. */
  below(bound: number): number
  /** `length` bytes. */
  bytes(length: number): Uint8Array
  /** One of `items`. RangeError when there is none. */
  pick<T>(items: readonly T[]): T
  /** A stream of its own, named from here: the same name always gives the same stream, whatever was drawn before. */
  fork(name: string): Rng
}

/** Steps that mix a fresh state. */
const WARM_UP = 16

/** The stream of `seed`, any safe integer. */
export function createRng(seed: number): Rng {
  if (!Number.isSafeInteger(seed)) throw new RangeError('the seed is not an integer')
  return stream(seed | 0, Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9 | 0)
}

function stream(key0: number, key1: number, key2: number): Rng {
  let a = key0
  let b = key1
  let c = key2
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < WARM_UP; i++) next()
  const below = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) throw new RangeError('bound is not from 1 to 2^32')
    // Draws past the last whole multiple of the bound would favour small values.
    const limit = 2 ** 32 - (2 ** 32 % bound)
    let draw = next()
    while (draw >= limit) draw = next()
    return draw % bound
  }
  return {
    u32: next,
    below,
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = next() & 255
      return bytes
    },
    pick(items) {
      if (items.length === 0) throw new RangeError('nothing to pick from')
      return items[below(items.length)]!
    },
    fork(name) {
      // FNV-1a over the name, twice from different bases, on top of this stream's own keys.
      let low = 0x811c9dc5 ^ key0
      let high = 0x01000193 ^ key1
      for (let i = 0; i < name.length; i++) {
        low = Math.imul(low ^ name.charCodeAt(i), 0x01000193)
        high = Math.imul(high ^ name.charCodeAt(i), 0x85ebca6b)
      }
      return stream(low, high, (key2 + name.length + 1) | 0)
    },
  }
}
