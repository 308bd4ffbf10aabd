/** set_timer_op (15): the vCPU's one-shot timer (xen/common/schedule.c, do_set_timer_op). */
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { setVcpuTimer, stopVcpuTimer } from '../common/schedule.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import { now } from '../xen.ts'
import type { Call } from './op-table.ts'

/** Linux asks for such times when it has none: its jiffies have wrapped. */
const FAR_FUTURE_NS = 2 ** 50
const INSTEAD_NS = 100_000_000

/** `timeout`: system time in ns. 0: no timer. */
export function setTimerOp({ xen, vcpu }: Call, [timeout = 0]: readonly number[]): number {
  if (timeout === 0 || Number.isNaN(timeout)) {
    stopVcpuTimer(vcpu.singleshotTimer)
    return 0
  }
  const nowNs = now(xen)
  const huge = timeout < 0 || timeout - nowNs >= FAR_FUTURE_NS
  if (huge) {
    const word = hex(BigInt.asUintN(64, BigInt(Math.floor(timeout))))
    guestLog(xen, XENLOG_INFO, 'schedule.c:547', `Warning: huge timeout set by vcpu ${vcpu.id}: ${word}`)
  }
  setVcpuTimer(xen, vcpu.singleshotTimer, huge ? nowNs + INSTEAD_NS : Math.floor(timeout))
  return 0
}
