import { expect, test } from 'vitest'
import { EINVAL, ENXIO } from '#abi/posix/errno.ts'
import { O_RDONLY, SEEK_SET } from '#abi/posix/fcntl.ts'
import { makedev, S_IFCHR } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { inProcess } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import { close, lseek, mknod, open, read } from '#user/libc/syscall.ts'

function* errnoOf(call: Sys<unknown>): Sys<number> {
  try {
    yield* call
    return 0
  } catch (error) {
    if (error instanceof OsError) return error.errno
    throw error
  }
}

test('/dev/cpu/0/cpuid: the offset is the leaf; whole leaves only; one processor', () => {
  const rig = bootedRig()
  Object.assign(rig.xen.vcpu, { cpuid: (leaf: number) => ({ eax: leaf, ebx: 2, ecx: 3, edx: 0xffffffff }) })
  const seen = inProcess(rig, function* () {
    yield* mknod('/cpuid', S_IFCHR | 0o400, makedev(203, 0))
    yield* mknod('/cpuid1', S_IFCHR | 0o400, makedev(203, 1))
    const fd = yield* open('/cpuid', O_RDONLY, 0)
    const leaves: number[][] = []
    for (const leaf of [0, 4, 0x80000008]) {
      yield* lseek(fd, leaf, SEEK_SET)
      leaves.push([...new Uint32Array((yield* read(fd, 16)).slice().buffer)])
    }
    const short = yield* errnoOf(read(fd, 15))
    yield* close(fd)
    return { leaves, short, none: yield* errnoOf(open('/cpuid1', O_RDONLY, 0)) }
  })
  expect(seen.leaves).toEqual([0, 4, 0x80000008].map((leaf) => [leaf, 2, 3, 0xffffffff]))
  expect([seen.short, seen.none]).toEqual([EINVAL, ENXIO])
})
