/**
 * Structs with C's layout. A struct states its size and each field its offset; `struct()` refuses overlap, misalignment
 * and overflow when the module loads, so a wrong table never reaches a guest.
 */
import type { Mem } from './mem.ts'

/** One field: where it lies, how wide it is, how it is read and written. */
export interface Field<T> {
  readonly offset: number
  readonly bytes: number
  readonly align: number
  get(mem: Mem, at: number): T
  set(mem: Mem, at: number, value: T): void
}

type Fields = Record<string, Field<never> | Field<number> | Field<bigint> | Field<Uint8Array>>

// biome-ignore lint/suspicious/noExplicitAny: a field's type is inferred, whatever it holds
type ValueOf<F> = F extends Field<infer T> ? T : any

/** The plain object that `read` makes and `write` takes. */
export type Values<S> = S extends Struct<infer F> ? { [K in keyof F]: ValueOf<F[K]> } : never

export interface Struct<F> {
  readonly name: string
  /** sizeof, in bytes. */
  readonly size: number
  /** One field at a time, for hot paths: `s.fields.port.get(mem, at)`. */
  readonly fields: { readonly [K in keyof F]: Field<ValueOf<F[K]>> }
  /** Copy the whole struct out of memory. Allocates. */
  read(mem: Mem, at: number): { [K in keyof F]: ValueOf<F[K]> }
  /** Store the fields given; the others keep what they hold. */
  write(mem: Mem, at: number, values: Partial<{ [K in keyof F]: ValueOf<F[K]> }>): void
}

/** A word. Each image has hundreds of these, in each domain and process: their code is their class's, and a plain read is one call. */
class Scalar {
  readonly offset: number
  readonly bytes: number
  readonly align: number

  constructor(offset: number, bytes: number) {
    this.offset = offset
    this.bytes = bytes
    this.align = bytes
  }
}

class U8 extends Scalar implements Field<number> {
  get(mem: Mem, at: number): number {
    return mem.read8(at + this.offset)
  }

  set(mem: Mem, at: number, value: number): void {
    mem.write8(at + this.offset, value)
  }
}

class U16 extends Scalar implements Field<number> {
  get(mem: Mem, at: number): number {
    return mem.read16(at + this.offset)
  }

  set(mem: Mem, at: number, value: number): void {
    mem.write16(at + this.offset, value)
  }
}

class I16 extends Scalar implements Field<number> {
  get(mem: Mem, at: number): number {
    return (mem.read16(at + this.offset) << 16) >> 16
  }

  set(mem: Mem, at: number, value: number): void {
    mem.write16(at + this.offset, value & 0xffff)
  }
}

class U32 extends Scalar implements Field<number> {
  get(mem: Mem, at: number): number {
    return mem.read32(at + this.offset)
  }

  set(mem: Mem, at: number, value: number): void {
    mem.write32(at + this.offset, value)
  }
}

class U64 extends Scalar implements Field<bigint> {
  get(mem: Mem, at: number): bigint {
    return mem.read64(at + this.offset)
  }

  set(mem: Mem, at: number, value: bigint): void {
    mem.write64(at + this.offset, value)
  }
}

class Size64 extends Scalar implements Field<number> {
  get(mem: Mem, at: number): number {
    const value = mem.read64(at + this.offset)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('64-bit word out of range')
    return Number(value)
  }

  set(mem: Mem, at: number, value: number): void {
    mem.write64(at + this.offset, BigInt(value))
  }
}

export const u8 = (offset: number): Field<number> => new U8(offset, 1)
export const u16 = (offset: number): Field<number> => new U16(offset, 2)
/** Signed. */
export const i16 = (offset: number): Field<number> => new I16(offset, 2)
export const u32 = (offset: number): Field<number> => new U32(offset, 4)
export const u64 = (offset: number): Field<bigint> => new U64(offset, 8)
/** A 64-bit word that is known to fit 53 bits (addresses, sizes): read as a number, RangeError where it does not fit. */
export const size64 = (offset: number): Field<number> => new Size64(offset, 8)
/** A run of bytes, copied. */
export const bytes = (offset: number, length: number): Field<Uint8Array> => ({
  offset,
  bytes: length,
  align: 1,
  get: (mem, at) => mem.copyOut(at + offset, length),
  set: (mem, at, value) => {
    if (value.length > length) throw new RangeError('too many bytes for the field')
    mem.copyIn(at + offset, value)
  },
})

/** The same field, allowed to lie at an odd address, as in structs declared packed. */
export const packed = <T>(field: Field<T>): Field<T> => ({
  offset: field.offset,
  bytes: field.bytes,
  align: 1,
  get: (mem, at) => field.get(mem, at),
  set: (mem, at, value) => field.set(mem, at, value),
})

/**
 * Lay out a struct of `size` bytes. Throws TypeError for a table that is wrong: an overlap, a misaligned field, a field
 * that sticks out.
 */
export function struct<F extends Fields>(name: string, size: number, fields: F): Struct<F> {
  const taken = new Uint8Array(size)
  for (const [key, field] of Object.entries(fields)) {
    if (field.offset < 0 || field.offset + field.bytes > size)
      throw new TypeError(`${name}.${key} sticks out of the struct`)
    if (field.offset % field.align !== 0) throw new TypeError(`${name}.${key} is misaligned`)
    for (let i = field.offset; i < field.offset + field.bytes; i++) {
      if (taken[i]) throw new TypeError(`${name}.${key} overlaps another field`)
      taken[i] = 1
    }
  }
  const entries = Object.entries(fields) as [keyof F & string, Field<unknown>][]
  return {
    name,
    size,
    fields: fields as unknown as Struct<F>['fields'],
    read(mem, at) {
      const values: Record<string, unknown> = {}
      for (const [key, field] of entries) values[key] = field.get(mem, at)
      return values as ReturnType<Struct<F>['read']>
    },
    write(mem, at, values) {
      for (const [key, field] of entries) {
        const value = values[key]
        if (value !== undefined) field.set(mem, at, value)
      }
    },
  }
}
