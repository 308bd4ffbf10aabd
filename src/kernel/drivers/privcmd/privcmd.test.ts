import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { EACCES, EFAULT, EINVAL, ENOSYS, ESRCH } from '#abi/posix/errno.ts'
import { O_RDWR } from '#abi/posix/fcntl.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  IOCTL_PRIVCMD_HYPERCALL,
  IOCTL_PRIVCMD_MMAP,
  IOCTL_PRIVCMD_MMAPBATCH,
  privcmd_hypercall,
  privcmd_mmap,
  privcmd_mmap_entry,
  privcmd_mmapbatch,
} from '#abi/xen/sys/privcmd.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
  __HYPERVISOR_xen_version,
} from '#abi/xen/xen.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { inProcess } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'

const RW = PROT_READ | PROT_WRITE
const DOMID = 5
const DOMCTL = 36
/** Machine frames of the other domain. */
const FOREIGN = 0x500

/** The other domain's frames are shown as frames of our own, since the rig has no others. */
function rigWithGuest() {
  const rig = bootedRig()
  const { hypercalls, vcpu } = rig.xen
  const stand = [0, 1, 2, 3].map(() => rig.kernel.pages.mfn(rig.kernel.pages.allocNow('anon')!))
  const mapped = new Set<number>()
  hypercalls.set(__HYPERVISOR_update_va_mapping_otherdomain, (va = 0, pte = 0, flags = 0, domid = 0) => {
    if (domid !== DOMID) return -ESRCH
    const mfn = stand[Math.floor(pte / PAGE_SIZE) - FOREIGN]
    if (mfn === undefined) return -EINVAL
    mapped.add(va)
    return vcpu.hypercall(__HYPERVISOR_update_va_mapping, va, mfn * PAGE_SIZE + (pte % PAGE_SIZE), flags)
  })
  hypercalls.set(__HYPERVISOR_update_va_mapping, (va = 0, pte = 0) => {
    if (pte === 0) mapped.delete(va)
    return undefined
  })
  hypercalls.set(DOMCTL, (...args) => args.reduce((sum, arg) => sum + arg, 0))
  return { rig, mapped }
}

const pack = <V>(
  struct: { size: number; write(mem: ReturnType<typeof memOf>, at: number, values: V): void },
  values: V,
) => {
  const bytes = new Uint8Array(struct.size)
  struct.write(memOf(bytes), 0, values)
  return bytes
}

function* openPrivcmd(): Sys<number> {
  yield* c.mount('none', '/proc', 'proc', 0, '')
  return yield* c.open('/proc/xen/privcmd', O_RDWR, 0)
}

function* errnoOf(call: Sys<unknown>): Sys<number> {
  try {
    yield* call
    return 0
  } catch (error) {
    if (error instanceof OsError) return error.errno
    throw error
  }
}

/** Stores frame numbers; where. */
function* frameList(frames: readonly number[]): Sys<number> {
  const at = yield* c.mmap(PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  yield* c.store(at, new Uint8Array(BigUint64Array.from(frames.map(BigInt)).buffer))
  return at
}

const batch = (fd: number, num: number, addr: number, arr: number, dom = DOMID) =>
  c.ioctl(fd, IOCTL_PRIVCMD_MMAPBATCH, pack(privcmd_mmapbatch, { num, dom, addr, arr }))

describe('a hypercall', () => {
  const call = (fd: number, op: number, ...args: number[]) => {
    const [arg0 = 0n, arg1 = 0n, arg2 = 0n, arg3 = 0n, arg4 = 0n] = args.map(BigInt)
    const values = { op: BigInt(op), arg0, arg1, arg2, arg3, arg4 }
    return c.ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, pack(privcmd_hypercall, values))
  }

  test("gets its arguments as they are, and its result is the call's", () => {
    const seen = inProcess(rigWithGuest().rig, function* () {
      const fd = yield* openPrivcmd()
      return [
        yield* call(fd, __HYPERVISOR_xen_version, 0),
        yield* call(fd, DOMCTL, 1, 2, 3, 4, 0x2aaaaaaab000),
        yield* errnoOf(call(fd, 63)),
        yield* errnoOf(call(fd, 128)),
        yield* errnoOf(c.ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, 0)),
        yield* errnoOf(c.ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, new Uint8Array(47))),
        yield* errnoOf(c.ioctl(fd, 0x5401, 0)),
      ]
    })
    expect(seen).toEqual([0x30003, 0x2aaaaaaab00a, ENOSYS, ENOSYS, EFAULT, EFAULT, EINVAL])
  })

  test("is root's", () => {
    const seen = inProcess(rigWithGuest().rig, function* () {
      yield* c.mount('none', '/proc', 'proc', 0, '')
      yield* c.setuid(500)
      return yield* errnoOf(c.open('/proc/xen/privcmd', O_RDWR, 0))
    })
    expect(seen).toBe(EACCES)
  })
})

