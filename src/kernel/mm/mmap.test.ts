import { describe, expect, test } from 'vitest'
import { EACCES, EAGAIN, EBADF, EFAULT, EINVAL, ENODEV, ENOMEM } from '#abi/posix/errno.ts'
import { O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } from '#abi/posix/fcntl.ts'
import {
  MAP_ANONYMOUS,
  MAP_LOCKED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from '#abi/posix/mman.ts'
import { RLIMIT_AS } from '#abi/posix/resource.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import type { KernelRig } from '#testing/kernel-rig.ts'
import { inProcess, tmpfsRig } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'

const RW = PROT_READ | PROT_WRITE
const PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS

function* errnoOf(call: Sys<unknown>): Sys<number> {
  try {
    yield* call
    return 0
  } catch (error) {
    if (error instanceof OsError) return error.errno
    throw error
  }
}

const errno = (rig: KernelRig, call: () => Sys<unknown>): number => inProcess(rig, () => errnoOf(call()))
const anonymous = (pages: number, prot = RW) => c.mmap(pages * PAGE_SIZE, prot, PRIVATE, -1, 0)
const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)

describe('anonymous memory', () => {
  const rig = tmpfsRig()

  test('is zero, keeps what is stored, and lies at an address that Xen understands', () => {
    const seen = inProcess(rig, function* () {
      const at = yield* c.mmap(2 * PAGE_SIZE - 1, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED, -1, 0)
      const fresh = yield* c.load(at, 2 * PAGE_SIZE)
      yield* c.store(at + PAGE_SIZE - 2, bytes(1, 2, 3, 4))
      return { at, zero: fresh.every((byte) => byte === 0), stored: yield* c.load(at + PAGE_SIZE - 3, 6) }
    })
    expect(seen).toEqual({ at: 0x2aaaaaaab000, zero: true, stored: bytes(0, 1, 2, 3, 4, 0) })
  })

  test('frames are counted while it is mapped, and given back at munmap, exec and exit', () => {
    const before = { ...rig.kernel.pages.used }
    inProcess(rig, function* () {
      const own = rig.kernel.pages.used.anon
      const at = yield* anonymous(10)
      expect(rig.kernel.pages.used.anon).toBe(own + 10)
      yield* c.munmap(at, 4 * PAGE_SIZE)
      expect(rig.kernel.pages.used.anon).toBe(own + 6)
      expect(yield* anonymous(4)).toBe(at)
    })
    expect(rig.kernel.pages.used).toEqual(before)
  })

  test('munmap of a middle leaves both ends', () => {
    const seen = inProcess(rig, function* () {
      const at = yield* anonymous(5)
      yield* c.store(at, bytes(1))
      yield* c.store(at + 4 * PAGE_SIZE, bytes(5))
      yield* c.munmap(at + PAGE_SIZE, 3 * PAGE_SIZE)
      return [
        yield* errnoOf(c.load(at + PAGE_SIZE, 1)),
        yield* errnoOf(c.load(at + PAGE_SIZE - 1, 2)),
        (yield* c.load(at, 1))[0],
        (yield* c.load(at + 4 * PAGE_SIZE, 1))[0],
      ]
    })
    expect(seen).toEqual([EFAULT, EFAULT, 1, 5])
  })

  test('a forked child sees what its parent maps, and the last of them gives it back', () => {
    const before = rig.kernel.pages.used.anon
    inProcess(rig, function* () {
      const [reader, writer] = yield* c.pipe()
      yield* c.fork(function* () {
        yield* c.read(reader, 1)
        yield* c.store(at, bytes(7))
        return 0
      })
      const at = yield* anonymous(1)
      yield* c.write(writer, bytes(1))
      yield* c.wait4(-1, 0)
      expect((yield* c.load(at, 1))[0]).toBe(7)
      // The parent goes first.
      yield* c.fork(function* () {
        yield* c.close(writer)
        yield* c.read(reader, 1)
        yield* c.store(at, bytes(8))
        return 0
      })
    })
    rig.settle()
    expect(rig.kernel.pages.used.anon).toBe(before)
  })

  test('a program that is executed begins with none, and gets none of its parent', () => {
    const seen: number[] = []
    inProcess(rig, function* () {
      const at = yield* anonymous(1)
      const fd = yield* c.open('/program', O_CREAT | O_WRONLY, 0o755)
      const image = rig.programFile(function* () {
        seen.push(yield* errnoOf(c.load(at, 1)), yield* errnoOf(c.store(at, bytes(1))))
        yield* c.munmap(at, PAGE_SIZE)
        seen.push((yield* anonymous(1)) === at ? 1 : 0)
        return 0
      })
      yield* c.write(fd, image)
      yield* c.close(fd)
      const pid = yield* c.fork(function* () {
        yield* c.execve('/program', [], [])
        return 1
      })
      yield* c.wait4(pid, 0)
      seen.push((yield* c.load(at, 1))[0]!)
    })
    expect(seen).toEqual([EFAULT, EFAULT, 0, 0])
  })
})

