/**
 * What grub-install 0.97 does to a disk whose file system already holds /boot/grub/stage1 and stage2: the boot sector gets stage1 with
 * the place of stage2, stage2's first sector gets the block list that leads to its rest, and stage2 is told its partition and menu file.
 */
import { memOf } from '#abi/mem.ts'
import {
  BLOCKLIST_FIRST,
  BOOT_SIGNATURE,
  BOOT_SIGNATURE_OFFSET,
  blocklist_entry,
  STAGE1_BOOT_DRIVE,
  STAGE1_STAGE2_SECTOR,
  STAGE2_BODY_ADDRESS,
  STAGE2_PARAMS_OFFSET,
  stage2_params,
} from '#abi/pc/grub.ts'
import { type BlockStore, SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { openExt2, type SectorRun } from '#lib/ondisk/ext2/reader.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { bytesOfString } from '#lib/utf8.ts'

/** The drive that the BIOS booted from. */
const BOOT_DRIVE_ANY = 0xff
/** The disk signature, which Linux and Windows know a disk by, lies before the partition table and stays. */
const DISK_SIGNATURE = 440
/** Below this the list would run into the code of stage2's first sector. */
const BLOCKLIST_END = BLOCKLIST_FIRST - 4 * blocklist_entry.size
/** The end of low memory on a PC with an extended BIOS data area. */
const LOW_MEMORY_END = 0x9fc00
const SEGMENTS_PER_SECTOR = SECTOR_BYTES / 16

export interface GrubInstallOptions {
  /** 0 to 3. */
  readonly partition: number
  readonly stage1: string
  readonly stage2: string
  readonly configFile: string
}

/** Install on `disk`. Error where a file, the partition or the room for the block list is missing. */
export function grubInstall(disk: BlockStore, options: GrubInstallOptions): void {
  const entry = readPartitions(disk)?.[options.partition]
  if (!entry) throw new Error(`grub-install: no partition (hd0,${options.partition})`)
  const fs = openExt2(partition(disk, entry))
  if (!fs) throw new Error('grub-install: the partition holds no ext2 file system')
  const stage1 = fs.readFile(options.stage1)
  if (stage1.length !== SECTOR_BYTES) throw new Error(`grub-install: ${options.stage1} is not one sector long`)
  const stage2 = fs.lookup(options.stage2)
  const sectors = Math.ceil(stage2.size / SECTOR_BYTES)
  if (sectors < 2) throw new Error(`grub-install: ${options.stage2} is too short`)
  const runs = absoluteRuns(fs.fileBlocks(stage2), entry.start, sectors)

  const first = runs[0]!.lba
  const start = disk.read(first, 1)
  writeBlockList(start, rest(runs))
  disk.write(first, start)

  const second = rest(runs)[0]!.lba
  const body = disk.read(second, 1)
  const params = memOf(body)
  stage2_params.write(params, STAGE2_PARAMS_OFFSET, {
    // Partition in bits 16 to 23; 0xff in 8 to 15: no BSD slice; the drive is the one booted from.
    install_partition: (options.partition << 16) | 0xffff,
    config_file: bytesOfString(`${options.configFile}\0`),
  })
  disk.write(second, body)

  const boot = disk.read(0, 1)
  boot.set(stage1.subarray(0, DISK_SIGNATURE))
  const mem = memOf(boot)
  mem.write8(STAGE1_BOOT_DRIVE, BOOT_DRIVE_ANY)
  mem.write32(STAGE1_STAGE2_SECTOR, first)
  mem.write16(BOOT_SIGNATURE_OFFSET, BOOT_SIGNATURE)
  disk.write(0, boot)
}

interface Run {
  readonly lba: number
  readonly count: number
}

/** A file's runs as sectors of the disk, no more than the file has. */
function absoluteRuns(runs: readonly SectorRun[], start: number, sectors: number): Run[] {
  let left = sectors
  const absolute: Run[] = []
  for (const { lba, count } of runs) {
    if (left === 0) break
    if (lba === undefined) throw new Error('grub-install: stage2 has a hole')
    absolute.push({ lba: start + lba, count: Math.min(count, left) })
    left -= Math.min(count, left)
  }
  return absolute
}

/** All but the first sector. */
const rest = (runs: readonly Run[]): Run[] =>
  runs.flatMap(({ lba, count }, i) =>
    i > 0 ? [{ lba, count }] : count > 1 ? [{ lba: lba + 1, count: count - 1 }] : [],
  )

/** Entries grow downwards from BLOCKLIST_FIRST; one of length 0 ends them. */
function writeBlockList(sector: Uint8Array, runs: readonly Run[]): void {
  const mem = memOf(sector)
  let at = BLOCKLIST_FIRST
  let segment = STAGE2_BODY_ADDRESS / 16
  for (const { lba, count } of runs) {
    if (at - blocklist_entry.size < BLOCKLIST_END) throw new Error('grub-install: stage2 lies in too many pieces')
    blocklist_entry.write(mem, at, { start: lba, length: count, segment })
    segment += count * SEGMENTS_PER_SECTOR
    at -= blocklist_entry.size
  }
  if (segment * 16 > LOW_MEMORY_END) throw new Error('grub-install: stage2 does not fit in low memory')
  mem.fill(at, blocklist_entry.size, 0)
}
