/** setup_pgtables_x86_64 (tools/libxc/xc_dom_x86.c): the tables that a new domain starts on, in the order [L4][L3 ..][L2 ..][L1 ..]. */
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from '#abi/xen/xen.ts'
import type { Segment, TableCounts } from './layout.ts'

const L1_PROT = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED
const TABLE_PROT = L1_PROT | _PAGE_DIRTY | _PAGE_USER
const ENTRIES = 512

/**
 * The bytes of segment `tables`. All pages of the boot region are mapped, those of the tables read-only. A pfn that the domain has no frame for leads
 * to frame 0, which Xen will refuse.
 */
export function pageTables(virtBase: bigint, tables: Segment, counts: TableCounts, p2m: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(tables.pages * PAGE_SIZE)
  const words = new Uint32Array(bytes.buffer)
  /** Entry `index` of the `table`th page of the segment leads to `pfn`. */
  const enter = (table: number, index: number, pfn: number, prot: number): void => {
    const mfn = p2m[pfn] ?? 0
    const at = (table * ENTRIES + index) * 2
    words[at] = (mfn << 12) | prot
    words[at + 1] = mfn >>> 20
  }
  const base = Number(virtBase >> 12n)
  const pages = Number((counts.end - virtBase) >> 12n)
  const index = (page: number, level: number): number => Math.floor(page / ENTRIES ** level) % ENTRIES
  let next3 = counts.l4
  let next2 = next3 + counts.l3
  let next1 = next2 + counts.l2
  let l3 = -1
  let l2 = -1
  let l1 = -1
  for (let pfn = 0; pfn < pages; pfn++) {
    const page = base + pfn
    if (l3 < 0) {
      l3 = next3++
      enter(0, index(page, 3), tables.pfn + l3, TABLE_PROT)
    }
    if (l2 < 0) {
      l2 = next2++
      enter(l3, index(page, 2), tables.pfn + l2, TABLE_PROT)
    }
    if (l1 < 0) {
      l1 = next1++
      enter(l2, index(page, 1), tables.pfn + l1, TABLE_PROT)
    }
    const isTable = pfn >= tables.pfn && pfn < tables.pfn + tables.pages
    enter(l1, page % ENTRIES, pfn, isTable ? L1_PROT & ~_PAGE_RW : L1_PROT)
    if (page % ENTRIES !== ENTRIES - 1) continue
    l1 = -1
    if (index(page, 1) !== ENTRIES - 1) continue
    l2 = -1
    if (index(page, 2) === ENTRIES - 1) l3 = -1
  }
  return bytes
}
