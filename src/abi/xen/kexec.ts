/** Mirrors xen/include/public/kexec.h. */
import { bytes, struct, u32, u64 } from '../struct.ts'

export const KEXEC_TYPE_DEFAULT = 0
export const KEXEC_TYPE_CRASH = 1

export const KEXEC_CMD_kexec = 0
export const KEXEC_CMD_kexec_load = 1
export const KEXEC_CMD_kexec_unload = 2
export const KEXEC_CMD_kexec_get_range = 3

export const xen_kexec_exec = struct('xen_kexec_exec', 4, { type: u32(0) })

/** page_list: 17 words of eight bytes. */
export const xen_kexec_load = struct('xen_kexec_load', 160, {
  type: u32(0),
  page_list: bytes(8, 17 * 8),
  indirection_page: u64(144),
  start_address: u64(152),
})

export const KEXEC_RANGE_MA_CRASH = 0
export const KEXEC_RANGE_MA_XEN = 1
export const KEXEC_RANGE_MA_CPU = 2
export const KEXEC_RANGE_MA_XENHEAP = 3
export const KEXEC_RANGE_MA_BOOT_PARAM = 4
export const KEXEC_RANGE_MA_EFI_MEMMAP = 5
export const KEXEC_RANGE_MA_VMCOREINFO = 6
/** nr: of the processor. size and start: OUT. */
export const xen_kexec_range = struct('xen_kexec_range', 24, {
  range: u32(0),
  nr: u32(4),
  size: u64(8),
  start: u64(16),
})
