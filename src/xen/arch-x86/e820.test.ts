import { describe, expect, test } from 'vitest'
import type { E820Entry } from '#abi/pc/bios.ts'
import { E820_ACPI, E820_RAM, E820_RESERVED } from '#abi/pc/e820.ts'
import { clipE820, copyE820, e820Line, findMaxPage, ramPages, reserveE820, sanitizeE820 } from './e820.ts'

const entry = (base: number, end: number, type: number = E820_RAM): E820Entry => ({ base, length: end - base, type })
const RAM = [entry(0, 0xa0000), entry(0x100000, 0x4000000)]

describe('sanitize', () => {
  test.each<[string, readonly E820Entry[], readonly E820Entry[]]>([
    ['clean', RAM, RAM],
    ['out of order', [RAM[1]!, RAM[0]!], RAM],
    ['neighbours of one type', [entry(0, 5), entry(5, 9)], [entry(0, 9)]],
    [
      'an overlap: the higher type wins',
      [entry(0, 100), entry(40, 60, E820_RESERVED)],
      [entry(0, 40), entry(40, 60, E820_RESERVED), entry(60, 100)],
    ],
    [
      'three deep',
      [entry(0, 9), entry(2, 7, E820_RESERVED), entry(4, 5, E820_ACPI)],
      [entry(0, 2), entry(2, 4, E820_RESERVED), entry(4, 5, E820_ACPI), entry(5, 7, E820_RESERVED), entry(7, 9)],
    ],
    ['empty entries', [entry(0, 5), entry(7, 7, E820_RESERVED)], [entry(0, 5)]],
    ['one entry is left alone', [entry(3, 3)], [entry(3, 3)]],
  ])('%s', (_, map, clean) => {
    expect(sanitizeE820(map)).toEqual(clean)
  })
})

test('RAM between 640K and 1M is not believed', () => {
  expect(copyE820([entry(0, 0x200000), entry(0x300000, 0x400000)])).toEqual([
    entry(0, 0xa0000),
    entry(0x100000, 0x200000),
    entry(0x300000, 0x400000),
  ])
  expect(copyE820([entry(0xb0000, 0xc0000), entry(0x100000, 0x200000)])).toEqual([entry(0x100000, 0x200000)])
  expect(copyE820([entry(0, 0x200000)]), 'a single entry is no map').toEqual([])
})

test('mem= cuts, and says so once', () => {
  const said: [number, number][] = []
  const cut = (from: number, to: number): number => said.push([from, to])
  expect(clipE820([...RAM], 0x2000000, cut)).toEqual([RAM[0], entry(0x100000, 0x2000000)])
  expect(clipE820([...RAM], 0x80000, cut)).toEqual([entry(0, 0x80000)])
  expect(clipE820([...RAM], 0xc0000, cut)).toEqual([RAM[0]])
  expect(said).toEqual([
    [65536, 32768],
    [65536, 512],
    [65536, 768],
  ])
})

test.each<[string, number, number, boolean, E820Entry[]]>([
  ['all of it', 10, 20, true, []],
  ['the start', 10, 12, true, [entry(12, 20)]],
  ['the end', 18, 20, true, [entry(10, 18)]],
  ['the middle', 12, 14, true, [entry(10, 12), entry(14, 20)]],
  ['what sticks out', 18, 22, false, [entry(10, 20)]],
])('reserve %s', (_, start, end, done, rest) => {
  const map = [entry(10, 20)]
  expect(reserveE820(map, start, end)).toBe(done)
  expect(map).toEqual(rest)
})

test('figures and text', () => {
  expect(findMaxPage(RAM)).toBe(0x4000)
  expect(findMaxPage([entry(0, 0x1fff)])).toBe(1)
  expect(ramPages(RAM)).toBe(0xa0 + 0x3f00)
  expect(e820Line(RAM[1]!)).toBe(' 0000000000100000 - 0000000004000000 (usable)')
  expect(e820Line(entry(0, 4096, 12))).toBe(' 0000000000000000 - 0000000000001000 type 12')
})
