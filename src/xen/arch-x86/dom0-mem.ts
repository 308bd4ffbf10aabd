/** dom0_mem=: how much of the host dom0 gets (xen/arch/x86/domain_build.c, parse_amt and compute_dom0_nr_pages). */
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { parseSize } from '../common/lib.ts'

/** Frames, negative for "all but". */
export function parseAmount(text: string): { readonly pages: number; readonly rest: string } {
  const negative = text[0] === '-'
  const { value, rest } = parseSize(negative ? text.slice(1) : text)
  const pages = Math.floor(value / PAGE_SIZE)
  return { pages: negative ? -pages : pages, rest }
}

export interface Dom0Mem {
  readonly dom0Pages: number
  readonly dom0MinPages: number
  readonly dom0MaxPages: number
}

/** Not given: all but 1/16, at most 128 MiB, for DMA buffers and the like. */
const RESERVE_MAX_PAGES = (128 * 1024 * 1024) / PAGE_SIZE

/** Frames for dom0 of the `available` ones. */
export function computeDom0Pages({ dom0Pages, dom0MinPages, dom0MaxPages }: Dom0Mem, available: number): number {
  const orAllBut = (pages: number): number => (pages < 0 ? pages + available : pages)
  const wanted = dom0Pages === 0 ? -Math.min(Math.floor(available / 16), RESERVE_MAX_PAGES) : dom0Pages
  const pages = Math.max(orAllBut(wanted), orAllBut(dom0MinPages))
  return Math.min(pages, orAllBut(dom0MaxPages), available)
}
