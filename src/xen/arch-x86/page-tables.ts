/**
 * xen/arch/x86/mm.c: page tables that are pinned or the roots of vCPUs. Those of a domain whose kernel is made of modules are looked at once
 * more when it is first entered: its page map is filled from them, and from then on the map is what is true, and the tables under its root
 * stay as they are, read-only, until the root is given up.
 */
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { _PAGE_PRESENT } from '#abi/xen/xen.ts'
import type { Domain, Vcpu } from '../common/domain.ts'
import { hex } from '../common/lib.ts'
import { PGT_pinned } from '../common/page-alloc.ts'
import type { Xen } from '../xen.ts'
import { invalidateLdt } from './descriptors.ts'
import {
  frameOf,
  getFrame,
  getTable,
  isXenSlot,
  mmWarn,
  putTable,
  TABLE_ENTRIES,
  tableLevel,
} from './page-table-types.ts'
import { getPageFromL1e, mapEntry, putPage, putPageFromL1e } from './page-type.ts'

/** Tables looked through for one page map: 4 GiB of addresses are more than this host has memory, and aliases could go on for ever. */
const VISITS_MAX = 2048

/** A type and a reference, for a vCPU whose root it is to be. Who goes by a page map has one root alone. */
export function getRoot(xen: Xen, domain: Domain, mfn: number): boolean {
  if (domain.pageMapped && mfn !== domain.root) return false
  return getTable(xen, domain, mfn, 4)
}

/** put_page_and_type of a root. */
export function putRoot(xen: Xen, _domain: Domain, mfn: number): void {
  putTable(xen, mfn)
}

/** new_guest_cr3: MOV to CR3 of a guest's kernel. */
export function newGuestCr3(xen: Xen, vcpu: Vcpu, mfn: number): boolean {
  if (!getRoot(xen, vcpu.domain, mfn)) {
    mmWarn(xen, 2107, `Error while installing new baseptr ${hex(mfn)}`)
    return false
  }
  invalidateLdt(xen, vcpu)
  const old = vcpu.root
  vcpu.root = mfn
  vcpu.ring3?.setRoot(0, mfn)
  if (old !== 0) putRoot(xen, vcpu.domain, old)
  return true
}

/** MMUEXT_PIN_L1_TABLE to _L4_TABLE. */
export function pinTable(xen: Xen, domain: Domain, mfn: number, level: number): boolean {
  const { typeInfo } = xen.heap.frames
  if (!getTable(xen, domain, mfn, level)) {
    mmWarn(xen, 2330, `Error while pinning mfn ${hex(mfn)}`)
    return false
  }
  if (typeInfo[mfn]! & PGT_pinned) {
    mmWarn(xen, 2337, `Mfn ${hex(mfn)} already pinned`)
    putTable(xen, mfn)
    return false
  }
  typeInfo[mfn] = typeInfo[mfn]! + PGT_pinned
  // It dies, and has given up its pins already.
  if (domain.dying) dropPin(xen, mfn)
  return true
}

/** Give the table's pin up, if it has one. */
export function dropPin(xen: Xen, mfn: number): boolean {
  const { typeInfo } = xen.heap.frames
  if ((typeInfo[mfn]! & PGT_pinned) === 0) return false
  typeInfo[mfn] = typeInfo[mfn]! - PGT_pinned
  putTable(xen, mfn)
  return true
}

/** MMUEXT_UNPIN_TABLE: of the caller's own, whoever else was named. */
export function unpinTable(xen: Xen, domain: Domain, mfn: number): boolean {
  if (!getFrame(xen, mfn, domain)) {
    mmWarn(xen, 2367, `Mfn ${hex(mfn)} bad domain`)
    return false
  }
  const pinned = dropPin(xen, mfn)
  if (!pinned) mmWarn(xen, 2382, `Mfn ${hex(mfn)} not pinned`)
  putPage(xen, mfn)
  return pinned
}

interface Walk {
  readonly xen: Xen
  readonly domain: Domain
  readonly tables: Set<number>
  /** What is mapped, and as what. */
  readonly pages: number[]
  readonly entries: number[]
  /** References that were taken for a second way to the same table of the first level. */
  readonly taken: number[]
  visits: number
}

/**
 * The domain's kernel turned out to be made of modules: its addresses go by its page map, filled from the one root that its vCPUs have. What
 * the tables of the first level hold becomes the map's. False: such tables no page map can follow; nothing has changed.
 */
export function convertToPageMap(xen: Xen, domain: Domain): boolean {
  if (domain.pageMapped) return true
  const root = domain.vcpus.find((vcpu) => vcpu && vcpu.root !== 0)?.root ?? 0
  const others = domain.vcpus.some((vcpu) => vcpu && vcpu.root !== root && vcpu.root !== 0)
  if (root === 0 || others) return false
  const walk: Walk = { xen, domain, tables: new Set(), pages: [], entries: [], taken: [], visits: 0 }
  if (!walkTable(walk, root, 4, 0) || !fill(domain, walk)) {
    for (const entry of walk.taken) putPageFromL1e(xen, entry, domain)
    return false
  }
  for (const table of walk.tables) domain.frozenTables.add(table)
  domain.root = root
  domain.pageMapped = true
  domain.tableChanges++
  return true
}

/** `page`: the first page number that the table is about. */
function walkTable(walk: Walk, mfn: number, level: number, page: number): boolean {
  const { xen } = walk
  // A linear page table has not the level that its place says.
  if (++walk.visits > VISITS_MAX || tableLevel(xen, mfn) !== level) return false
  const again = walk.tables.has(mfn)
  walk.tables.add(mfn)
  const bytes = xen.mem.copyOut(mfn * PAGE_SIZE, PAGE_SIZE)
  const table = new DataView(bytes.buffer, bytes.byteOffset, PAGE_SIZE)
  const span = TABLE_ENTRIES ** (level - 1)
  for (let slot = 0; slot < TABLE_ENTRIES; slot++) {
    const low = table.getUint32(slot * 8, true)
    if ((low & _PAGE_PRESENT) === 0 || (level === 4 && isXenSlot(slot))) continue
    const high = table.getUint32(slot * 8 + 4, true)
    // The upper half of the root's slots are the negative addresses.
    const at = page + (level === 4 && slot >= TABLE_ENTRIES / 2 ? slot - TABLE_ENTRIES : slot) * span
    if (!(level === 1 ? leaf(walk, at, low, high, again) : walkTable(walk, frameOf(low, high), level - 1, at)))
      return false
  }
  return true
}

function leaf(
  { xen, domain, pages, entries, taken }: Walk,
  page: number,
  low: number,
  high: number,
  again: boolean,
): boolean {
  const entry = again ? getPageFromL1e(xen, low, high, domain) : mapEntry(low, high)
  if (entry === undefined) return false
  if (again) taken.push(entry)
  pages.push(page)
  entries.push(entry)
  return true
}

function fill({ pageMap }: Domain, { pages, entries }: Walk): boolean {
  for (let i = 0; i < pages.length; i++) {
    if (pageMap.set(pages[i]!, entries[i]!)) continue
    pageMap.takeAll()
    return false
  }
  return true
}
