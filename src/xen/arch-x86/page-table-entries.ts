/** xen/arch/x86/mm.c: entries of page tables that are in use (mod_l1_entry to mod_l4_entry): what the new one names is held first, and what the old one named is let go. */
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_PRESENT, _PAGE_RW } from '#abi/xen/xen.ts'
import type { Domain } from '../common/domain.ts'
import { hex } from '../common/lib.ts'
import { PGT_count_mask } from '../common/page-alloc.ts'
import type { Xen } from '../xen.ts'
import {
  adjustedHigh,
  adjustedLow,
  frameOf,
  getEntry,
  getTableType,
  isXenSlot,
  mmWarn,
  putEntry,
  putTableType,
  TABLE_DISALLOWED,
  tableLevel,
  warnGlobal,
} from './page-table-types.ts'
import { type FrameOwner, l1Disallowed } from './page-type.ts'

/** Lines of mm.c. */
const FLAGS_LINE = [0, 1480, 1548, 1622, 1699]

/** UPDATE_ENTRY: what is there is replaced, and nobody may go by it any more. */
export function updateEntry(xen: Xen, domain: Domain, at: number, low: number, high: number): void {
  const { mem } = xen
  const oldLow = mem.read32(at)
  const oldHigh = mem.read32(at + 4)
  if (oldLow & _PAGE_PRESENT) {
    const same = low & _PAGE_PRESENT && frameOf(low, high) === frameOf(oldLow, oldHigh)
    if (!same || oldLow & ~low & _PAGE_RW) domain.tlbStale = true
  }
  domain.tableChanges++
  mem.write32(at, low)
  mem.write32(at + 4, high)
}

/**
 * mod_l1_entry to mod_l4_entry: the entry at machine address `at`, of a table of the domain's that is in use as one of that level. `owner`: whose
 * frame an entry of the first level names. False: it may not, and nothing has changed.
 */
export function modEntry(
  xen: Xen,
  domain: Domain,
  level: number,
  at: number,
  low: number,
  high: number,
  preserveAd: boolean,
  owner: FrameOwner = domain,
): boolean {
  const table = Math.floor(at / PAGE_SIZE)
  if (level === 4 && isXenSlot((at % PAGE_SIZE) / 8)) {
    mmWarn(xen, 1685, `Illegal L4 update attempt in Xen-private area ${hex(at, 16)}`)
    return false
  }
  const oldLow = xen.mem.read32(at)
  const oldHigh = xen.mem.read32(at + 4)
  const kept = preserveAd ? oldLow & (_PAGE_ACCESSED | _PAGE_DIRTY) : 0
  let lower = low
  let upper = high
  if (low & _PAGE_PRESENT) {
    const bad = level === 1 ? l1Disallowed(domain, low) : low & TABLE_DISALLOWED
    if (bad !== 0) {
      mmWarn(xen, FLAGS_LINE[level]!, `Bad L${level} flags ${hex(bad)}`)
      return false
    }
    const rights = level === 1 ? _PAGE_RW | _PAGE_PRESENT : _PAGE_PRESENT
    const same = frameOf(low, high) === frameOf(oldLow, oldHigh) && ((low ^ oldLow) & rights) === 0
    if (!same && !getEntry(xen, domain, level, low, high, table, owner)) return false
    if (level === 1) warnGlobal(xen, same ? 1488 : 1498, low, high)
    upper = adjustedHigh(level, low, high)
    lower = adjustedLow(level, low, upper)
    if (same) {
      updateEntry(xen, domain, at, (lower | kept) >>> 0, upper)
      return true
    }
  }
  updateEntry(xen, domain, at, (lower | kept) >>> 0, upper)
  putEntry(xen, domain, level, oldLow, oldHigh, table)
  return true
}

/**
 * The part of mmu_update that is about tables: the entry at `at`, in a frame of the domain's that the caller holds. Undefined: the frame is no
 * table, or one whose entries a page map has taken over.
 */
export function modTable(
  xen: Xen,
  domain: Domain,
  at: number,
  low: number,
  high: number,
  preserveAd: boolean,
  owner: FrameOwner,
): boolean | undefined {
  const mfn = Math.floor(at / PAGE_SIZE)
  const level = tableLevel(xen, mfn)
  // 3.3 would look through one that was a table once for each entry anew, and let it go again; later ones do not.
  const inUse = (xen.heap.frames.typeInfo[mfn]! & PGT_count_mask) !== 0
  if (level === 0 || !inUse || domain.frozenTables.has(mfn)) return undefined
  getTableType(xen, domain, mfn, level)
  const okay = modEntry(xen, domain, level, at, low, high, preserveAd, owner)
  putTableType(xen, mfn)
  return okay
}
