/** Mirrors xen/include/public/io/xs_wire.h: what xenstored and its clients say to each other, over a socket, a ring or /proc/xen/xenbus. */
import {
  EACCES,
  EAGAIN,
  EBUSY,
  EEXIST,
  EINVAL,
  EIO,
  EISDIR,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOSYS,
  ENOTEMPTY,
  EROFS,
} from '../../posix/errno.ts'
import { bytes, struct, u32 } from '../../struct.ts'

/** What a socket's second connect answers; the daemon never uses it. */
const EISCONN = 106

/** xsd_sockmsg_type */
export const XS_DEBUG = 0
export const XS_DIRECTORY = 1
export const XS_READ = 2
export const XS_GET_PERMS = 3
export const XS_WATCH = 4
export const XS_UNWATCH = 5
export const XS_TRANSACTION_START = 6
export const XS_TRANSACTION_END = 7
export const XS_INTRODUCE = 8
export const XS_RELEASE = 9
export const XS_GET_DOMAIN_PATH = 10
export const XS_WRITE = 11
export const XS_MKDIR = 12
export const XS_RM = 13
export const XS_SET_PERMS = 14
export const XS_WATCH_EVENT = 15
export const XS_ERROR = 16
export const XS_IS_DOMAIN_INTRODUCED = 17
export const XS_RESUME = 18
export const XS_SET_TARGET = 19

/** In front of each message; `len` bytes follow. */
export const xsd_sockmsg = struct('xsd_sockmsg', 16, {
  type: u32(0),
  /** Echoed by the daemon. */
  req_id: u32(4),
  /** 0: not part of a transaction. */
  tx_id: u32(8),
  len: u32(12),
})

/** Errors go by name; any other is sent as EINVAL. */
export const xsd_errors: readonly (readonly [errnum: number, errstring: string])[] = [
  [EINVAL, 'EINVAL'],
  [EACCES, 'EACCES'],
  [EEXIST, 'EEXIST'],
  [EISDIR, 'EISDIR'],
  [ENOENT, 'ENOENT'],
  [ENOMEM, 'ENOMEM'],
  [ENOSPC, 'ENOSPC'],
  [EIO, 'EIO'],
  [ENOTEMPTY, 'ENOTEMPTY'],
  [ENOSYS, 'ENOSYS'],
  [EROFS, 'EROFS'],
  [EBUSY, 'EBUSY'],
  [EAGAIN, 'EAGAIN'],
  [EISCONN, 'EISCONN'],
]

/** xs_watch_type: the strings of a watch and of its event. */
export const XS_WATCH_PATH = 0
export const XS_WATCH_TOKEN = 1

export const XENSTORE_RING_SIZE = 1024

/** The page that a domain and the daemon share. Indexes run freely; their low bits say where. */
export const xenstore_domain_interface = struct('xenstore_domain_interface', 2064, {
  req: bytes(0, XENSTORE_RING_SIZE),
  rsp: bytes(1024, XENSTORE_RING_SIZE),
  req_cons: u32(2048),
  req_prod: u32(2052),
  rsp_cons: u32(2056),
  rsp_prod: u32(2060),
})

export const XENSTORE_PAYLOAD_MAX = 4096
export const XENSTORE_ABS_PATH_MAX = 3072
export const XENSTORE_REL_PATH_MAX = 2048
