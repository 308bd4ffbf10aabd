import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { EINVAL, ENODEV, ENOENT, ENOMEM, ENOSPC, ENOTTY } from '#abi/posix/errno.ts'
import { O_RDWR } from '#abi/posix/fcntl.ts'
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR,
  IOCTL_GNTDEV_MAP_GRANT_REF,
  IOCTL_GNTDEV_SET_MAX_GRANTS,
  IOCTL_GNTDEV_UNMAP_GRANT_REF,
  ioctl_gntdev_get_offset_for_vaddr,
  ioctl_gntdev_map_grant_ref,
} from '#abi/xen/sys/gntdev.ts'
import { type Gpfn, PAGE_SIZE } from '#abi/xen/types.ts'
import { fakeGrants, LOOPBACK_DOMID } from '#testing/fake-grants.ts'
import { kernelRig, rootOf } from '#testing/kernel-rig.ts'
import { inProcess, vfsParts } from '#testing/vfs-rig.ts'
import type { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'
import { Errno } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { gntdevInit } from './gntdev.ts'
import { gnttabInit } from './gnttab.ts'

const errnoOf = (work: () => unknown): number => {
  try {
    work()
    return 0
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    return error.errno
  }
}

function withGrants(body: (kernel: Kernel, fake: ReturnType<typeof fakeGrants>) => void, frames = 4): void {
  kernelRig({ pages: 8192 }).run(function* (kernel) {
    const fake = fakeGrants(kernel, frames)
    yield* gnttabInit(kernel)
    body(kernel, fake)
  })
}
const frameOf = (kernel: Kernel, text: string): Gpfn => {
  const pfn = kernel.pages.allocNow('kernel')!
  kernel.mem.copyIn(
    kernel.pages.va(pfn),
    Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
  )
  return pfn
}

describe('the table', () => {
  test('begins with one frame, less what is reserved, and grows to its end', () =>
    withGrants((kernel, fake) => {
      const grants = kernel.grants!
      expect([fake.frames, grants.free]).toEqual([1, 2048 - 8])
      const pfn = frameOf(kernel, 'x')
      const refs = Array.from({ length: 2040 }, () => grants.grantAccess(LOOPBACK_DOMID, pfn, false))
      expect(refs.slice(0, 3)).toEqual([8, 9, 10])
      expect(new Set(refs).size).toBe(2040)
      expect([fake.frames, grants.free]).toEqual([4, 0])
      expect(errnoOf(() => grants.grantAccess(LOOPBACK_DOMID, pfn, false))).toBe(ENOSPC)
      for (const ref of refs) expect(grants.endAccess(ref)).toBe(true)
      expect(grants.free).toBe(2040)
    }))

  test('a hypervisor without grant tables leaves the kernel without', () => {
    kernelRig({ pages: 4096 }).run(function* (kernel) {
      yield* gnttabInit(kernel)
      expect(kernel.grants).toBeUndefined()
    })
  })
})

describe('mapping', () => {
  test('several, one behind the other, read-only or not', () =>
    withGrants((kernel, fake) => {
      const grants = kernel.grants!
      const { mem } = kernel
      const pages = [frameOf(kernel, 'one'), frameOf(kernel, 'two'), frameOf(kernel, 'three')]
      const refs = pages.map((pfn) => grants.grantAccess(LOOPBACK_DOMID, pfn, false))
      const mapping = grants.map(LOOPBACK_DOMID, refs, false)
      expect(mapping.mfns).toEqual(pages.map((pfn) => kernel.pages.mfn(pfn)))
      expect(String.fromCharCode(...mem.copyOut(mapping.va + 2 * PAGE_SIZE, 5))).toBe('three')
      mem.write8(mapping.va + PAGE_SIZE, 84)
      expect(mem.read8(kernel.pages.va(pages[1]!))).toBe(84)
      expect(grants.endAccess(refs[0]!)).toBe(false)
      mapping.unmap()
      mapping.unmap()
      expect(fake.mapped).toBe(0)
      const readOnly = grants.map(LOOPBACK_DOMID, refs, true)
      expect(() => mem.write8(readOnly.va, 1)).toThrow('page fault')
      readOnly.unmap()
      for (const ref of refs) expect(grants.endAccess(ref)).toBe(true)
    }))

  test('all or none', () =>
    withGrants((kernel, fake) => {
      const grants = kernel.grants!
      const ref = grants.grantAccess(LOOPBACK_DOMID, frameOf(kernel, 'x'), true)
      expect(errnoOf(() => grants.map(LOOPBACK_DOMID, [ref, ref, 7], true))).toBe(EINVAL)
      expect(errnoOf(() => grants.map(LOOPBACK_DOMID, [ref], false))).toBe(EINVAL)
      expect(errnoOf(() => grants.map(77, [ref], true))).toBe(EINVAL)
      expect(fake.mapped).toBe(0)
      expect(grants.endAccess(ref)).toBe(true)
    }))

  test('as many as there is room for, and room again', () =>
    withGrants((kernel, fake) => {
      const grants = kernel.grants!
      const ref = grants.grantAccess(LOOPBACK_DOMID, frameOf(kernel, 'x'), false)
      const maps = Array.from({ length: 40 }, () => grants.map(LOOPBACK_DOMID, new Array(100).fill(ref), true))
      expect(errnoOf(() => grants.map(LOOPBACK_DOMID, new Array(100).fill(ref), true))).toBe(ENOMEM)
      for (const [i, mapping] of maps.entries()) if (i % 2 === 0) mapping.unmap()
      expect(grants.map(LOOPBACK_DOMID, new Array(100).fill(ref), true).pages).toBe(100)
      expect(errnoOf(() => grants.map(LOOPBACK_DOMID, new Array(300).fill(ref), true))).toBe(ENOMEM)
      expect(fake.mapped).toBe(2100)
    }))

  test('what is still mapped there ends when it is not', () => {
    const rig = kernelRig({ pages: 8192 })
    rig.run(function* (kernel) {
      fakeGrants(kernel)
      yield* gnttabInit(kernel)
      const grants = kernel.grants!
      const ref = grants.grantAccess(LOOPBACK_DOMID, frameOf(kernel, 'x'), false)
      const mapping = grants.map(LOOPBACK_DOMID, [ref], false)
      let ended = 0
      grants.endAccessLater(ref, () => ended++)
      yield* kernel.sched.sleepFor(5e9)
      expect(ended).toBe(0)
      expect(grants.grantAccess(LOOPBACK_DOMID, 700 as Gpfn, true)).not.toBe(ref)
      mapping.unmap()
      yield* kernel.sched.sleepFor(2e9)
      expect(ended).toBe(1)
      expect(kernel.log.text()).toContain('WARNING: g.e. still in use!\n')
    })
  })
})

describe('/dev/xen/gntdev', () => {
  /** A process, and references 8, 9, 10 of frames that say so. */
  function gntdev(body: (fd: number, fake: ReturnType<typeof fakeGrants>) => Sys<void>): void {
    const rig = kernelRig({ pages: 8192, parts: vfsParts() })
    let fake: ReturnType<typeof fakeGrants> | undefined
    rig.root = rig.run(function* (kernel) {
      fake = fakeGrants(kernel)
      yield* gnttabInit(kernel)
      yield* gntdevInit(kernel)
      for (const text of ['eight', 'nine', 'ten'])
        kernel.grants!.grantAccess(LOOPBACK_DOMID, frameOf(kernel, text), false)
      return rootOf(yield* kernel.vfs.mountRoot('none', ['tmpfs'], 0))
    })
    inProcess(rig, function* () {
      yield* c.mknod('/gntdev', 0o020600, 254 << 8)
      yield* body(yield* c.open('/gntdev', O_RDWR, 0), fake!)
    })
    expect(fake!.mapped).toBe(0)
  }
  const errno = function* (work: Sys<unknown>): Sys<number> {
    try {
      yield* work
      return 0
    } catch (error) {
      return (error as OsError).errno
    }
  }
  function mapArg(refs: readonly (readonly [number, number])[], count = refs.length): Uint8Array {
    const bytes = new Uint8Array(16 + 8 * refs.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, count, true)
    refs.forEach(([domid, ref], i) => {
      view.setUint32(16 + 8 * i, domid, true)
      view.setUint32(20 + 8 * i, ref, true)
    })
    return bytes
  }
  const indexOf = (bytes: number | Uint8Array): number =>
    Number(ioctl_gntdev_map_grant_ref.fields.index.get(memOf(bytes as Uint8Array), 0))
  function unmapArg(index: number, count: number): Uint8Array {
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, BigInt(index), true)
    view.setUint32(8, count, true)
    return bytes
  }

  test('named, mapped, read, written, asked for, unmapped, forgotten', () =>
    gntdev(function* (fd, fake) {
      const index = indexOf(
        yield* c.ioctl(
          fd,
          IOCTL_GNTDEV_MAP_GRANT_REF,
          mapArg([
            [0, 8],
            [0, 10],
          ]),
        ),
      )
      const va = yield* c.mmap(2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, index)
      expect(fake.mapped).toBe(2)
      expect(String.fromCharCode(...(yield* c.load(va + PAGE_SIZE, 3)))).toBe('ten')
      yield* c.store(va, Uint8Array.of(69))
      const asked = new Uint8Array(24)
      ioctl_gntdev_get_offset_for_vaddr.write(memOf(asked), 0, { vaddr: va })
      const answer = (yield* c.ioctl(fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, asked)) as Uint8Array
      expect(ioctl_gntdev_get_offset_for_vaddr.read(memOf(answer), 0)).toMatchObject({
        offset: BigInt(index),
        count: 2,
      })
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, unmapArg(index, 2)))).toBe(EINVAL)
      yield* c.munmap(va, 2 * PAGE_SIZE)
      expect(fake.mapped).toBe(0)
      yield* c.ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, unmapArg(index, 2))
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, unmapArg(index, 2)))).toBe(ENOENT)
    }))

  test("a process's end unmaps what it has left", () =>
    gntdev(function* (fd) {
      const index = indexOf(yield* c.ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, mapArg([[0, 9]])))
      yield* c.mmap(PAGE_SIZE, PROT_READ, MAP_SHARED, fd, index)
      yield* c.close(fd)
    }))

  test('refusals', () =>
    gntdev(function* (fd) {
      const map = (bytes: Uint8Array): Sys<number> => errno(c.ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, bytes))
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_SET_MAX_GRANTS, Uint8Array.of(0, 0, 0, 0)))).toBe(EINVAL)
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_SET_MAX_GRANTS, Uint8Array.of(1, 4, 0, 0)))).toBe(EINVAL)
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_SET_MAX_GRANTS, Uint8Array.of(2, 0, 0, 0)))).toBe(0)
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_SET_MAX_GRANTS, Uint8Array.of(2, 0, 0, 0)))).toBe(EINVAL)
      expect(yield* map(mapArg([], 0))).toBe(EINVAL)
      expect(yield* map(mapArg([[0, 8]], 2))).toBe(EINVAL)
      expect(yield* map(new Uint8Array(3))).toBe(EINVAL)
      expect(
        yield* map(
          mapArg([
            [0, 8],
            [0, 8],
            [0, 8],
          ]),
        ),
      ).toBe(ENOMEM)
      expect(
        yield* map(
          mapArg([
            [0, 8],
            [0, 4000],
          ]),
        ),
      ).toBe(0)
      expect(yield* map(mapArg([[0, 8]]))).toBe(ENOMEM)
      const mmap = (pages: number, offset: number): Sys<number> =>
        errno(c.mmap(pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset))
      expect(yield* mmap(2, 0)).toBe(ENOMEM)
      expect(yield* mmap(3, 0)).toBe(EINVAL)
      expect(yield* mmap(1, 2 * PAGE_SIZE)).toBe(EINVAL)
      expect(yield* mmap(1, 0)).toBe(0)
      expect(yield* mmap(1, 0)).toBe(EINVAL)
      expect(yield* errno(c.mmap(PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, PAGE_SIZE))).not.toBe(ENODEV)
      expect(yield* errno(c.ioctl(fd, 0x1234, 0))).toBe(ENOTTY)
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, new Uint8Array(24)))).toBe(EINVAL)
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, unmapArg(100, 1)))).toBe(EINVAL)
      expect(yield* errno(c.ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, unmapArg(PAGE_SIZE, 0)))).toBe(ENOENT)
    }))
})
