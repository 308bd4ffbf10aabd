import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { packDisk } from '#lib/ondisk/disk-container.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { DiskFileError, decodeDisk, readDiskFile, writeRawDisk } from './disk-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** 17 sectors: the last chunk is not full, the middle one is empty. */
const disk = new SparseDisk(17)
disk.write(0, new Uint8Array(512).fill(0x55))
disk.write(16, new Uint8Array(512).fill(0xaa))

test.each([
  ['raw', disk.toRaw()],
  ['raw, gzipped', gzipSync(disk.toRaw())],
  ['the container', packDisk(disk)],
  ['the container, gzipped', gzipSync(packDisk(disk))],
])('reads %s', (_name, file) => {
  expect(decodeDisk(file).hash()).toBe(disk.hash())
})

test.each([
  ['an empty file', new Uint8Array(0), 'not a whole number of sectors'],
  ['half a sector', new Uint8Array(256), 'not a whole number of sectors'],
  ['a cut container', packDisk(disk).slice(0, 100), 'disk container'],
  ['a cut gzip', gzipSync(disk.toRaw()).subarray(0, 20), 'unexpected end of file'],
])('refuses %s', (_name, file, message) => {
  expect(() => decodeDisk(file)).toThrow(DiskFileError)
  expect(() => decodeDisk(file)).toThrow(message)
})

test('writes the raw disk, over whatever was there', () => {
  const path = join(folder, 'raw.img')
  writeFileSync(path, new Uint8Array(100_000).fill(1))
  writeRawDisk(path, disk)
  expect(new Uint8Array(readFileSync(path))).toEqual(disk.toRaw())
  expect(readDiskFile(path).hash()).toBe(disk.hash())
})
