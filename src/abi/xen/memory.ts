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

export const e820entry = struct('e820entry', 20, { addr: u64(0), size: u64(8), type: u32(16) })

export const xen_machphys_mapping = struct('xen_machphys_mapping', 24, {
  v_start: vaddr(0),
  v_end: vaddr(8),
  max_mfn: u64(16),
})
