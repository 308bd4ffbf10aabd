/** What an ext2 file system answers instead of a result: the errno of the same refusal under Linux, by name. */
export type Ext2ErrorCode =
  | 'ENOENT'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'EEXIST'
  | 'ENOTEMPTY'
  | 'ENOSPC'
  | 'EFBIG'
  | 'EINVAL'
  | 'EMLINK'
  | 'ENAMETOOLONG'
  | 'EBUSY'
  | 'EPERM'
  | 'EROFS'
  /** More symbolic links than the limit. */
  | 'ELOOP'
  /** The structures on disk contradict themselves. */
  | 'EIO'
  /** A block number that the file system allows lies outside the device. */
  | 'ENXIO'

export class Ext2Error extends Error {
  readonly code: Ext2ErrorCode
  constructor(code: Ext2ErrorCode, message: string) {
    super(`${code}: ${message}`)
    this.code = code
  }
}

/** The structures on disk contradict themselves. */
export const inconsistent = (message: string): Ext2Error => new Ext2Error('EIO', message)

/** Why a device cannot be mounted. `read-only`: it can be read, but not written. */
export class Ext2MountError extends Ext2Error {
  readonly reason: 'not-ext2' | 'unsupported' | 'corrupt' | 'read-only'
  constructor(reason: Ext2MountError['reason'], message: string) {
    super('EINVAL', message)
    this.reason = reason
  }
}
