/**
 * xen/arch/x86/mm.c: a domain's page tables, as its builder has written them. Each table has an owner, a type and counts like any frame, and
 * is looked through when it is first used as what it is. From a valid root a module vCPU's page map is filled, once: from then on the map is
 * what is true, and the tables stay as they are, read-only, until the root is given up.
 */
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { _PAGE_PCD, _PAGE_PRESENT, _PAGE_PWT, HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START } from '#abi/xen/xen.ts'
import type { Domain } from '../common/domain.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import {
  PGT_count_mask,
  PGT_l1_page_table,
  PGT_l2_page_table,
  PGT_l3_page_table,
  PGT_l4_page_table,
  PGT_pinned,
  PGT_type_mask,
  PGT_validated,
} from '../common/page-alloc.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { getPage, getPageFromL1e, gpfnOf, mfnValid, putPage, putPageFromL1e } from './page-type.ts'

const TYPES = [0, PGT_l1_page_table, PGT_l2_page_table, PGT_l3_page_table, PGT_l4_page_table]
/** Lines of mm.c: Bad flags, failure at an entry. */
const FLAGS_LINE = [0, 661, 755, 780, 805]
const FAILURE_LINE = [0, 996, 1154, 1226, 1274]
const ENTRIES = 512
/** BASE_DISALLOW_MASK: write-through, uncached, a large page, global. */
const TABLE_DISALLOWED = _PAGE_PWT | _PAGE_PCD | 0x180
/** Tables looked through for one root: 4 GiB of addresses are more than this host has memory, and aliases could go on for ever. */
const VISITS_MAX = 2048

interface Walk {
  readonly xen: Xen
  readonly domain: Domain
  /** Tables that a reference was taken to. */
  readonly tables: number[]
  /** What is mapped, and as what. */
  readonly pages: number[]
  readonly entries: number[]
  visits: number
}

const warn = (xen: Xen, line: number, text: string): void => guestLog(xen, XENLOG_WARNING, `mm.c:${line}`, text)

/** get_page_and_type of a table. 'first': nobody has looked through it yet. */
function getTable(xen: Xen, domain: Domain, mfn: number, level: number): 'first' | 'again' | undefined {
  const { frames } = xen.heap
  if (!mfnValid(xen, mfn) || !getPage(xen, mfn, domain)) {
    warn(xen, 557, `Could not get page ref for pfn ${hex(mfn)}`)
    return undefined
  }
  const info = frames.typeInfo[mfn]!
  const type = TYPES[level]!
  if ((info & PGT_count_mask) === 0) {
    frames.typeInfo[mfn] = type + PGT_validated + 1
    return 'first'
  }
  if ((info & PGT_type_mask) >>> 0 !== type) {
    const pfn = hex(gpfnOf(xen, mfn))
    warn(xen, 2002, `Bad type (saw ${hex(info, 16)} != exp ${hex(type, 16)}) for mfn ${hex(mfn)} (pfn ${pfn})`)
    putPage(xen, mfn)
    return undefined
  }
  frames.typeInfo[mfn] = info + 1
  return 'again'
}

/** put_page_and_type, of a table that is no root. */
function putTable(xen: Xen, mfn: number): void {
  dropType(xen, mfn)
  putPage(xen, mfn)
}

function dropType(xen: Xen, mfn: number): number {
  const { typeInfo, owner } = xen.heap.frames
  const level = TYPES.indexOf((typeInfo[mfn]! & PGT_type_mask) >>> 0)
  let info = typeInfo[mfn]! - 1
  if ((info & PGT_count_mask) === 0) info = (info & ~PGT_validated) >>> 0
  typeInfo[mfn] = info
  const left = info & PGT_count_mask
  const domain = xen.domains.get(owner[mfn]!)
  const refers = left === 0 ? domain?.pinnedTables.get(mfn) : undefined
  if (domain && refers) {
    domain.pinnedTables.delete(mfn)
    letGo(xen, domain, level, refers)
  }
  return left
}

/** free_l1_table and those above: what a table of that level refers to. */
function letGo(xen: Xen, domain: Domain, level: number, refers: readonly number[]): void {
  for (const each of refers) level === 1 ? putPageFromL1e(xen, each, domain) : putTable(xen, each)
}

