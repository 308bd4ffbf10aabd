/** Mirrors xen/include/public/version.h. */
import { bytes, struct } from '../struct.ts'

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
export const XEN_CHANGESET_INFO_LEN = 64

export const xen_compile_info = struct('xen_compile_info', 144, {
  compiler: bytes(0, 64),
  compile_by: bytes(64, 16),
  compile_domain: bytes(80, 32),
  compile_date: bytes(112, 32),
})
