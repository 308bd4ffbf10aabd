/**
 * Values of eight bytes for the interpreter: two words, taken from a pool that an instruction uses up and the next one finds full again. A BigInt would be a new object for
 * every sum.
 */

/** Signed words. Nobody changes one that has been made, until the next instruction. */
export class Long {
  low = 0
  high = 0
}

const big = new BigUint64Array(1)
const halves = new Int32Array(big.buffer)

export function toBig({ low, high }: Long): bigint {
  halves[0] = low
  halves[1] = high
  return big[0]!
}

export function bigOf(low: number, high: number): bigint {
  halves[0] = low
  halves[1] = high
  return big[0]!
}

/** The low word. */
export function lowOf(value: bigint): number {
  big[0] = value
  return halves[0]!
}

export class LongPool {
  readonly #longs: Long[] = []
  #used = 0

  /** All that has been made is given back. */
  reset(): void {
    this.#used = 0
  }

  make(low: number, high: number): Long {
    let long = this.#longs[this.#used]
    if (long === undefined) {
      long = new Long()
      this.#longs.push(long)
    }
    this.#used++
    long.low = low
    long.high = high
    return long
  }

  /** The low 64 bits. */
  fromBig(value: bigint): Long {
    big[0] = value
    return this.make(halves[0]!, halves[1]!)
  }

  add(a: Long, b: Long): Long {
    const low = (a.low + b.low) | 0
    const carry = low >>> 0 < a.low >>> 0 ? 1 : 0
    return this.make(low, (a.high + b.high + carry) | 0)
  }

  sub(a: Long, b: Long): Long {
    const borrow = a.low >>> 0 < b.low >>> 0 ? 1 : 0
    return this.make((a.low - b.low) | 0, (a.high - b.high - borrow) | 0)
  }

  mul(a: Long, b: Long): Long {
    return this.fromBig(toBig(a) * toBig(b))
  }

  mulhu(a: Long, b: Long): Long {
    return this.fromBig((toBig(a) * toBig(b)) >> 64n)
  }

  mulhs(a: Long, b: Long): Long {
    return this.fromBig((BigInt.asIntN(64, toBig(a)) * BigInt.asIntN(64, toBig(b))) >> 64n)
  }

  neg(a: Long): Long {
    return this.make(-a.low | 0, (~a.high + (a.low === 0 ? 1 : 0)) | 0)
  }

  /** Counts are 0 to 63. */
  shl(a: Long, count: number): Long {
    if (count === 0) return a
    if (count >= 32) return this.make(0, a.low << (count - 32))
    return this.make(a.low << count, (a.high << count) | (a.low >>> (32 - count)))
  }

  shr(a: Long, count: number): Long {
    if (count === 0) return a
    if (count >= 32) return this.make((a.high >>> (count - 32)) | 0, 0)
    return this.make((a.low >>> count) | (a.high << (32 - count)), (a.high >>> count) | 0)
  }

  sar(a: Long, count: number): Long {
    if (count === 0) return a
    if (count >= 32) return this.make(a.high >> (count - 32), a.high >> 31)
    return this.make((a.low >>> count) | (a.high << (32 - count)), a.high >> count)
  }

  rol(a: Long, count: number): Long {
    if (count === 0) return a
    const left = this.shl(a, count)
    const right = this.shr(a, 64 - count)
    return this.make(left.low | right.low, left.high | right.high)
  }
}

export const isEqual = (a: Long, b: Long): boolean => a.low === b.low && a.high === b.high

export function isBelow(a: Long, b: Long): boolean {
  return a.high === b.high ? a.low >>> 0 < b.low >>> 0 : a.high >>> 0 < b.high >>> 0
}

export function isLess(a: Long, b: Long): boolean {
  return a.high === b.high ? a.low >>> 0 < b.low >>> 0 : a.high < b.high
}

/** Bits 63 to 47 are all the same. */
export const isCanonical = ({ high }: Long): boolean => (high << 16) >> 16 === high