/** The same look through a table that is no root's, for whoever pins it: it is remembered what it refers to. */
function lookInto(xen: Xen, domain: Domain, mfn: number, level: number): boolean {
  const refers: number[] = []
  for (let i = 0; i < ENTRIES; i++) {
    const low = xen.mem.read32(mfn * PAGE_SIZE + i * 8)
    const high = xen.mem.read32(mfn * PAGE_SIZE + i * 8 + 4)
    if ((low & _PAGE_PRESENT) === 0) continue
    const got = level === 1 ? getPageFromL1e(xen, low, high, domain) : tableBelow(xen, domain, level, low, high)
    if (got === undefined) {
      warn(xen, FAILURE_LINE[level]!, `Failure in alloc_l${level}_table: entry ${i}`)
      letGo(xen, domain, level, refers)
      return false
    }
    refers.push(got)
  }
  domain.pinnedTables.set(mfn, refers)
  return true
}

function tableBelow(xen: Xen, domain: Domain, level: number, low: number, high: number): number | undefined {
  const bad = low & TABLE_DISALLOWED
  const mfn = (low >>> 12) + (high & 0xfffff) * 2 ** 20
  if (bad !== 0) warn(xen, FLAGS_LINE[level]!, `Bad L${level} flags ${hex(bad)}`)
  return bad === 0 && getTableLooked(xen, domain, mfn, level - 1) ? mfn : undefined
}

/** get_page_and_type of a table that is no root. */
function getTableLooked(xen: Xen, domain: Domain, mfn: number, level: number): boolean {
  const got = getTable(xen, domain, mfn, level)
  if (got !== 'first') return got === 'again'
  if (lookInto(xen, domain, mfn, level)) return true
  warnInvalid(xen, mfn, level)
  putTable(xen, mfn)
  return false
}

const warnInvalid = (xen: Xen, mfn: number, level: number): void =>
  warn(
    xen,
    2037,
    `Error while validating mfn ${hex(mfn)} (pfn ${hex(gpfnOf(xen, mfn))}) for type ${hex(TYPES[level]!)}: ` +
      `caf=${hex(xen.heap.frames.countInfo[mfn]!, 8)} taf=${hex(xen.heap.frames.typeInfo[mfn]!, 16)}`,
  )

/** alloc_l4_table and those below. `page`: the first page number that the table is about. */
function lookThrough(walk: Walk, mfn: number, level: number, page: number, first: boolean): boolean {
  const { xen } = walk
  if (++walk.visits > VISITS_MAX) return false
  const bytes = xen.mem.copyOut(mfn * PAGE_SIZE, PAGE_SIZE)
  const table = new DataView(bytes.buffer, bytes.byteOffset, PAGE_SIZE)
  const span = ENTRIES ** (level - 1)
  for (let i = 0; i < ENTRIES; i++) {
    const low = table.getUint32(i * 8, true)
    if ((low & _PAGE_PRESENT) === 0) continue
    // The upper half of the root's slots are the negative addresses; some of them are Xen's.
    const at = page + (level === 4 && i >= ENTRIES / 2 ? i - ENTRIES : i) * span
    if (level === 4 && at >= HYPERVISOR_VIRT_START / PAGE_SIZE && at < HYPERVISOR_VIRT_END / PAGE_SIZE) continue
    const okay =
      level === 1
        ? leaf(walk, at, low, table.getUint32(i * 8 + 4, true))
        : below(walk, level, at, low, table.getUint32(i * 8 + 4, true), first)
    if (okay) continue
    warn(xen, FAILURE_LINE[level]!, `Failure in alloc_l${level}_table: entry ${i}`)
    return false
  }
  return true
}

function leaf({ xen, domain, pages, entries }: Walk, page: number, low: number, high: number): boolean {
  const entry = getPageFromL1e(xen, low, high, domain)
  if (entry === undefined) return false
  pages.push(page)
  entries.push(entry)
  return true
}

