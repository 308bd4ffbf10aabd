/**
 * Mirrors linux/include/xen/public/privcmd.h: what /proc/xen/privcmd does. Pointers are addresses of what the process has mapped.
 */
import { struct, u16, u32, u64 } from '../../struct.ts'
import { vaddr } from '../types.ts'

export const IOCTL_PRIVCMD_HYPERCALL = 0x305000
export const IOCTL_PRIVCMD_MMAP = 0x105002
export const IOCTL_PRIVCMD_MMAPBATCH = 0x185003

/** The ioctl's result is the hypercall's; a negative one is the call's errno. */
export const privcmd_hypercall = struct('privcmd_hypercall', 48, {
  op: u64(0),
  arg0: u64(8),
  arg1: u64(16),
  arg2: u64(24),
  arg3: u64(32),
  arg4: u64(40),
})

/** `entry`: a list of privcmd_mmap_entry. */
export const privcmd_mmap = struct('privcmd_mmap', 16, { num: u32(0), dom: u16(4), entry: vaddr(8) })
export const privcmd_mmap_entry = struct('privcmd_mmap_entry', 24, { va: vaddr(0), mfn: u64(8), npages: u64(16) })

/** `arr`: `num` frame numbers (u64) to be mapped from `addr` on, which lies in an area of the same file. One that cannot be mapped gets 0xf in bits 28 to 31. */
export const privcmd_mmapbatch = struct('privcmd_mmapbatch', 32, {
  num: u32(0),
  dom: u16(4),
  addr: vaddr(8),
  arr: vaddr(16),
})
