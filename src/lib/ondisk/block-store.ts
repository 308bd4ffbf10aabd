/** A disk as its formats see it: 512-byte sectors, read and written whole. */
export const SECTOR_BYTES = 512

export interface BlockStore {
  /** Size in 512-byte sectors. */
  readonly sectors: number
  /** A fresh copy of `count` sectors. RangeError outside the disk. */
  read(lba: number, count: number): Uint8Array
  /** `bytes` is a whole number of sectors. RangeError outside the disk. */
  write(lba: number, bytes: Uint8Array): void
  /** Sectors that will be read or written before long: a store that has not got all of itself yet may want to know. */
  prefetch?(lba: number, count: number): void
  /** `soon`: what is wanted before long has not come yet. `missed`: it was read or written all the same. */
  readonly wanted?: 'no' | 'soon' | 'missed'
}
