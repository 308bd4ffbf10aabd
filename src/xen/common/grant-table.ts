/**
 * xen/common/grant_table.c: what a domain shares, who uses it, and what it uses of others. The hypercall is hypercalls/grant_table_op.ts.
 * Three tables: the shared one, in frames that the domain can write; the active one, Xen's shadow of the entries in use; and the
 * maptrack, which says what each handle that was given to the domain stands for.
 */
import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly, GTF_reading, GTF_writing } from '#abi/xen/grant_table.ts'
import { type Mfn, PAGE_SIZE } from '#abi/xen/types.ts'
import { isIomemPage, putPage, putWritable } from '../arch-x86/page-type.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { bug } from './bug.ts'
import type { Domain } from './domain.ts'
import { guestLog } from './guest-log.ts'
import { hex } from './lib.ts'
import { PGC_allocated, PGT_validated, PGT_writable_page } from './page-alloc.ts'
import { traceGrantUnmap, tracePages } from './tracer.ts'

export const INITIAL_NR_GRANT_FRAMES = 4
const GRANTS_PER_PAGE = PAGE_SIZE / 8
/** sizeof(struct active_grant_entry) is 16. */
const ACTIVE_PER_PAGE = PAGE_SIZE / 16
/** sizeof(struct grant_mapping) is 8. */
const MAPTRACK_PER_PAGE = PAGE_SIZE / 8
const MAX_MAPTRACK_TO_GRANTS_RATIO = 8

/** active_grant_entry.pin: four counts of eight bits. */
export const GNTPIN_hstw_inc = 1
export const GNTPIN_hstr_inc = 1 << 8
export const GNTPIN_devw_inc = 1 << 16
export const GNTPIN_devr_inc = 1 << 24
const WRITE_PINS = 0x00ff00ff
/** One more, and a count may run over. */
export const PIN_OVERFLOW = 0x80808080

export interface GrantTable {
  /** The frames that the domain can map. */
  readonly shared: Mfn[]
  /** What the other two tables take of the Xen heap. */
  readonly activeFrames: Mfn[]
  readonly maptrackFrames: Mfn[]
  /** The active table, as columns. */
  pin: Uint32Array
  domid: Uint16Array
  frame: Uint32Array
  /** The maptrack. A handle that is free has flags 0, and `mapRef` says which is the next. */
  mapRef: Uint32Array
  mapFlags: Uint16Array
  mapDomid: Uint16Array
  maptrackHead: number
  /** Handles in use. */
  mapCount: number
}

export const nrGrantEntries = ({ shared }: GrantTable): number => shared.length * GRANTS_PER_PAGE
/** Machine address of shared entry `ref`. */
export const sharedEntry = ({ shared }: GrantTable, ref: number): number =>
  shared[Math.floor(ref / GRANTS_PER_PAGE)]! * PAGE_SIZE + (ref % GRANTS_PER_PAGE) * 8

const activeFramesFor = (shared: number): number => Math.ceil((shared * GRANTS_PER_PAGE) / ACTIVE_PER_PAGE)

/** grant_table_create. False: no Xen heap left, and nothing of it taken. */
export function grantTableCreate(xen: Xen, domain: Domain): boolean {
  const table: GrantTable = {
    shared: [],
    activeFrames: [],
    maptrackFrames: [],
    pin: new Uint32Array(0),
    domid: new Uint16Array(0),
    frame: new Uint32Array(0),
    mapRef: new Uint32Array(0),
    mapFlags: new Uint16Array(0),
    mapDomid: new Uint16Array(0),
    maptrackHead: 0,
    mapCount: 0,
  }
  if (!growMaptrack(xen, table)) return false
  if (!growShared(xen, domain, table, INITIAL_NR_GRANT_FRAMES)) {
    freeAll(xen, table.maptrackFrames)
    return false
  }
  domain.grantTable = table
  return true
}

