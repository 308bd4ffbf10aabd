/** xen/common/sched_credit.c: what is decided about a vCPU or a domain from outside: processor, weight and cap, the end. */
import type { Xen } from '../xen.ts'
import { hasCpu } from './cpulist.ts'
import type { Domain, Vcpu } from './domain.ts'
import { stopEarning } from './sched-credit.ts'

/** csched_cpu_pick: where it may run; there, if it can be; best where nobody else does. */
export function creditPickCpu(xen: Xen, vcpu: Vcpu): number {
  const { pcpus } = xen
  const cycle = pcpus.map((_, i) => pcpus[(vcpu.processor + i) % pcpus.length]!)
  const allowed = cycle.filter(({ id, online }) => online && hasCpu(vcpu.affinity, id))
  const idle = allowed.find((pcpu) => xen.credit.idlers.has(pcpu) && pcpu.sched.runq.length === 0)
  return (idle ?? allowed[0])?.id ?? vcpu.processor
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
