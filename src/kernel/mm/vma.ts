/**
 * Memory that a process maps (Linux: struct vm_area_struct). Processes of module kernels share the domain's one page map: an area's address is
 * a real one, so that a hypercall's pointer into it is understood by Xen. A process reaches it by `load` and `store` (abi/posix/syscalls.ts)
 * alone, which look whether it is its own.
 */
import type { Mfn, Vaddr } from '#abi/xen/types.ts'
import type { File } from '../vfs/file.ts'

export interface Vma {
  readonly start: Vaddr
  readonly pages: number
  readonly writable: boolean
  /** mmap's offset, in bytes. */
  readonly offset: number
  readonly file: File | undefined
  /** What of it leads to a frame. */
  readonly mapped: readonly boolean[]
  /**
   * Let page `index` lead to `mfn`, a frame of domain `domid` (DOMID_SELF: ours), by update_va_mapping(_otherdomain). A negative errno where Xen refuses.
   * munmap and the process's end undo it.
   */
  insert(index: number, mfn: Mfn, domid: number): number
  /** For a driver that maps by hypercalls of its own: page `index` leads to something from now on, or no longer. Until then load and store there are EFAULT. */
  setMapped(index: number, mapped: boolean): void
  /** vm_private_data: whatever the driver keeps for it. */
  data: unknown
  /** Set by a driver whose pages are not mapped by `insert` (grant mappings): called at munmap and at the process's end, before its addresses are given to others. */
  unmap?: () => void
}