/** gnttab_grow_table: `frames` shared frames instead of fewer. */
export function growTable(xen: Xen, domain: Domain, frames: number): boolean {
  const table = domain.grantTable!
  const log = (line: number, text: string): void => guestLog(xen, XENLOG_INFO, `grant_table.c:${line}`, text)
  log(798, `Expanding dom (${domain.id}) grant table from (${table.shared.length}) to (${frames}) frames.`)
  if (growShared(xen, domain, table, frames)) return true
  log(840, 'Allocation failure when expanding grant table.')
  return false
}

function growShared(xen: Xen, domain: Domain, table: GrantTable, frames: number): boolean {
  const active = allocate(xen, activeFramesFor(frames) - table.activeFrames.length)
  if (!active) return false
  const shared = allocate(xen, frames - table.shared.length)
  if (!shared) {
    freeAll(xen, active)
    return false
  }
  table.activeFrames.push(...active)
  table.shared.push(...shared)
  for (const mfn of shared) shareXenPage(xen, domain, mfn)
  const entries = frames * GRANTS_PER_PAGE
  table.pin = larger(table.pin, new Uint32Array(entries))
  table.domid = larger(table.domid, new Uint16Array(entries))
  table.frame = larger(table.frame, new Uint32Array(entries))
  return true
}

function growMaptrack(xen: Xen, table: GrantTable): boolean {
  const added = allocate(xen, 1)
  if (!added) return false
  table.maptrackFrames.push(...added)
  const handles = table.maptrackFrames.length * MAPTRACK_PER_PAGE
  const first = table.mapRef.length
  table.mapRef = larger(table.mapRef, new Uint32Array(handles))
  table.mapFlags = larger(table.mapFlags, new Uint16Array(handles))
  table.mapDomid = larger(table.mapDomid, new Uint16Array(handles))
  for (let handle = first; handle < handles; handle++) table.mapRef[handle] = handle + 1
  return true
}

function larger<T extends Uint32Array | Uint16Array>(old: T, grown: T): T {
  grown.set(old)
  return grown
}

/** So many frames of the Xen heap, cleared; all of them or none. */
function allocate({ heap, mem }: Xen, count: number): Mfn[] | undefined {
  const frames: Mfn[] = []
  for (let i = 0; i < count; i++) {
    const mfn = heap.allocXenHeapPages(0)
    if (mfn === undefined) {
      for (const taken of frames) heap.freeXenHeapPages(taken, 0)
      return undefined
    }
    mem.fill(mfn * PAGE_SIZE, PAGE_SIZE, 0)
    frames.push(mfn)
  }
  return frames
}

function freeAll({ heap }: Xen, frames: Mfn[]): void {
  for (const mfn of frames) heap.freeXenHeapPages(mfn, 0)
  frames.length = 0
}

/** share_xen_page_with_guest: the domain may map this frame of Xen's, writable. */
export function shareXenPage(xen: Xen, domain: Domain, mfn: Mfn): void {
  shareXenFrame(xen, mfn, domain.id)
  domain.xenheapPages++
}

/** The same for who is no domain: with DOMID_XEN, share_xen_page_with_privileged_guests. */
export function shareXenFrame(xen: Xen, mfn: number, owner: number): void {
  const { frames } = xen.heap
  frames.owner[mfn] = owner
  frames.countInfo[mfn] = PGC_allocated | 1
  frames.typeInfo[mfn] = PGT_writable_page + PGT_validated + 1
  tracePages(xen, mfn, 1, owner)
}

/** get_maptrack_handle; -1: no more. The last of a page is kept, as the end of the list. */
export function getMaptrackHandle(xen: Xen, table: GrantTable): number {
  if (table.maptrackHead === table.mapRef.length - 1) {
    const most = xen.options.gnttabMaxNrFrames * MAX_MAPTRACK_TO_GRANTS_RATIO
    const frames = table.maptrackFrames.length
    if (frames >= most || !growMaptrack(xen, table)) return -1
    guestLog(xen, XENLOG_INFO, 'grant_table.c:177', `Increased maptrack size to ${frames + 1} frames.`)
  }
  const handle = table.maptrackHead
  table.maptrackHead = table.mapRef[handle]!
  table.mapCount++
  return handle
}

