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
  NO_OWNER,
  PGC_allocated,
  PGC_count_mask,
  PGT_count_mask,
  PGT_seg_desc_page,
  PGT_type_mask,
  PGT_validated,
  PGT_writable_page,
} from '../common/page-alloc.ts'
import { XENLOG_INFO, XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { invalidateLdt } from './descriptors.ts'
import { flushTlb, typeChanges } from './flushtlb.ts'
import { INVALID_M2P_ENTRY } from './m2p.ts'
import { MAP_MFN_MAX, MAP_PRESENT, MAP_WRITABLE } from './mm.ts'

const CACHE_ATTRIBUTES = _PAGE_PWT | _PAGE_PCD | _PAGE_PAT

/** PADDR_MASK >> PAGE_SHIFT: what guests write where they have no frame. */
const INVALID_MFN = 2 ** 40 - 1

/** mfn_valid */
export const mfnValid = (xen: Xen, mfn: number): boolean => mfn >= 0 && mfn < xen.heap.frames.maxPage

/** is_iomem_page: no RAM, or the first megabyte. */
export const isIomemPage = (xen: Xen, mfn: number): boolean =>
  !mfnValid(xen, mfn) || xen.heap.frames.owner[mfn] === DOMID_IO

/** get_page: one reference more, for who owns it. */
export function getPage(xen: Xen, mfn: number, domain: Pick<Domain, 'id' | 'dying'>): boolean {
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
  if (owner?.tlbStale) flushTlb(owner)
  if (heap.frames.typeInfo[mfn]! & PGT_count_mask) bug('arch-x86/page-type.ts: a free frame has a type')
  heap.freeDomHeapPages(mfn, 0)
  if (!owner) return
  domainChanged(xen, owner)
  if (--owner.totPages === 0) domainDestroyed(xen, owner)
}

/** get_page_type, for what can be written. Page tables are page-tables.ts's. */
export function getWritable(xen: Xen, mfn: number): boolean {
  const { frames } = xen.heap
  const info = frames.typeInfo[mfn]!
  if ((info & PGT_count_mask) === 0) {
    typeChanges(xen, mfn, PGT_writable_page)
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

/** Whose frames are meant: a domain's, or those of dom_io or dom_xen, which have no vCPUs. */
export type FrameOwner = Pick<Domain, 'id' | 'dying' | 'iomemCaps' | 'ioportCaps'>

/** l1_disallow_mask: who has a device may say how its memory is cached. */
export const l1Disallowed = (domain: FrameOwner, low: number): number =>
  domain.id !== DOMID_IO && domain.iomemCaps.empty && domain.ioportCaps.empty ? low & CACHE_ATTRIBUTES : 0

/** A present entry of the first level as a page map's. */
export const mapEntry = (low: number, high: number): number =>
  ((low >>> 12) + (high & 0xfffff) * 2 ** 20) * 4 + (low & _PAGE_RW ? MAP_PRESENT | MAP_WRITABLE : MAP_PRESENT)

/** get_page_from_l1e: a reference to the frame that the entry names, as a page map's entry; 0 for none. Undefined: it may not. */
export function getPageFromL1e(xen: Xen, low: number, high: number, domain: FrameOwner): number | undefined {
  const mfn = (low >>> 12) + (high & 0xfffff) * 2 ** 20
  const writable = (low & _PAGE_RW) !== 0
  if ((low & _PAGE_PRESENT) === 0) return 0
  const bad = l1Disallowed(domain, low)
  if (bad !== 0) {
    guestLog(xen, XENLOG_WARNING, 'mm.c:661', `Bad L1 flags ${hex(bad)}`)
    return undefined
  }
  const entry = mapEntry(low, high)
  if (isIomemPage(xen, mfn)) {
    // Frames beyond the map's reach are nobody's.
    if (mfn < MAP_MFN_MAX && domain.iomemCaps.contains(mfn, mfn)) return entry
    if (mfn === INVALID_MFN) return undefined
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

/** put_page_from_l1e: `domain` is whose map it was in. */
export function putPageFromL1e(xen: Xen, entry: number, domain: Domain): void {
  if ((entry & MAP_PRESENT) === 0) return
  const mfn = entry >>> 2
  if (isIomemPage(xen, mfn)) return
  if (entry & MAP_WRITABLE) putWritable(xen, mfn)
  else if (isSegDesc(xen, mfn) && xen.heap.frames.owner[mfn] === domain.id)
    for (const vcpu of domain.vcpus) if (vcpu) invalidateLdt(xen, vcpu)
  putPage(xen, mfn)
}

/** In use as a descriptor table. */
const isSegDesc = ({ heap }: Xen, mfn: number): boolean => {
  const info = heap.frames.typeInfo[mfn]!
  return (info & PGT_type_mask) >>> 0 === PGT_seg_desc_page && (info & PGT_count_mask) !== 0
}

/** get_gpfn_from_mfn, as a 64-bit word. */
export function gpfnOf(xen: Xen, mfn: number): bigint {
  const pfn = mfnValid(xen, mfn) ? xen.heap.frames.m2p.get(mfn) : INVALID_M2P_ENTRY
  return pfn === INVALID_M2P_ENTRY ? 0xffffffffffffffffn : BigInt(pfn)
}

/** steal_page: a frame of the domain's heap that its owner alone refers to is nobody's. How many it has is the caller's affair. */
export function stealPage(xen: Xen, owner: Domain, mfn: number): boolean {
  const { frames } = xen.heap
  const count = frames.countInfo[mfn]!
  // Frames that Xen shares with it are not its own to give: 3.3 did not look, later ones do.
  if (
    frames.owner[mfn] !== owner.id ||
    count < PGC_allocated ||
    (count & PGC_count_mask) !== 1 ||
    xen.heap.isXenHeap(mfn)
  ) {
    guestLog(
      xen,
      XENLOG_WARNING,
      'mm.c:3069',
      `gnttab_transfer: Bad page ${hex(mfn)}: ed=${hex(owner.id, 16)}(${owner.id}), sd=${hex(frames.owner[mfn]!, 16)}, ` +
        `caf=${hex(count, 8)}, taf=${hex(frames.typeInfo[mfn]!, 16)}`,
    )
    return false
  }
  if (owner.tlbStale) flushTlb(owner)
  frames.owner[mfn] = NO_OWNER
  return true
}

/** The last reference to a frame that was stolen. */
export function freeStolen({ heap }: Xen, mfn: number): void {
  heap.frames.countInfo[mfn] = 0
  heap.freeDomHeapPages(mfn, 0)
}
