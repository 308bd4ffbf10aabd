/** sched_op (29): giving up the processor (xen/common/schedule.c, do_sched_op). */
import type { Values } from '#abi/struct.ts'
import { EINVAL, EPERM, ESRCH } from '#abi/xen/errno.ts'
import { NR_EVENT_CHANNELS } from '#abi/xen/event_channel.ts'
import {
  SCHEDOP_block,
  SCHEDOP_poll,
  SCHEDOP_remote_shutdown,
  SCHEDOP_shutdown,
  SCHEDOP_yield,
  sched_poll,
  sched_remote_shutdown,
  sched_shutdown,
} from '#abi/xen/sched.ts'
import { TRC_SCHED_BLOCK, TRC_SCHED_SHUTDOWN, TRC_SCHED_YIELD } from '#abi/xen/trace.ts'
import { __HYPERVISOR_sched_op, __HYPERVISOR_sched_op_compat, vcpu_info } from '#abi/xen/xen.ts'
import { privilegedFor, VPF_blocked } from '../common/domain.ts'
import { domainShutdown } from '../common/domain-shutdown.ts'
import { isPending } from '../common/event-channel.ts'
import { setVcpuTimer } from '../common/schedule.ts'
import { SCHEDULE_SOFTIRQ } from '../common/softirq.ts'
import { trace } from '../common/trace.ts'
import { type Call, opIn, opTable } from './op-table.ts'

const POLL_PORTS_MAX = 128

export const schedOp = opTable({
  [SCHEDOP_yield]: giveWay,
  [SCHEDOP_block]: block,
  [SCHEDOP_shutdown]: opIn(sched_shutdown, shutdown),
  [SCHEDOP_poll]: opIn(sched_poll, poll),
  [SCHEDOP_remote_shutdown]: opIn(sched_remote_shutdown, remoteShutdown),
})

/** Whether it is a call that its vCPU may not come back from at once. */
export const givesWay = (nr: number, command: number): boolean =>
  (nr === __HYPERVISOR_sched_op || nr === __HYPERVISOR_sched_op_compat) && command >= 0 && command <= SCHEDOP_poll

/** Sleep until an event is pending; events are unmasked by the same stroke. */
export function block({ xen, vcpu }: Call): number {
  vcpu_info.fields.evtchn_upcall_mask.set(xen.mem, vcpu.infoAt, 0)
  if (vcpu_info.fields.evtchn_upcall_pending.get(xen.mem, vcpu.infoAt) !== 0) return 0
  vcpu.pauseFlags |= VPF_blocked
  trace(xen, TRC_SCHED_BLOCK, 2, vcpu.domain.id, vcpu.id)
  xen.current.raise(SCHEDULE_SOFTIRQ)
  return 0
}

export function giveWay({ xen, vcpu }: Call): number {
  trace(xen, TRC_SCHED_YIELD, 2, vcpu.domain.id, vcpu.id)
  xen.current.raise(SCHEDULE_SOFTIRQ)
  return 0
}

/** Sleep until one of the ports is pending, masked or not, or until the time comes. */
function poll({ xen, vcpu, caller, mem }: Call, arg: Values<typeof sched_poll>): number {
  if (arg.nr_ports > POLL_PORTS_MAX) return -EINVAL
  for (let i = 0; i < arg.nr_ports; i++) {
    const port = mem.read32(arg.ports + 4 * i)
    if (port >= NR_EVENT_CHANNELS) return -EINVAL
    if (isPending(xen, caller, port)) return 0
  }
  vcpu.pauseFlags |= VPF_blocked
  vcpu.polling = true
  vcpu.pollPort = arg.nr_ports === 1 ? mem.read32(arg.ports) : -1
  caller.polling = true
  if (arg.timeout !== 0n) setVcpuTimer(xen, vcpu.pollTimer, Number(BigInt.asIntN(64, arg.timeout)))
  trace(xen, TRC_SCHED_BLOCK, 2, caller.id, vcpu.id)
  xen.current.raise(SCHEDULE_SOFTIRQ)
  return 0
}

function remoteShutdown({ xen, caller }: Call, arg: Values<typeof sched_remote_shutdown>): number {
  const domain = xen.domains.get(arg.domain_id)
  if (!domain) return -ESRCH
  if (!privilegedFor(caller, domain)) return -EPERM
  domainShutdown(xen, domain, arg.reason & 0xff)
  return 0
}

export function shutdown({ xen, vcpu, caller }: Call, { reason }: { readonly reason: number }): number {
  trace(xen, TRC_SCHED_SHUTDOWN, 3, caller.id, vcpu.id, reason)
  domainShutdown(xen, caller, reason & 0xff)
  return 0
}
