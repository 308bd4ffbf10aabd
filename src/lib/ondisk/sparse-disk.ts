/**
 * A disk that holds only what was written: chunks of 4 KiB, shared between copies until one of them changes. And its container, the
 * form in which a disk travels (gzipped by whoever sends it):
 *
 *   'XPDK' u32, version u32 = 3, sectors u64, chunks u32, sector texts u32
 *   per chunk, ascending: number u32, and for each of its 8 sectors s32: how far its text's number is from the one that would be next
 *   the sector texts, 512 bytes each, in the order in which they are first used, without far copies (far-copies.ts); number 0 is the
 *   sector of zeros, which is not stored
 *
 * All words little-endian. Chunks of zeros are not stored and no sector text twice (a second copy of a kernel costs nothing), so equal disks
 * have equal containers.
 */
import { digest } from '../digest.ts'
import { type BlockStore, SECTOR_BYTES } from './block-store.ts'
import { packFarCopies, unpackFarCopies } from './far-copies.ts'

export const CHUNK_BYTES = 4096
export const CHUNK_SECTORS = CHUNK_BYTES / SECTOR_BYTES
/** 'XPDK', little-endian. */
export const DISK_MAGIC = 0x4b445058
export const DISK_VERSION = 3
const HEADER_BYTES = 24
const RECORD_BYTES = 4 + CHUNK_SECTORS * 4
/** Chunk numbers are 32 bits; 2 TiB is also where MBR disks end. */
const SECTORS_MAX = 2 ** 32

/** A container that cannot be a disk; the message says why. */
export class DiskFormatError extends Error {}

export class SparseDisk implements BlockStore {
  readonly sectors: number
  /** Bytes are never changed in place once shared: see `#owned`. */
  readonly #chunks: Map<number, Uint8Array>
  /** Chunks that no copy shares, and that may be written in place. */
  #owned = new Set<number>()
  /** Told the number of each chunk that is written, once per write. For whoever stores the disk. */
  onDirty: ((chunk: number) => void) | undefined

  constructor(sectors: number, chunks: ReadonlyMap<number, Uint8Array> = new Map()) {
    if (!Number.isInteger(sectors) || sectors < 1 || sectors > SECTORS_MAX) throw new RangeError('impossible disk size')
    this.sectors = sectors
    this.#chunks = new Map(chunks)
  }

