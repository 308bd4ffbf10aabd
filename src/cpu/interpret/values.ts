/** What the interpreter's values are, and all that is done with them alone: the part of the emitter that needs no processor. */
import type { Size } from '../isa/insn.ts'
import { isBelow, isEqual, isLess, type Long, LongPool, lowOf } from './long.ts'

/** Up to four bytes, never negative; eight bytes; vectors. */
export type Value = number | Long | bigint

const MASKS = [0, 0xff, 0xffff, 0, 0xffffffff] as const

const wrap = (size: Size, value: number): number => (value & MASKS[size as 4]) >>> 0

/** A number of `size` bytes with its sign. */
const signed = (size: Size, value: Value): number => {
  const spare = 32 - 8 * size
  return ((value as number) << spare) >> spare
}

function onesIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

export class Values {
  protected readonly longs = new LongPool()

  imm(size: Size, value: number | bigint): Value {
    if (size === 8) {
      return typeof value === 'bigint'
        ? this.longs.fromBig(value)
        : this.longs.make(value | 0, Math.floor(value / 2 ** 32) | 0)
    }
    return wrap(size, typeof value === 'bigint' ? lowOf(value) : value)
  }

  add(size: Size, a: Value, b: Value): Value {
    return size === 8 ? this.longs.add(a as Long, b as Long) : wrap(size, (a as number) + (b as number))
  }
  sub(size: Size, a: Value, b: Value): Value {
    return size === 8 ? this.longs.sub(a as Long, b as Long) : wrap(size, (a as number) - (b as number))
  }
  mul(size: Size, a: Value, b: Value): Value {
    return size === 8 ? this.longs.mul(a as Long, b as Long) : wrap(size, Math.imul(a as number, b as number))
  }
  mulhu(size: 4 | 8, a: Value, b: Value): Value {
    if (size === 8) return this.longs.mulhu(a as Long, b as Long)
    return Number((BigInt(a as number) * BigInt(b as number)) >> 32n)
  }
  mulhs(size: 4 | 8, a: Value, b: Value): Value {
    if (size === 8) return this.longs.mulhs(a as Long, b as Long)
    return wrap(4, Number((BigInt(signed(4, a)) * BigInt(signed(4, b))) >> 32n))
  }
  and(size: Size, a: Value, b: Value): Value {
    if (size !== 8) return ((a as number) & (b as number)) >>> 0
    return this.longs.make((a as Long).low & (b as Long).low, (a as Long).high & (b as Long).high)
  }
  or(size: Size, a: Value, b: Value): Value {
    if (size !== 8) return ((a as number) | (b as number)) >>> 0
    return this.longs.make((a as Long).low | (b as Long).low, (a as Long).high | (b as Long).high)
  }
  xor(size: Size, a: Value, b: Value): Value {
    if (size !== 8) return ((a as number) ^ (b as number)) >>> 0
    return this.longs.make((a as Long).low ^ (b as Long).low, (a as Long).high ^ (b as Long).high)
  }
  not(size: Size, a: Value): Value {
    return size === 8 ? this.longs.make(~(a as Long).low, ~(a as Long).high) : wrap(size, ~(a as number))
  }
  neg(size: Size, a: Value): Value {
    return size === 8 ? this.longs.neg(a as Long) : wrap(size, -(a as number))
  }
  shl(size: Size, a: Value, count: Value): Value {
    const n = count as number
    return size === 8 ? this.longs.shl(a as Long, n) : wrap(size, (a as number) << n)
  }
  shr(size: Size, a: Value, count: Value): Value {
    const n = count as number
    return size === 8 ? this.longs.shr(a as Long, n) : (a as number) >>> n
  }
  sar(size: Size, a: Value, count: Value): Value {
    const n = count as number
    return size === 8 ? this.longs.sar(a as Long, n) : wrap(size, signed(size, a) >> n)
  }
  rol(size: Size, a: Value, count: Value): Value {
    const n = count as number
    if (size === 8) return this.longs.rol(a as Long, n)
    return wrap(size, ((a as number) << n) | ((a as number) >>> (8 * size - n)))
  }
  ror(size: Size, a: Value, count: Value): Value {
    return count === 0 ? a : this.rol(size, a, 8 * size - (count as number))
  }
  clz(size: 4 | 8, a: Value): Value {
    if (size === 4) return Math.clz32(a as number)
    const { low, high } = a as Long
    return high !== 0 ? Math.clz32(high) : 32 + Math.clz32(low)
  }
  ctz(size: 4 | 8, a: Value): Value {
    const low = size === 8 ? (a as Long).low : (a as number)
    if (low !== 0) return 31 - Math.clz32(low & -low)
    if (size === 4) return 32
    const { high } = a as Long
    return high !== 0 ? 63 - Math.clz32(high & -high) : 64
  }
  popcnt(size: 4 | 8, a: Value): Value {
    return size === 8 ? onesIn((a as Long).low) + onesIn((a as Long).high) : onesIn(a as number)
  }

  eq(size: Size, a: Value, b: Value): Value {
    return (size === 8 ? isEqual(a as Long, b as Long) : a === b) ? 1 : 0
  }
  ne(size: Size, a: Value, b: Value): Value {
    return (size === 8 ? isEqual(a as Long, b as Long) : a === b) ? 0 : 1
  }
  ltu(size: Size, a: Value, b: Value): Value {
    return (size === 8 ? isBelow(a as Long, b as Long) : (a as number) < (b as number)) ? 1 : 0
  }
  lts(size: Size, a: Value, b: Value): Value {
    return (size === 8 ? isLess(a as Long, b as Long) : signed(size, a) < signed(size, b)) ? 1 : 0
  }
  select(_size: Size, condition: Value, yes: Value, no: Value): Value {
    return condition !== 0 ? yes : no
  }

  zext(from: Size, to: Size, a: Value): Value {
    return to === 8 && from !== 8 ? this.longs.make((a as number) | 0, 0) : a
  }
  sext(from: Size, to: Size, a: Value): Value {
    if (from === 8) return a
    const value = signed(from, a)
    return to === 8 ? this.longs.make(value, value >> 31) : wrap(to, value)
  }
  trunc(from: Size, to: Size, a: Value): Value {
    if (to === 8) return a
    return wrap(to, from === 8 ? (a as Long).low : (a as number))
  }

  variable(_size: Size, value: Value): { get(): Value; set(value: Value): void } {
    let now = value
    return {
      get: () => now,
      set(next) {
        now = next
      },
    }
  }
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    if (condition !== 0) then()
    else otherwise?.()
  }
}
