/** Mirrors xen/include/public/version.h. */
import { bytes, struct, u32 } from '../struct.ts'

export const XENVER_version = 0
export const XENVER_extraversion = 1
export const XENVER_compile_info = 2
export const XENVER_capabilities = 3
export const XENVER_changeset = 4
export const XENVER_platform_parameters = 5
export const XENVER_get_features = 6
export const XENVER_pagesize = 7
export const XENVER_guest_handle = 8

export const XEN_EXTRAVERSION_LEN = 16
export const XEN_CAPABILITIES_INFO_LEN = 1024
export const XEN_CHANGESET_INFO_LEN = 64

export const xen_compile_info = struct('xen_compile_info', 144, {
  compiler: bytes(0, 64),
  compile_by: bytes(64, 16),
  compile_domain: bytes(80, 32),
  compile_date: bytes(112, 32),
})

export const xen_feature_info = struct('xen_feature_info', 8, { submap_idx: u32(0), submap: u32(4) })

/** features.h: bits of the first submap. */
export const XENFEAT_writable_page_tables = 0
export const XENFEAT_writable_descriptor_tables = 1
export const XENFEAT_auto_translated_physmap = 2
export const XENFEAT_supervisor_mode_kernel = 3
export const XENFEAT_pae_pgdir_above_4gb = 4
export const XENFEAT_mmu_pt_update_preserve_ad = 5
/** Of 3.4; Linux 5.14 and later will not run without it. */
export const XENFEAT_gnttab_map_avail_bits = 7
