/** Power fails after any number of sectors: what was synced is whole when e2fsck has been over the disk, and the disk is sound. */
import { expect, test } from 'vitest'
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { createRng } from '#lib/prng.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { e2fsck, e2fsckRepair, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { ext2Rig, freshExt2, inProcess } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'

const FILES = 24

/** A file's contents tell its name and generation, over and over. */
const contents = (name: string, generation: number, length: number): Uint8Array =>
  bytesOfString(`${name}:${generation};`.repeat(Math.ceil(length / (name.length + 4))).slice(0, length))

interface Synced {
  readonly generation: number
  readonly length: number
}

/** Files come, change by being written anew and renamed over, and go; now and then all is synced. `synced` has what must survive. */
function* workload(seed: number, operations: number, synced: Map<string, Synced>, volatile: Set<string>): Sys<void> {
  const dice = createRng(seed)
  const below = (n: number): number => dice.below(n)
  const now = new Map<string, Synced>()
  for (const dir of ['/a', '/b', '/a/c']) yield* c.mkdir(dir, 0o755)
  for (let generation = 0; generation < operations; generation++) {
    const number = below(FILES)
    const name = `${['/a', '/b', '/a/c'][number % 3]}/file${number}`
    const length = [10, 3000, 20_000, 70_000][below(4)]!
    volatile.add(name)
    const what = below(10)
    if (what < 6) {
      const fd = yield* c.open(`${name}.new`, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
      yield* c.write(fd, contents(name, generation, length))
      if (what < 3) yield* c.fsync(fd)
      yield* c.close(fd)
      yield* c.rename(`${name}.new`, name)
      now.set(name, { generation, length })
    } else if (what < 8) {
      if (now.delete(name)) yield* c.unlink(name)
    } else {
      yield* c.sync()
      synced.clear()
      for (const [key, value] of now) synced.set(key, value)
      volatile.clear()
    }
  }
}

/** Look at the disk without a kernel. */
function survivors(store: SparseDisk, synced: ReadonlyMap<string, Synced>, volatile: ReadonlySet<string>): string[] {
  const wrong: string[] = []
  const fs = Ext2.mount(store, { now: () => 0, readOnly: true })
  for (const [name, { generation, length }] of synced) {
    if (volatile.has(name)) continue
    try {
      const bytes = fs.readFile(name)
      if (Buffer.compare(bytes, contents(name, generation, length)) !== 0) wrong.push(`${name} is not what was synced`)
    } catch (error) {
      wrong.push(`${name}: ${String(error)}`)
    }
  }
  return wrong
}

function written(seed: number, cutAfter: number, blockBytes: number) {
  const store = freshExt2(16384, blockBytes)
  const { rig, disk } = ext2Rig(store)
  disk.cutAfter = cutAfter
  const synced = new Map<string, Synced>()
  const volatile = new Set<string>()
  // What was synced counts only if the power was still there.
  const held = new Map<string, Synced>()
  let heldVolatile = new Set<string>()
  inProcess(rig, function* () {
    const steps = workload(seed, 60, synced, volatile)
    let result: unknown
    for (;;) {
      const { done, value } = steps.next(result)
      if (done) return
      if (disk.written < cutAfter) {
        held.clear()
        for (const [key, value] of synced) held.set(key, value)
        heldVolatile = new Set(volatile)
      } else for (const name of volatile) heldVolatile.add(name)
      result = yield value
    }
  })
  return { store, disk, held, heldVolatile }
}

test.skipIf(!hasE2fsprogs).each([
  [1, 1024],
  [2, 4096],
])(
  'power cuts, seed %i, blocks of %i bytes',
  (seed, blockBytes) => {
    const whole = written(seed, Number.POSITIVE_INFINITY, blockBytes)
    const total = whole.disk.written
    expect(survivors(whole.store, whole.held, whole.heldVolatile)).toEqual([])
    const dice = createRng(seed).fork('cuts')
    for (let i = 0; i < 12; i++) {
      const { store, held, heldVolatile } = written(seed, dice.below(total), blockBytes)
      const repaired = e2fsckRepair(store)
      expect(repaired.status, repaired.output).toBeLessThan(4)
      expect(e2fsck(store).status).toBe(0)
      expect(survivors(store, held, heldVolatile)).toEqual([])
    }
  },
  120_000,
)

test('refusals have their errno', () => {
  const store = freshExt2(4096, 1024)
  const { rig } = ext2Rig(store)
  inProcess(rig, function* () {
    const errno = function* (work: Sys<unknown>): Sys<number> {
      try {
        yield* work
        return 0
      } catch (error) {
        if (error instanceof OsError) return error.errno
        throw error
      }
    }
    yield* c.mkdir('/d', 0o755)
    yield* c.mkdir('/d/e', 0o755)
    const rows: (readonly [Sys<unknown>, number])[] = [
      [c.open('/none', O_RDONLY, 0), 2],
      [c.mkdir('/d', 0o755), 17],
      [c.rmdir('/d'), 39],
      [c.unlink('/d'), 21],
      [c.rename('/d', '/d/e/f'), 22],
      [c.open('/d', O_WRONLY, 0), 21],
      [c.open('/d/e/f/g', O_RDONLY, 0), 2],
      [c.symlink('x'.repeat(1024), '/l'), 36],
      [c.open(`/${'n'.repeat(256)}`, O_RDONLY, 0), 36],
      [c.rmdir('/d/.'), 22],
      [c.link('/d', '/h'), 1],
    ]
    for (const [work, wanted] of rows) expect(yield* errno(work)).toBe(wanted)
    // A disk of two megabytes fills up; what fitted stays.
    const fd = yield* c.open('/big', O_WRONLY | O_CREAT, 0o644)
    let bytes = 0
    let full = 0
    while (full === 0) {
      try {
        bytes += yield* c.write(fd, new Uint8Array(50_000))
      } catch (error) {
        full = (error as OsError).errno
      }
    }
    expect(full).toBe(28)
    expect((yield* c.stat('/big')).size).toBe(bytes)
    expect((yield* c.statfs('/')).bfree).toBe(0)
    yield* c.unlink('/big')
    yield* c.close(fd)
    yield* c.mkdir('/again', 0o755)
    yield* c.sync()
  })
  if (hasE2fsprogs) expect(e2fsck(store).output).not.toMatch(/Fix|Clear|corrupt/)
})
