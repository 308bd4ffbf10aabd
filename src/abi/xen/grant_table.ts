/** Mirrors xen/include/public/grant_table.h, version 1: a domain lets another use one of its frames. */
import { i16, struct, u16, u32, u64 } from '../struct.ts'
import { vaddr } from './types.ts'

/** One row of the table that a domain shares with Xen. `frame` is a machine frame number. */
export const grant_entry = struct('grant_entry', 8, { flags: u16(0), domid: u16(2), frame: u32(4) })

/** grant_entry.flags. */
export const GTF_invalid = 0
export const GTF_permit_access = 1
export const GTF_accept_transfer = 2
export const GTF_type_mask = 3
export const GTF_readonly = 1 << 2
/** Xen's: it is being read, written. */
export const GTF_reading = 1 << 3
export const GTF_writing = 1 << 4
/** How the frame is to be cached: kept for the header's sake, Xen 3.3 looks at none. */
export const GTF_PWT = 1 << 5
export const GTF_PCD = 1 << 6
export const GTF_PAT = 1 << 7
/** accept_transfer's, Xen's too. */
export const GTF_transfer_committed = 1 << 2
export const GTF_transfer_completed = 1 << 3

/** References below are for the tool stack, by Linux's convention. */
export const NR_RESERVED_ENTRIES = 8

export const GNTTABOP_map_grant_ref = 0
export const GNTTABOP_unmap_grant_ref = 1
export const GNTTABOP_setup_table = 2
/** In the header alone: no Xen has it. */
export const GNTTABOP_dump_table = 3
export const GNTTABOP_transfer = 4
export const GNTTABOP_copy = 5
export const GNTTABOP_query_size = 6
export const GNTTABOP_unmap_and_replace = 7

export const GNTMAP_device_map = 1 << 0
export const GNTMAP_host_map = 1 << 1
export const GNTMAP_readonly = 1 << 2
/** User space may use it too. */
export const GNTMAP_application_map = 1 << 3
/** host_addr is the machine address of a page-table entry. */
export const GNTMAP_contains_pte = 1 << 4
/** The first of the bits that the entry gets for its owner's use (3.4, XENFEAT_gnttab_map_avail_bits). */
export const _GNTMAP_guest_avail0 = 16

export const gnttab_map_grant_ref = struct('gnttab_map_grant_ref', 32, {
  host_addr: vaddr(0),
  flags: u32(8),
  ref: u32(12),
  dom: u16(16),
  status: i16(18), // OUT
  handle: u32(20), // OUT
  dev_bus_addr: u64(24), // OUT
})

export const gnttab_unmap_grant_ref = struct('gnttab_unmap_grant_ref', 24, {
  host_addr: vaddr(0),
  dev_bus_addr: u64(8),
  handle: u32(16),
  status: i16(20), // OUT
})

/** frame_list: where the numbers of the table's frames go, eight bytes each. */
export const gnttab_setup_table = struct('gnttab_setup_table', 24, {
  dom: u16(0),
  nr_frames: u32(4),
  status: i16(8), // OUT
  frame_list: vaddr(16),
})

export const gnttab_dump_table = struct('gnttab_dump_table', 4, {
  dom: u16(0),
  status: i16(2), // OUT
})

export const gnttab_transfer = struct('gnttab_transfer', 24, {
  mfn: u64(0),
  domid: u16(8),
  ref: u32(12),
  status: i16(16), // OUT
})

export const GNTCOPY_source_gref = 1 << 0
export const GNTCOPY_dest_gref = 1 << 1

/** `source` and `dest` are frames (all eight bytes) or references (the low four). */
export const gnttab_copy = struct('gnttab_copy', 40, {
  source: u64(0),
  source_domid: u16(8),
  source_offset: u16(10),
  dest: u64(16),
  dest_domid: u16(24),
  dest_offset: u16(26),
  len: u16(32),
  flags: u16(34),
  status: i16(36), // OUT
})

export const gnttab_query_size = struct('gnttab_query_size', 16, {
  dom: u16(0),
  nr_frames: u32(4), // OUT
  max_nr_frames: u32(8), // OUT
  status: i16(12), // OUT
})

export const gnttab_unmap_and_replace = struct('gnttab_unmap_and_replace', 24, {
  host_addr: vaddr(0),
  new_addr: vaddr(8),
  handle: u32(16),
  status: i16(20), // OUT
})

/** GNTST_*: what each operation's `status` says. */
export const GNTST_okay = 0
export const GNTST_general_error = -1
export const GNTST_bad_domain = -2
export const GNTST_bad_gntref = -3
export const GNTST_bad_handle = -4
export const GNTST_bad_virt_addr = -5
export const GNTST_bad_dev_addr = -6
export const GNTST_no_device_space = -7
export const GNTST_permission_denied = -8
export const GNTST_bad_page = -9
export const GNTST_bad_copy_arg = -10
export const GNTST_address_too_big = -11
