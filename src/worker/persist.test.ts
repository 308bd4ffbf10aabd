/** What the worker says is to be stored, and what the next machine finds of it (design D11). */
import { gzipSync } from 'fflate'
import { beforeAll, describe, expect, test } from 'vitest'
import { packDisk } from '#lib/ondisk/disk-container.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { utf8Encode } from '#lib/utf8.ts'
import type { DiskChunk } from '#protocol/disk.ts'
import type { WorldRecord } from '#protocol/machine.ts'
import { buildDiskAndKnown, buildDiskParts } from '../../scripts/disk.mjs'
import { Bench, storedAfter, useDisk } from './bench.ts'

beforeAll(async () => {
  useDisk(await buildDiskAndKnown(), await buildDiskParts())
}, 120_000)

const answerOf = (asked: { readonly reply: unknown }): unknown =>
  (asked.reply as { reply: { ok: boolean; value?: unknown; error?: string } }).reply.value
const errorOf = (asked: { readonly reply: unknown }): string | undefined =>
  (asked.reply as { reply: { error?: string } }).reply.error

function loggedIn(stored: readonly DiskChunk[] = []): Bench {
  const bench = new Bench()
  bench.powerOn(stored)
  bench.rest()
  bench.until('seconds.')
  bench.type('\r')
  bench.until('login: ')
  bench.type('root\r')
  bench.until('# ')
  return bench
}

function run(bench: Bench, command: string): string {
  const from = bench.com1.length
  bench.type(`${command}; echo done-$((6*7))\r`)
  expect(bench.until('done-42')).toBe(true)
  return bench.com1.slice(from)
}

describe('what was written', () => {
  test('is there after sync, in the next machine; the disk is checked first', () => {
    const first = loggedIn()
    run(first, 'echo kept > /root/kept; sync; echo lost > /root/lost')
    const next = loggedIn(storedAfter([], first.batches))
    expect(next.com1).toContain('was not cleanly unmounted')
    const answer = run(next, 'cat /root/kept /root/lost')
    expect(answer).toMatch(/^kept$/m)
    expect(answer).toContain('/root/lost: No such file')
    expect([...first.faults, ...next.faults]).toEqual([])
  }, 60_000)

  test('is there without sync, too, when half a minute has passed', () => {
    const first = loggedIn()
    run(first, 'echo kept > /root/kept')
    const before = first.batches.length
    first.request({ kind: 'run-for', ns: 36e9 })
    first.until('nothing like this', 5000)
    expect(first.batches.length).toBeGreaterThan(before)
    const next = new Bench()
    next.powerOn(storedAfter([], first.batches), { press: false })
    next.rest()
    expect(answerOf(next.request({ kind: 'read-file', path: '/root/kept' }))).toEqual(utf8Encode('kept\n'))
  }, 60_000)

  test('sends nothing to who does not store it', () => {
    const bench = new Bench()
    bench.powerOn()
    bench.rest()
    bench.until('seconds.')
    bench.type('\r')
    bench.until('login: ')
    expect(bench.batches).toEqual([])
  }, 60_000)

  test('batches are numbered in one row, each chunk whole', () => {
    const bench = loggedIn()
    run(bench, 'echo 1 > /root/a; sync; echo 2 > /root/a; sync')
    const { batches } = bench
    expect(batches.length).toBeGreaterThan(1)
    expect(batches.map(({ sequence }) => sequence)).toEqual(batches.map((_, i) => i + 1))
    for (const { chunks } of batches) for (const { bytes } of chunks) expect(bytes.length).toBe(4096)
  }, 60_000)
})

describe('a disk edit from outside', () => {
  test('is a batch of its own, and counts more than the part of the disk that comes later', () => {
    const bench = new Bench()
    bench.powerOn([], { press: false })
    bench.rest()
    const text = utf8Encode('from outside\n')
    expect(answerOf(bench.request({ kind: 'write-file', path: '/etc/issue', bytes: text }))).toBe(text.length)
    const stored = storedAfter([], bench.batches)
    expect(stored.length).toBeGreaterThan(0)
    const next = new Bench()
    next.powerOn(stored, { press: false })
    next.rest()
    expect(answerOf(next.request({ kind: 'read-file', path: '/etc/issue' }))).toEqual(text)
  })

  test('of a stored disk has a record of its own: another base', () => {
    const bench = new Bench()
    bench.powerOn([], { press: false })
    bench.rest()
    const before = answerOf(bench.request({ kind: 'record' })) as WorldRecord
    bench.request({ kind: 'write-file', path: '/root/new', bytes: utf8Encode('x') })
    const after = answerOf(bench.request({ kind: 'record' })) as WorldRecord
    expect(after.diskHash).not.toBe(before.diskHash)
  })
})

describe('a disk that had to be read before all of it was here', () => {
  test('stores each batch once, although the machine did everything twice', () => {
    const bench = new Bench()
    bench.powerOn([])
    bench.until('seconds.')
    bench.type('c')
    bench.until('grub> ')
    bench.type('cat /usr/share/man/man1/vi.1\r')
    bench.until('grub> ', 2000)
    bench.rest()
    bench.until('.TH ')
    const { batches } = bench
    expect(batches.map(({ sequence }) => sequence)).toEqual(batches.map((_, i) => i + 1))
    expect(bench.faults).toEqual([])
  }, 60_000)
})

