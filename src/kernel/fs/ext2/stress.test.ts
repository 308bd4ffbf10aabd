/** Several tasks at once, little memory, disks that fill up: what is read is what was written, and e2fsck finds nothing. */
import { expect, test } from 'vitest'
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } from '#abi/posix/fcntl.ts'
import { MS_RDONLY, MS_REMOUNT } from '#abi/posix/mount.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { ext2Rig, freshExt2, inProcess } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'

const NAMES = 12
const EXPECTED = new Set([1, 2, 17, 20, 21, 22, 28, 31, 39])

/** One task's doings in the directories that all share; its own files it knows by heart. */
function* busy(id: number, dice: Rng, operations: number, wrong: string[]): Sys<number> {
  const own = new Map<string, Uint8Array>()
  for (let i = 0; i < operations; i++) {
    const shared = `/s${dice.below(3)}/n${dice.below(NAMES)}`
    const other = `/s${dice.below(3)}/n${dice.below(NAMES)}`
    const mine = `/s${dice.below(3)}/own${id}-${dice.below(4)}`
    try {
      switch (dice.below(12)) {
        case 0:
          yield* c.mkdir(shared, 0o755)
          break
        case 1:
          yield* c.rmdir(shared)
          break
        case 2:
          yield* c.rename(shared, other)
          break
        case 3:
          yield* c.link(shared, other)
          break
        case 4:
          yield* c.symlink('x'.repeat(dice.below(200) + 1), shared)
          break
        case 5:
          yield* c.unlink(shared)
          break
        case 6:
        case 7:
        case 8: {
          const fd = yield* c.open(mine, O_RDWR | O_CREAT | (dice.below(3) === 0 ? O_TRUNC : 0), 0o644)
          try {
            const before = own.get(mine)
            const size = (yield* c.fstat(fd)).size
            const offset = dice.below(60_000)
            const bytes = dice.bytes(dice.below(20_000) + 1)
            const old = size === 0 ? new Uint8Array(0) : (before ?? new Uint8Array(0))
            yield* c.lseek(fd, offset, 0)
            const written = yield* c.write(fd, bytes)
            const now = new Uint8Array(Math.max(old.length, offset + written))
            now.set(old)
            now.set(bytes.subarray(0, written), offset)
            own.set(mine, now)
          } catch (error) {
            if ((error as OsError).errno === 28 && (yield* c.fstat(fd)).size === 0) own.set(mine, new Uint8Array(0))
            throw error
          } finally {
            yield* c.close(fd)
          }
          break
        }
        case 9: {
          const size = dice.below(50_000)
          yield* c.truncate(mine, size)
          const now = new Uint8Array(size)
          now.set(own.get(mine)!.subarray(0, size))
          own.set(mine, now)
          break
        }
        case 10: {
          const fd = yield* c.open(mine, O_RDONLY, 0)
          const bytes = yield* c.read(fd, 1_000_000)
          yield* c.close(fd)
          if (Buffer.compare(bytes, own.get(mine)!) !== 0) wrong.push(`${mine} at step ${i}`)
          break
        }
        default:
          if (dice.below(4) === 0) yield* c.sync()
          else if (own.delete(mine)) yield* c.unlink(mine)
      }
    } catch (error) {
      if (!(error instanceof OsError) || !EXPECTED.has(error.errno)) {
        wrong.push(`task ${id}, step ${i}: ${String(error)}`)
        return 1
      }
    }
  }
  return 0
}

test.each([
  [1, 1024, 2400, 3072],
  [2, 1024, 40_000, 2400],
  [3, 2048, 20_000, 3072],
  [4, 4096, 40_000, 2400],
])(
  'seed %i, blocks of %i bytes, %i sectors, %i pages of memory',
  (seed, blockBytes, sectors, pages) => {
    const store = freshExt2(sectors, blockBytes)
    const { rig } = ext2Rig(store, 0, pages)
    const wrong: string[] = []
    inProcess(rig, function* () {
      for (let i = 0; i < 3; i++) yield* c.mkdir(`/s${i}`, 0o755)
      const children: number[] = []
      for (let id = 0; id < 4; id++) {
        const dice = createRng(seed).fork(`task${id}`)
        children.push(yield* c.fork(() => busy(id, dice, 250, wrong)))
      }
      for (const pid of children) yield* c.wait4(pid, 0)
      yield* c.mount('', '/', '', MS_REMOUNT | MS_RDONLY, '')
    })
    expect(wrong).toEqual([])
    expect(rig.kernel.log.text()).not.toMatch(/EXT2-fs error|Out of memory/)
    if (!hasE2fsprogs) return
    const { status, output } = e2fsck(store)
    expect(status, output).toBe(0)
  },
  60_000,
)

test('a tool at the device of a file system that is mounted read-only is seen by it', () => {
  const store = freshExt2(4096, 1024)
  const { rig } = ext2Rig(store)
  inProcess(rig, function* () {
    yield* c.mknod('/rda', 0o060600, 240 << 8)
    yield* c.mount('', '/', '', MS_REMOUNT | MS_RDONLY, '')
    const fd = yield* c.open('/rda', O_RDWR, 0)
    // The super block's count of mounts, as a check sets it back.
    yield* c.lseek(fd, 1024 + 52, 0)
    yield* c.write(fd, new Uint8Array([9, 0]))
    yield* c.close(fd)
    yield* c.mount('', '/', '', MS_REMOUNT, '')
    yield* c.sync()
  })
  // One more by the remount.
  expect(store.read(2, 1)[52]).toBe(10)
  expect(store.read(2, 1)[58]! & 1).toBe(0)
  const again = ext2Rig(store).rig
  expect(again.kernel.log.text()).toContain('EXT2-fs warning: mounting unchecked fs, running e2fsck is recommended')
})
