/** The room with the real machine in it, and a disk that comes in two parts. */
import { gunzipSync } from 'fflate'
import { beforeAll, describe, expect, test } from 'vitest'
import { addDiskPart, unpackDisk } from '#lib/ondisk/disk-container.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import type { WorldRecord } from '#protocol/machine.ts'
import { createWorld } from '#world/world.ts'
import { buildDiskAndKnown, buildDiskParts } from '../../scripts/disk.mjs'
import { Bench, useDisk } from './bench.ts'

let parts: readonly Uint8Array[] = []
beforeAll(async () => {
  const build = await buildDiskAndKnown()
  parts = await buildDiskParts()
  useDisk(build, parts)
}, 120_000)

function wholeDisk(): SparseDisk {
  const disk = unpackDisk(gunzipSync(parts[0]!))
  addDiskPart(disk, gunzipSync(parts[1]!))
  return disk
}

describe('a record and a digest that are asked for at any moment', () => {
  const boot: WorldRecord[] = []
  const digests: unknown[] = []
  beforeAll(() => {
    // A turn is one slice, and ends within an instant.
    const bench = new Bench(20)
    bench.powerOn()
    bench.rest()
    const ask = (kind: 'record' | 'digest') =>
      (bench.request({ kind }).reply as { reply: { value: unknown } }).reply.value
    for (let i = 0; i < 6; i++) {
      bench.until('nothing like this', 40)
      boot.push(ask('record') as WorldRecord)
      digests.push(ask('digest'))
    }
    expect(bench.faults).toEqual([])
  }, 60_000)

  test.each([0, 1, 2, 3, 4, 5])('the record replays to the digest: %i', (i) => {
    const { memoryMiB, seed, build, diskHash, endNs } = boot[i]!
    expect(endNs).toBeGreaterThan(boot[i - 1]?.endNs ?? 0)
    const world = createWorld({ disk: wholeDisk(), diskHash, memoryMiB, seed, build, createRing3s: () => undefined })
    for (const _ of world.replay(boot[i]!));
    expect(world.digest()).toBe(digests[i])
  })
})

describe('a disk of which the first part is here', () => {
  test('is enough for a login; what needs more waits for it, and then goes on', () => {
    const bench = new Bench()
    bench.powerOn()
    bench.until('seconds.')
    bench.type('\r')
    expect(bench.until('login: ')).toBe(true)
    bench.type('root\r')
    bench.until('# ', 500)
    bench.type('vi --help | head -1; echo done-$((6*7))\r')
    expect(bench.until('done-42')).toBe(false)
    const asked = bench.request({ kind: 'read-file', path: '/etc/issue' })
    expect(asked.reply).toBeUndefined()
    bench.rest()
    expect(asked.reply).toMatchObject({ reply: { ok: true } })
    expect(bench.until('done-42')).toBe(true)
    expect(bench.faults).toEqual([])
  }, 60_000)

  test('a boot loader that reads what has not come: the machine does it again with the whole disk', () => {
    const bench = new Bench()
    bench.powerOn()
    bench.until('seconds.')
    bench.type('c')
    expect(bench.until('grub> ')).toBe(true)
    bench.type('cat /usr/share/man/man1/vi.1\r')
    expect(bench.until('grub> ', 2000)).toBe(false)
    bench.rest()
    expect(bench.until('.TH ')).toBe(true)
    expect(bench.faults).toEqual([])
  }, 60_000)

  test('a second part for a disk that came whole is ignored', () => {
    const bench = new Bench()
    bench.powerOn()
    bench.rest()
    bench.rest()
    expect(bench.until('seconds.')).toBe(true)
    expect(bench.faults).toEqual([])
  })
})
