import { describe, expect, test } from 'vitest'
import { chsBytes, partition, readPartitions, writePartitions } from './mbr.ts'
import { SparseDisk } from './sparse-disk.ts'

const SECTORS = 131072
const root = { active: true, type: 0x83, start: 63, sectors: 128457 }
const swap = { active: false, type: 0x82, start: 128520, sectors: 2552 }

describe('the partition table', () => {
  test('comes back as written, and leaves the boot code alone', () => {
    const disk = new SparseDisk(SECTORS)
    disk.write(0, new Uint8Array(512).fill(0xee))
    writePartitions(disk, [root, undefined, swap])
    expect(readPartitions(disk)).toEqual([root, undefined, swap, undefined])
    const sector = disk.read(0, 1)
    expect(sector.subarray(0, 446).every((byte) => byte === 0xee)).toBe(true)
    expect([...sector.subarray(446, 462)]).toEqual([0x80, 1, 1, 0, 0x83, 254, 63, 7, 63, 0, 0, 0, 0xc9, 0xf5, 1, 0])
    expect([...sector.subarray(510)]).toEqual([0x55, 0xaa])
  })

  test('is none without its signature', () => {
    expect(readPartitions(new SparseDisk(SECTORS))).toBeUndefined()
  })

  // What fdisk -l -u shows in expert mode, for 255 heads and 63 sectors.
  test.each([
    [0, [0, 1, 0]],
    [62, [0, 63, 0]],
    [63, [1, 1, 0]],
    [16064, [254, 63, 0]],
    [16065, [0, 1, 1]],
    [300 * 16065 + 5, [0, 6 | 0x40, 44]],
    [1023 * 16065, [0, 1 | 0xc0, 255]],
    [1024 * 16065, [254, 63 | 0xc0, 255]],
    [2 ** 32 - 1, [254, 63 | 0xc0, 255]],
  ])('writes sector %i as head, sector, cylinder %j', (lba, bytes) => {
    expect(chsBytes(lba)).toEqual(bytes)
  })

  test.each([
    ['five partitions', [root, undefined, undefined, undefined, swap]],
    ['an overlap', [root, { ...swap, start: 128519 }]],
    ['one within another', [root, { ...swap, start: 100, sectors: 1 }]],
    ['the first sector', [{ ...root, start: 0 }]],
    ['the end', [{ ...root, sectors: SECTORS - 62 }]],
    ['no sectors', [{ ...root, sectors: 0 }]],
    ['type 0', [{ ...root, type: 0 }]],
  ])('refuses %s', (_, entries) => {
    const disk = new SparseDisk(SECTORS)
    expect(() => writePartitions(disk, entries)).toThrow(RangeError)
    expect(readPartitions(disk)).toBeUndefined()
  })
})

describe('a partition', () => {
  test('is a store of its own', () => {
    const disk = new SparseDisk(SECTORS)
    const store = partition(disk, root)
    store.write(5, new Uint8Array(1024).fill(3))
    expect(disk.read(68, 2)).toEqual(new Uint8Array(1024).fill(3))
    expect(store.read(4, 2)[512]).toBe(3)
    expect(store.sectors).toBe(root.sectors)
  })

  test.each([
    [-1, 1],
    [root.sectors, 1],
    [root.sectors - 1, 2],
    [0, -1],
    [0.5, 1],
  ])('ends where it ends: %d+%d', (lba, count) => {
    expect(() => partition(new SparseDisk(SECTORS), root).read(lba, count)).toThrow(RangeError)
  })

  test('is not larger than its disk, whatever the table says', () => {
    const store = partition(new SparseDisk(100), { start: 63, sectors: 1000 })
    expect(store.read(36, 1)).toEqual(new Uint8Array(512))
    expect(() => store.read(37, 1)).toThrow(RangeError)
    expect(() => store.write(37, new Uint8Array(512))).toThrow(RangeError)
    expect(() => store.write(0, new Uint8Array(10))).toThrow(RangeError)
  })
})
