/** Mirrors linux/include/xen/public/gntdev.h: what /dev/xen/gntdev does. Structs go in, and come back as the ioctl's result. */
import { struct, u32, u64 } from '../../struct.ts'
import { vaddr } from '../types.ts'

export const IOCTL_GNTDEV_MAP_GRANT_REF = 0x184700
export const IOCTL_GNTDEV_UNMAP_GRANT_REF = 0x104701
export const IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR = 0x184702
export const IOCTL_GNTDEV_SET_MAX_GRANTS = 0x44703

/** `index`, OUT: the offset for mmap. `refs`: `count` of ioctl_gntdev_grant_ref. */
export const ioctl_gntdev_map_grant_ref = struct('ioctl_gntdev_map_grant_ref', 16, {
  count: u32(0),
  index: u64(8),
})
export const GNTDEV_REFS = 16
export const ioctl_gntdev_grant_ref = struct('ioctl_gntdev_grant_ref', 8, { domid: u32(0), ref: u32(4) })

export const ioctl_gntdev_unmap_grant_ref = struct('ioctl_gntdev_unmap_grant_ref', 16, {
  index: u64(0),
  count: u32(8),
})

export const ioctl_gntdev_get_offset_for_vaddr = struct('ioctl_gntdev_get_offset_for_vaddr', 24, {
  vaddr: vaddr(0),
  offset: u64(8), // OUT
  count: u32(16), // OUT
})

export const ioctl_gntdev_set_max_grants = struct('ioctl_gntdev_set_max_grants', 4, { count: u32(0) })
