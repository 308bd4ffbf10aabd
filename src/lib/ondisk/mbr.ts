/**
 * The PC's master boot record: four primary partitions in the table at byte 446 of sector 0, as fdisk of 2009 writes it, with the
 * translated geometry of 255 heads and 63 sectors a track. The boot code before the table is left alone.
 */
import { type BlockStore, SECTOR_BYTES } from './block-store.ts'

export const PARTITION_LINUX = 0x83
export const PARTITION_LINUX_SWAP = 0x82
/** Where fdisk of the era put the first partition: on the second track. */
export const FIRST_PARTITION_LBA = 63
export const HEADS = 255
export const SECTORS_PER_TRACK = 63
/** Primary partitions. */
export const PARTITIONS = 4

const TABLE = 446
const ENTRY_BYTES = 16
const SIGNATURE_AT = 510
const SIGNATURE = 0xaa55
const ACTIVE = 0x80

export interface PartitionEntry {
  readonly active: boolean
  /** 0x83 Linux, 0x82 Linux swap. Never 0: that is a free entry. */
  readonly type: number
  /** First sector. */
  readonly start: number
  readonly sectors: number
}

/** The table, or undefined where sector 0 has no 0x55AA. Free entries are undefined. */
export function readPartitions(store: Pick<BlockStore, 'read'>): (PartitionEntry | undefined)[] | undefined {
  const view = viewOf(store.read(0, 1))
  if (view.getUint16(SIGNATURE_AT, true) !== SIGNATURE) return undefined
  const entries: (PartitionEntry | undefined)[] = []
  for (let i = 0; i < PARTITIONS; i++) {
    const at = TABLE + i * ENTRY_BYTES
    const type = view.getUint8(at + 4)
    const start = view.getUint32(at + 8, true)
    const sectors = view.getUint32(at + 12, true)
    entries.push(
      type === 0 || sectors === 0 ? undefined : { active: view.getUint8(at) === ACTIVE, type, start, sectors },
    )
  }
  return entries
}

/** Write the table and the 0x55AA, keep all else. RangeError for partitions that overlap, leave the disk or cover its first sector. */
export function writePartitions(store: BlockStore, entries: readonly (PartitionEntry | undefined)[]): void {
  if (entries.length > PARTITIONS) throw new RangeError('more than four primary partitions')
  const used = entries.filter((entry) => entry !== undefined)
  for (const entry of used) {
    if (entry.type < 1 || entry.type > 255) throw new RangeError('impossible partition type')
    if (entry.start < 1 || entry.sectors < 1 || entry.start + entry.sectors > store.sectors)
      throw new RangeError('partition outside the disk')
    for (const other of used)
      if (other !== entry && entry.start < other.start + other.sectors && other.start < entry.start + entry.sectors)
        throw new RangeError('partitions overlap')
  }
  const sector = store.read(0, 1)
  const view = viewOf(sector)
  sector.fill(0, TABLE, SIGNATURE_AT)
  entries.forEach((entry, i) => {
    if (!entry) return
    const at = TABLE + i * ENTRY_BYTES
    sector[at] = entry.active ? ACTIVE : 0
    sector.set(chsBytes(entry.start), at + 1)
    sector[at + 4] = entry.type
    sector.set(chsBytes(entry.start + entry.sectors - 1), at + 5)
    view.setUint32(at + 8, entry.start, true)
    view.setUint32(at + 12, entry.sectors, true)
  })
  view.setUint16(SIGNATURE_AT, SIGNATURE, true)
  store.write(0, sector)
}

/** Head; sector and the upper bits of the cylinder; cylinder. Past cylinder 1023 the largest address that there is. */
export function chsBytes(lba: number): [number, number, number] {
  const cylinder = Math.floor(lba / (HEADS * SECTORS_PER_TRACK))
  if (cylinder > 1023) return [HEADS - 1, SECTORS_PER_TRACK | 0xc0, 0xff]
  const head = Math.floor(lba / SECTORS_PER_TRACK) % HEADS
  const sector = (lba % SECTORS_PER_TRACK) + 1
  return [head, sector | ((cylinder >> 8) << 6), cylinder & 255]
}

/** The sectors of one partition as a store of their own. RangeError outside of it, also where it reaches past the disk. */
export function partition(store: BlockStore, entry: Pick<PartitionEntry, 'start' | 'sectors'>): BlockStore {
  const check = (lba: number, count: number): void => {
    if (!Number.isInteger(lba) || !Number.isInteger(count) || lba < 0 || count < 0 || lba + count > entry.sectors)
      throw new RangeError(`sectors ${lba}+${count} are outside the partition`)
  }
  return {
    sectors: entry.sectors,
    read(lba, count) {
      check(lba, count)
      return store.read(entry.start + lba, count)
    },
    write(lba, bytes) {
      check(lba, bytes.length / SECTOR_BYTES)
      store.write(entry.start + lba, bytes)
    },
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