export function putMaptrackHandle(table: GrantTable, handle: number): void {
  table.mapFlags[handle] = 0
  table.mapRef[handle] = table.maptrackHead
  table.maptrackHead = handle
  table.mapCount--
}

/** What a mapping of these flags adds to `pin`. */
export const pinsOf = (flags: number): number =>
  (flags & GNTMAP_readonly) !== 0
    ? (flags & GNTMAP_device_map ? GNTPIN_devr_inc : 0) + (flags & GNTMAP_host_map ? GNTPIN_hstr_inc : 0)
    : (flags & GNTMAP_device_map ? GNTPIN_devw_inc : 0) + (flags & GNTMAP_host_map ? GNTPIN_hstw_inc : 0)

export const writePinned = (pin: number): boolean => (pin & WRITE_PINS) !== 0

/** Take `pins` off again. What nobody uses any more is the granter's to take back: its flags say so. */
export function unpin(xen: Xen, table: GrantTable, ref: number, pins: number): void {
  const pin = table.pin[ref]!
  for (let shift = 0; shift < 32; shift += 8)
    if (((pin >>> shift) & 0xff) < ((pins >>> shift) & 0xff)) bug('common/grant-table.ts: a grant was not pinned so')
  table.pin[ref] = pin - pins
  if (!writePinned(pin - pins)) clearFlag(xen, table, ref, GTF_writing)
  if (pin - pins === 0) clearFlag(xen, table, ref, GTF_reading)
}

function clearFlag(xen: Xen, table: GrantTable, ref: number, flag: number): void {
  const at = sharedEntry(table, ref)
  const flags = xen.mem.read16(at)
  if (flags & flag) xen.mem.write16(at, flags & ~flag)
}

/** A reference to the frame, with or without the right to write, given back. */
export function putGranted(xen: Xen, mfn: number, readOnly: boolean): void {
  if (isIomemPage(xen, mfn)) return
  if (!readOnly) putWritable(xen, mfn)
  putPage(xen, mfn)
}

/**
 * gnttab_release_mappings: the domain dies, and uses nothing of others any more. Frames that its page map leads to keep that reference until
 * the page map is gone.
 */
export function gnttabReleaseMappings(xen: Xen, domain: Domain): void {
  const table = domain.grantTable
  if (!table) return
  for (let handle = 0; handle < table.mapFlags.length; handle++) {
    const flags = table.mapFlags[handle]!
    if ((flags & (GNTMAP_device_map | GNTMAP_host_map)) === 0) continue
    const ref = table.mapRef[handle]!
    const domid = table.mapDomid[handle]!
    guestLog(
      xen,
      XENLOG_INFO,
      'grant_table.c:1680',
      `Grant release (${handle}) ref:(${ref}) flags:(${hex(flags)}) dom:(${domid})`,
    )
    putMaptrackHandle(table, handle)
    traceGrantUnmap(xen, domid, domain, ref)
    const granter = xen.domains.get(domid)?.grantTable
    if (!granter) continue
    const frame = granter.frame[ref]!
    unpin(xen, granter, ref, pinsOf(flags))
    if (flags & GNTMAP_device_map) putGranted(xen, frame, (flags & GNTMAP_readonly) !== 0)
  }
}

/** grant_table_destroy: the last of a domain, when nobody refers to its frames any more. */
export function grantTableDestroy(xen: Xen, domain: Domain): void {
  const table = domain.grantTable
  if (!table) return
  gnttabReleaseMappings(xen, domain)
  for (const frames of [table.shared, table.maptrackFrames, table.activeFrames]) freeAll(xen, frames)
  domain.grantTable = undefined
}
