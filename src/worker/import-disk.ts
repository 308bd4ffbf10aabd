/** A raw image from outside, gzipped or not, as a disk. What cannot be one is refused in words. */
import { Gunzip } from 'fflate'
import { crc32 } from '#lib/crc32.ts'
import { SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { readPartitions } from '#lib/ondisk/mbr.ts'
import { CHUNK_BYTES, isZero, SparseDisk } from '#lib/ondisk/sparse-disk.ts'

const MiB = 1024 * 1024
/** The largest disk, and how much of it may be other than zeros: that much is held in memory and stored. */
const IMAGE_BYTES_MAX = 2048 * MiB
const CONTENT_BYTES_MAX = 512 * MiB
/** Unpacked in pieces of so many gzipped bytes. */
const PIECE_BYTES = 65_536

class TooLarge extends Error {}

/** Collects the chunks that are not all zeros. */
class ImageReader {
  readonly chunks = new Map<number, Uint8Array>()
  length = 0
  #partial = new Uint8Array(CHUNK_BYTES)

  push(bytes: Uint8Array): void {
    if (this.length + bytes.length > IMAGE_BYTES_MAX)
      throw new TooLarge(`the image is larger than ${IMAGE_BYTES_MAX / MiB} MiB`)
    for (let done = 0; done < bytes.length; ) {
      const at = this.length % CHUNK_BYTES
      const part = bytes.subarray(done, done + CHUNK_BYTES - at)
      this.#partial.set(part, at)
      this.length += part.length
      done += part.length
      if (this.length % CHUNK_BYTES === 0) this.end()
    }
  }

  /** The present chunk is complete, or the last one. */
  end(): void {
    if (isZero(this.#partial)) return
    if (this.chunks.size * CHUNK_BYTES >= CONTENT_BYTES_MAX)
      throw new TooLarge(`more than ${CONTENT_BYTES_MAX / MiB} MiB of the image are not zeros`)
    this.chunks.set(Math.ceil(this.length / CHUNK_BYTES) - 1, this.#partial)
    this.#partial = new Uint8Array(CHUNK_BYTES)
  }
}

/** The disk of `bytes`, which has a partition table with at least one partition. */
export function importImage(bytes: Uint8Array): SparseDisk {
  const reader = new ImageReader()
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) gunzipInto(reader, bytes)
  else reader.push(bytes)
  reader.end()
  const { length, chunks } = reader
  if (length === 0) throw new Error('the image is empty')
  if (length % SECTOR_BYTES !== 0)
    throw new Error(`the image has ${length} bytes: not a whole number of sectors of ${SECTOR_BYTES} bytes`)
  const disk = new SparseDisk(length / SECTOR_BYTES, chunks)
  checkPartitions(disk)
  return disk
}

/** Each member's content is held against the checksum and the length that follow it. */
function gunzipInto(reader: ImageReader, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let start = 0
  let sum = 0
  const check = (end: number): void => {
    const length = (reader.length - start) >>> 0
    if (view.getUint32(end - 8, true) !== sum || view.getUint32(end - 4, true) !== length) throw new Error('checksum')
    start = reader.length
    sum = 0
  }
  const gunzip = new Gunzip((part) => {
    sum = crc32(part, sum)
    reader.push(part)
  })
  gunzip.onmember = check
  try {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      gunzip.push(bytes.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= bytes.length)
    check(bytes.length)
  } catch (error) {
    if (error instanceof TooLarge) throw error
    throw new Error(`the gzip file is damaged or cut off, after at most ${reader.length} bytes of its content`)
  }
}

function checkPartitions(disk: SparseDisk): void {
  const entries = readPartitions(disk)
  if (!entries) throw new Error('the image is not of a whole disk: its first sector does not end with 55 AA')
  const used = entries.filter((entry) => entry !== undefined)
  if (used.length === 0) throw new Error('the partition table of the image is empty')
  for (const [i, entry] of entries.entries())
    if (entry && (entry.start < 1 || entry.start + entry.sectors > disk.sectors))
      throw new Error(`partition ${i + 1} of the image ends behind the end of the disk: part of the image is missing`)
}
