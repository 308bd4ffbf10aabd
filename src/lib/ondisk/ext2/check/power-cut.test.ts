/** A power cut at any moment of a workload: what reached the disk is repaired, Debian's e2fsck agrees, and what was there before stays. */
import { expect, test } from 'vitest'
import { createRng, type Rng } from '#lib/prng.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import type { BlockStore } from '../../block-store.ts'
import { SparseDisk } from '../../sparse-disk.ts'
import { Ext2Error } from '../errors.ts'
import { Ext2 } from '../fs.ts'
import { mkfs } from '../mkfs.ts'
import { checkStore } from './memory.ts'

const NOW = 1242109972
const SECTORS = 4 * 2048
/** Writes that may not have left the drive's cache when the power went. */
const CACHED = 40

/** Writes of one sector each, in order. */
class Recorder implements BlockStore {
  readonly sectors = SECTORS
  readonly log: [number, Uint8Array][] = []
  readonly disk: SparseDisk
  constructor(disk: SparseDisk) {
    this.disk = disk
  }
  read(lba: number, count: number): Uint8Array {
    return this.disk.read(lba, count)
  }
  write(lba: number, bytes: Uint8Array): void {
    for (let i = 0; i * 512 < bytes.length; i++) this.log.push([lba + i, bytes.slice(i * 512, (i + 1) * 512)])
    this.disk.write(lba, bytes)
  }
}

function workload(fs: Ext2, rng: Rng): void {
  const dirs = ['']
  const files: string[] = []
  for (let step = 0; step < 120; step++) {
    const kind = rng.below(10)
    try {
      if (kind < 2) {
        const path = `${rng.pick(dirs)}/d${step}`
        fs.mkdir(path, 0o755)
        dirs.push(path)
      } else if (kind < 6) {
        const path = `${rng.pick(dirs)}/f${step}`
        fs.writeFile(path, rng.bytes(rng.below(30_000)))
        files.push(path)
      } else if (kind < 7 && files.length > 0) fs.link(rng.pick(files), `${rng.pick(dirs)}/l${step}`)
      else if (kind < 8 && files.length > 0) fs.rename(rng.pick(files), `${rng.pick(dirs)}/r${step}`)
      else if (files.length > 0) fs.unlink(rng.pick(files))
    } catch (error) {
      if (!(error instanceof Ext2Error)) throw error
    }
    if (rng.below(8) === 0) fs.sync()
  }
}

test.each(Array.from({ length: 12 }, (_, seed) => [seed]))('workload %i', (seed) => {
  const rng = createRng(seed).fork('power cut')
  const disk = new SparseDisk(SECTORS)
  mkfs(disk, { blockBytes: 1024, uuid: rng.bytes(16), nowSeconds: NOW, label: '/' })
  const first = Ext2.mount(disk, { now: () => NOW })
  first.mkdir('/kept', 0o755)
  const kept = rng.bytes(50_000)
  first.writeFile('/kept/file', kept)
  first.unmount()
  const before = new SparseDisk(SECTORS)
  before.write(0, disk.read(0, SECTORS))
  const recorder = new Recorder(disk)
  workload(Ext2.mount(recorder, { now: () => NOW }), rng)

  for (let cut = 0; cut < 5; cut++) {
    const after = new SparseDisk(SECTORS)
    after.write(0, before.read(0, SECTORS))
    const end = rng.below(recorder.log.length)
    recorder.log.slice(0, end).forEach(([lba, bytes], i) => {
      if (i < end - CACHED || rng.below(2) === 0) after.write(lba, bytes)
    })
    checkStore(after, 'yes', NOW + 1)
    const again = checkStore(after, 'no', NOW + 1)
    expect(again.result, again.text).toMatchObject({ changed: false, unresolved: false })
    const fs = Ext2.mount(after, { now: () => NOW, readOnly: true })
    expect(Buffer.compare(fs.readFile('/kept/file'), kept)).toBe(0)
    if (hasE2fsprogs && cut === 0) {
      const { status, output } = e2fsck(after)
      expect(status, output).toBe(0)
    }
  }
})
