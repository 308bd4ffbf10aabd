/** xen/common/sched_credit.c: what is decided about a vCPU or a domain from outside: processor, weight and cap, the end. */
import type { Xen } from '../xen.ts'
import { hasCpu } from './cpulist.ts'
import type { Domain, Vcpu } from './domain.ts'
import { stopEarning } from './sched-credit-acct.ts'

/**
 * csched_cpu_pick: where it is, if it may run there, else the next where it may. An idle one is better only where more of its neighbours
 * idle too; all cores here are alike, in one package.
 */
export function creditPickCpu({ pcpus }: Xen, { processor, affinity }: Vcpu): number {
  for (let i = 0; i < pcpus.length; i++) {
    const { id, online } = pcpus[(processor + i) % pcpus.length]!
    if (online && hasCpu(affinity, id)) return id
  }
  return processor
}

/** csched_dom_cntl, putinfo. Weight 0 and cap 65535 leave what is. */
export function creditAdjust({ credit }: Xen, { sched }: Domain, weight: number, cap: number): void {
  if (weight !== 0) {
    if (sched.activeVcpus.length > 0) credit.weight += weight - sched.weight
    sched.weight = weight
  }
  if (cap !== 0xffff) sched.cap = cap
}

/** csched_vcpu_destroy */
export function creditDestroyVcpu(xen: Xen, vcpu: Vcpu): void {
  xen.credit.stats.vcpu_destroy++
  stopEarning(xen, vcpu)
}
