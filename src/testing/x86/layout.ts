/** What lies where in a small guest (small-guest.ts), and the entries of its page tables. */
import { PAGE_SIZE } from '#abi/xen/types.ts'

/** Pages by pfn, which is where they are mapped, too. */
export const PFN = {
  l4: 0,
  l3: 1,
  l2: 2,
  l1: 3,
  startInfo: 4,
  userL4: 5,
  userL3: 6,
  userL2: 7,
  userL1: 8,
  sharedInfo: 9,
  stack: 10,
  kernelStack: 11,
  results: 12,
  data: 13,
  code: 16,
  userCode: 20,
  userStack: 21,
  userData: 22,
  spare: 24,
} as const
/** Tables: mapped read-only. */
export const TABLES: readonly number[] = [
  PFN.l4,
  PFN.l3,
  PFN.l2,
  PFN.l1,
  PFN.userL4,
  PFN.userL3,
  PFN.userL2,
  PFN.userL1,
]
export const CODE_BYTES = (PFN.userCode - PFN.code) * PAGE_SIZE
export const PAGES = 32
export const BASE = 0xffffffff80000000n
/** User mode's pages, in both roots: code, stack, data. */
export const USER_BASE = 0x400000n
export const USER_PAGES: readonly number[] = [PFN.userCode, PFN.userStack, PFN.userData]

export const va = (pfn: number, offset = 0): bigint => BASE + BigInt(pfn * PAGE_SIZE + offset)
export const userVa = (pfn: number, offset = 0): bigint =>
  USER_BASE + BigInt(USER_PAGES.indexOf(pfn) * PAGE_SIZE + offset)
/** Where a page table has the entry of an address. */
export const slot = (address: bigint, level: 1 | 2 | 3 | 4): number => Number((address >> BigInt(3 + 9 * level)) & 511n)

export const PRESENT = 1n
export const RW = 2n
export const USER = 4n
export const ACCESSED = 0x20n
export const DIRTY = 0x40n
export const NX = 1n << 63n
export const entryOf = (mfn: number, flags: bigint): bigint => (BigInt(mfn) << 12n) | flags
export const TABLE = PRESENT | RW | USER | ACCESSED | DIRTY
