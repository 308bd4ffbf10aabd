/** GNTTABOP_transfer: a frame becomes another domain's, which has said where it wants it (xen/common/grant_table.c). */
import type { Values } from '#abi/struct.ts'
import {
  GNTST_address_too_big,
  GNTST_bad_domain,
  GNTST_bad_page,
  GNTST_general_error,
  GNTST_okay,
  GTF_accept_transfer,
  GTF_transfer_committed,
  GTF_transfer_completed,
  type gnttab_transfer,
  grant_entry,
} from '#abi/xen/grant_table.ts'
import { TRC_MEM_PAGE_GRANT_TRANSFER } from '#abi/xen/trace.ts'
import { PAGE_SHIFT, PAGE_SIZE } from '#abi/xen/types.ts'
import { freeStolen, mfnValid, stealPage } from '../arch-x86/page-type.ts'
import type { Domain } from '../common/domain.ts'
import { clampBits } from '../common/domain-pages.ts'
import { domainChanged } from '../common/domain-probe.ts'
import { nrGrantEntries, sharedEntry } from '../common/grant-table.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { PGC_allocated } from '../common/page-alloc.ts'
import { trace } from '../common/trace.ts'
import { traceGrantTransfer, tracePages } from '../common/tracer.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import type { Call } from './op-table.ts'

const info = (xen: Xen, line: number, text: string): void => guestLog(xen, XENLOG_INFO, `grant_table.c:${line}`, text)

export function transfer(call: Call, op: Values<typeof gnttab_transfer>): void {
  op.status = doTransfer(call, op)
}

function doTransfer({ xen, caller }: Call, { mfn: word, domid, ref }: Values<typeof gnttab_transfer>): number {
  const { heap } = xen
  let mfn = Number(word)
  if (!mfnValid(xen, mfn)) {
    info(xen, 1094, `gnttab_transfer: out-of-range ${hex(word)}`)
    return GNTST_bad_page
  }
  if (heap.isXenHeap(mfn)) {
    info(xen, 1103, `gnttab_transfer: xen frame ${hex(word)}`)
    return GNTST_bad_page
  }
  if (!stealPage(xen, caller, mfn)) return GNTST_bad_page
  caller.totPages--
  domainChanged(xen, caller)
  const lost = (status: number): number => {
    freeStolen(xen, mfn)
    return status
  }
  const taker = xen.domains.get(domid)
  if (!taker?.grantTable) {
    info(xen, 1123, `gnttab_transfer: can't find domain ${domid}`)
    return lost(GNTST_bad_domain)
  }
  const bits = clampBits(taker, 0)
  if (bits !== 0 && 2 ** (bits - PAGE_SHIFT) <= mfn) {
    // It cannot use a frame up there: it gets another with the same in it.
    const low = heap.takeDomHeapPages(0, bits)
    if (low === undefined) return lost(GNTST_address_too_big)
    xen.mem.copyIn(low * PAGE_SIZE, xen.mem.copyOut(mfn * PAGE_SIZE, PAGE_SIZE))
    freeStolen(xen, mfn)
    heap.frames.countInfo[low] = PGC_allocated | 1
    mfn = low
  }
  if (taker.dying || taker.totPages >= taker.maxPages || !prepare(xen, taker, caller, ref)) {
    if (!taker.dying)
      info(
        xen,
        1178,
        `gnttab_transfer: Transferee has no reservation headroom (${taker.totPages},${taker.maxPages}) ` +
          `or provided a bad grant ref (${hex(ref, 8)}) or is dying (0)`,
      )
    return lost(GNTST_general_error)
  }
  taker.totPages++
  domainChanged(xen, taker)
  heap.frames.owner[mfn] = taker.id
  tracePages(xen, mfn, 1, taker.id)
  traceGrantTransfer(xen, taker, caller, ref)
  trace(xen, TRC_MEM_PAGE_GRANT_TRANSFER, 1, taker.id)
  const at = sharedEntry(taker.grantTable, ref)
  const { flags, frame } = grant_entry.fields
  frame.set(xen.mem, at, mfn)
  flags.set(xen.mem, at, flags.get(xen.mem, at) | GTF_transfer_completed)
  return GNTST_okay
}

/** gnttab_prepare_for_transfer: the entry accepts a frame of `giver`'s, and is locked for it. */
function prepare(xen: Xen, taker: Domain, giver: Domain, ref: number): boolean {
  const table = taker.grantTable!
  if (ref >= nrGrantEntries(table)) {
    info(xen, 1019, `Bad grant reference (${ref | 0}) for transfer to domain(${taker.id}).`)
    return false
  }
  const at = sharedEntry(table, ref)
  const { flags: flagsOf, domid: domidOf } = grant_entry.fields
  const flags = flagsOf.get(xen.mem, at)
  const domid = domidOf.get(xen.mem, at)
  if (flags !== GTF_accept_transfer || domid !== giver.id) {
    info(xen, 1034, `Bad flags (${hex(flags)}) or dom (${domid}). (NB. expected dom ${giver.id})`)
    return false
  }
  flagsOf.set(xen.mem, at, flags | GTF_transfer_committed)
  return true
}
