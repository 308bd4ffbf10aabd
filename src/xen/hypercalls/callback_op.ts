/** callback_op (30), set_callbacks (4), nmi_op (28): where the guest is to be entered (xen/arch/x86/x86_64/traps.c, common/kernel.c). */
import {
  CALLBACKF_mask_events,
  CALLBACKOP_register,
  CALLBACKOP_unregister,
  CALLBACKTYPE_event,
  CALLBACKTYPE_failsafe,
  CALLBACKTYPE_nmi,
  CALLBACKTYPE_syscall,
  CALLBACKTYPE_syscall32,
  CALLBACKTYPE_sysenter,
  callback_register,
  callback_unregister,
} from '#abi/xen/callback.ts'
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { XENNMI_register_callback, XENNMI_unregister_callback, xennmi_callback } from '#abi/xen/nmi.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { VGCF_failsafe_disables_events, VGCF_syscall_disables_events, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { contextOf, registerNmi, unregisterNmi } from '../arch-x86/guest-context.ts'
import { isCanonical } from '../arch-x86/uaccess.ts'
import { type Call, opIn, opTable } from './op-table.ts'

const { fields } = vcpu_guest_context

/** register_guest_callback */
function register({ xen, vcpu }: Call, type: number, address: Vaddr, masks: boolean): number {
  if (!isCanonical(address)) return -EINVAL
  const context = contextOf(vcpu)
  const flag = (bit: number): void => {
    const flags = fields.flags.get(context, 0)
    fields.flags.set(context, 0, masks ? flags | BigInt(bit) : flags & ~BigInt(bit))
  }
  switch (type) {
    case CALLBACKTYPE_event:
      fields.event_callback_eip.set(context, 0, address)
      return 0
    case CALLBACKTYPE_failsafe:
      fields.failsafe_callback_eip.set(context, 0, address)
      flag(VGCF_failsafe_disables_events)
      return 0
    case CALLBACKTYPE_syscall:
      fields.syscall_callback_eip.set(context, 0, address)
      flag(VGCF_syscall_disables_events)
      return 0
    case CALLBACKTYPE_syscall32:
      Object.assign(vcpu.callbacks32, { syscall: address, syscallMasks: masks })
      return 0
    case CALLBACKTYPE_sysenter:
      Object.assign(vcpu.callbacks32, { sysenter: address, sysenterMasks: masks })
      return 0
    case CALLBACKTYPE_nmi:
      return registerNmi(xen, vcpu, address)
    default:
      return -ENOSYS
  }
}

/** unregister_guest_callback: only the NMI's can be done without. */
function unregister({ vcpu }: Call, type: number): number {
  switch (type) {
    case CALLBACKTYPE_event:
    case CALLBACKTYPE_failsafe:
    case CALLBACKTYPE_syscall:
    case CALLBACKTYPE_syscall32:
    case CALLBACKTYPE_sysenter:
      return -EINVAL
    case CALLBACKTYPE_nmi:
      return unregisterNmi(vcpu)
    default:
      return -ENOSYS
  }
}

export const callbackOp = opTable({
  [CALLBACKOP_register]: opIn(callback_register, (call, { type, flags, address }) =>
    register(call, type, address, (flags & CALLBACKF_mask_events) !== 0),
  ),
  [CALLBACKOP_unregister]: opIn(callback_unregister, (call, { type }) => unregister(call, type)),
})

/** One that cannot be is left out, and nobody told. */
export function setCallbacks(call: Call, [event = 0, failsafe = 0, syscall = 0]: readonly number[]): number {
  register(call, CALLBACKTYPE_event, event, false)
  register(call, CALLBACKTYPE_failsafe, failsafe, false)
  register(call, CALLBACKTYPE_syscall, syscall, false)
  return 0
}

export const nmiOp = opTable({
  [XENNMI_register_callback]: opIn(xennmi_callback, ({ xen, vcpu }, { handler_address }) =>
    registerNmi(xen, vcpu, handler_address),
  ),
  [XENNMI_unregister_callback]: ({ vcpu }) => unregisterNmi(vcpu),
})
