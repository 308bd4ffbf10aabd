import { describe, expect, test } from 'vitest'
import { memOf } from './mem.ts'
import { bytes, packed, size64, struct, u8, u16, u32, u64 } from './struct.ts'

describe('struct', () => {
  const sample = struct('sample', 24, { a: u8(0), b: u16(2), c: u32(4), d: u64(8), e: bytes(16, 5) })

  test('writes little-endian where C would, and reads it back', () => {
    const raw = new Uint8Array(40)
    const values = { a: 1, b: 0x0203, c: 0x04050607, d: 0x08090a0b0c0d0e0fn, e: Uint8Array.of(1, 2, 3, 4, 5) }
    sample.write(memOf(raw), 8, values)
    expect([...raw.slice(8, 32)]).toEqual([
      1, 0, 3, 2, 7, 6, 5, 4, 0x0f, 0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 9, 8, 1, 2, 3, 4, 5, 0, 0, 0,
    ])
    expect(sample.read(memOf(raw), 8)).toEqual(values)
  })

  test('leaves the fields that are not given', () => {
    const mem = memOf(new Uint8Array(24).fill(0xff))
    sample.write(mem, 0, { b: 0 })
    expect(sample.fields.b.get(mem, 0)).toBe(0)
    expect(sample.fields.a.get(mem, 0)).toBe(0xff)
    expect(sample.fields.c.get(mem, 0)).toBe(0xffffffff)
  })

  test.each([
    ['overlaps', () => struct('s', 8, { a: u32(0), b: u16(2) })],
    ['is misaligned', () => struct('s', 8, { a: u32(2) })],
    ['sticks out', () => struct('s', 8, { a: u32(8) })],
    ['sticks out', () => struct('s', 8, { a: u64(4) })],
  ])('refuses a table where a field %s', (why, make) => expect(make).toThrow(why))

  test('takes a packed field at an odd address', () => {
    const odd = struct('odd', 9, { a: u8(0), b: packed(u64(1)) })
    const mem = memOf(new Uint8Array(9))
    odd.write(mem, 0, { b: 5n })
    expect(odd.read(mem, 0)).toEqual({ a: 0, b: 5n })
  })

  test('refuses a size that no number holds exactly', () => {
    const big = struct('big', 8, { size: size64(0) })
    const mem = memOf(new Uint8Array(8).fill(0xff))
    expect(() => big.read(mem, 0)).toThrow(RangeError)
  })
})

describe('memOf', () => {
  test.each([
    ['copyOut past the end', (m: ReturnType<typeof memOf>) => m.copyOut(6, 4)],
    ['read32 past the end', (m: ReturnType<typeof memOf>) => m.read32(6)],
    ['copyIn past the end', (m: ReturnType<typeof memOf>) => m.copyIn(6, new Uint8Array(4))],
    ['a negative address', (m: ReturnType<typeof memOf>) => m.copyOut(-1, 2)],
  ])('refuses %s', (_, act) => expect(() => act(memOf(new Uint8Array(8)))).toThrow(RangeError))

  test('hands out copies', () => {
    const raw = new Uint8Array(4)
    memOf(raw).copyOut(0, 4).fill(9)
    expect([...raw]).toEqual([0, 0, 0, 0])
  })
})
