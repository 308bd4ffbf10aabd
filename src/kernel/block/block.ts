/** Block devices (Linux: blkdev.h, genhd.h, buffer_head.h). */
import type { Sleeping } from '../sched/wait.ts'
import type { FileOps } from '../vfs/file.ts'
import type { BlockDevice } from './device.ts'

/** A driver's disk. Requests are whole sectors of 512 bytes; several may be under way. */
export interface Disk {
  /** `hda`. */
  readonly name: string
  readonly major: number
  /** Minor number of the whole disk, and how many minors its partitions have. */
  readonly firstMinor: number
  readonly minors: number
  readonly sectors: number
  readonly readOnly: boolean
  /** What one request may have at most, in sectors. Default 256. */
  readonly sectorsMax?: number
  /** HDIO_GETGEO. */
  readonly geometry?: { readonly cylinders: number; readonly heads: number; readonly sectors: number }
  /** EIO by fail(). */
  read(sector: number, count: number): Sleeping<Uint8Array>
  write(sector: number, bytes: Uint8Array): Sleeping<void>
  /** All that was written before is on the platter. */
  flush(): Sleeping<void>
  /** The last who had one of its devices open is gone. */
  closed?(): void
  /** Requests of the driver's own. */
  ioctl?(request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array>
}

export interface Partition {
  /** `hda1`. */
  readonly name: string
  readonly minor: number
  readonly start: number
  readonly sectors: number
}

export interface Blocks {
  /** A driver found a disk: its partition table is read, its devices appear. Prints ` hda: hda1`. */
  addDisk(disk: Disk): Sleeping<void>
  /** EBUSY while one of its devices is open. */
  removeDisk(name: string): Sleeping<void>
  readonly disks: readonly { readonly disk: Disk; readonly partitions: readonly Partition[] }[]
  /** `name` as in /proc/devices. */
  registerBlockDevice(major: number, name: string): void
  unregisterBlockDevice(major: number): void
  readonly majors: ReadonlyMap<number, string>
  /** The device of that number, or name (`hda1`). */
  device(dev: number): BlockDevice | undefined
  named(name: string): BlockDevice | undefined
  /** For the VFS: an open of a block device's node. ENXIO where there is no such device, EROFS. */
  open(dev: number, writable: boolean): Sleeping<FileOps>
  /** Everything that was written to devices as such is on their platters when it returns. */
  sync(): Sleeping<void>
}
