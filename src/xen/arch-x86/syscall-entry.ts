/** xen/arch/x86/x86_64/entry.S, switch_to_kernel and sysenter_entry: a user mode that calls its kernel. */
import { R11, RSP } from '#abi/pc/ring3.ts'
import {
  FLAT_KERNEL_CS,
  FLAT_KERNEL_SS,
  FLAT_USER_CS32,
  VGCF_syscall_disables_events,
  vcpu_guest_context,
} from '#abi/xen/vcpu.ts'
import type { Xen } from '../xen.ts'
import { inLongMode } from './descriptors.ts'
import { createBounceFrame } from './entry.ts'
import { contextOf } from './guest-context.ts'
import {
  reg32,
  rflags,
  rip,
  setRegNumber,
  setRflags,
  setRip,
  X86_EFLAGS_DF,
  X86_EFLAGS_RF,
  type X86Vcpu,
} from './guest-regs.ts'
import { doGuestTrap, TRAP_gp_fault } from './guest-traps.ts'
import { machineAddress, rootInUse } from './page-walk.ts'

const { fields } = vcpu_guest_context

/** SYSCALL has left its frame: flat segments, whatever were loaded before. */
export function syscallFrame(xen: Xen, vcpu: X86Vcpu): void {
  const { frame } = vcpu
  frame.cs = inLongMode(xen, vcpu, frame.cs) ? FLAT_KERNEL_CS : FLAT_USER_CS32
  frame.ss = FLAT_KERNEL_SS
  frame.sysret = true
  setRflags(vcpu, reg32(vcpu, R11))
}

/** switch_to_kernel */
export function switchToKernel(xen: Xen, vcpu: X86Vcpu): void {
  const context = contextOf(vcpu)
  const compat = vcpu.frame.cs === FLAT_USER_CS32 ? vcpu.callbacks32.syscall : 0
  createBounceFrame(xen, vcpu, {
    address: compat || fields.syscall_callback_eip.get(context, 0),
    masks: (fields.flags.get(context, 0) & BigInt(VGCF_syscall_disables_events)) !== 0n,
  })
  setRflags(vcpu, rflags(vcpu) & ~X86_EFLAGS_DF)
}

/** sysenter_entry, if it is that at RIP. It leaves nothing behind of where it came from. False: it is another instruction. */
export function sysenterEntry(xen: Xen, vcpu: X86Vcpu): boolean {
  const first = machineAddress(xen, rootInUse(vcpu), rip(vcpu))
  const second = machineAddress(xen, rootInUse(vcpu), rip(vcpu) + 1)
  if (first === undefined || second === undefined) return false
  if (xen.mem.read8(first) !== 0x0f || xen.mem.read8(second) !== 0x34) return false
  const { sysenter, sysenterMasks } = vcpu.callbacks32
  const { frame } = vcpu
  setRip(vcpu, 0)
  setRflags(vcpu, rflags(vcpu) & ~X86_EFLAGS_RF)
  setRegNumber(vcpu, RSP, 0)
  frame.cs = 3
  frame.ss = FLAT_KERNEL_SS
  frame.sysret = true
  if (sysenter !== 0) createBounceFrame(xen, vcpu, { address: sysenter, masks: sysenterMasks })
  else doGuestTrap(xen, vcpu, TRAP_gp_fault, 0)
  return true
}
