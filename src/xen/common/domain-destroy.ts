/** xen/common/domain.c and arch/x86/domain.c: how a domain ends. It is gone when nobody uses a frame of its any more. */
import { EINVAL } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { VIRQ_DOM_EXC, vcpu_info } from '#abi/xen/xen.ts'
import { dropTables } from '../arch-x86/descriptors.ts'
import { clearPageMap, invalidateTable, isValidTable } from '../arch-x86/page-table-types.ts'
import { dropPin, putRoot } from '../arch-x86/page-tables.ts'
import { getPage, putPage, putWritable } from '../arch-x86/page-type.ts'
import { closePort } from '../hypercalls/event_channel_op.ts'
import type { Xen } from '../xen.ts'
import type { Domain, Vcpu } from './domain.ts'
import { domainChanged, tellDomainGone } from './domain-probe.ts'
import { domainPause } from './domain-shutdown.ts'
import { sendGlobalVirq } from './event-channel.ts'
import { gnttabReleaseMappings, grantTableDestroy } from './grant-table.ts'
import { PGC_allocated } from './page-alloc.ts'
import { creditDestroyVcpu } from './sched-credit-control.ts'
import { stopVcpuTimer } from './schedule.ts'
import { traceVcpu } from './tracer.ts'

/** domain_kill. All at once: it needs no second call. */
export function domainKill(xen: Xen, caller: Domain, domain: Domain): number {
  if (domain === caller) return -EINVAL
  if (domain.dying) return 0
  domainPause(xen, domain)
  domain.dying = true
  for (let port = 0; port < domain.ports.length; port++) closePort(xen, domain, port)
  gnttabReleaseMappings(xen, domain)
  relinquish(xen, domain)
  // The real one lets go of its target last: two that are each other's would then stay for ever.
  const { target } = domain
  domain.target = undefined
  if (target) releaseDomain(xen, target)
  domain.dead = true
  domainChanged(xen, domain)
  domainDestroyed(xen, domain)
  sendGlobalVirq(xen, xen.domains.get(0), VIRQ_DOM_EXC)
  return 0
}

/** domain_relinquish_resources */
function relinquish(xen: Xen, domain: Domain): void {
  for (const vcpu of domain.vcpus) if (vcpu) dropRoot(xen, vcpu)
  for (const vcpu of domain.vcpus) if (vcpu) dropTables(xen, vcpu)
  for (const vcpu of domain.vcpus) if (vcpu?.infoMoved) unmapVcpuInfo(xen, vcpu)
  const { owner, countInfo } = xen.heap.frames
  for (let mfn = owner.indexOf(domain.id); mfn >= 0; mfn = owner.indexOf(domain.id, mfn + 1)) {
    if (!getPage(xen, mfn, domain)) continue
    dropPin(xen, mfn)
    if (countInfo[mfn]! >= PGC_allocated) {
      countInfo[mfn] = countInfo[mfn]! - PGC_allocated
      putPage(xen, mfn)
    }
    putPage(xen, mfn)
  }
  for (let level = 4; level > 0; level--) breakCircles(xen, domain, level)
  clearPageMap(xen, domain)
}

/** Linear page tables that lead to each other: no vCPU uses them any more, but they do. */
function breakCircles(xen: Xen, domain: Domain, level: number): void {
  const { owner } = xen.heap.frames
  for (let mfn = owner.indexOf(domain.id); mfn >= 0; mfn = owner.indexOf(domain.id, mfn + 1)) {
    if (!isValidTable(xen, mfn, level) || !getPage(xen, mfn, domain)) continue
    invalidateTable(xen, domain, mfn, level)
    putPage(xen, mfn)
  }
}

/** vcpu_destroy_pagetables */
export function dropRoot(xen: Xen, vcpu: Vcpu): void {
  const { root, userRoot } = vcpu
  vcpu.root = 0
  vcpu.userRoot = 0
  if (root !== 0) putRoot(xen, vcpu.domain, root)
  if (userRoot !== 0) putRoot(xen, vcpu.domain, userRoot)
}

/** unmap_vcpu_info */
function unmapVcpuInfo(xen: Xen, vcpu: Vcpu): void {
  const mfn = Math.floor(vcpu.infoAt / PAGE_SIZE)
  vcpu.infoAt = vcpu.domain.sharedInfo * PAGE_SIZE + vcpu.id * vcpu_info.size
  vcpu.infoMoved = false
  putWritable(xen, mfn)
  putPage(xen, mfn)
}

/** put_domain, domain_destroy and complete_domain_destroy: unless somebody still refers to it. */
export function domainDestroyed(xen: Xen, domain: Domain): void {
  if (!domain.dead || domain.totPages > 0 || domain.xenheapPages > 0 || domain.refs > 0) return
  const { heap, credit } = xen
  xen.domains.delete(domain.id)
  tellDomainGone(xen, domain)
  for (const vcpu of domain.vcpus) if (vcpu) destroyVcpu(xen, vcpu)
  for (const pcpu of xen.pcpus) if (pcpu.loaded?.domain === domain) pcpu.loaded = undefined
  grantTableDestroy(xen, domain)
  heap.freeXenHeapPages(domain.sharedInfo, 0)
  credit.stats.dom_destroy++
  heap.freeXenHeapPages(domain.own, 0)
  if (domain.xenoprof) heap.freeXenHeapPages(domain.xenoprof.mfn, domain.xenoprof.order)
  sendGlobalVirq(xen, xen.domains.get(0), VIRQ_DOM_EXC)
}

/** put_domain, of who has counted itself in `refs`. */
export function releaseDomain(xen: Xen, domain: Domain): void {
  domain.refs--
  domainDestroyed(xen, domain)
}

function destroyVcpu(xen: Xen, vcpu: Vcpu): void {
  for (const timer of [vcpu.periodicTimer, vcpu.singleshotTimer, vcpu.pollTimer]) stopVcpuTimer(timer)
  creditDestroyVcpu(xen, vcpu)
  traceVcpu(xen, vcpu, false)
  vcpu.code = undefined
  vcpu.ring3?.release()
  vcpu.ring3 = undefined
  xen.heap.freeXenHeapPages(vcpu.own, 0)
}
