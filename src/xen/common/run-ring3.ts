/** xen/arch/x86/x86_64/entry.S, test_all_events and what leads there: the turn of a vCPU that executes machine code. */
import { Trap } from '#abi/pc/ring3.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { vcpu_info } from '#abi/xen/xen.ts'
import { loadLdt } from '../arch-x86/descriptors.ts'
import { createBounceFrame, failsafeCallback, restoreAllGuest } from '../arch-x86/entry.ts'
import { contextOf } from '../arch-x86/guest-context.ts'
import { takeFrame, type X86Vcpu } from '../arch-x86/guest-regs.ts'
import { doException, doPrivileged, doSoftwareInterrupt, processNmi } from '../arch-x86/guest-traps.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { switchToKernel, syscallFrame } from '../arch-x86/syscall-entry.ts'
import { guestHypercall } from '../hypercalls/index.ts'
import type { Xen } from '../xen.ts'
import { runnable } from './domain.ts'

/** So often Xen goes back to it in one run: whoever traps without end uses no time that the deadline would see. */
const ENTRIES_MAX = 4096

/** Run it until the processor has something else to do. */
export function runRing3(xen: Xen, pcpu: Pcpu, vcpu: X86Vcpu): void {
  const { metal } = pcpu
  for (let entries = 0; entries < ENTRIES_MAX; entries++) {
    if (!testAllEvents(xen, pcpu, vcpu)) return
    const nowNs = metal.now()
    // A timer that was set since the machine said how long has not reached the chip yet.
    const timerNs = pcpu.timers.nextNs()
    const deadlineNs = Math.min(pcpu.deadlineNs, timerNs === undefined ? Infinity : nowNs + timerNs - pcpu.now())
    if (deadlineNs <= nowNs && entries > 0) return
    const trap = vcpu.ring3.enter(deadlineNs)
    takeFrame(vcpu)
    handle(xen, vcpu, trap)
  }
}

function handle(xen: Xen, vcpu: X86Vcpu, trap: Trap): void {
  switch (trap) {
    case Trap.none:
      return
    case Trap.exception:
      doException(xen, vcpu)
      return
    case Trap.interrupt:
      doSoftwareInterrupt(xen, vcpu)
      return
    case Trap.privileged:
      doPrivileged(xen, vcpu)
      return
    case Trap.syscall:
      syscallFrame(xen, vcpu)
      if (vcpu.kernelMode) guestHypercall(xen, vcpu)
      else switchToKernel(xen, vcpu)
  }
}

/** test_all_events, up to the return to the guest. False: it is not to run now. */
function testAllEvents(xen: Xen, pcpu: Pcpu, vcpu: X86Vcpu): boolean {
  const { evtchn_upcall_pending: pending, evtchn_upcall_mask: mask } = vcpu_info.fields
  for (;;) {
    if (!runnable(vcpu) || pcpu.hasSoftirqs) return false
    if (vcpu.nmiPending && !vcpu.inNmi) processNmi(xen, vcpu)
    else if (mask.get(xen.mem, vcpu.infoAt) === 0 && pending.get(xen.mem, vcpu.infoAt) !== 0) eventCallback(xen, vcpu)
    else {
      loadLdt(xen, vcpu)
      if (restoreAllGuest(vcpu)) return true
      failsafeCallback(xen, vcpu)
    }
  }
}

/** process_guest_events */
function eventCallback(xen: Xen, vcpu: X86Vcpu): void {
  const address = vcpu_guest_context.fields.event_callback_eip.get(contextOf(vcpu), 0)
  createBounceFrame(xen, vcpu, { address, masks: true })
}
