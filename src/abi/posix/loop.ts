/** Loop devices (Linux: include/linux/loop.h). */
export const LOOP_MAJOR = 7
/** The argument is a descriptor. */
export const LOOP_SET_FD = 0x4c00
export const LOOP_CLR_FD = 0x4c01
/** struct loop_info64. */
export const LOOP_SET_STATUS64 = 0x4c04
export const LOOP_GET_STATUS64 = 0x4c05

export const LO_FLAGS_READ_ONLY = 1

/** struct loop_info64: offsets. The numbers are u64 up to `sizelimit`, u32 from `number` on. */
export const LOOP_INFO64 = {
  device: 0,
  inode: 8,
  rdevice: 16,
  offset: 24,
  sizelimit: 32,
  number: 40,
  flags: 52,
  fileName: 56,
} as const
export const LO_NAME_SIZE = 64
export const LOOP_INFO64_BYTES = 232
