/**
 * xen/common/schedule.c: which vCPU runs on a processor. With a single domain there is no one to share with; credits come with the
 * second.
 */
import type { Exit } from '#abi/pc/metal.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { vcpu_info } from '#abi/xen/xen.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { HYPERCALL_ARGS_MAX, hypercall } from '../hypercalls/index.ts'
import { RUN_AGAIN } from '../steps.ts'
import type { Xen } from '../xen.ts'
import { domainCrash, runnable, type Vcpu } from './domain.ts'

export const SCHEDULER = { name: 'SMP Credit Scheduler', optName: 'credit' } as const

/** Run the vCPU of `pcpu` whose turn it is. Undefined: none wants to. */
export function runNextVcpu(xen: Xen, pcpu: Pcpu): Exit | undefined {
  for (const domain of xen.domains.values()) {
    for (const vcpu of domain.vcpus) {
      if (vcpu?.processor !== pcpu.id || !runnable(vcpu)) continue
      runVcpu(xen, pcpu, vcpu)
      return RUN_AGAIN
    }
  }
  return undefined
}

function runVcpu(xen: Xen, pcpu: Pcpu, vcpu: Vcpu): void {
  const { loaded, run } = vcpu.code!
  const deadline = pcpu.now() + Math.max(0, pcpu.deadlineNs - pcpu.metal.now())
  const upcall = takeUpcall(xen, vcpu)
  const { result } = vcpu
  vcpu.result = 0
  const outcome = loaded.call(() => {
    if (upcall) run.upcall()
    // Copied where the guest's own getters can still do no harm.
    const exit = run.run(deadline, result)
    return exit.kind === 'hypercall'
      ? { nr: Number(exit.nr), args: Array.from(exit.args, Number).slice(0, HYPERCALL_ARGS_MAX) }
      : undefined
  })
  if (vcpu.thrown !== undefined) {
    const { thrown } = vcpu
    vcpu.thrown = undefined
    throw thrown
  }
  if (!outcome.ok) {
    const { message, file, line } = outcome.fault
    const where = file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`
    domainCrash(xen, vcpu, `${loaded.name}: ${message}${where}`)
  } else if (outcome.value) vcpu.result = hypercall(xen, vcpu, outcome.value.nr, outcome.value.args)
}

/** Whether the event callback is due; masks events, as its entry does. */
function takeUpcall(xen: Xen, vcpu: Vcpu): boolean {
  const at = vcpu.domain.sharedInfo * PAGE_SIZE + vcpu.id * vcpu_info.size
  const { evtchn_upcall_pending: pending, evtchn_upcall_mask: mask } = vcpu_info.fields
  if (pending.get(xen.mem, at) === 0 || mask.get(xen.mem, at) !== 0) return false
  mask.set(xen.mem, at, 1)
  return true
}
