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

const scalar = <T>(
  offset: number,
  bytes: number,
  get: (mem: Mem, at: number) => T,
  set: (mem: Mem, at: number, value: T) => void,
): Field<T> => ({
  offset,
  bytes,
  align: bytes,
  get: (mem, at) => get(mem, at + offset),
  set: (mem, at, value) => set(mem, at + offset, value),
})

export const u8 = (offset: number): Field<number> =>
  scalar(
    offset,
    1,
    (m, a) => m.read8(a),
    (m, a, v) => m.write8(a, v),
  )
export const u16 = (offset: number): Field<number> =>
  scalar(
    offset,
    2,
    (m, a) => m.read16(a),
    (m, a, v) => m.write16(a, v),
  )
/** Signed. */
export const i16 = (offset: number): Field<number> =>
  scalar(
    offset,
    2,
    (m, a) => (m.read16(a) << 16) >> 16,
    (m, a, v) => m.write16(a, v & 0xffff),
  )
export const u32 = (offset: number): Field<number> =>
  scalar(
    offset,
    4,
    (m, a) => m.read32(a),
    (m, a, v) => m.write32(a, v),
  )
export const u64 = (offset: number): Field<bigint> =>
  scalar(
    offset,
    8,
    (m, a) => m.read64(a),
    (m, a, v) => m.write64(a, v),
  )
/** A 64-bit word that is known to fit 53 bits (addresses, sizes): read as a number, RangeError where it does not fit. */
export const size64 = (offset: number): Field<number> =>
  scalar(
    offset,
    8,
    (m, a) => {
      const value = m.read64(a)
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('64-bit word out of range')
      return Number(value)
    },
    (m, a, v) => m.write64(a, BigInt(v)),
  )
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
export const packed = <T>(field: Field<T>): Field<T> => ({ ...field, align: 1 })

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
