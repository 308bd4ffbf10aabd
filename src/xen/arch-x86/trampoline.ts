/**
 * xen/arch/x86/boot/{trampoline,mem,edd,video}.S: what Xen asks the BIOS while the boot processor is in real mode. Afterwards there is
 * no BIOS.
 */
import type { DriveParameters, E820Entry } from '#abi/pc/bios.ts'
import type { Metal } from '#abi/pc/metal.ts'
import type { VgaMode } from '../drivers/vga.ts'

/** Fields of the BIOS data area. */
const BDA_VIDEO_MODE = 0x449
const BDA_COLUMNS = 0x44a
const BDA_ROWS_LESS_1 = 0x484
const BDA_FONT_HEIGHT = 0x485
const TEXT_MODE_3 = 3

export const FIRST_DRIVE = 0x80
/** EDD_MBR_SIG_OFFSET */
const MBR_SIGNATURE = 0x1b8
const MBR_SIGNATURES_MAX = 16
const EDD_INFO_MAX = 6
/** Where the first sector of each disk is read to. */
const SECTOR_BUFFER = 0x8d000

export interface BootFacts {
  readonly e820: readonly E820Entry[]
  /** By BIOS drive from 0x80 on: the signature in its first sector; what INT 13h says of it. */
  readonly mbrSignatures: readonly number[]
  readonly eddInfos: readonly DriveParameters[]
  /** Undefined: no VGA, or no text mode 3. */
  readonly video: VgaMode | undefined
}

export function askBios({ bios, mem }: Metal): BootFacts {
  const mbrSignatures: number[] = []
  while (
    mbrSignatures.length < MBR_SIGNATURES_MAX &&
    bios.readSectors(FIRST_DRIVE + mbrSignatures.length, 0, 1, SECTOR_BUFFER) === 0
  )
    mbrSignatures.push(mem.read32(SECTOR_BUFFER + MBR_SIGNATURE))
  const eddInfos: DriveParameters[] = []
  while (eddInfos.length < EDD_INFO_MAX) {
    const drive = bios.driveParameters(FIRST_DRIVE + eddInfos.length)
    if (!drive) break
    eddInfos.push(drive)
  }
  const { row, column } = bios.cursor()
  const video =
    mem.read8(BDA_VIDEO_MODE) === TEXT_MODE_3
      ? {
          columns: mem.read16(BDA_COLUMNS),
          rows: mem.read8(BDA_ROWS_LESS_1) + 1,
          fontHeight: mem.read16(BDA_FONT_HEIGHT),
          cursorX: column,
          cursorY: row,
        }
      : undefined
  return { e820: bios.memoryMap(), mbrSignatures, eddInfos, video }
}
