/** Mirrors xen/include/public/nmi.h. */
import { struct } from '../struct.ts'
import { vaddr } from './types.ts'

/** Bits of shared_info.arch.nmi_reason. */
export const XEN_NMIREASON_io_error = 1 << 0
export const XEN_NMIREASON_parity_error = 1 << 1
export const XEN_NMIREASON_unknown = 1 << 2

export const XENNMI_register_callback = 0
export const XENNMI_unregister_callback = 1

export const xennmi_callback = struct('xennmi_callback', 16, { handler_address: vaddr(0) })
