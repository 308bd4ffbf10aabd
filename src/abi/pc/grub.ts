/**
 * Where grub-install and GRUB 0.97 agree on bytes (stage1/stage1.h, stage2/start.S, stage2/shared.h): the block lists that lead from
 * the boot sector to stage2, and the fields that are patched into stage2.
 */
import { bytes, struct, u8, u16, u32 } from '../struct.ts'

/** Where firmware puts a boot sector and jumps to. */
export const BOOT_SECTOR_ADDRESS = 0x7c00
/** Where stage1 puts stage2's first sector. */
export const STAGE2_ADDRESS = 0x8000
/** Where that sector puts the rest; stage2 proper begins here. */
export const STAGE2_BODY_ADDRESS = 0x8200

/** In the boot sector: the LBA of stage2's first sector (STAGE1_STAGE2_SECTOR) and the drive to use (0xff: the one booted from). */
export const STAGE1_BOOT_DRIVE = 0x40
export const STAGE1_STAGE2_SECTOR = 0x44
export const PARTITION_TABLE = 446
export const BOOT_SIGNATURE_OFFSET = 510
export const BOOT_SIGNATURE = 0xaa55

/**
 * In stage2's first sector: block list entries {start u32, length u16, segment u16}, 8 bytes each, the first at
 * BLOCKLIST_FIRST, the next below it, ended by length 0.
 */
export const BLOCKLIST_FIRST = 0x1f8
export const blocklist_entry = struct('blocklist_entry', 8, { start: u32(0), length: u16(4), segment: u16(6) })

/** Behind stage2 proper's image_header (at its byte 32): what the installer patches. */
export const STAGE2_PARAMS_OFFSET = 32
export const stage2_params = struct('stage2_params', 84, {
  /** GRUB's device word: bits 16-23 the partition (0xff: none), bits 8-15 0xff: no BSD slice. */
  install_partition: u32(0),
  saved_entryno: u32(4),
  stage2_id: u8(8),
  force_lba: u8(9),
  version_string: bytes(10, 6),
  /** Zero-ended path of the menu file. */
  config_file: bytes(16, 64),
})
