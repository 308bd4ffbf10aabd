/** Mapping a grant into the caller's page tables or page map, and unmapping it (xen/common/grant_table.c, xen/arch/x86/mm.c). */
import type { Values } from '#abi/struct.ts'
import {
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_bad_handle,
  GNTST_general_error,
  GNTST_no_device_space,
  GNTST_okay,
  type gnttab_map_grant_ref,
} from '#abi/xen/grant_table.ts'
import { TRC_MEM_PAGE_GRANT_MAP, TRC_MEM_PAGE_GRANT_UNMAP } from '#abi/xen/trace.ts'
import { PAGE_SIZE, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START } from '#abi/xen/xen.ts'
import { createGrantPte, replaceGrantPte } from '../arch-x86/grant-pte.ts'
import { MAP_MFN_MAX, MAP_PRESENT, MAP_WRITABLE } from '../arch-x86/mm.ts'
import { isIomemPage, putPageFromL1e } from '../arch-x86/page-type.ts'
import type { Domain } from '../common/domain.ts'
import { domainCrash } from '../common/domain-shutdown.ts'
import { type AcquireLines, acquire, getGranted, pinFail } from '../common/grant-acquire.ts'
import {
  type GrantTable,
  getMaptrackHandle,
  pinsOf,
  putGranted,
  putMaptrackHandle,
  unpin,
} from '../common/grant-table.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { trace } from '../common/trace.ts'
import { traceGrantMap, traceGrantUnmap } from '../common/tracer.ts'
import { XENLOG_INFO, XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import type { Call } from './op-table.ts'

const VA_MAX = 2 ** 47

const info = (xen: Xen, line: number, text: string): void => guestLog(xen, XENLOG_INFO, `grant_table.c:${line}`, text)

const MAP_LINES: AcquireLines = {
  ref: 257,
  domain: 266,
  flags: 289,
  readOnly: 301,
  badRef: (ref) => `Bad ref (${ref | 0}).`,
}

export function mapGrantRef(call: Call, op: Values<typeof gnttab_map_grant_ref>): void {
  const { xen, caller } = call
  if ((op.flags & (GNTMAP_device_map | GNTMAP_host_map)) === 0) {
    info(xen, 225, `Bad flags in grant map op (${hex(op.flags)}).`)
    op.status = GNTST_bad_gntref
    return
  }
  const granter = xen.domains.get(op.dom)
  if (!granter?.grantTable) {
    info(xen, 232, `Could not find domain ${op.dom}`)
    op.status = GNTST_bad_domain
    return
  }
  const own = caller.grantTable!
  const handle = getMaptrackHandle(xen, own)
  if (handle < 0) {
    info(xen, 248, 'Failed to obtain maptrack handle.')
    op.status = GNTST_no_device_space
    return
  }
  const table = granter.grantTable
  const readOnly = (op.flags & GNTMAP_readonly) !== 0
  op.status = acquire(xen, caller, granter, op.ref, readOnly, MAP_LINES)
  if (op.status === GNTST_okay) {
    const pins = pinsOf(op.flags)
    table.pin[op.ref] = table.pin[op.ref]! + pins
    op.status = mapFrame(call, granter, table.frame[op.ref]!, op)
    if (op.status !== GNTST_okay) unpin(xen, table, op.ref, pins)
  }
  if (op.status !== GNTST_okay) {
    putMaptrackHandle(own, handle)
    return
  }
  trace(xen, TRC_MEM_PAGE_GRANT_MAP, 1, op.dom)
  own.mapDomid[handle] = op.dom
  own.mapRef[handle] = op.ref
  own.mapFlags[handle] = op.flags
  op.dev_bus_addr = BigInt(table.frame[op.ref]!) << 12n
  op.handle = handle
  traceGrantMap(xen, op.dom, caller, op.ref)
}

/** References for each use that is made of the frame, and its place in the caller's page map. */
function mapFrame(
  call: Call,
  granter: Domain,
  frame: number,
  { flags, host_addr }: Values<typeof gnttab_map_grant_ref>,
): number {
  const { xen } = call
  const readOnly = (flags & GNTMAP_readonly) !== 0
  if (isIomemPage(xen, frame)) {
    // What lies beyond the frame table has no entry that could be asked.
    if (frame >= MAP_MFN_MAX || !granter.iomemCaps.contains(frame, frame))
      return pinFail(xen, 342, GNTST_general_error, `Iomem mapping not permitted ${hex(frame)} (domain ${granter.id})`)
    return flags & GNTMAP_host_map ? createHostMapping(call, host_addr, frame, flags) : GNTST_okay
  }
  const uses = (flags & GNTMAP_host_map ? 1 : 0) + (flags & GNTMAP_device_map ? 1 : 0)
  for (let i = 0; i < uses; i++) {
    if (getGranted(xen, granter, frame, readOnly)) continue
    if (i > 0) putGranted(xen, frame, readOnly)
    if (granter.dying) return GNTST_general_error
    return pinFail(xen, 363, GNTST_general_error, `Could not pin grant frame ${hex(frame)}`)
  }
  const status = flags & GNTMAP_host_map ? createHostMapping(call, host_addr, frame, flags) : GNTST_okay
  if (status !== GNTST_okay) for (let i = 0; i < uses; i++) putGranted(xen, frame, readOnly)
  return status
}

/** Page of an address that a guest may map; undefined where a guest's page tables do not reach. */
function pageOf(xen: Xen, line: number, va: Vaddr): number | undefined {
  if (Number.isSafeInteger(va) && va < VA_MAX && va >= -VA_MAX)
    if (va < HYPERVISOR_VIRT_START || va >= HYPERVISOR_VIRT_END) return Math.floor(va / PAGE_SIZE)
  guestLog(xen, XENLOG_WARNING, `mm.c:${line}`, `Could not find L1 PTE for address ${hex(unsignedAddress(va))}`)
  return undefined
}

const unsignedAddress = (va: Vaddr): bigint => (Number.isInteger(va) ? unsignedVaddr(va) : 0n)

/** create_grant_host_mapping: a module vCPU has page-map entries alone, and no page-table entry that host_addr could point at. */
function createHostMapping({ xen, vcpu, caller }: Call, va: Vaddr, frame: number, flags: number): number {
  if (!caller.pageMapped) return createGrantPte(xen, vcpu, va, frame, flags)
  if (flags & GNTMAP_contains_pte) {
    guestLog(xen, XENLOG_WARNING, 'mm.c:2793', 'Grant map attempted to update a non-L1 page')
    return GNTST_general_error
  }
  const page = pageOf(xen, 2909, va)
  if (page === undefined) return GNTST_general_error
  const old = caller.pageMap.lookup(page)
  if (!caller.pageMap.set(page, frame * 4 + MAP_PRESENT + (flags & GNTMAP_readonly ? 0 : MAP_WRITABLE)))
    return GNTST_general_error
  putPageFromL1e(xen, old, caller)
  return GNTST_okay
}

/**
 * replace_grant_host_mapping: the entry goes, or `newAddr`'s takes its place. The entry must have the rights that the mapping had: of two
 * mappings of one frame, 3.3 would let the writable one stay for the read-only one's count (later fixed there too).
 */
function replaceHostMapping(call: Call, va: Vaddr, frame: number, newAddr: Vaddr, flags: number): number {
  const { xen, vcpu, caller } = call
  if (!caller.pageMapped) return replaceGrantPte(xen, vcpu, va, frame, newAddr, flags)
  const { pageMap } = caller
  let entry = 0
  if (newAddr !== 0) {
    const from = pageOf(xen, 3021, newAddr)
    if (from === undefined) return GNTST_general_error
    entry = pageMap.lookup(from)
    pageMap.set(from, 0)
  }
  const page = pageOf(xen, 2940, va)
  const old = page === undefined ? 0 : pageMap.lookup(page)
  const writable = (flags & GNTMAP_readonly) === 0
  if (
    page === undefined ||
    (old & MAP_PRESENT) === 0 ||
    old >>> 2 !== frame ||
    ((old & MAP_WRITABLE) !== 0) !== writable
  ) {
    if (page !== undefined)
      guestLog(
        xen,
        XENLOG_WARNING,
        'mm.c:2952',
        `PTE entry ${hex(old >>> 2)} for address ${hex(unsignedAddress(va))} doesn't match frame ${hex(frame)}`,
      )
    putPageFromL1e(xen, entry, caller)
    return GNTST_general_error
  }
  pageMap.set(page, entry)
  return GNTST_okay
}

export function unmapCommon(call: Call, handle: number, hostAddr: Vaddr, busAddr: bigint, newAddr: Vaddr): number {
  const { xen, caller } = call
  const own = caller.grantTable!
  if (handle >= own.mapFlags.length) {
    info(xen, 487, `Bad handle (${handle | 0}).`)
    return GNTST_bad_handle
  }
  const flags = own.mapFlags[handle]!
  if (flags === 0) {
    info(xen, 496, `Zero flags for handle (${handle}).`)
    return GNTST_bad_handle
  }
  const domid = own.mapDomid[handle]!
  const ref = own.mapRef[handle]!
  const table = xen.domains.get(domid)?.grantTable
  if (!table) {
    info(xen, 507, `Could not find domain ${domid}`)
    domainCrash(xen, call.vcpu, `grant mapping of domain ${domid}, which is no more`)
    return GNTST_bad_domain
  }
  trace(xen, TRC_MEM_PAGE_GRANT_UNMAP, 1, domid)
  const frame = table.frame[ref]!
  const bus = busAddr >> 12n
  if (bus !== 0n && bus !== BigInt(frame))
    return pinFail(
      xen,
      535,
      GNTST_general_error,
      `Bad frame number doesn't match gntref. (${hex(bus)} != ${hex(frame)})`,
    )
  let status = GNTST_okay
  let dropped = bus !== 0n ? flags & GNTMAP_device_map : 0
  if (hostAddr !== 0 && (flags & GNTMAP_host_map) !== 0) {
    status = replaceHostMapping(call, hostAddr, frame, newAddr, flags)
    if (status === GNTST_okay) dropped |= GNTMAP_host_map
  }
  release(xen, own, table, handle, ref, dropped, flags)
  if (own.mapFlags[handle] === 0) traceGrantUnmap(xen, domid, caller, ref)
  return status
}

/** What was dropped of a mapping is given back; with the last of it goes the handle. */
function release(
  xen: Xen,
  own: GrantTable,
  table: GrantTable,
  handle: number,
  ref: number,
  dropped: number,
  flags: number,
): void {
  const readOnly = flags & GNTMAP_readonly
  const frame = table.frame[ref]!
  const uses = [GNTMAP_device_map, GNTMAP_host_map].filter((use) => dropped & use)
  for (const use of uses) unpin(xen, table, ref, pinsOf(use | readOnly))
  const left = flags & ~dropped
  if (left & (GNTMAP_device_map | GNTMAP_host_map)) own.mapFlags[handle] = left
  else putMaptrackHandle(own, handle)
  // Last of all: with a dying domain's last frame its grant table goes.
  for (const _ of uses) putGranted(xen, frame, readOnly !== 0)
}
