import { describe, expect, test } from 'vitest'
import { createRng } from '../prng.ts'
import { addDiskPart, DiskFormatError, packDisk, packDiskParts, unpackDisk } from './disk-container.ts'
import { CHUNK_SECTORS, SparseDisk } from './sparse-disk.ts'

/** Chunks 0, 2, 4, ... 18 of 20; each third one says the same. */
function someDisk(): SparseDisk {
  const rng = createRng(1)
  const disk = new SparseDisk(20 * CHUNK_SECTORS)
  for (let chunk = 0; chunk < 20; chunk += 2)
    disk.write(chunk * CHUNK_SECTORS, chunk % 3 === 0 ? new Uint8Array(512).fill(7) : rng.fork(`${chunk}`).bytes(4096))
  return disk
}

const disk = someDisk()
const isFirst = (chunk: number): boolean => chunk < 8
const [first, rest] = packDiskParts(disk, isFirst)

describe('a disk in two parts', () => {
  test('is the whole once both are there', () => {
    const found = unpackDisk(first)
    expect([...found.awaited!]).toEqual([8, 10, 12, 14, 16, 18])
    addDiskPart(found, rest)
    expect([found.awaited, found.hash(), found.wanted]).toEqual([undefined, disk.hash(), 'no'])
  })

  test('says no text twice', () => {
    expect(first.length + rest.length).toBeLessThan(packDisk(disk).length + 100)
  })

  test.each<[string, (found: SparseDisk) => void, SparseDisk['wanted']]>([
    ['reading what is there', (found) => found.read(0, CHUNK_SECTORS), 'no'],
    ['reading where nothing ever was', (found) => found.read(9 * CHUNK_SECTORS, CHUNK_SECTORS), 'no'],
    ['meaning to read what is on its way', (found) => found.prefetch(8 * CHUNK_SECTORS + 3, 1), 'soon'],
    ['meaning to read up to it', (found) => found.prefetch(7 * CHUNK_SECTORS, CHUNK_SECTORS), 'no'],
    ['meaning to read past its beginning', (found) => found.prefetch(7 * CHUNK_SECTORS, CHUNK_SECTORS + 1), 'soon'],
    ['reading it', (found) => found.read(18 * CHUNK_SECTORS, 1), 'missed'],
    ['writing it', (found) => found.write(18 * CHUNK_SECTORS, new Uint8Array(512)), 'missed'],
  ])('%s: %s', (_, act, wanted) => {
    const found = unpackDisk(first)
    act(found)
    expect(found.wanted).toBe(wanted)
  })

  test('a copy waits as well', () => {
    const copy = unpackDisk(first).clone()
    copy.read(8 * CHUNK_SECTORS, 1)
    expect(copy.wanted).toBe('missed')
  })

  test('what was written meanwhile stays', () => {
    const found = unpackDisk(first)
    found.write(0, new Uint8Array(512).fill(9))
    addDiskPart(found, rest)
    expect(found.read(0, 1)).toEqual(new Uint8Array(512).fill(9))
  })
})

const other = packDiskParts(disk, (chunk) => chunk < 6)
const cut = (bytes: Uint8Array, change: (view: DataView) => void): Uint8Array => {
  const copy = bytes.slice()
  change(new DataView(copy.buffer))
  return copy
}

describe('refused', () => {
  test.each<[string, () => unknown, string]>([
    ['the second part alone', () => unpackDisk(rest), 'not a part that may come now'],
    ['the second part twice', () => addDiskPart(disk, rest), 'no part is to come'],
    ['the first part as the second', () => addDiskPart(unpackDisk(first), first), 'not a part that may come now'],
    [
      'a whole disk as the second',
      () => addDiskPart(unpackDisk(first), packDisk(disk)),
      'not a part that may come now',
    ],
    ['the second part of another cut', () => addDiskPart(unpackDisk(first), other[1]), 'not the part that is to come'],
    [
      'a chunk to come that is here',
      () => unpackDisk(cut(first, (view) => view.setUint32(32 + 4 * 36, 1, true))),
      'is here already',
    ],
    [
      'a chunk to come past the end',
      () => unpackDisk(cut(first, (view) => view.setUint32(32 + 4 * 36, 1000, true))),
      'is past the end',
    ],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(DiskFormatError)
    expect(act).toThrow(message)
  })
})
