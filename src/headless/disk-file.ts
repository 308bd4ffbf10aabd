/** Disks as files: raw images, the playground's container (lib/ondisk/sparse-disk.ts), and either of them gzipped. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { DISK_MAGIC, unpackDisk } from '#lib/ondisk/disk-container.ts'
import { CHUNK_BYTES, SparseDisk } from '#lib/ondisk/sparse-disk.ts'

/** Largest disk once unpacked: what Node puts into one buffer. */
const UNPACKED_BYTES_MAX = 2 ** 31 - 1

/** A file that is no disk; the message says why. */
export class DiskFileError extends Error {}

export function readDiskFile(path: string): SparseDisk {
  return decodeDisk(readFileSync(path))
}

export function decodeDisk(file: Uint8Array): SparseDisk {
  try {
    const gzipped = file[0] === 0x1f && file[1] === 0x8b
    const bytes = gzipped ? new Uint8Array(gunzipSync(file, { maxOutputLength: UNPACKED_BYTES_MAX })) : file
    const magic = bytes.length >= 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) : 0
    return magic === DISK_MAGIC ? unpackDisk(bytes) : SparseDisk.fromRaw(bytes)
  } catch (error) {
    throw new DiskFileError(error instanceof Error ? error.message : String(error))
  }
}

/** The raw disk, with holes where the file system can keep them. */
export function writeRawDisk(path: string, disk: SparseDisk): void {
  const size = disk.sectors * SECTOR_BYTES
  const fd = openSync(path, 'w')
  try {
    ftruncateSync(fd, size)
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      const chunk = disk.chunk(at / CHUNK_BYTES)
      if (chunk) writeSync(fd, chunk, 0, Math.min(CHUNK_BYTES, size - at), at)
    }
  } finally {
    closeSync(fd)
  }
}
