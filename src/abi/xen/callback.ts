/** Mirrors xen/include/public/callback.h: where a guest wants to be entered. */
import { struct, u16 } from '../struct.ts'
import { vaddr } from './types.ts'

export const CALLBACKOP_register = 0
export const CALLBACKOP_unregister = 1

export const CALLBACKTYPE_event = 0
export const CALLBACKTYPE_failsafe = 1
export const CALLBACKTYPE_syscall = 2
export const CALLBACKTYPE_sysenter_deprecated = 3
export const CALLBACKTYPE_nmi = 4
export const CALLBACKTYPE_sysenter = 5
export const CALLBACKTYPE_syscall32 = 7

/** Events are masked when the callback is entered. */
export const CALLBACKF_mask_events = 1 << 0

export const callback_register = struct('callback_register', 16, { type: u16(0), flags: u16(2), address: vaddr(8) })
export const callback_unregister = struct('callback_unregister', 4, { type: u16(0) })
