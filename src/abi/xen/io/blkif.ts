/** Mirrors xen/include/public/io/blkif.h: requests and responses of the block split driver, in the layout of x86_64, and its XenStore keys. */
import { i16, struct, u8, u16, u32, u64 } from '../../struct.ts'

export const BLKIF_OP_READ = 0
export const BLKIF_OP_WRITE = 1
/** Where the back end has `feature-barrier`: what came before is on the disk before it, what comes after is not before it. */
export const BLKIF_OP_WRITE_BARRIER = 2
/** Where it has `feature-flush-cache`, which 3.3's has not. */
export const BLKIF_OP_FLUSH_DISKCACHE = 3

export const BLKIF_RSP_OKAY = 0
export const BLKIF_RSP_ERROR = -1
export const BLKIF_RSP_EOPNOTSUPP = -2

export const BLKIF_MAX_SEGMENTS_PER_REQUEST = 11

export const blkif_request = struct('blkif_request', 112, {
  operation: u8(0),
  nr_segments: u8(1),
  handle: u16(2),
  /** The front end's own: comes back in the response. */
  id: u64(8),
  sector_number: u64(16),
})
/** Where blkif_request.seg lies. */
export const BLKIF_SEGMENTS = 24

/** Sectors `first_sect` to `last_sect` (both included, 0 to 7) of a granted frame. */
export const blkif_request_segment = struct('blkif_request_segment', 8, {
  gref: u32(0),
  first_sect: u8(4),
  last_sect: u8(5),
})

export const blkif_response = struct('blkif_response', 16, {
  id: u64(0),
  operation: u8(8),
  status: i16(10),
})

/** Bits of the back end's `info`. */
export const VDISK_CDROM = 1
export const VDISK_REMOVABLE = 2
export const VDISK_READONLY = 4

/** What the front end's directory holds beside what the tool stack has put there. */
export interface BlkifFrontKeys {
  readonly 'ring-ref': number
  readonly 'event-channel': number
  readonly protocol: string
}

/** What the back end publishes. */
export interface BlkifBackKeys {
  readonly sectors: number
  readonly info: number
  readonly 'sector-size': number
  readonly 'feature-barrier': number
}

/** Keys of the back end's directory that the tool stack and the hotplug script write. */
export const BLKIF_PHYSICAL_DEVICE = 'physical-device'
export const BLKIF_MODE = 'mode'
export const BLKIF_DEVICE_TYPE = 'device-type'
export const BLKIF_DEV = 'dev'
/** Of the front end's. */
export const BLKIF_VIRTUAL_DEVICE = 'virtual-device'