function below(walk: Walk, level: number, page: number, low: number, high: number, first: boolean): boolean {
  const { xen, domain } = walk
  const bad = low & TABLE_DISALLOWED
  if (bad !== 0) {
    warn(xen, FLAGS_LINE[level]!, `Bad L${level} flags ${hex(bad)}`)
    return false
  }
  const mfn = (low >>> 12) + (high & 0xfffff) * 2 ** 20
  let again = true
  if (first) {
    const got = getTable(xen, domain, mfn, level - 1)
    if (got === undefined) return false
    walk.tables.push(mfn)
    again = got === 'again'
  }
  return lookThrough(walk, mfn, level - 1, page, !again)
}

/**
 * A reference to `mfn` as the root of the domain's page tables. The first one fills the page map. False: it is none, and nothing has changed.
 * A second root is refused: the domain's vCPUs share one map.
 */
export function getRoot(xen: Xen, domain: Domain, mfn: number): boolean {
  if (domain.root === 0 ? domain.pageMap.count > 0 : domain.root !== mfn) return false
  const got = getTable(xen, domain, mfn, 4)
  if (got !== 'first') return got === 'again'
  const walk: Walk = { xen, domain, tables: [], pages: [], entries: [], visits: 0 }
  if (!lookThrough(walk, mfn, 4, 0, true) || !fill(domain, walk)) {
    warnInvalid(xen, mfn, 4)
    for (const entry of walk.entries) putPageFromL1e(xen, entry, domain)
    for (const table of walk.tables.reverse()) putTable(xen, table)
    putTable(xen, mfn)
    return false
  }
  domain.root = mfn
  domain.tables = walk.tables
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

/** put_page_and_type of the root. With the last one goes all that it led to. */
export function putRoot(xen: Xen, domain: Domain, mfn: number): void {
  if (dropType(xen, mfn) === 0) {
    domain.root = 0
    clearPageMap(xen, domain)
    for (const table of domain.tables.splice(0).reverse()) putTable(xen, table)
  }
  putPage(xen, mfn)
}

export function clearPageMap(xen: Xen, domain: Domain): void {
  for (const entry of domain.pageMap.takeAll()) putPageFromL1e(xen, entry, domain)
}

/** MMUEXT_PIN_L1_TABLE to _L4_TABLE. Of the fourth level a domain has one table at most, from which its page map is filled. */
export function pinTable(xen: Xen, domain: Domain, mfn: number, level: number): boolean {
  const { typeInfo } = xen.heap.frames
  if (!(level === 4 ? getRoot(xen, domain, mfn) : getTableLooked(xen, domain, mfn, level))) {
    warn(xen, 2330, `Error while pinning mfn ${hex(mfn)}`)
    return false
  }
  if (typeInfo[mfn]! & PGT_pinned) {
    warn(xen, 2337, `Mfn ${hex(mfn)} already pinned`)
    putAny(xen, domain, mfn)
    return false
  }
  typeInfo[mfn] = typeInfo[mfn]! + PGT_pinned
  // It dies, and has given up its pins already.
  if (domain.dying) dropPin(xen, domain, mfn)
  return true
}

export const pinRoot = (xen: Xen, domain: Domain, mfn: number): boolean => pinTable(xen, domain, mfn, 4)

function putAny(xen: Xen, domain: Domain, mfn: number): void {
  if (domain.root === mfn) putRoot(xen, domain, mfn)
  else putTable(xen, mfn)
}

/** Give the table's pin up, if it has one. */
export function dropPin(xen: Xen, domain: Domain, mfn: number): boolean {
  const { typeInfo } = xen.heap.frames
  if ((typeInfo[mfn]! & PGT_pinned) === 0) return false
  typeInfo[mfn] = typeInfo[mfn]! - PGT_pinned
  putAny(xen, domain, mfn)
  return true
}

/** MMUEXT_UNPIN_TABLE: of the caller's own, whoever else was named. */
export function unpinTable(xen: Xen, domain: Domain, mfn: number): boolean {
  if (!mfnValid(xen, mfn) || !getPage(xen, mfn, domain)) {
    warn(xen, 2367, `Mfn ${hex(mfn)} bad domain`)
    return false
  }
  const pinned = dropPin(xen, domain, mfn)
  if (!pinned) warn(xen, 2382, `Mfn ${hex(mfn)} not pinned`)
  putPage(xen, mfn)
  return pinned
}
