/** Mirrors xen/include/public/memory.h. */
import { struct, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

export const XENMEM_increase_reservation = 0
export const XENMEM_decrease_reservation = 1
export const XENMEM_maximum_ram_page = 2
export const XENMEM_current_reservation = 3
export const XENMEM_maximum_reservation = 4
export const XENMEM_machphys_mfn_list = 5
export const XENMEM_populate_physmap = 6
export const XENMEM_add_to_physmap = 7
export const XENMEM_translate_gpfn_list = 8
export const XENMEM_memory_map = 9
export const XENMEM_machine_memory_map = 10
export const XENMEM_exchange = 11
export const XENMEM_machphys_mapping = 12
export const XENMEM_set_memory_map = 13
export const XENMEM_maximum_gpfn = 14

/** extent_start is a list of 8-byte frame numbers. */
export const xen_memory_reservation = struct('xen_memory_reservation', 32, {
  extent_start: vaddr(0),
  nr_extents: u64(8),
  extent_order: u32(16),
  mem_flags: u32(20),
  domid: u16(24),
})

/** buffer is a list of e820entry. */
export const xen_memory_map = struct('xen_memory_map', 16, { nr_entries: u32(0), buffer: vaddr(8) })

/** [IN] `in` and `out`: two xen_memory_reservation. [OUT] nr_exchanged, 0 at the call. */
export const XEN_MEMORY_EXCHANGE_OUT = 32
export const xen_memory_exchange = struct('xen_memory_exchange', 72, { nr_exchanged: u64(64) })

/** extent_start: where the frame numbers of M2P's 2 MiB pieces go. */
export const xen_machphys_mfn_list = struct('xen_machphys_mfn_list', 24, {
  max_extents: u32(0),
  extent_start: vaddr(8),
  nr_extents: u32(16), // OUT
})

/** xen_add_to_physmap.space. */
export const XENMAPSPACE_shared_info = 0
export const XENMAPSPACE_grant_table = 1

export const xen_add_to_physmap = struct('xen_add_to_physmap', 24, {
  domid: u16(0),
  space: u32(4),
  idx: u64(8),
  gpfn: u64(16),
})

export const xen_translate_gpfn_list = struct('xen_translate_gpfn_list', 32, {
  domid: u16(0),
  nr_gpfns: u64(8),
  gpfn_list: vaddr(16),
  mfn_list: vaddr(24),
})

/** `map` is a xen_memory_map. */
export const xen_foreign_memory_map = struct('xen_foreign_memory_map', 24, {
  domid: u16(0),
  nr_entries: u32(8),
  buffer: vaddr(16),
})

export const e820entry = struct('e820entry', 20, { addr: u64(0), size: u64(8), type: u32(16) })

export const xen_machphys_mapping = struct('xen_machphys_mapping', 24, {
  v_start: vaddr(0),
  v_end: vaddr(8),
  max_mfn: u64(16),
})
