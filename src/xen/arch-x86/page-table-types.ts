/**
 * xen/arch/x86/mm.c: frames as page tables. A frame that is first used as a table of a level is looked through: whatever its entries
 * name is held by them, as a table of the level below or as memory, for as long as it is a table. So nothing that is
 * written in memory leads to what a domain may not have.
 */
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  _PAGE_GLOBAL,
  _PAGE_PCD,
  _PAGE_PRESENT,
  _PAGE_PSE,
  _PAGE_PWT,
  _PAGE_RW,
  _PAGE_USER,
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
  PAGE_GUEST_KERNEL_HIGH,
} from '#abi/xen/xen.ts'
import type { Domain } from '../common/domain.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import {
  PGT_count_mask,
  PGT_l1_page_table,
  PGT_l4_page_table,
  PGT_type_mask,
  PGT_validated,
} from '../common/page-alloc.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { flushTlb, typeChanges } from './flushtlb.ts'
import { rootXenSlots } from './m2p.ts'
import {
  type FrameOwner,
  getPage,
  getPageFromL1e,
  gpfnOf,
  isIomemPage,
  mapEntry,
  mfnValid,
  putPage,
  putPageFromL1e,
} from './page-type.ts'

export const TABLE_ENTRIES = 512
/** ROOT_PAGETABLE_FIRST_XEN_SLOT and the one behind the last: 256 and 272. */
const XEN_SLOTS = TABLE_ENTRIES / 2
const XEN_SLOTS_END = XEN_SLOTS + (HYPERVISOR_VIRT_END - HYPERVISOR_VIRT_START) / 2 ** 39
/** BASE_DISALLOW_MASK: write-through, uncached, a large page, global. */
export const TABLE_DISALLOWED = _PAGE_PWT | _PAGE_PCD | _PAGE_PSE | _PAGE_GLOBAL

/** Lines of mm.c: bad flags, failure at an entry, a linear page table that could be written. */
const FLAGS_LINE = [0, 661, 755, 780, 805]
const FAILURE_LINE = [0, 996, 1154, 1226, 1274]
const LINEAR_LINE = [0, 0, 743, 768, 793]

export const mmWarn = (xen: Xen, line: number, text: string): void =>
  guestLog(xen, XENLOG_WARNING, `mm.c:${line}`, text)

/** PGT_l1_page_table to PGT_l4_page_table. */
const typeOfLevel = (level: number): number => level * PGT_l1_page_table
/** 1 to 4; other types are 5 and more, or 0. */
const levelOf = (info: number): number => info >>> 29
/** The level of the table that the frame is, or was last; 0: none. */
export const tableLevel = ({ heap }: Xen, mfn: number): number => {
  const level = levelOf(heap.frames.typeInfo[mfn]!)
  return level <= levelOf(PGT_l4_page_table) ? level : 0
}
export const isXenSlot = (slot: number): boolean => slot >= XEN_SLOTS && slot < XEN_SLOTS_END
export const frameOf = (low: number, high: number): number => (low >>> 12) + (high & 0xfffff) * 2 ** 20

/** get_page_from_pagenr */
export function getFrame(xen: Xen, mfn: number, domain: FrameOwner): boolean {
  if (mfnValid(xen, mfn) && getPage(xen, mfn, domain)) return true
  mmWarn(xen, 557, `Could not get page ref for pfn ${hex(mfn)}`)
  return false
}

/** get_page_and_type_from_pagenr, of a table. */
export function getTable(xen: Xen, domain: Domain, mfn: number, level: number): boolean {
  if (!getFrame(xen, mfn, domain)) return false
  if (getTableType(xen, domain, mfn, level)) return true
  putPage(xen, mfn)
  return false
}