describe('an image that is imported', () => {
  const MiB = 1024 * 1024
  function image(change: (bytes: Uint8Array) => void = () => {}): Uint8Array {
    const bytes = new Uint8Array(4 * MiB)
    const view = new DataView(bytes.buffer)
    bytes[446 + 4] = 0x83
    view.setUint32(446 + 8, 63, true)
    view.setUint32(446 + 12, 8192 - 63, true)
    view.setUint16(510, 0xaa55, true)
    bytes[3 * MiB + 5] = 7
    change(bytes)
    return bytes
  }
  function off(): Bench {
    const bench = new Bench()
    bench.powerOn([], { press: false })
    bench.rest()
    return bench
  }

  test.each([
    ['raw', image()],
    ['gzipped', gzipSync(image())],
    ['gzipped in two members', Buffer.concat([gzipSync(image().subarray(0, MiB)), gzipSync(image().subarray(MiB))])],
  ])('%s: it is the disk, and all that is stored', (_, bytes) => {
    const bench = off()
    expect(answerOf(bench.request({ kind: 'import-disk', bytes }))).toBe(4 * MiB)
    const [batch] = bench.batches
    expect([batch?.blankSectors, batch?.chunks.map(({ number }) => number)]).toEqual([8192, [0, 768]])
    const next = new Bench()
    const blank = packDisk(new SparseDisk(8192)).slice().buffer as ArrayBuffer
    next.powerOn(storedAfter([], bench.batches), { press: false, disk: blank })
    const raw = answerOf(next.request({ kind: 'export-disk' })) as Uint8Array
    expect(Buffer.compare(raw, image())).toBe(0)
  })

  test.each([
    ['nothing', new Uint8Array(0), 'empty'],
    ['half a sector', image().subarray(0, 700), 'not a whole number of sectors'],
    ['no boot record', image((bytes) => bytes.fill(0, 510, 512)), '55 AA'],
    ['no partition', image((bytes) => bytes.fill(0, 446, 510)), 'partition table of the image is empty'],
    ['a part of an image', image().subarray(0, MiB), 'partition 1 of the image ends behind the end'],
    ['a gzip that is cut off', gzipSync(image()).subarray(0, 300), 'gzip file is damaged'],
    ['a gzip with a wrong byte', gzipSync(image()).with(-6, 1), 'gzip file is damaged'],
    ['nothing but the start of a gzip', Uint8Array.of(0x1f, 0x8b), 'gzip file is damaged'],
  ])('is refused in words: %s', (_, bytes, words) => {
    const bench = off()
    expect(errorOf(bench.request({ kind: 'import-disk', bytes }))).toContain(words)
    expect(bench.batches).toEqual([])
    expect(bench.faults).toEqual([])
  })

  test('is refused while the machine is on, but can be checked; the machine goes on', () => {
    const bench = new Bench()
    bench.powerOn([])
    bench.rest()
    bench.until('seconds.')
    expect(errorOf(bench.request({ kind: 'import-disk', bytes: image() }))).toContain('the machine is on')
    expect(answerOf(bench.request({ kind: 'check-image', bytes: gzipSync(image()) }))).toBe(4 * MiB)
    expect(errorOf(bench.request({ kind: 'check-image', bytes: new Uint8Array(1024) }))).toContain('55 AA')
    bench.type('\r')
    expect(bench.until('login: ')).toBe(true)
  })
})

describe('a record', () => {
  test('replays to its digest on a machine of its own, which goes on, and stores nothing', () => {
    const first = new Bench()
    first.powerOn()
    first.rest()
    first.until('seconds.')
    first.type('\r')
    first.until('login: ')
    const record = answerOf(first.request({ kind: 'record' })) as WorldRecord
    const digest = answerOf(first.request({ kind: 'digest' }))
    // This machine's disk has changed, and the record is of the disk as it is shipped.
    const other = new Bench()
    other.powerOn([], { press: false })
    other.rest()
    other.request({ kind: 'write-file', path: '/root/mine', bytes: utf8Encode('x') })
    const stored = other.batches.length
    const replayed = other.request({ kind: 'replay', record })
    expect(other.until('login: ')).toBe(true)
    for (let i = 0; i < 100 && !replayed.reply; i++) other.until('nothing like this', 10)
    expect(answerOf(replayed)).toBe(digest)
    expect(other.sent.some(({ type }) => type === 'disk-temporary')).toBe(true)
    other.type('root\r')
    expect(other.until('# ')).toBe(true)
    other.type('sync; echo done-$((6*7))\r')
    expect(other.until('done-42')).toBe(true)
    expect(other.batches.length).toBe(stored)
    expect([...first.faults, ...other.faults]).toEqual([])
  }, 60_000)

  test.each([
    ['another build', { build: 'x' }, 'another build'],
    ['another disk', { diskHash: 'x' }, 'another disk'],
    ['another version', { version: 2 }, 'version 2'],
    ['too much memory', { memoryMiB: 100_000 }, 'not between 1 and 3072'],
    ['inputs out of order', { inputs: [{ atNs: -1, input: { kind: 'button', button: 'power' } }] }, 'no whole number'],
  ])('is refused in words: %s', (_, change, words) => {
    const bench = new Bench()
    bench.powerOn([], { press: false })
    bench.rest()
    const record = answerOf(bench.request({ kind: 'record' })) as WorldRecord
    const asked = bench.request({ kind: 'replay', record: { ...record, ...change } as WorldRecord })
    expect(errorOf(asked)).toContain(words)
    expect(bench.faults).toEqual([])
  })
})
