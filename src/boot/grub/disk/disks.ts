/**
 * Sectors by INT 13h, a track at a time through a buffer below 1 MiB (stage2/disk_io.c, rawread), and the partitions on them.
 */
import { BIOS_DISK_OK, type DriveParameters, SECTOR_BYTES } from '#abi/pc/bios.ts'
import type { Metal } from '#abi/pc/metal.ts'
import { type Ext2Reader, openExt2 } from '#lib/ondisk/ext2/reader.ts'
import { readPartitions } from '#lib/ondisk/mbr.ts'
import { Err, fail } from '../errors.ts'
import { type Device, partitionNumber, partitionWord, WHOLE_DISK } from './device.ts'

/** BUFFERADDR and BUFFERLEN of stage2/shared.h: 63 sectors. */
const BUFFER_ADDRESS = 0x70000
const BUFFER_SECTORS = 63
/** Extended partition tables that are followed; a longer chain is a loop. */
const EXTENDED_MAX = 64

export interface Partition {
  /** The word of `Device`. */
  readonly word: number
  readonly type: number
  /** First sector on the drive. */
  readonly start: number
  readonly sectors: number
}

/** What a device is made of. */
export interface Extent {
  readonly device: Device
  readonly start: number
  readonly sectors: number
  /** The partition's type; 0 for a whole disk. */
  readonly type: number
}

/** A partition that only holds a further table. */
export const isExtended = (type: number): boolean => type === 0x05 || type === 0x0f || type === 0x85

export class Disks {
  readonly #metal: Metal
  #cached: { readonly drive: number; readonly lba: number; readonly bytes: Uint8Array } | undefined

  constructor(metal: Metal) {
    this.#metal = metal
  }

  /** Forget the track that was read last: another disk may be in the drive. */
  invalidate(): void {
    this.#cached = undefined
  }

  geometry(drive: number): DriveParameters | undefined {
    return this.#metal.bios.driveParameters(drive)
  }

  /** Error 21 for no such drive, 24 past its end, 25 for what cannot be read. */
  read(drive: number, lba: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * SECTOR_BYTES)
    for (let done = 0; done < count; ) {
      const track = this.#track(drive, lba + done)
      const from = lba + done - track.lba
      const some = Math.min(count - done, track.bytes.length / SECTOR_BYTES - from)
      bytes.set(track.bytes.subarray(from * SECTOR_BYTES, (from + some) * SECTOR_BYTES), done * SECTOR_BYTES)
      done += some
    }
    return bytes
  }

  /** The buffer with sector `lba` in it. A track, so neighbours come for nothing. */
  #track(drive: number, lba: number): { lba: number; bytes: Uint8Array } {
    const known = this.#cached
    if (known && known.drive === drive && lba >= known.lba && lba < known.lba + known.bytes.length / SECTOR_BYTES)
      return known
    const geometry = this.geometry(drive) ?? fail(Err.noDisk)
    if (lba < 0 || lba >= geometry.sectors) fail(Err.geom)
    const start = lba - (lba % BUFFER_SECTORS)
    const count = Math.min(BUFFER_SECTORS, geometry.sectors - start)
    const { bios, mem } = this.#metal
    this.#cached = undefined
    const got = (first: number, sectors: number): boolean =>
      bios.readSectors(drive, first, sectors, BUFFER_ADDRESS) === BIOS_DISK_OK
    // As rawread does: one bad sector must not spoil its neighbours, so then the wanted one is tried alone.
    const whole = got(start, count)
    if (!whole && !got(lba, 1)) fail(Err.read)
    const bytes = mem.copyOut(BUFFER_ADDRESS, (whole ? count : 1) * SECTOR_BYTES)
    const track = { drive, lba: whole ? start : lba, bytes }
    this.#cached = track
    return track
  }

  /** Error 29. */
  write(drive: number, lba: number, sector: Uint8Array): void {
    const { bios, mem } = this.#metal
    this.invalidate()
    mem.copyIn(BUFFER_ADDRESS, sector)
    if (bios.writeSectors(drive, lba, sector.length / SECTOR_BYTES, BUFFER_ADDRESS) !== BIOS_DISK_OK) fail(Err.write)
  }

  /**
   * The partitions of a hard disk in GRUB's order, extended ones included. Error 21 for no such disk, 5 for a table without its
   * signature.
   */
  partitions(drive: number): Partition[] {
    if (!this.geometry(drive)) fail(Err.noDisk)
    const found: Partition[] = []
    let table = 0
    let firstExtended = 0
    let next = 4
    for (let chain = 0; chain < EXTENDED_MAX; chain++) {
      const offset = table
      const entries = readPartitions({ read: (lba, count) => this.read(drive, offset + lba, count) })
      if (!entries) return fail(Err.badPartTable)
      entries.forEach((entry, slot) => {
        if (!entry) return
        // Logical partitions are counted from 4 on; the link to the next table is none.
        if (offset !== 0 && isExtended(entry.type)) return
        const word = partitionWord(offset === 0 ? slot : next++)
        found.push({ word, type: entry.type, start: offset + entry.start, sectors: entry.sectors })
      })
      const link = entries.find((entry) => entry && isExtended(entry.type))
      if (!link) return found
      table = firstExtended + link.start
      if (firstExtended === 0) firstExtended = table
    }
    return fail(Err.badPartTable)
  }

  /** Where a device lies. Errors 21, 22 and those of `partitions`. */
  open(device: Device): Extent {
    const geometry = this.geometry(device.drive) ?? fail(Err.noDisk)
    if (device.partition === WHOLE_DISK) return { device, start: 0, sectors: geometry.sectors, type: 0 }
    const found = this.partitions(device.drive).find(({ word }) => word === device.partition)
    return found ? { device, start: found.start, sectors: found.sectors, type: found.type } : fail(Err.noPart)
  }

  /** Sectors counted from the extent's first one. Error 24 outside of it. */
  readIn(extent: Extent, lba: number, count: number): Uint8Array {
    if (lba < 0 || lba + count > extent.sectors) fail(Err.outsidePart)
    return this.read(extent.device.drive, extent.start + lba, count)
  }

  /** The file system there, undefined where there is none that we know. */
  mount(extent: Extent): Ext2Reader | undefined {
    return openExt2({ sectors: extent.sectors, read: (lba, count) => this.readIn(extent, lba, count) })
  }

  /** ` Filesystem type is ext2fs, partition type 0x83` */
  describe(extent: Extent): string {
    const known = this.mount(extent) ? 'is ext2fs, ' : 'unknown, '
    const where =
      extent.device.partition === WHOLE_DISK ? 'using whole disk' : `partition type 0x${extent.type.toString(16)}`
    return ` Filesystem type ${known}${where}`
  }

  /** As `real_open_partition (1)` prints them: extended ones are no place for files. */
  describePartitions(drive: number): string[] {
    return this.partitions(drive)
      .filter(({ type }) => !isExtended(type))
      .map(({ word, type, start, sectors }) => {
        const extent = { device: { drive, partition: word }, start, sectors, type }
        return `   Partition num: ${partitionNumber(word)}, ${this.describe(extent)}`
      })
  }
}
