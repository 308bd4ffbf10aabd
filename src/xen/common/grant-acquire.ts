/** How a grant entry comes into use, for a mapping or for a copy (xen/common/grant_table.c). */
import {
  GNTST_bad_gntref,
  GNTST_general_error,
  GNTST_okay,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_type_mask,
  GTF_writing,
  grant_entry,
} from '#abi/xen/grant_table.ts'
import { getPage, getWritable, mfnValid, putPage } from '../arch-x86/page-type.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import type { Domain } from './domain.ts'
import { nrGrantEntries, PIN_OVERFLOW, sharedEntry, writePinned } from './grant-table.ts'
import { guestLog } from './guest-log.ts'
import { hex } from './lib.ts'

/** PIN_FAIL: said, and the status. */
export function pinFail(xen: Xen, line: number, status: number, text: string): number {
  guestLog(xen, XENLOG_WARNING, `grant_table.c:${line}`, text)
  return status
}

/**
 * The entry's leave to use the frame: checks domain and rights, and marks the entry as being used. The real one does this by compare-and-swap
 * against the granter's other processors; no other runs here in between. A GNTST_* that is not 0: refused.
 */
export function acquire(
  xen: Xen,
  caller: Domain,
  granter: Domain,
  ref: number,
  readOnly: boolean,
  lines: AcquireLines,
): number {
  const table = granter.grantTable!
  if (ref >= nrGrantEntries(table)) return pinFail(xen, lines.ref, GNTST_bad_gntref, lines.badRef(ref))
  const pin = table.pin[ref]!
  if (pin !== 0 && (table.domid[ref] !== caller.id || (pin & PIN_OVERFLOW) !== 0))
    return pinFail(
      xen,
      lines.domain,
      GNTST_general_error,
      `Bad domain (${table.domid[ref]} != ${caller.id}), or risk of counter overflow ${hex(pin, 8)}`,
    )
  if (pin !== 0 && (readOnly || writePinned(pin))) return GNTST_okay
  const at = sharedEntry(table, ref)
  const { flags: flagsOf, domid: domidOf, frame } = grant_entry.fields
  const flags = flagsOf.get(xen.mem, at)
  const domid = domidOf.get(xen.mem, at)
  if (pin === 0 && ((flags & GTF_type_mask) !== GTF_permit_access || domid !== caller.id))
    return pinFail(
      xen,
      lines.flags,
      GNTST_general_error,
      `Bad flags (${hex(flags)}) or dom (${domid}). (expected dom ${caller.id})`,
    )
  if (!readOnly && (flags & GTF_readonly) !== 0)
    return pinFail(xen, lines.readOnly, GNTST_general_error, 'Attempt to write-pin a r/o grant entry.')
  flagsOf.set(xen.mem, at, flags | GTF_reading | (readOnly ? 0 : GTF_writing))
  if (pin === 0) {
    table.domid[ref] = domid
    table.frame[ref] = frame.get(xen.mem, at)
  }
  return GNTST_okay
}

/** Where the real source says what, which acquiring for a copy has of its own. */
export interface AcquireLines {
  readonly ref: number
  readonly domain: number
  readonly flags: number
  readonly readOnly: number
  readonly badRef: (ref: number) => string
}

/** get_page, or get_page_and_type. */
export function getGranted(xen: Xen, granter: Domain, frame: number, readOnly: boolean): boolean {
  if (!mfnValid(xen, frame) || !getPage(xen, frame, granter)) return false
  if (readOnly || getWritable(xen, frame)) return true
  putPage(xen, frame)
  return false
}
