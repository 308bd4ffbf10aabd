/** sys/mman.h: what mmap is asked for. */
export const PROT_NONE = 0
export const PROT_READ = 1
export const PROT_WRITE = 2

export const MAP_SHARED = 1
export const MAP_PRIVATE = 2
export const MAP_ANONYMOUS = 0x20
/** In memory for good: what a hypercall's argument needs. */
export const MAP_LOCKED = 0x2000
