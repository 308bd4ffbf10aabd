import { describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { DiskFormatError, packDisk, unpackDisk } from './disk-container.ts'
import { CHUNK_SECTORS, SparseDisk } from './sparse-disk.ts'

const filled = (value: number, sectors = 1) => new Uint8Array(sectors * 512).fill(value)

describe('SparseDisk', () => {
  test('agrees with a plain array under random reads and writes', () => {
    const rng = createRng(1)
    const sectors = 100
    const disk = new SparseDisk(sectors)
    const plain = new Uint8Array(sectors * 512)
    for (let i = 0; i < 2000; i++) {
      const lba = rng.below(sectors)
      const count = rng.below(Math.min(20, sectors - lba) + 1)
      if (rng.below(2) === 0) {
        const bytes = rng.below(4) === 0 ? filled(0, count) : rng.bytes(count * 512)
        disk.write(lba, bytes)
        plain.set(bytes, lba * 512)
      } else expect(Buffer.compare(disk.read(lba, count), plain.slice(lba * 512, (lba + count) * 512))).toBe(0)
    }
    expect(Buffer.compare(disk.toRaw(), plain)).toBe(0)
    expect(SparseDisk.fromRaw(plain).hash()).toBe(disk.hash())
    expect(Buffer.compare(unpackDisk(packDisk(disk)).toRaw(), plain)).toBe(0)
  })

  test('reads are copies', () => {
    const disk = new SparseDisk(8)
    disk.write(0, filled(1))
    disk.read(0, 1).fill(9)
    const given = filled(2)
    disk.write(1, given)
    given.fill(9)
    expect([disk.read(0, 1)[0], disk.read(1, 1)[0]]).toEqual([1, 2])
  })

  test('a clone shares nothing that either changes afterwards', () => {
    const disk = new SparseDisk(64)
    disk.write(0, filled(1))
    const copy = disk.clone()
    const copyOfCopy = copy.clone()
    disk.write(0, filled(2))
    copy.write(1, filled(3))
    copyOfCopy.write(0, filled(4))
    expect([disk, copy, copyOfCopy].map((d) => [d.read(0, 1)[0], d.read(1, 1)[0]])).toEqual([
      [2, 0],
      [1, 3],
      [4, 0],
    ])
    disk.write(0, filled(5))
    expect(copy.read(0, 1)[0]).toBe(1)
  })

  test('equal content is an equal disk, whatever was written on the way', () => {
    const a = new SparseDisk(64)
    const b = new SparseDisk(64)
    a.write(3, filled(7))
    b.write(40, filled(1))
    b.write(3, filled(7))
    b.write(40, filled(0))
    expect(b.hash()).toBe(a.hash())
    expect(packDisk(b)).toEqual(packDisk(a))
    expect(new SparseDisk(65).hash()).not.toBe(new SparseDisk(64).hash())
    expect(packDisk(a).length).toBe(32 + 36 + 4 + 512)
  })

  test('a second copy of the same sectors costs a container next to nothing', () => {
    const disk = new SparseDisk(4096)
    const text = Uint8Array.from({ length: 64 * 512 }, (_, i) => (i * 7 + (i >> 9)) & 0xff)
    disk.write(63, text)
    const once = packDisk(disk).length
    disk.write(1001, text)
    expect(packDisk(disk).length - once).toBeLessThan(10 * 36)
    expect(unpackDisk(packDisk(disk)).hash()).toBe(disk.hash())
  })

  test('tells which chunks are written', () => {
    const disk = new SparseDisk(64)
    const dirty: number[] = []
    disk.onDirty = (chunk) => dirty.push(chunk)
    disk.write(7, filled(1, 10))
    disk.write(0, filled(0))
    expect(dirty).toEqual([0, 1, 2, 0])
    expect(disk.chunk(1)?.every((byte) => byte === 1)).toBe(true)
    expect(disk.chunk(3)).toBeUndefined()
  })

  test.each([
    ['past the end', 63, 2],
    ['before the start', -1, 1],
    ['in between', 0.5, 1],
    ['a negative count', 5, -1],
    ['nowhere', Number.NaN, 1],
  ])('refuses to read %s', (_, lba, count) => {
    expect(() => new SparseDisk(64).read(lba, count)).toThrow(RangeError)
  })

  test('refuses to write parts of sectors and past the end', () => {
    const disk = new SparseDisk(64)
    expect(() => disk.write(0, new Uint8Array(100))).toThrow(RangeError)
    expect(() => disk.write(63, filled(1, 2))).toThrow(RangeError)
    expect(() => SparseDisk.fromRaw(new Uint8Array(100))).toThrow(RangeError)
    for (const sectors of [0, -1, 1.5, 2 ** 33]) expect(() => new SparseDisk(sectors)).toThrow(RangeError)
  })
})

describe('decode refuses', () => {
  const disk = new SparseDisk(CHUNK_SECTORS * 2 + 3)
  disk.write(0, filled(1))
  disk.write(CHUNK_SECTORS * 2, filled(2))
  const good = packDisk(disk)
  const record = 36
  const change = (at: number, value: number) => (bytes: Uint8Array) => {
    new DataView(bytes.buffer).setUint32(at, value, true)
    return bytes
  }
  test.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['nothing', () => new Uint8Array(0), 'shorter than its header'],
    ['half a header', (bytes) => bytes.slice(0, 12), 'shorter than its header'],
    ['another magic', change(0, 1), 'wrong magic number'],
    ['another version', change(4, 1), 'unknown version 1'],
    ['no sectors', change(8, 0), 'impossible size'],
    ['too many sectors', change(12, 2), 'impossible size'],
    ['a missing chunk', (bytes) => bytes.slice(0, -record), 'not what its header says'],
    ['a byte too many', (bytes) => Uint8Array.from([...bytes, 0]), 'not what its header says'],
    ['a large count', change(16, 0xffffffff), 'not what its header says'],
    ['another count of texts', change(20, 1), 'not what its header says'],
    ['a sector that is not there', change(36, 5), 'chunk 0 has a sector that is not there'],
    ['a sector before the first', change(36, -9), 'chunk 0 has a sector that is not there'],
    ['chunks twice', change(32 + record, 0), 'chunk 0 is out of order'],
    ['a chunk past the end', change(32 + record, 3), 'chunk 3 is past the end'],
    ['an empty chunk', (bytes) => change(40, -1)(change(36, -1)(bytes)), 'chunk 0 is empty'],
    ['bytes past the last sector', change(32 + record + 4 + 7 * 4, 0), 'chunk 2 goes past the end'],
  ])('%s', (_, damage, message) => {
    const bytes = damage(good.slice())
    expect(() => unpackDisk(bytes)).toThrow(DiskFormatError)
    expect(() => unpackDisk(bytes)).toThrow(message)
  })
  test('not a good one, wherever it lies in its buffer', () => {
    const padded = new Uint8Array(good.length + 3)
    padded.set(good, 3)
    expect(unpackDisk(padded.subarray(3)).hash()).toBe(disk.hash())
  })
})