describe('is refused', () => {
  const rig = tmpfsRig()

  test.each<[string, number, () => Sys<unknown>]>([
    ['no length', EINVAL, () => c.mmap(0, RW, PRIVATE, -1, 0)],
    ['a negative length', ENOMEM, () => c.mmap(-1, RW, PRIVATE, -1, 0)],
    ['more than there is', ENOMEM, () => c.mmap(1e12, RW, PRIVATE, -1, 0)],
    ['more than addresses', ENOMEM, () => c.mmap(Number.MAX_SAFE_INTEGER, RW, PRIVATE, -1, 0)],
    ['neither shared nor private', EINVAL, () => c.mmap(1, RW, MAP_ANONYMOUS, -1, 0)],
    ['both', EINVAL, () => c.mmap(1, RW, MAP_SHARED | PRIVATE, -1, 0)],
    ['an odd offset', EINVAL, () => c.mmap(1, RW, PRIVATE, -1, 1)],
    ['no such descriptor', EBADF, () => c.mmap(1, RW, MAP_SHARED, 99, 0)],
    ['munmap of an odd address', EINVAL, () => c.munmap(0x2aaaaaaab001, 1)],
    ['munmap of nothing', EINVAL, () => c.munmap(0x2aaaaaaab000, 0)],
    ['munmap of the kernel', EINVAL, () => c.munmap(-0x80000000, 4096)],
    ['load of the kernel', EFAULT, () => c.load(-0x80000000, 1)],
    ['load of nothing mapped', EFAULT, () => c.load(0x2aaaaaaab000, 1)],
    ['load of less than nothing', EFAULT, () => c.load(0x2aaaaaaab000, -1)],
    ['load of all there is', EFAULT, () => c.load(0, Number.MAX_SAFE_INTEGER)],
    ['store at nothing mapped', EFAULT, () => c.store(0x2aaaaaaab000, bytes(1))],
  ])('%s', (_name, expected, call) => {
    expect(errno(rig, call)).toBe(expected)
  })

  test.each<[string, number, number, number, number]>([
    ['a regular file', O_RDWR, PROT_READ, MAP_SHARED, ENODEV],
    ['what is open for writing alone', O_WRONLY, PROT_READ, MAP_PRIVATE, EACCES],
    ['writing through what is open for reading', O_RDONLY, RW, MAP_SHARED, EACCES],
  ])('%s', (_name, open, prot, flags, expected) => {
    const seen = inProcess(rig, function* () {
      const fd = yield* c.open('/file', open | O_CREAT, 0o644)
      return yield* errnoOf(c.mmap(4096, prot, flags, fd, 0))
    })
    expect(seen).toBe(expected)
  })

  test('what its rights do not allow', () => {
    const seen = inProcess(rig, function* () {
      const none = yield* anonymous(1, PROT_NONE)
      const read = yield* anonymous(1, PROT_READ)
      return [
        yield* errnoOf(c.load(none, 1)),
        yield* errnoOf(c.store(none, bytes(1))),
        yield* errnoOf(c.load(read, 1)),
        yield* errnoOf(c.store(read, bytes(1))),
        yield* errnoOf(c.load(read + PAGE_SIZE - 1, 2)),
      ]
    })
    expect(seen).toEqual([EFAULT, EFAULT, 0, EFAULT, EFAULT])
  })

  test('beyond RLIMIT_AS; and for others than root beyond RLIMIT_MEMLOCK', () => {
    const seen = inProcess(rig, function* () {
      yield* c.setuid(500)
      const locked = [yield* errnoOf(c.mmap(8 * PAGE_SIZE, RW, PRIVATE | MAP_LOCKED, -1, 0))]
      locked.push(yield* errnoOf(c.mmap(PAGE_SIZE, RW, PRIVATE | MAP_LOCKED, -1, 0)))
      yield* c.setrlimit(RLIMIT_AS, 100 * PAGE_SIZE, 100 * PAGE_SIZE)
      return [...locked, yield* errnoOf(anonymous(100))]
    })
    expect(seen).toEqual([0, EAGAIN, ENOMEM])
  })
})
