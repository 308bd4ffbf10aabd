/**
 * What observers outside are told of domains (design D9): whoever changes something that getdomaininfo would say notes the domain, and the
 * scheduler tells what is noted. So a domain that changes a thousand times in one turn of dom0's is told of once.
 */
import type { Xen } from '../xen.ts'
import type { Domain } from './domain.ts'
import { domainInfo } from './domain-info.ts'

/** A vCPU that keeps its processor is told of so often: its processor time is all that changes. */
const RUNNING_NS = 10_000_000

/** Something of `domain` is no longer as it was told. */
export function domainChanged(xen: Xen, domain: Domain): void {
  if (domain.changed) return
  domain.changed = true
  xen.changedDomains.push(domain)
}

/** Its vCPU has run on, and does so still. */
export function domainRunsOn(xen: Xen, domain: Domain): void {
  if (xen.metal.now() - domain.toldNs >= RUNNING_NS) domainChanged(xen, domain)
}

/** A processor turns to another vCPU, or to none: by now everybody has to know. */
export function tellDomains(xen: Xen): void {
  const { changedDomains, metal } = xen
  if (changedDomains.length === 0) return
  for (const domain of changedDomains) {
    const { domain: domid, flags, nr_online_vcpus, tot_pages, max_pages, cpu_time } = domainInfo(xen, domain)
    domain.changed = false
    domain.toldNs = metal.now()
    metal.probe({
      kind: 'domain',
      domid,
      handle: domain.handleText,
      flags,
      onlineVcpus: nr_online_vcpus,
      totPages: tot_pages,
      maxPages: max_pages,
      cpuNs: cpu_time,
      atNs: domain.toldNs,
    })
  }
  changedDomains.length = 0
}

/** `domain` is no more: nothing else is said of it. */
export function tellDomainGone(xen: Xen, domain: Domain): void {
  const at = xen.changedDomains.indexOf(domain)
  if (at >= 0) xen.changedDomains.splice(at, 1)
  xen.metal.probe({ kind: 'domain-gone', domid: domain.id })
}
