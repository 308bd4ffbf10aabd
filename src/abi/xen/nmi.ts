/** Mirrors xen/include/public/nmi.h. */
/** Bits of shared_info.arch.nmi_reason. */
export const XEN_NMIREASON_io_error = 1 << 0
export const XEN_NMIREASON_parity_error = 1 << 1
export const XEN_NMIREASON_unknown = 1 << 2
