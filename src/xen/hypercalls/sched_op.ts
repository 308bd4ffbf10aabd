/** sched_op (29): giving up the processor (xen/common/schedule.c, do_sched_op). */
import { SCHEDOP_block, SCHEDOP_shutdown, SCHEDOP_yield, sched_shutdown } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { vcpu_info } from '#abi/xen/xen.ts'
import { domainShutdown, VPF_blocked } from '../common/domain.ts'
import { type Call, op, opTable } from './op-table.ts'

export const schedOp = opTable({
  [SCHEDOP_yield]: () => 0,
  [SCHEDOP_block]: block,
  [SCHEDOP_shutdown]: op(sched_shutdown, shutdown),
})

/** Sleep until an event is pending; events are unmasked by the same stroke. */
function block({ xen, vcpu }: Call): number {
  const at = vcpu.domain.sharedInfo * PAGE_SIZE + vcpu.id * vcpu_info.size
  vcpu_info.fields.evtchn_upcall_mask.set(xen.mem, at, 0)
  if (vcpu_info.fields.evtchn_upcall_pending.get(xen.mem, at) === 0) vcpu.pauseFlags |= VPF_blocked
  return 0
}

function shutdown({ xen, caller }: Call, { reason }: { readonly reason: number }): number {
  domainShutdown(xen, caller, reason & 0xff)
  return 0
}
