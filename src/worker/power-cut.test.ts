/**
 * The page goes away while the machine writes, again and again: of the batches that the drive made durable some first ones were stored, and the next
 * machine boots from those. Its fsck mends the file system by itself, whatever was synced before the last stored batch is there, and Debian's
 * e2fsck finds nothing wrong with what is stored then.
 */
import { gunzipSync } from 'fflate'
import { beforeAll, expect, test } from 'vitest'
import { addDiskPart, unpackDisk } from '#lib/ondisk/disk-container.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { createRng } from '#lib/prng.ts'
import type { DiskChunk } from '#protocol/disk.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { campaign } from '#testing/soak.ts'
import { buildDiskAndKnown, buildDiskParts } from '../../scripts/disk.mjs'
import { Bench, storedAfter, useDisk } from './bench.ts'

const CUTS = campaign(20, 3)
/** So many batches of the work are waited for at most. */
const WORK_BATCHES = 8

let shipped: SparseDisk
beforeAll(async () => {
  const parts = await buildDiskParts()
  useDisk(await buildDiskAndKnown(), parts)
  shipped = unpackDisk(gunzipSync(parts[0]!))
  addDiskPart(shipped, gunzipSync(parts[1]!))
}, 120_000)

/** Writes all the time: files that come, grow, are renamed and go. By their paths, cp and mv are not root's aliases, which ask. */
const WORK =
  'mkdir -p /root/w; while :; do for i in 1 2 3; do /bin/cp /bin/sh /root/w/$i; ls -lR /etc > /root/w/l$i; sync; rm -f /root/w/$((i-1)); /bin/mv /root/w/l$i /root/w/m$i; done; done\r'

function boot(stored: readonly DiskChunk[]): Bench {
  const bench = new Bench()
  bench.powerOn(stored)
  bench.rest()
  bench.until('seconds.')
  bench.type('\r')
  expect(bench.until('login: ')).toBe(true)
  bench.type('root\r')
  expect(bench.until('# ')).toBe(true)
  return bench
}

function expectSound(stored: readonly DiskChunk[]): void {
  if (!hasE2fsprogs) return
  const disk = shipped.clone()
  disk.place(stored)
  const root = readPartitions(disk)?.[0]
  if (!root) throw new Error('the disk has lost its partitions')
  expect(e2fsck(partition(disk, root))).toMatchObject({ status: 0 })
}

test(`${CUTS} power cuts in the middle of writes`, () => {
  const random = createRng(2009)
  let stored: readonly DiskChunk[] = []
  let checked = 0
  /** Marks that were stored for certain. */
  const certain: string[] = []
  for (let cut = 1; cut <= CUTS; cut++) {
    const bench = boot(stored)
    // What fsck cannot mend by itself ends in a shell for root.
    expect(bench.com1).not.toMatch(/UNEXPECTED INCONSISTENCY|Give root password/)
    if (bench.com1.includes('was not cleanly unmounted')) checked++
    bench.type('cat /root/mark-*; echo marks-$((6*7))\r')
    expect(bench.until('marks-42')).toBe(true)
    expect(bench.com1.match(/^cut-\d+-mark$/gm) ?? []).toEqual(expect.arrayContaining(certain))
    const mark = `cut-${cut}-mark`
    bench.type(`rm -rf /root/w; echo ${mark} > /root/mark-${cut}; sync; echo synced-$((6*7))\r`)
    expect(bench.until('synced-42')).toBe(true)
    const synced = bench.batches.length
    expectSound(storedAfter(stored, bench.batches))
    bench.type(WORK)
    const enough = synced + 1 + random.below(WORK_BATCHES)
    for (let i = 0; i < 2000 && bench.batches.length < enough; i++) bench.until('nothing like this', 5)
    const { batches, faults } = bench
    expect(batches.length).toBeGreaterThanOrEqual(enough)
    expect(faults).toEqual([])
    // Of all that this machine flushed, of its own boot and of the work alike.
    const kept = random.below(batches.length + 1)
    if (kept >= synced) certain.push(mark)
    stored = storedAfter(stored, batches.slice(0, kept))
  }
  // Most cuts were ones that fsck had to look at, and many marks were certain: else all this has shown nothing.
  expect(checked).toBeGreaterThan(CUTS / 2)
  expect(certain.length).toBeGreaterThan(CUTS / 4)
  const last = boot(stored)
  last.type('sync; echo synced-$((6*7))\r')
  expect(last.until('synced-42')).toBe(true)
  expectSound(storedAfter(stored, last.batches))
}, 400_000)
