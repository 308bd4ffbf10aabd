/**
 * xen/arch/x86/boot/{trampoline,mem,edd,video}.S: what Xen asks the BIOS while the boot processor is in real mode. Afterwards there is
 * no BIOS.
 */
import type { E820Entry } from '#abi/pc/bios.ts'
import type { Metal } from '#abi/pc/metal.ts'
import type { VgaMode } from '../drivers/vga.ts'

/** Fields of the BIOS data area. */
const BDA_VIDEO_MODE = 0x449
const BDA_COLUMNS = 0x44a
const BDA_ROWS_LESS_1 = 0x484
const BDA_FONT_HEIGHT = 0x485
const TEXT_MODE_3 = 3

const FIRST_DRIVE = 0x80
const MBR_SIGNATURES_MAX = 16
const EDD_INFO_MAX = 6
/** Where the first sector of each disk is read to. */
const SECTOR_BUFFER = 0x8d000

export interface BootFacts {
  readonly e820: readonly E820Entry[]
  readonly mbrSignatures: number
  readonly eddInfos: number
  /** Undefined: no VGA, or no text mode 3. */
  readonly video: VgaMode | undefined
}

export function askBios({ bios, mem }: Metal): BootFacts {
  let mbrSignatures = 0
  while (mbrSignatures < MBR_SIGNATURES_MAX && bios.readSectors(FIRST_DRIVE + mbrSignatures, 0, 1, SECTOR_BUFFER) === 0)
    mbrSignatures++
  let eddInfos = 0
  while (eddInfos < EDD_INFO_MAX && bios.driveParameters(FIRST_DRIVE + eddInfos)) eddInfos++
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
