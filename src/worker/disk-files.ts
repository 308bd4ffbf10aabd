/** The disk from outside the machine: files of its first ext2 partition, and the whole of it sector by sector. */
import { type BlockStore, SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { type Ext2Reader, openExt2 } from '#lib/ondisk/ext2/reader.ts'
import { PARTITION_LINUX, partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { utf8Encode } from '#lib/utf8.ts'

/** A raw disk larger than this does not fit into one array. */
const rawBytesMax = 2 ** 31 - 1

function linuxPartition(disk: BlockStore): BlockStore {
  const entry = readPartitions(disk)?.find((found) => found?.type === PARTITION_LINUX)
  if (!entry) throw new Error('the disk has no Linux partition')
  return partition(disk, entry)
}

/** Names on an ext2 disk are bytes; the file system takes them as a string of bytes. */
const byteName = (path: string): string => String.fromCharCode(...utf8Encode(path))

/** The content of `path` as the disk has it now: what a running machine has not written yet is not there. */
export function readFile(disk: BlockStore, path: string): Uint8Array {
  const files: Ext2Reader | undefined = openExt2(linuxPartition(disk))
  if (!files) throw new Error('the first Linux partition holds no ext2 file system')
  return files.readFile(byteName(path))
}

/** Replace or create `path`. `seconds`: the time it is stamped with, since 1970. */
export function writeFile(disk: BlockStore, path: string, bytes: Uint8Array, seconds: number): void {
  const files = Ext2.mount(linuxPartition(disk), { now: () => seconds })
  files.writeFile(byteName(path), bytes)
  files.unmount()
}

/** Every sector, also those that were never written. */
export function rawDisk(disk: BlockStore): Uint8Array {
  const length = disk.sectors * SECTOR_BYTES
  if (length > rawBytesMax) throw new Error(`the disk is too large to export in one piece: ${length} bytes`)
  const bytes = new Uint8Array(length)
  const stride = 2048
  for (let lba = 0; lba < disk.sectors; lba += stride)
    bytes.set(disk.read(lba, Math.min(stride, disk.sectors - lba)), lba * SECTOR_BYTES)
  return bytes
}
