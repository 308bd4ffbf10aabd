/** /dev/cpu/N/cpuid (Linux: arch/i386/kernel/cpuid.c): CPUID as a file of 16 bytes a leaf, EAX to EDX; the offset is the leaf. */
import { EINVAL, ENXIO } from '#abi/posix/errno.ts'
import { minor } from '#abi/posix/stat.ts'
import { fail } from '../../errno.ts'
import type { Initcall } from '../../kernel.ts'
import type { FileOps } from '../../vfs/file.ts'

const CPUID_MAJOR = 203
const LEAF_BYTES = 16

export const cpuidInit: Initcall = function* cpuidInit(kernel) {
  const ops: FileOps = {
    /** One leaf at a time: its offset moves by what was read, and leaves lie one apart. */
    *read(_file, count, offset) {
      if (count % LEAF_BYTES !== 0) return fail(EINVAL)
      const { eax, ebx, ecx, edx } = kernel.vcpu.cpuid(offset)
      return new Uint8Array(Uint32Array.of(eax, ebx, ecx, edx).buffer)
    },
  }
  // All processors are alike, and the first is there in any domain.
  kernel.vfs.registerCharDevice(CPUID_MAJOR, 'cpu/cpuid', function* ({ inode }) {
    return minor(inode.rdev) === 0 ? ops : fail(ENXIO)
  })
}