describe("another domain's frames", () => {
  test('are read and written through MMAPBATCH, those that fail are marked, and all goes with the area', () => {
    const { rig, mapped } = rigWithGuest()
    const seen = inProcess(rig, function* () {
      const fd = yield* openPrivcmd()
      const arr = yield* frameList([FOREIGN + 1, 0x7fff, FOREIGN])
      const at = yield* c.mmap(3 * PAGE_SIZE, RW, MAP_SHARED, fd, 0)
      const before = yield* errnoOf(c.load(at, 1))
      yield* batch(fd, 3, at, arr)
      yield* c.store(at + 8, Uint8Array.of(9))
      // The same frame a second time.
      const again = yield* c.mmap(PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0)
      yield* batch(fd, 1, again, yield* frameList([FOREIGN + 1]))
      const marks = new BigUint64Array((yield* c.load(arr, 24)).slice().buffer)
      const counts = [mapped.size]
      yield* c.munmap(again, PAGE_SIZE)
      counts.push(mapped.size)
      return {
        before,
        marks: [...marks],
        hole: yield* errnoOf(c.load(at + PAGE_SIZE, 1)),
        across: yield* errnoOf(c.load(at + PAGE_SIZE - 1, 2)),
        counts,
      }
    })
    expect(seen).toEqual({
      before: EFAULT,
      marks: [BigInt(FOREIGN + 1), 0xf0007fffn, BigInt(FOREIGN)],
      hole: EFAULT,
      across: EFAULT,
      counts: [3, 2],
    })
    expect(mapped.size).toBe(0)
  })

  test('through MMAP, one stretch after the other', () => {
    const seen = inProcess(rigWithGuest().rig, function* () {
      const fd = yield* openPrivcmd()
      const list = yield* c.mmap(PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      const mmap = function* (entries: readonly (readonly [va: number, mfn: number, npages: number])[]): Sys<number> {
        for (const [i, [va, mfn, npages]] of entries.entries()) {
          const entry = pack(privcmd_mmap_entry, { va, mfn: BigInt(mfn), npages: BigInt(npages) })
          yield* c.store(list + i * privcmd_mmap_entry.size, entry)
        }
        const arg = pack(privcmd_mmap, { num: entries.length, dom: DOMID, entry: list })
        return yield* errnoOf(c.ioctl(fd, IOCTL_PRIVCMD_MMAP, arg))
      }
      const area = () => c.mmap(3 * PAGE_SIZE, RW, MAP_SHARED, fd, 0)
      const good = yield* area()
      const results = [
        yield* mmap([
          [good, FOREIGN, 1],
          [good + PAGE_SIZE, FOREIGN + 2, 2],
        ]),
      ]
      yield* c.store(good + PAGE_SIZE, Uint8Array.of(1))
      // Once only.
      results.push(yield* mmap([[good, FOREIGN, 1]]))
      const gap = yield* area()
      results.push(
        yield* mmap([
          [gap, FOREIGN, 1],
          [gap + 2 * PAGE_SIZE, FOREIGN, 1],
        ]),
      )
      const long = yield* area()
      results.push(yield* mmap([[long, FOREIGN, 4]]), yield* mmap([]))
      results.push(yield* mmap([[(yield* area()) + PAGE_SIZE, FOREIGN, 1]]))
      results.push(yield* mmap([[yield* area(), 0x9999, 1]]))
      return results
    })
    expect(seen).toEqual([0, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL])
  })

  test.each<[string, number, (fd: number, area: number, arr: number) => Sys<unknown>]>([
    ["not from the area's beginning", EINVAL, (fd, area, arr) => batch(fd, 2, area + PAGE_SIZE, arr)],
    ['not the whole area', EINVAL, (fd, area, arr) => batch(fd, 1, area, arr)],
    ['more than the area', EINVAL, (fd, area, arr) => batch(fd, 3, area, arr)],
    ['none', EINVAL, (fd, area, arr) => batch(fd, 0, area, arr)],
    ['into anonymous memory', EINVAL, (fd, _area, arr) => batch(fd, 1, arr, arr)],
    ['into the kernel', EINVAL, (fd, _area, arr) => batch(fd, 1, -0x80000000, arr)],
    ['a list that is not there', EFAULT, (fd, area) => batch(fd, 2, area, 0x1000)],
    ['a short argument', EFAULT, (fd) => c.ioctl(fd, IOCTL_PRIVCMD_MMAPBATCH, new Uint8Array(31))],
  ])('are refused: %s', (_name, errno, call) => {
    const seen = inProcess(rigWithGuest().rig, function* () {
      const fd = yield* openPrivcmd()
      const arr = yield* frameList([FOREIGN, FOREIGN])
      const area = yield* c.mmap(2 * PAGE_SIZE, RW, MAP_SHARED, fd, 0)
      return yield* errnoOf(call(fd, area, arr))
    })
    expect(seen).toBe(errno)
  })
})
