/** The 256 words that IDENTIFY DEVICE returns (ATA-6, 8.15). */

export interface DriveIdentity {
  readonly model: string
  readonly serial: string
  readonly firmware: string
  readonly sectors: number
}

/** CHS geometry for drives and hosts that still count so. */
export const ATA_HEADS = 16
export const ATA_SECTORS_PER_TRACK = 63
const ATA_CYLINDERS_MAX = 16383
/** What 28 address bits reach. */
export const LBA28_SECTORS = 0x0fffffff

export const cylindersOf = (sectors: number): number =>
  Math.min(ATA_CYLINDERS_MAX, Math.floor(sectors / (ATA_HEADS * ATA_SECTORS_PER_TRACK)))

export function identify({ model, serial, firmware, sectors }: DriveIdentity, ultraMode: number): Uint8Array {
  const out = new Uint8Array(512)
  const view = new DataView(out.buffer)
  const word = (n: number, value: number): void => view.setUint16(2 * n, value, true)
  /** Strings have their bytes swapped in each word and are padded with blanks. */
  const text = (from: number, words: number, value: string): void => {
    for (let i = 0; i < words * 2; i++) out[2 * from + (i ^ 1)] = i < value.length ? value.charCodeAt(i) : 0x20
  }
  const cylinders = cylindersOf(sectors)
  const chsSectors = cylinders * ATA_HEADS * ATA_SECTORS_PER_TRACK
  word(0, 0x0040) // fixed, not removable
  word(1, cylinders)
  word(3, ATA_HEADS)
  word(6, ATA_SECTORS_PER_TRACK)
  text(10, 10, serial)
  text(23, 4, firmware)
  text(27, 20, model)
  word(47, 0x8000) // READ/WRITE MULTIPLE not supported
  word(49, 0x0300) // LBA and DMA
  word(50, 0x4000)
  word(53, 0x0007) // words 54-58, 64-70 and 88 are valid
  word(54, cylinders)
  word(55, ATA_HEADS)
  word(56, ATA_SECTORS_PER_TRACK)
  word(57, chsSectors & 0xffff)
  word(58, chsSectors >>> 16)
  const lba28 = Math.min(sectors, LBA28_SECTORS)
  word(60, lba28 & 0xffff)
  word(61, lba28 >>> 16)
  word(63, 0x0007) // multiword DMA 0-2
  word(64, 0x0003) // PIO 3 and 4
  word(65, 120)
  word(66, 120)
  word(67, 120)
  word(68, 120)
  word(80, 0x007e) // ATA-1 to ATA-6
  word(82, 0x0060) // write cache, look-ahead
  word(83, 0x7400) // FLUSH CACHE, FLUSH CACHE EXT, 48-bit addresses
  word(84, 0x4000)
  word(85, 0x0060)
  word(86, 0x3400)
  word(87, 0x4000)
  word(88, 0x003f | (1 << (8 + ultraMode))) // ultra DMA 0-5, one chosen
  word(93, 0x604b) // 80-wire cable, device 0
  view.setBigUint64(200, BigInt(sectors), true)
  return out
}
