/** Where what lies in a new domain (xc_dom_core.c, xc_dom_x86.c; hypercall-abi.md 4.2). Addresses are 64-bit words. */

import { EINVAL } from '#abi/posix/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { strerror } from '#user/libc/errno.ts'
import { XC_ERROR_NONE, XC_INTERNAL_ERROR } from '../error.ts'
import { hex, type Log, Panic } from './log.ts'

const PAGE = BigInt(PAGE_SIZE)
/** Behind everything: the boot stack's page and half a megabyte, up to a multiple of four. */
const EXTRA_PAGES = 1 + 128
const REGION_BITS = 22n

/** xc_dom_seg. */
export interface Segment {
  readonly vstart: bigint
  readonly vend: bigint
  readonly pfn: number
  readonly pages: number
}

/** How many tables of each level the boot region wants, and where it ends. */
export interface TableCounts {
  readonly l4: number
  readonly l3: number
  readonly l2: number
  readonly l1: number
  readonly end: bigint
}

/** nr_page_tables: tables that cover 2^bits bytes each. */
function tablesFor(start: bigint, last: bigint, bits: number, log: Log): number {
  const mask = (1n << BigInt(bits)) - 1n
  const from = start & ~mask
  const to = last | mask
  const tables = Number((to - from) >> BigInt(bits)) + 1
  const word = (value: bigint): string => hex(BigInt.asUintN(64, value)).padStart(16, '0')
  log(`nr_page_tables: 0x${word(mask)}/${bits}: 0x${word(from)} -> 0x${word(to)}, ${tables} table(s)\n`)
  return tables
}

export class Layout {
  readonly virtBase: bigint
  readonly totalPages: number
  /** dom->virt_alloc_end. */
  end = 0n
  readonly #log: Log

  constructor(virtBase: bigint, totalPages: number, log: Log) {
    this.virtBase = virtBase
    this.totalPages = totalPages
    this.#log = log
  }

  /** xc_dom_alloc_segment: `bytes` from `start` on, or behind what there is. It must lie in the domain's memory. */
  segment(name: string, bytes: bigint, start: bigint = this.end): Segment {
    if (start & (PAGE - 1n))
      throw new Panic(
        'xc_dom_core.c:395',
        XC_INTERNAL_ERROR,
        `xc_dom_alloc_segment: segment start isn't page aligned (0x${hex(start)})\n`,
      )
    if (start < this.end)
      throw new Panic(
        'xc_dom_core.c:402',
        XC_INTERNAL_ERROR,
        `xc_dom_alloc_segment: segment start too low (0x${hex(start)} < 0x${hex(this.end)})\n`,
      )
    const count = (bytes + PAGE - 1n) / PAGE
    const pages = Number(count)
    const pfn = Number((start - this.virtBase) / PAGE)
    this.end = start + count * PAGE
    this.#log(
      `xc_dom_alloc_segment:   ${name.padEnd(12)} : 0x${hex(start)} -> 0x${hex(this.end)}  ` +
        `(pfn 0x${hex(pfn)} + 0x${hex(pages)} pages)\n`,
    )
    if (pfn > this.totalPages) {
      this.#log(`xc_dom_pfn_to_ptr: pfn out of range (0x${hex(pfn)} > 0x${hex(this.totalPages)})\n`)
      throw new Panic('', XC_ERROR_NONE, '', EINVAL)
    }
    if (pfn + pages > this.totalPages) throw cannotMap(pfn, pages, EINVAL)
    return { vstart: start, vend: this.end, pfn, pages }
  }

  /** xc_dom_alloc_page; its pfn. */
  page(name: string): number {
    const pfn = Number((this.end - this.virtBase) / PAGE)
    this.#log(`xc_dom_alloc_page   :   ${name.padEnd(12)} : 0x${hex(this.end)} (pfn 0x${hex(pfn)})\n`)
    this.end += PAGE
    return pfn
  }

  /** count_pgtables for x86_64: tables are part of what they map. */
  countTables(): TableCounts {
    let pages = EXTRA_PAGES
    for (;;) {
      const last = (this.end + BigInt(pages) * PAGE) | ((1n << REGION_BITS) - 1n)
      const count = (bits: number): number => tablesFor(this.virtBase, last, bits, this.#log)
      const counts = { l4: count(48), l3: count(39), l2: count(30), l1: count(21), end: last + 1n }
      pages = counts.l4 + counts.l3 + counts.l2 + counts.l1 + EXTRA_PAGES
      if (this.end + BigInt(pages) * PAGE <= counts.end) return counts
    }
  }
}

/** xc_dom_boot_domU_map's. */
export const cannotMap = (pfn: number, pages: number, errno: number): Panic =>
  new Panic(
    'xc_dom_boot.c:177',
    XC_INTERNAL_ERROR,
    `xc_dom_boot_domU_map: failed to mmap domU pages 0x${hex(pfn)}+0x${hex(pages)} ` +
      `[mmap, errno=${errno} (${strerror(errno)})]\n`,
    errno,
  )
