/** xen/common/page_alloc.c, assign_pages and alloc_domheap_pages: frames that become a domain's. */
import { type Mfn, PAGE_SIZE } from '#abi/xen/types.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import type { Domain } from './domain.ts'
import { domainChanged } from './domain-probe.ts'
import { guestLog } from './guest-log.ts'
import { PGC_allocated } from './page-alloc.ts'
import { tracePages } from './tracer.ts'

/** assign_pages: 2^order frames become the domain's. False: over its limit. */
export function assignPages(xen: Xen, domain: Domain, mfn: Mfn, order: number): boolean {
  const count = 2 ** order
  if (domain.dying) {
    guestLog(xen, XENLOG_INFO, 'page_alloc.c:735', `Cannot assign page to domain${domain.id} -- dying.`)
    return false
  }
  const wanted = domain.totPages + count
  if (wanted > domain.maxPages) {
    const text = `Over-allocation for domain ${domain.id}: ${wanted} > ${domain.maxPages}`
    guestLog(xen, XENLOG_INFO, 'page_alloc.c:744', text)
    return false
  }
  domain.totPages += count
  domainChanged(xen, domain)
  ownPages(xen, domain, mfn, count)
  return true
}

/** The same without a count of them (MEMF_no_refcount): for what takes the place of others. */
export function ownPages(xen: Xen, domain: Domain, mfn: number, count: number): void {
  const { frames } = xen.heap
  tracePages(xen, mfn, count, domain.id)
  for (let i = mfn; i < mfn + count; i++) {
    frames.owner[i] = domain.id
    frames.countInfo[i] = PGC_allocated | 1
    // A scrubbed frame was cleared in name only (FrameTable.scrubbed).
    if (frames.scrubbed[i]) xen.mem.fill(i * PAGE_SIZE, PAGE_SIZE, 0)
  }
}

/** domain_clamp_alloc_bitsize */
export const clampBits = ({ physaddrBits }: Domain, bits: number): number =>
  physaddrBits === 0 ? bits : bits === 0 ? physaddrBits : Math.min(bits, physaddrBits)

/** alloc_domheap_pages for a domain. `bits`: below that many bits of address; 0: anywhere. */
export function allocDomainPages(xen: Xen, domain: Domain, order: number, bits = 0): Mfn | undefined {
  const mfn = xen.heap.takeDomHeapPages(order, clampBits(domain, bits))
  if (mfn === undefined) return undefined
  if (assignPages(xen, domain, mfn, order)) return mfn
  xen.heap.freeDomHeapPages(mfn, order)
  return undefined
}
