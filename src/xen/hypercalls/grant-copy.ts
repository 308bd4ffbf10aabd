/** GNTTABOP_copy: bytes from frame to frame, each the caller's own or granted to it (xen/common/grant_table.c). */
import type { Values } from '#abi/struct.ts'
import {
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTST_bad_copy_arg,
  GNTST_bad_domain,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
  type gnttab_copy,
} from '#abi/xen/grant_table.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { DOMID_SELF } from '#abi/xen/xen.ts'
import { mfnValid } from '../arch-x86/page-type.ts'
import type { Domain } from '../common/domain.ts'
import { type AcquireLines, acquire, getGranted, pinFail } from '../common/grant-acquire.ts'
import { GNTPIN_hstr_inc, GNTPIN_hstw_inc, putGranted, unpin } from '../common/grant-table.ts'
import { hex } from '../common/lib.ts'
import { traceGrantCopy } from '../common/tracer.ts'
import type { Call } from './op-table.ts'

const LINES: AcquireLines = {
  ref: 1281,
  domain: 1291,
  flags: 1307,
  readOnly: 1319,
  badRef: (ref) => `Bad grant reference ${ref}`,
}

interface End {
  readonly domid: number
  readonly isRef: boolean
  /** A frame or a reference. */
  readonly word: bigint
  readonly writes: boolean
  readonly what: 'source' | 'destination'
}

const refOf = ({ word }: End): number => Number(word & 0xffffffffn)

/** A frame in use for the copy. */
interface Held {
  readonly frame: number
  release(): void
}

export function copy(call: Call, op: Values<typeof gnttab_copy>): void {
  op.status = doCopy(call, op)
}

function doCopy(call: Call, op: Values<typeof gnttab_copy>): number {
  const { xen, caller } = call
  const { len, source_offset, dest_offset, flags } = op
  if (source_offset + len > PAGE_SIZE || dest_offset + len > PAGE_SIZE)
    return pinFail(xen, 1364, GNTST_bad_copy_arg, 'copy beyond page area.')
  const source: End = {
    domid: op.source_domid,
    isRef: (flags & GNTCOPY_source_gref) !== 0,
    word: op.source,
    writes: false,
    what: 'source',
  }
  const dest: End = {
    domid: op.dest_domid,
    isRef: (flags & GNTCOPY_dest_gref) !== 0,
    word: op.dest,
    writes: true,
    what: 'destination',
  }
  for (const end of [source, dest])
    if (end.domid !== DOMID_SELF && !end.isRef)
      return pinFail(xen, 1371, GNTST_permission_denied, 'only allow copy-by-mfn for DOMID_SELF.')
  const from = domainOf(call, source, 1377)
  const to = from && domainOf(call, dest, 1383)
  if (!from || !to) return GNTST_bad_domain
  const read = hold(call, from, source)
  if (typeof read === 'number') return read
  try {
    const write = hold(call, to, dest)
    if (typeof write === 'number') return write
    xen.mem.copyIn(write.frame * PAGE_SIZE + dest_offset, xen.mem.copyOut(read.frame * PAGE_SIZE + source_offset, len))
    if (source.isRef) traceGrantCopy(xen, from, caller, refOf(source), len)
    if (dest.isRef) traceGrantCopy(xen, to, caller, refOf(dest), len)
    write.release()
    return GNTST_okay
  } finally {
    read.release()
  }
}

function domainOf({ xen, caller }: Call, { domid }: End, line: number): Domain | undefined {
  if (domid === DOMID_SELF) return caller
  const domain = xen.domains.get(domid)
  if (domain?.grantTable) return domain
  pinFail(xen, line, GNTST_bad_domain, `couldn't find ${domid}`)
  return undefined
}

/** The frame, referred to until it is released. A status: refused. */
function hold(call: Call, domain: Domain, end: End): Held | number {
  const { isRef, word, writes, what } = end
  const { xen } = call
  const ref = refOf(end)
  const table = domain.grantTable!
  let frame = Number(word)
  if (isRef) {
    const status = acquire(xen, call.caller, domain, ref, !writes, LINES)
    if (status !== GNTST_okay) return status
    table.pin[ref] = table.pin[ref]! + (writes ? GNTPIN_hstw_inc : GNTPIN_hstr_inc)
    frame = table.frame[ref]!
  }
  const release = (): void => {
    if (isRef) unpin(xen, table, ref, writes ? GNTPIN_hstw_inc : GNTPIN_hstr_inc)
  }
  if (!mfnValid(xen, frame)) {
    release()
    return pinFail(xen, writes ? 1428 : 1405, GNTST_general_error, `${what} frame ${hex(word)} invalid.`)
  }
  if (!getGranted(xen, domain, frame, !writes)) {
    release()
    if (domain.dying) return GNTST_general_error
    const short = writes ? 'dst' : 'src'
    return pinFail(xen, writes ? 1433 : 1410, GNTST_general_error, `Could not get ${short} frame ${hex(frame)}`)
  }
  return {
    frame,
    release() {
      putGranted(xen, frame, !writes)
      release()
    },
  }
}
