/**
 * xen/arch/x86/flushtlb.c: when a processor has to forget what it has translated. Guests look after themselves, but for one thing: what no entry
 * leads to any more must not be reachable once it is something else. So it is remembered that an entry went away, and all is forgotten
 * when a frame gets another type, or is given back.
 */
import type { Domain } from '../common/domain.ts'
import { PGT_type_mask } from '../common/page-alloc.ts'
import type { Xen } from '../xen.ts'

/** flush_tlb_mask(d->domain_dirty_cpumask) */
export function flushTlb(domain: Domain): void {
  domain.tlbStale = false
  for (const vcpu of domain.vcpus) vcpu?.ring3?.flush()
}

/** flush_tlb_one_mask(d->domain_dirty_cpumask) */
export function flushTlbOne(domain: Domain, va: number): void {
  for (const vcpu of domain.vcpus) vcpu?.ring3?.flushPage(va)
}

/** The frame, of which nobody makes any use now, is to be of `type`. */
export function typeChanges({ domains, heap }: Xen, mfn: number, type: number): void {
  const { typeInfo, owner } = heap.frames
  if ((typeInfo[mfn]! & PGT_type_mask) >>> 0 === type) return
  const domain = domains.get(owner[mfn]!)
  if (domain?.tlbStale) flushTlb(domain)
}
