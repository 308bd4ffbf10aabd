/**
 * xen/arch/x86/mm.c: who may hold which frame as what. A frame has one owner, a count of references, and while it is mapped or pinned one
 * type with a count of its own: what can be written is no page table, and the other way round.
 */

import { _PAGE_PAT, _PAGE_PCD, _PAGE_PRESENT, _PAGE_PWT, _PAGE_RW, DOMID_IO } from '#abi/xen/xen.ts'
import { bug } from '../common/bug.ts'
import type { Domain } from '../common/domain.ts'
import { domainDestroyed } from '../common/domain-destroy.ts'
import { domainChanged } from '../common/domain-probe.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import {
  INVALID_M2P_ENTRY,
  PGC_allocated,
  PGC_count_mask,
  PGT_count_mask,
  PGT_type_mask,
  PGT_validated,
  PGT_writable_page,
} from '../common/page-alloc.ts'
import { XENLOG_INFO, XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { MAP_MFN_MAX, MAP_PRESENT, MAP_WRITABLE } from './mm.ts'

const CACHE_ATTRIBUTES = _PAGE_PWT | _PAGE_PCD | _PAGE_PAT

/** mfn_valid */
export const mfnValid = (xen: Xen, mfn: number): boolean => mfn >= 0 && mfn < xen.heap.frames.maxPage

/** is_iomem_page: no RAM, or the first megabyte. */
export const isIomemPage = (xen: Xen, mfn: number): boolean =>
  !mfnValid(xen, mfn) || xen.heap.frames.owner[mfn] === DOMID_IO

/** get_page: one reference more, for who owns it. */
export function getPage(xen: Xen, mfn: number, domain: Domain): boolean {
  const { frames } = xen.heap
  const count = frames.countInfo[mfn]! & PGC_count_mask
  if (count === 0 || count === PGC_count_mask || frames.owner[mfn] !== domain.id) {
    if (!domain.dying)
      guestLog(
        xen,
        XENLOG_INFO,
        'mm.c:1772',
        `Error pfn ${hex(mfn)}: rd=${hex(domain.id, 16)}, od=${hex(frames.owner[mfn]!, 16)}, ` +
          `caf=${hex(frames.countInfo[mfn]!, 8)}, taf=${hex(frames.typeInfo[mfn]!, 16)}`,
      )
    return false
  }
  frames.countInfo[mfn] = frames.countInfo[mfn]! + 1
  return true
}

/** put_page: the last reference gives the frame back. */
export function putPage(xen: Xen, mfn: number): void {
  const { frames } = xen.heap
  const info = frames.countInfo[mfn]! - 1
  frames.countInfo[mfn] = info
  if ((info & PGC_count_mask) === 0) freeDomheapPage(xen, mfn)
}

/** free_domheap_pages, for one frame of a domain's. */
function freeDomheapPage(xen: Xen, mfn: number): void {
  const { heap } = xen
  const owner = xen.domains.get(heap.frames.owner[mfn]!)
  if (heap.isXenHeap(mfn)) {
    // The frame stays what it is, Xen's: it goes with what it is a part of.
    if (owner && --owner.xenheapPages === 0) domainDestroyed(xen, owner)
    return
  }
  if (heap.frames.typeInfo[mfn]! & PGT_count_mask) bug('arch-x86/page-type.ts: a free frame has a type')
  heap.freeDomHeapPages(mfn, 0)
  if (!owner) return
  // What a dead domain leaves is cleared before anybody else gets it.
  if (owner.dying) heap.frames.scrubbed[mfn] = 1
  domainChanged(xen, owner)
  if (--owner.totPages === 0) domainDestroyed(xen, owner)
}

/** get_page_type, for what can be written. Page tables are page-tables.ts's. */
export function getWritable(xen: Xen, mfn: number): boolean {
  const { frames } = xen.heap
  const info = frames.typeInfo[mfn]!
  if ((info & PGT_count_mask) === 0) {
    frames.typeInfo[mfn] = PGT_writable_page + PGT_validated + 1
    return true
  }
  if ((info & PGT_type_mask) >>> 0 !== PGT_writable_page) {
    guestLog(
      xen,
      XENLOG_WARNING,
      'mm.c:2002',
      `Bad type (saw ${hex(info, 16)} != exp ${hex(PGT_writable_page, 16)}) for mfn ${hex(mfn)} ` +
        `(pfn ${hex(gpfnOf(xen, mfn))})`,
    )
    return false
  }
  frames.typeInfo[mfn] = info + 1
  return true
}

/** put_page_type */
export function putWritable(xen: Xen, mfn: number): void {
  const { frames } = xen.heap
  frames.typeInfo[mfn] = frames.typeInfo[mfn]! - 1
}

/** get_page_from_l1e: a reference to the frame that the entry names, as a page map's entry; 0 for none. Undefined: it may not. */
export function getPageFromL1e(xen: Xen, low: number, high: number, domain: Domain): number | undefined {
  const mfn = (low >>> 12) + (high & 0xfffff) * 2 ** 20
  const writable = (low & _PAGE_RW) !== 0
  if ((low & _PAGE_PRESENT) === 0) return 0
  const bad = domain.privileged ? 0 : low & CACHE_ATTRIBUTES
  if (bad !== 0) {
    guestLog(xen, XENLOG_WARNING, 'mm.c:661', `Bad L1 flags ${hex(bad)}`)
    return undefined
  }
  if (mfn >= MAP_MFN_MAX) return undefined
  const entry = mfn * 4 + (writable ? MAP_PRESENT | MAP_WRITABLE : MAP_PRESENT)
  if (isIomemPage(xen, mfn)) {
    if (domain.iomemCaps.contains(mfn, mfn)) return entry
    guestLog(xen, XENLOG_WARNING, 'mm.c:675', `Non-privileged (${domain.id}) attempt to map I/O space ${hex(mfn, 8)}`)
    return undefined
  }
  let okay = getPage(xen, mfn, domain)
  if (okay && writable && !getWritable(xen, mfn)) {
    putPage(xen, mfn)
    okay = false
  }
  if (okay) return entry
  const pte = (BigInt(high) << 32n) | BigInt(low)
  guestLog(
    xen,
    XENLOG_WARNING,
    'mm.c:705',
    `Error getting mfn ${hex(mfn)} (pfn ${hex(gpfnOf(xen, mfn))}) from L1 entry ${hex(pte, 16)} for dom${domain.id}`,
  )
  return undefined
}

/** put_page_from_l1e */
export function putPageFromL1e(xen: Xen, entry: number): void {
  if ((entry & MAP_PRESENT) === 0) return
  const mfn = entry >>> 2
  if (isIomemPage(xen, mfn)) return
  if (entry & MAP_WRITABLE) putWritable(xen, mfn)
  putPage(xen, mfn)
}

/** get_gpfn_from_mfn, as a 64-bit word. */
export function gpfnOf(xen: Xen, mfn: number): bigint {
  const pfn = xen.heap.frames.m2p[mfn]
  return pfn === undefined || pfn === INVALID_M2P_ENTRY ? 0xffffffffffffffffn : BigInt(pfn)
}

/** guest_remove_page: the domain gives a frame up; it is free once nobody maps it any more. */
export function guestRemovePage(xen: Xen, domain: Domain, mfn: number): boolean {
  const { frames } = xen.heap
  if (!mfnValid(xen, mfn)) {
    guestLog(xen, XENLOG_INFO, 'memory.c:150', `Domain ${domain.id} page number ${hex(mfn)} invalid`)
    return false
  }
  if (!getPage(xen, mfn, domain)) {
    guestLog(xen, XENLOG_INFO, 'memory.c:158', `Bad page free for domain ${domain.id}`)
    return false
  }
  if (frames.countInfo[mfn]! >= PGC_allocated) {
    frames.countInfo[mfn] = frames.countInfo[mfn]! - PGC_allocated
    putPage(xen, mfn)
  }
  putPage(xen, mfn)
  return true
}