/** get_page_type, of a table. */
export function getTableType(xen: Xen, domain: Domain, mfn: number, level: number): boolean {
  const { typeInfo, countInfo } = xen.heap.frames
  const info = typeInfo[mfn]!
  const type = typeOfLevel(level)
  if ((info & PGT_count_mask) === 0) {
    typeChanges(xen, mfn, type)
    typeInfo[mfn] = type + 1
    if (allocTable(xen, domain, mfn, level)) {
      typeInfo[mfn] = typeInfo[mfn]! + PGT_validated
      return true
    }
    mmWarn(
      xen,
      2037,
      `Error while validating mfn ${hex(mfn)} (pfn ${hex(gpfnOf(xen, mfn))}) for type ${hex(type, 16)}: ` +
        `caf=${hex(countInfo[mfn]!, 8)} taf=${hex(typeInfo[mfn]!, 16)}`,
    )
    typeInfo[mfn] = 0
    return false
  }
  if ((info & PGT_type_mask) >>> 0 !== type) {
    // It could be a linear page table: a table as one of the level below.
    if (levelOf(info) === level + 1 && levelOf(info) <= levelOf(PGT_l4_page_table)) return false
    const pfn = hex(gpfnOf(xen, mfn))
    mmWarn(xen, 2002, `Bad type (saw ${hex(info, 16)} != exp ${hex(type, 16)}) for mfn ${hex(mfn)} (pfn ${pfn})`)
    return false
  }
  // Of one that is being looked through right now nobody can have another.
  if ((info & PGT_validated) === 0) return false
  typeInfo[mfn] = info + 1
  return true
}

/** put_page_type, of a table: with the last one it lets go of what it refers to. */
export function putTableType(xen: Xen, mfn: number): void {
  const { typeInfo, owner } = xen.heap.frames
  const info = typeInfo[mfn]!
  if ((info & (PGT_count_mask | PGT_validated)) === (PGT_validated | 1)) {
    typeInfo[mfn] = info - PGT_validated
    const domain = xen.domains.get(owner[mfn]!)
    if (domain) freeTable(xen, domain, mfn, levelOf(info))
  }
  typeInfo[mfn] = typeInfo[mfn]! - 1
}

/** put_page_and_type, of a table. */
export function putTable(xen: Xen, mfn: number): void {
  putTableType(xen, mfn)
  putPage(xen, mfn)
}

/** get_page_from_l1e to get_page_from_l4e: what an entry of the table `mfn` is to name. */
export function getEntry(
  xen: Xen,
  domain: Domain,
  level: number,
  low: number,
  high: number,
  mfn: number,
  owner: FrameOwner = domain,
): boolean {
  if (level === 1) return getPageFromL1e(xen, low, high, owner) !== undefined
  const bad = low & TABLE_DISALLOWED
  if (bad !== 0) {
    mmWarn(xen, FLAGS_LINE[level]!, `Bad L${level} flags ${hex(bad)}`)
    return false
  }
  const below = frameOf(low, high)
  return getTable(xen, domain, below, level - 1) || getLinear(xen, domain, level, low, below, mfn)
}

/** get_l2_linear_pagetable and its like: a table of the same level, to be read only. */
function getLinear(xen: Xen, domain: Domain, level: number, low: number, below: number, mfn: number): boolean {
  if (low & _PAGE_RW) {
    mmWarn(xen, LINEAR_LINE[level]!, 'Attempt to create linear p.t. with write perms')
    return false
  }
  // One that leads to itself holds nothing: else it could never be given up.
  if (below === mfn) return true
  if (!getFrame(xen, below, domain)) return false
  const { typeInfo } = xen.heap.frames
  if (isValidTable(xen, below, level)) {
    typeInfo[below] = typeInfo[below]! + 1
    return true
  }
  putPage(xen, below)
  return false
}

/** put_page_from_l1e to put_page_from_l4e */
export function putEntry(xen: Xen, domain: Domain, level: number, low: number, high: number, mfn: number): void {
  if ((low & _PAGE_PRESENT) === 0) return
  const below = frameOf(low, high)
  if (level > 1) {
    if (below !== mfn) putTable(xen, below)
    return
  }
  // Nobody will ask this domain when another's frame gets another use.
  if (!isIomemPage(xen, below) && xen.heap.frames.owner[below] !== domain.id) flushTlb(domain)
  putPageFromL1e(xen, mapEntry(low, high), domain)
}