  #check(lba: number, count: number): void {
    if (!Number.isInteger(lba) || !Number.isInteger(count) || lba < 0 || count < 0 || lba + count > this.sectors)
      throw new RangeError(`sectors ${lba}+${count} are outside the disk`)
  }

  read(lba: number, count: number): Uint8Array {
    this.#check(lba, count)
    const bytes = new Uint8Array(count * SECTOR_BYTES)
    const from = lba * SECTOR_BYTES
    for (let done = 0; done < bytes.length; ) {
      const at = (from + done) % CHUNK_BYTES
      const length = Math.min(CHUNK_BYTES - at, bytes.length - done)
      const chunk = this.#chunks.get(Math.floor((from + done) / CHUNK_BYTES))
      if (chunk) bytes.set(chunk.subarray(at, at + length), done)
      done += length
    }
    return bytes
  }

  write(lba: number, bytes: Uint8Array): void {
    if (bytes.length % SECTOR_BYTES !== 0) throw new RangeError('not a whole number of sectors')
    this.#check(lba, bytes.length / SECTOR_BYTES)
    const from = lba * SECTOR_BYTES
    for (let done = 0; done < bytes.length; ) {
      const at = (from + done) % CHUNK_BYTES
      const length = Math.min(CHUNK_BYTES - at, bytes.length - done)
      const number = Math.floor((from + done) / CHUNK_BYTES)
      const part = bytes.subarray(done, done + length)
      if (this.#chunks.has(number) || !isZero(part)) this.#own(number).set(part, at)
      this.onDirty?.(number)
      done += length
    }
  }

  /** Chunk `number` as bytes that only this disk holds. */
  #own(number: number): Uint8Array {
    const chunk = this.#chunks.get(number)
    if (chunk && this.#owned.has(number)) return chunk
    const own = chunk ? chunk.slice() : new Uint8Array(CHUNK_BYTES)
    this.#chunks.set(number, own)
    this.#owned.add(number)
    return own
  }

  /** A copy that shares all chunks until either side writes to one. */
  clone(): SparseDisk {
    this.#owned = new Set()
    return new SparseDisk(this.sectors, this.#chunks)
  }

  /** Chunk `number` as it is, or undefined where it is all zeros. A copy. */
  chunk(number: number): Uint8Array | undefined {
    const chunk = this.#chunks.get(number)
    return chunk && !isZero(chunk) ? chunk.slice() : undefined
  }

  /** The chunks that are not all zeros, ascending. */
  chunks(): [number, Uint8Array][] {
    return [...this.#chunks].filter(([, bytes]) => !isZero(bytes)).sort(([a], [b]) => a - b)
  }

  /** SHA-256 over size and content, in hex. */
  hash(): string {
    const sum = digest().text('disk').number(this.sectors)
    for (const [number, bytes] of this.chunks()) sum.number(number).bytes(bytes)
    return sum.hex()
  }

  encode(): Uint8Array {
    const stored = this.chunks()
    const texts = new SectorTexts()
    const refs = stored.map(([, chunk]) => texts.refsOf(chunk))
    const all = new Uint8Array(texts.list.length * SECTOR_BYTES)
    for (const [i, text] of texts.list.entries()) all.set(text, i * SECTOR_BYTES)
    const packed = packFarCopies(all)
    const packedAt = HEADER_BYTES + stored.length * RECORD_BYTES
    const bytes = new Uint8Array(packedAt + packed.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, DISK_MAGIC, true)
    view.setUint32(4, DISK_VERSION, true)
    view.setBigUint64(8, BigInt(this.sectors), true)
    view.setUint32(16, stored.length, true)
    view.setUint32(20, texts.list.length, true)
    let next = 1
    stored.forEach(([number], i) => {
      const at = HEADER_BYTES + i * RECORD_BYTES
      view.setUint32(at, number, true)
      refs[i]!.forEach((ref, sector) => {
        view.setInt32(at + 4 + sector * 4, ref - next, true)
        next = ref + 1
      })
    })
    bytes.set(packed, packedAt)
    return bytes
  }

  /** The disk in a container. DiskFormatError for what is none. */
  static decode(bytes: Uint8Array): SparseDisk {
    if (bytes.length < HEADER_BYTES) throw new DiskFormatError('disk container: shorter than its header')
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (view.getUint32(0, true) !== DISK_MAGIC) throw new DiskFormatError('disk container: wrong magic number')
    const version = view.getUint32(4, true)
    if (version !== DISK_VERSION) throw new DiskFormatError(`disk container: unknown version ${version}`)
    const sectors = Number(view.getBigUint64(8, true))
    if (sectors < 1 || sectors > SECTORS_MAX) throw new DiskFormatError('disk container: impossible size')
    const count = view.getUint32(16, true)
    const texts = view.getUint32(20, true)
    const packedAt = HEADER_BYTES + count * RECORD_BYTES
    // Each text is some chunk's, so the records say how much there can be.
    const unpacked =
      packedAt <= bytes.length && texts <= count * CHUNK_SECTORS
        ? unpackFarCopies(bytes.subarray(packedAt), texts * SECTOR_BYTES)
        : undefined
    if (!unpacked) throw new DiskFormatError(`disk container: ${bytes.length} bytes are not what its header says`)
    const chunks = new Map<number, Uint8Array>()
    let last = -1
    let next = 1
    for (let at = HEADER_BYTES; at < packedAt; at += RECORD_BYTES) {
      const number = view.getUint32(at, true)
      if (number <= last) throw new DiskFormatError(`disk container: chunk ${number} is out of order`)
      if (number * CHUNK_SECTORS >= sectors)
        throw new DiskFormatError(`disk container: chunk ${number} is past the end`)
      const chunk = new Uint8Array(CHUNK_BYTES)
      for (let sector = 0; sector < CHUNK_SECTORS; sector++) {
        const ref = next + view.getInt32(at + 4 + sector * 4, true)
        if (ref < 0 || ref > texts)
          throw new DiskFormatError(`disk container: chunk ${number} has a sector that is not there`)
        next = ref + 1
        const from = (ref - 1) * SECTOR_BYTES
        if (ref > 0) chunk.set(unpacked.subarray(from, from + SECTOR_BYTES), sector * SECTOR_BYTES)
      }
      if (isZero(chunk)) throw new DiskFormatError(`disk container: chunk ${number} is empty`)
      const inside = (sectors - number * CHUNK_SECTORS) * SECTOR_BYTES
      if (inside < CHUNK_BYTES && !isZero(chunk.subarray(inside)))
        throw new DiskFormatError(`disk container: chunk ${number} goes past the end`)
      chunks.set(number, chunk)
      last = number
    }
    return new SparseDisk(sectors, chunks)
  }

  /** A disk from a plain image, sector by sector. RangeError unless it is a whole number of sectors. */
  static fromRaw(bytes: Uint8Array): SparseDisk {
    if (bytes.length === 0 || bytes.length % SECTOR_BYTES !== 0) throw new RangeError('not a whole number of sectors')
    const disk = new SparseDisk(bytes.length / SECTOR_BYTES)
    disk.write(0, bytes)
    return disk
  }

  /** The plain image: all sectors in order. */
  toRaw(): Uint8Array {
    return this.read(0, this.sectors)
  }
}

/** Numbers the different texts of sectors, in the order in which they are met. */
class SectorTexts {
  readonly list: Uint8Array[] = []
  readonly #numbers = new Map<string, number>()

  /** The numbers of a chunk's sectors. */
  refsOf(chunk: Uint8Array): number[] {
    const refs: number[] = []
    for (let at = 0; at < CHUNK_BYTES; at += SECTOR_BYTES) {
      const text = chunk.subarray(at, at + SECTOR_BYTES)
      refs.push(isZero(text) ? 0 : this.#numberOf(text))
    }
    return refs
  }

  #numberOf(text: Uint8Array): number {
    const key = String.fromCharCode(...text)
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.list.push(text)
    this.#numbers.set(key, number)
    return number
  }
}

function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}
