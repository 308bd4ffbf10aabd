/** Mirrors xen/include/public/elfnote.h: notes of a guest kernel, in PT_NOTE segments under the name `Xen`. */
export const XEN_ELFNOTE_NAME = 'Xen'
export const XEN_ELFNOTE_INFO = 0
export const XEN_ELFNOTE_ENTRY = 1
export const XEN_ELFNOTE_HYPERCALL_PAGE = 2
export const XEN_ELFNOTE_VIRT_BASE = 3
export const XEN_ELFNOTE_PADDR_OFFSET = 4
export const XEN_ELFNOTE_XEN_VERSION = 5
export const XEN_ELFNOTE_GUEST_OS = 6
export const XEN_ELFNOTE_GUEST_VERSION = 7
export const XEN_ELFNOTE_LOADER = 8
export const XEN_ELFNOTE_PAE_MODE = 9
export const XEN_ELFNOTE_FEATURES = 10
export const XEN_ELFNOTE_BSD_SYMTAB = 11
export const XEN_ELFNOTE_HV_START_LOW = 12
export const XEN_ELFNOTE_L1_MFN_VALID = 13
export const XEN_ELFNOTE_SUSPEND_CANCEL = 14