/** adjust_guest_l1e to adjust_guest_l4e, of a present entry: the upper half, and then the lower one by it. */
export const adjustedHigh = (level: number, low: number, high: number): number =>
  level === 1 && (low & _PAGE_USER) === 0 ? (high | PAGE_GUEST_KERNEL_HIGH) >>> 0 : high
export const adjustedLow = (level: number, low: number, high: number): number =>
  (low | (level === 1 && (high & PAGE_GUEST_KERNEL_HIGH) === 0 ? _PAGE_USER | _PAGE_GLOBAL : _PAGE_USER)) >>> 0

/** A guest's kernel has no use for global pages: what it marks so is there for its user mode too. */
export function warnGlobal(xen: Xen, line: number, low: number, high: number): void {
  if ((high & PAGE_GUEST_KERNEL_HIGH) !== 0 && (low & _PAGE_GLOBAL) !== 0)
    mmWarn(xen, line, `Global bit is set to kernel page ${hex(frameOf(low, high))}`)
}

/** alloc_l1_table to alloc_l4_table: all of the entries hold what they name, or none does. */
function allocTable(xen: Xen, domain: Domain, mfn: number, level: number): boolean {
  const { mem } = xen
  const base = mfn * PAGE_SIZE
  for (let slot = 0; slot < TABLE_ENTRIES; slot++) {
    if (level === 4 && isXenSlot(slot)) continue
    const at = base + slot * 8
    const low = mem.read32(at)
    if ((low & _PAGE_PRESENT) === 0) continue
    const high = mem.read32(at + 4)
    if (!getEntry(xen, domain, level, low, high, mfn)) {
      mmWarn(xen, FAILURE_LINE[level]!, `Failure in alloc_l${level}_table: entry ${slot}`)
      putEntries(xen, domain, mfn, level, slot)
      return false
    }
    if (level === 1) warnGlobal(xen, 989, low, high)
    const upper = adjustedHigh(level, low, high)
    const lower = adjustedLow(level, low, upper)
    if (upper !== high) mem.write32(at + 4, upper)
    if (lower !== low) mem.write32(at, lower)
  }
  if (level === 4) rootXenSlots(xen, mfn)
  return true
}

function putEntries(xen: Xen, domain: Domain, mfn: number, level: number, end: number): void {
  const { mem } = xen
  for (let slot = 0; slot < end; slot++) {
    if (level === 4 && isXenSlot(slot)) continue
    const at = mfn * PAGE_SIZE + slot * 8
    const low = mem.read32(at)
    if (low & _PAGE_PRESENT) putEntry(xen, domain, level, low, mem.read32(at + 4), mfn)
  }
}

/** free_l1_table to free_l4_table */
function freeTable(xen: Xen, domain: Domain, mfn: number, level: number): void {
  domain.tableChanges++
  domain.tlbStale = true
  const frozen = domain.frozenTables.delete(mfn)
  if (frozen && mfn === domain.root) {
    domain.root = 0
    domain.pageMapped = false
    clearPageMap(xen, domain)
  }
  // What a frozen table of the first level led to is the page map's.
  if (!(frozen && level === 1)) putEntries(xen, domain, mfn, level, TABLE_ENTRIES)
}

/** In use as a table of that level, or held by itself in a circle. */
export const isValidTable = ({ heap }: Xen, mfn: number, level: number): boolean =>
  (heap.frames.typeInfo[mfn]! & (PGT_type_mask | PGT_validated)) >>> 0 === typeOfLevel(level) + PGT_validated

/** It lets go of all that it refers to, whoever refers to it. */
export function invalidateTable(xen: Xen, domain: Domain, mfn: number, level: number): void {
  const { typeInfo } = xen.heap.frames
  typeInfo[mfn] = typeInfo[mfn]! - PGT_validated
  freeTable(xen, domain, mfn, level)
}

/** Nothing is mapped by the page map any more. */
export function clearPageMap(xen: Xen, domain: Domain): void {
  for (const entry of domain.pageMap.takeAll()) putPageFromL1e(xen, entry, domain)
}
