/** Where things lie in a 64-bit guest of Linux's (asm-x86_64/page.h, fixmap.h), and hypercalls that take a struct. */
import type { VirtualCpu } from '#abi/xen/guest.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { start_info } from '#abi/xen/xen.ts'

/** __START_KERNEL_map, 0xffffffff80000000: pfn 0 of the boot image's mapping. */
export const START_KERNEL_MAP: Vaddr = -0x80000000
/** PAGE_OFFSET, 0xffff880000000000: the direct map of all frames. */
export const PAGE_OFFSET: Vaddr = -0x780000000000
/** VMALLOC_START, 0xffffc20000000000. */
export const VMALLOC_START: Vaddr = -0x3e0000000000
/** The fixmap's page for shared_info, 0xffffffffff5fd000. */
export const FIX_SHARED_INFO: Vaddr = -0xa03000

/** Fixmap pages of what a domain shares with its daemons: the ring to xenstored, the console's. */
export const FIX_STORE: Vaddr = FIX_SHARED_INFO + 0x1000
export const FIX_CONSOLE: Vaddr = FIX_SHARED_INFO + 0x2000

/** The boot stack's page, of which a kernel that has no stack makes its hypercalls' buffer. It is mapped from the start. */
export function bootStack({ mem, startInfo }: VirtualCpu): Vaddr {
  const { pt_base, nr_pt_frames } = start_info.fields
  return pt_base.get(mem, startInfo) + nr_pt_frames.get(mem, startInfo) * PAGE_SIZE
}

/** Multicalls' lists lie behind the boot stack, in the mapping's padding (at least 512 KiB of it). */
export const MULTICALL_PAGES = 8
