/** Mirrors xen/include/public/io/protocols.h: the value of a front end's `protocol` key. Absent: the back end's own. */
export const XEN_IO_PROTO_ABI_X86_32 = 'x86_32-abi'
export const XEN_IO_PROTO_ABI_X86_64 = 'x86_64-abi'
