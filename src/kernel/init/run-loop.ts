/** The virtual CPU's side of the kernel: what Xen calls, and what gives the processor back. */
import type { VcpuCode, VcpuExit } from '#abi/xen/guest.ts'
import { SCHEDOP_block, SCHEDOP_shutdown, sched_shutdown } from '#abi/xen/sched.ts'
import { VCPUOP_stop_periodic_timer } from '#abi/xen/vcpu.ts'
import { __HYPERVISOR_sched_op, __HYPERVISOR_vcpu_op, VIRQ_TIMER } from '#abi/xen/xen.ts'
import type { Core } from '../core.ts'
import type { Kernel } from '../kernel.ts'

const RUN: VcpuExit = { kind: 'run' }
const BLOCK: VcpuExit = { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_block, 0] }

/** `boot` is done by the first run. `isPanic`: what core.panic throws. */
export function runLoop(core: Core, boot: (kernel: Kernel) => void, isPanic: (thrown: unknown) => boolean): VcpuCode {
  const { time, irq, sched } = core
  let booted = false

  const upcall = (): void => {
    irq.setMasked(true)
    irq.upcall()
    irq.setMasked(false)
  }
  const loop = (deadlineNs: number): VcpuExit => {
    time.refresh()
    sched.wakeUp()
    if (!booted) {
      booted = true
      startTime(core)
      boot(core)
    }
    for (;;) {
      time.expire()
      if (irq.pending) upcall()
      const ran = core.ending === undefined && sched.runSlice(deadlineNs)
      if (core.ending !== undefined) return shutdown(core)
      if (!ran) {
        time.arm()
        sched.goIdle()
        return BLOCK
      }
      if (time.nowNs() >= deadlineNs) return RUN
    }
  }
  return {
    run(deadlineNs) {
      try {
        return loop(deadlineNs)
      } catch (error) {
        if (!isPanic(error)) throw error
        return shutdown(core)
      }
    },
    upcall() {
      try {
        time.refresh()
        upcall()
      } catch (error) {
        if (!isPanic(error)) throw error
      }
    },
  }
}

/** time_init: the one-shot timer's interrupt, no periodic one; then events may come. */
function startTime(core: Core): void {
  core.irq.bindVirq(VIRQ_TIMER, 'timer0', () => core.time.fired())
  core.vcpu.hypercall(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, core.vcpu.vcpuId, 0)
  core.irq.setMasked(false)
}

/** Between looks at a console that does not take the last words. */
const DRAIN_NS = 250_000_000

/** HYPERVISOR_shutdown: the domain is never run again. What the log has said last is to be read, though. */
function shutdown(core: Core): VcpuExit {
  const { time } = core
  if (!(core.ttys?.xencons?.backend.drain() ?? true)) {
    time.after(DRAIN_NS, () => {})
    time.arm()
    return BLOCK
  }
  sched_shutdown.write(core.mem, core.bounce, { reason: core.ending! })
  return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_shutdown, core.bounce] }
}
