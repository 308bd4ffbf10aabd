/** INT 13h on the masters of both IDE channels: drive 0x80 is the first that is there. The processor is busy until the drive is done. */
import type { Mem } from '#abi/mem.ts'
import {
  BIOS_DISK_BAD_COMMAND,
  BIOS_DISK_OK,
  BIOS_DISK_SECTOR_NOT_FOUND,
  BIOS_DISK_TIMEOUT,
  type DriveParameters,
  SECTOR_BYTES,
} from '#abi/pc/bios.ts'
import * as ata from '#abi/pc/ide.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import { EBDA_BASE } from './memory-map.ts'

export interface FoundDrive {
  readonly model: string
  readonly sectors: number
}

export interface Disks {
  /** Look for drives: what the primary and what the secondary channel has, undefined where nobody answers. */
  detect(): readonly (FoundDrive | undefined)[]
  parameters(drive: number): DriveParameters | undefined
  read(drive: number, lba: number, count: number, to: number): number
  write(drive: number, lba: number, count: number, from: number): number
}

export interface DiskPlace {
  readonly mem: Mem
  readonly io: PortIo
  /** Ports of the bus master of both channels, as the firmware has placed them. */
  readonly busMaster: number
  /**
   * The polling loop `while (in(0x3f6) & BSY)`, folded: spend the time that the drive of channel 0 or 1 still needs. Without a drive's answer
   * within the BIOS's patience the caller finds it still busy.
   */
  readonly awaitDrive: (channel: number) => void
}

const FIRST_DRIVE = 0x80
const CHANNELS = [
  { base: ata.IDE1_BASE, control: ata.IDE1_CONTROL },
  { base: ata.IDE2_BASE, control: ata.IDE2_CONTROL },
] as const
/** How far the second channel's bus master registers are behind the first's. */
const BUS_MASTER_STRIDE = 8
const SECTORS_MAX = 256
/** Descriptors lie in the extended BIOS data area. */
const PRD_TABLE = EBDA_BASE + 0x100
const REGION_BYTES = 65536
const SECTORS_PER_TRACK = 63
const ADDRESS_TOP = 2 ** 32

/** One drive: an IDE channel's master. */
interface Drive {
  detect(): FoundDrive | undefined
  parameters(): DriveParameters
  /** BIOS_DISK_OK, or why not. */
  transfer(toDisk: boolean, lba: number, count: number, address: number): number
}

export function disks(place: DiskPlace): Disks {
  const masters = CHANNELS.map((_, channel) => master(place, channel))
  let found: readonly Drive[] = []
  const transfer = (toDisk: boolean, drive: number, lba: number, count: number, address: number): number =>
    found[drive - FIRST_DRIVE]?.transfer(toDisk, lba, count, address) ?? BIOS_DISK_BAD_COMMAND
  return {
    detect() {
      const answers = masters.map((each) => each.detect())
      found = masters.filter((_, i) => answers[i])
      return answers
    },
    parameters: (drive) => found[drive - FIRST_DRIVE]?.parameters(),
    read: (drive, lba, count, to) => transfer(false, drive, lba, count, to),
    write: (drive, lba, count, from) => transfer(true, drive, lba, count, from),
  }
}

