/** GNTTABOP_transfer: a frame becomes another domain's, which has said where it wants it (xen/common/grant_table.c). */
import type { Values } from '#abi/struct.ts'
import {
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
import { mfnValid } from '../arch-x86/page-type.ts'
import type { Domain } from '../common/domain.ts'
import { domainChanged } from '../common/domain-probe.ts'
import { nrGrantEntries, sharedEntry } from '../common/grant-table.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { PGC_allocated, PGC_count_mask } from '../common/page-alloc.ts'
import { XENLOG_INFO, XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import type { Call } from './op-table.ts'

const info = (xen: Xen, line: number, text: string): void => guestLog(xen, XENLOG_INFO, `grant_table.c:${line}`, text)

export function transfer(call: Call, op: Values<typeof gnttab_transfer>): void {
  op.status = doTransfer(call, op)
}

function doTransfer({ xen, caller }: Call, { mfn: word, domid, ref }: Values<typeof gnttab_transfer>): number {
  const { heap } = xen
  const mfn = Number(word)
  if (!mfnValid(xen, mfn)) {
    info(xen, 1094, `gnttab_transfer: out-of-range ${hex(word)}`)
    return GNTST_bad_page
  }
  if (heap.isXenHeap(mfn)) {
    info(xen, 1103, `gnttab_transfer: xen frame ${hex(word)}`)
    return GNTST_bad_page
  }
  if (!stealPage(xen, caller, mfn)) return GNTST_bad_page
  const lost = (status: number): number => {
    heap.frames.countInfo[mfn] = 0
    heap.freeDomHeapPages(mfn, 0)
    return status
  }
  const taker = xen.domains.get(domid)
  if (!taker?.grantTable) {
    info(xen, 1123, `gnttab_transfer: can't find domain ${domid}`)
    return lost(GNTST_bad_domain)
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
  const at = sharedEntry(taker.grantTable, ref)
  const { flags, frame } = grant_entry.fields
  frame.set(xen.mem, at, mfn)
  flags.set(xen.mem, at, flags.get(xen.mem, at) | GTF_transfer_completed)
  return GNTST_okay
}

/** steal_page: a frame that its owner alone refers to is nobody's. */
function stealPage(xen: Xen, owner: Domain, mfn: number): boolean {
  const { frames } = xen.heap
  const count = frames.countInfo[mfn]!
  if (frames.owner[mfn] !== owner.id || count < PGC_allocated || (count & PGC_count_mask) !== 1) {
    guestLog(
      xen,
      XENLOG_WARNING,
      'mm.c:3069',
      `gnttab_transfer: Bad page ${hex(mfn)}: ed=${hex(owner.id, 16)}(${owner.id}), sd=${hex(frames.owner[mfn]!, 16)}, ` +
        `caf=${hex(count, 8)}, taf=${hex(frames.typeInfo[mfn]!, 16)}`,
    )
    return false
  }
  owner.totPages--
  domainChanged(xen, owner)
  return true
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