function master(place: DiskPlace, channel: number): Drive {
  const { mem, io } = place
  const { base, control } = CHANNELS[channel]!
  const busMaster = place.busMaster + channel * BUS_MASTER_STRIDE
  const awaitDrive = (): void => place.awaitDrive(channel)
  let sectors = 0

  /** The status once the drive is no longer busy, or undefined after a timeout. */
  function settled(): number | undefined {
    awaitDrive()
    const status = io.in8(base + ata.ATA_STATUS)
    return status & ata.ATA_STATUS_BSY ? undefined : status
  }

  function issue(command: number, lba: number, count: number): void {
    // The BIOS polls: nIEN keeps the drive's interrupt to itself.
    io.out8(control, ata.ATA_CONTROL_NIEN)
    if (lba + count > 2 ** 28) {
      io.out8(base + ata.ATA_COUNT, count >> 8)
      for (let n = 3; n < 6; n++) io.out8(base + n, Math.floor(lba / 2 ** (8 * n)) % 256)
    }
    io.out8(base + ata.ATA_COUNT, count & 0xff)
    for (let n = 0; n < 3; n++) io.out8(base + ata.ATA_LBA_LOW + n, Math.floor(lba / 2 ** (8 * n)) % 256)
    const top = lba + count > 2 ** 28 ? 0 : Math.floor(lba / 2 ** 24)
    io.out8(base + ata.ATA_DEVICE, 0xa0 | ata.ATA_DEVICE_LBA | top)
    io.out8(base + ata.ATA_COMMAND, command)
  }

  /** A descriptor table for [address, address + bytes). */
  function describe(address: number, bytes: number): void {
    let at = PRD_TABLE
    for (let from = address; from < address + bytes; at += ata.PRD_BYTES) {
      const to = Math.min((Math.floor(from / REGION_BYTES) + 1) * REGION_BYTES, address + bytes)
      mem.write32(at, from)
      mem.write16(at + 4, (to - from) & 0xffff)
      mem.write16(at + 6, to === address + bytes ? ata.PRD_END : 0)
      from = to
    }
  }

  function byDma(toDisk: boolean, lba: number, count: number, address: number): number {
    const direction = toDisk ? 0 : ata.BM_COMMAND_TO_MEMORY
    describe(address, count * SECTOR_BYTES)
    io.out32(busMaster + ata.BM_PRD_TABLE, PRD_TABLE)
    io.out8(busMaster + ata.BM_COMMAND, direction)
    io.out8(busMaster + ata.BM_STATUS, ata.BM_STATUS_ERROR | ata.BM_STATUS_INTERRUPT)
    const wide = lba + count > 2 ** 28
    const command = toDisk
      ? wide
        ? ata.ATA_CMD_WRITE_DMA_EXT
        : ata.ATA_CMD_WRITE_DMA
      : wide
        ? ata.ATA_CMD_READ_DMA_EXT
        : ata.ATA_CMD_READ_DMA
    issue(command, lba, count)
    io.out8(busMaster + ata.BM_COMMAND, direction | ata.BM_COMMAND_START)
    const status = settled()
    io.out8(busMaster + ata.BM_COMMAND, 0)
    io.out8(busMaster + ata.BM_STATUS, ata.BM_STATUS_ERROR | ata.BM_STATUS_INTERRUPT)
    if (status === undefined || status & ata.ATA_STATUS_DRQ) return BIOS_DISK_TIMEOUT
    return status & ata.ATA_STATUS_ERR ? BIOS_DISK_SECTOR_NOT_FOUND : BIOS_DISK_OK
  }

  /** Bus masters move words: a buffer at an odd address goes through the data port. */
  function byPio(toDisk: boolean, lba: number, count: number, address: number): number {
    issue(toDisk ? ata.ATA_CMD_WRITE_SECTORS : ata.ATA_CMD_READ_SECTORS, lba, count)
    for (let at = address; at < address + count * SECTOR_BYTES; ) {
      const status = settled()
      if (status === undefined) return BIOS_DISK_TIMEOUT
      if (status & ata.ATA_STATUS_ERR || !(status & ata.ATA_STATUS_DRQ)) return BIOS_DISK_SECTOR_NOT_FOUND
      for (const end = at + SECTOR_BYTES; at < end; at += 2) {
        if (toDisk) io.out16(base, mem.read16(at))
        else mem.write16(at, io.in16(base))
      }
    }
    const status = settled()
    if (status === undefined) return BIOS_DISK_TIMEOUT
    return status & ata.ATA_STATUS_ERR ? BIOS_DISK_SECTOR_NOT_FOUND : BIOS_DISK_OK
  }

  function transfer(toDisk: boolean, lba: number, count: number, address: number): number {
    if (![lba, count, address].every((n) => Number.isSafeInteger(n) && n >= 0)) return BIOS_DISK_BAD_COMMAND
    if (address + count * SECTOR_BYTES > ADDRESS_TOP) return BIOS_DISK_BAD_COMMAND
    if (lba + count > sectors) return BIOS_DISK_SECTOR_NOT_FOUND
    for (let done = 0; done < count; ) {
      const part = Math.min(SECTORS_MAX, count - done)
      const at = address + done * SECTOR_BYTES
      const result = (at % 2 === 0 ? byDma : byPio)(toDisk, lba + done, part, at)
      if (result !== BIOS_DISK_OK) return result
      done += part
    }
    return BIOS_DISK_OK
  }

  return {
    detect() {
      sectors = 0
      io.out8(base + ata.ATA_DEVICE, 0xa0)
      const status = io.in8(base + ata.ATA_STATUS)
      // A floating bus or no drive: real drives are ready by now.
      if ((status & (ata.ATA_STATUS_DRDY | 0x02 | 0x04)) !== ata.ATA_STATUS_DRDY) return undefined
      issue(ata.ATA_CMD_IDENTIFY, 0, 0)
      const answer = settled()
      if (answer === undefined || !(answer & ata.ATA_STATUS_DRQ)) return undefined
      const words = Array.from({ length: 256 }, () => io.in16(base))
      sectors =
        words[83]! & 0x400
          ? words[100]! + words[101]! * 2 ** 16 + words[102]! * 2 ** 32
          : words[60]! + words[61]! * 2 ** 16
      let model = ''
      for (let n = 27; n < 47; n++) model += String.fromCharCode(words[n]! >> 8, words[n]! & 0xff)
      return { model: model.trimEnd(), sectors }
    },
    parameters() {
      // LBA-assisted translation: the least number of heads that keeps cylinders below 1024.
      const heads = [16, 32, 64, 128].find((n) => sectors / (n * SECTORS_PER_TRACK) <= 1024) ?? 255
      const cylinders = Math.floor(sectors / (heads * SECTORS_PER_TRACK))
      return { sectors, cylinders, heads, sectorsPerTrack: SECTORS_PER_TRACK }
    },
    transfer,
  }
}
