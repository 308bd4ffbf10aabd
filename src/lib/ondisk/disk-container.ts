/**
 * The form in which a disk travels, gzipped by whoever sends it; in one part, or in two: what is needed first, and the rest.
 *
 *   'XPDK' u32, version u32 = 4, sectors u64, chunks u32, sector texts u32, texts of the part before u32, chunks of the part to come u32
 *   per chunk, ascending: number u32, and for each of its 8 sectors s32: how far its text's number is from the one that would be next
 *   the chunks of the part to come, ascending: u32, how far each is from the one before
 *   the sector texts, 512 bytes each, in the order in which they are first used, without far copies (far-copies.ts); number 0 is the
 *   sector of zeros, which is not stored; a second part goes on counting where the first has ended
 *
 * All words little-endian. Chunks of zeros are not stored and no sector text twice (a second copy of a kernel costs nothing), so equal disks
 * have equal containers.
 */
import { SECTOR_BYTES } from './block-store.ts'
import { packFarCopies, unpackFarCopies } from './far-copies.ts'
import { CHUNK_BYTES, CHUNK_SECTORS, isZero, SparseDisk } from './sparse-disk.ts'

/** 'XPDK', little-endian. */
export const DISK_MAGIC = 0x4b445058
export const DISK_VERSION = 4
const HEADER_BYTES = 32
const RECORD_BYTES = 4 + CHUNK_SECTORS * 4
/** Chunk numbers are 32 bits; 2 TiB is also where MBR disks end. */
const SECTORS_MAX = 2 ** 32

/** A container that cannot be a disk; the message says why. */
export class DiskFormatError extends Error {}

type Chunk = readonly [number: number, bytes: Uint8Array]

export const packDisk = (disk: SparseDisk): Uint8Array => packPart(disk.sectors, disk.chunks(), new SectorTexts(), [])

/** The chunks for which `isFirst` holds, and the others. */
export function packDiskParts(disk: SparseDisk, isFirst: (chunk: number) => boolean): [Uint8Array, Uint8Array] {
  const chunks = disk.chunks()
  const first = chunks.filter(([number]) => isFirst(number))
  const rest = chunks.filter(([number]) => !isFirst(number))
  const texts = new SectorTexts()
  const toCome = rest.map(([number]) => number)
  return [packPart(disk.sectors, first, texts, toCome), packPart(disk.sectors, rest, texts, [])]
}

function packPart(
  sectors: number,
  chunks: readonly Chunk[],
  texts: SectorTexts,
  toCome: readonly number[],
): Uint8Array {
  const before = texts.list.length
  const refs = chunks.map(([, chunk]) => texts.refsOf(chunk))
  const own = texts.list.slice(before)
  const all = new Uint8Array(own.length * SECTOR_BYTES)
  for (const [i, text] of own.entries()) all.set(text, i * SECTOR_BYTES)
  const packed = packFarCopies(all)
  const toComeAt = HEADER_BYTES + chunks.length * RECORD_BYTES
  const packedAt = toComeAt + toCome.length * 4
  const bytes = new Uint8Array(packedAt + packed.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, DISK_MAGIC, true)
  view.setUint32(4, DISK_VERSION, true)
  view.setBigUint64(8, BigInt(sectors), true)
  view.setUint32(16, chunks.length, true)
  view.setUint32(20, own.length, true)
  view.setUint32(24, before, true)
  view.setUint32(28, toCome.length, true)
  let next = before + 1
  chunks.forEach(([number], i) => {
    const at = HEADER_BYTES + i * RECORD_BYTES
    view.setUint32(at, number, true)
    refs[i]!.forEach((ref, sector) => {
      view.setInt32(at + 4 + sector * 4, ref - next, true)
      next = ref + 1
    })
  })
  toCome.forEach((number, i) => {
    view.setUint32(toComeAt + i * 4, number - (toCome[i - 1] ?? -1), true)
  })
  bytes.set(packed, packedAt)
  return bytes
}

/** The disk in a container; of a first part it knows what is still to come. DiskFormatError for what is none. */
export function unpackDisk(bytes: Uint8Array): SparseDisk {
  const part = unpackPart(bytes, undefined)
  const disk = new SparseDisk(part.sectors, part.chunks)
  if (part.toCome.size > 0) disk.expect(part.toCome, part.texts)
  return disk
}

/** The second part of a disk whose first `disk` is. DiskFormatError for any other. */
export function addDiskPart(disk: SparseDisk, bytes: Uint8Array): void {
  const { awaited, texts } = disk
  if (!awaited || !texts) throw new DiskFormatError('disk container: no part is to come')
  const part = unpackPart(bytes, texts)
  const missing = [...awaited].some((number) => !part.chunks.has(number))
  if (part.sectors !== disk.sectors || missing || part.chunks.size !== awaited.size)
    throw new DiskFormatError('disk container: not the part that is to come')
  disk.complete(part.chunks)
}

interface Part {
  readonly sectors: number
  readonly chunks: Map<number, Uint8Array>
  readonly toCome: Set<number>
  /** All of them, those of the part before too. */
  readonly texts: Uint8Array
}

function unpackPart(bytes: Uint8Array, earlier: Uint8Array | undefined): Part {
  if (bytes.length < HEADER_BYTES) throw new DiskFormatError('disk container: shorter than its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== DISK_MAGIC) throw new DiskFormatError('disk container: wrong magic number')
  const version = view.getUint32(4, true)
  if (version !== DISK_VERSION) throw new DiskFormatError(`disk container: unknown version ${version}`)
  const sectors = Number(view.getBigUint64(8, true))
  if (sectors < 1 || sectors > SECTORS_MAX) throw new DiskFormatError('disk container: impossible size')
  const count = view.getUint32(16, true)
  const own = view.getUint32(20, true)
  const before = view.getUint32(24, true)
  const later = view.getUint32(28, true)
  if (before !== (earlier?.length ?? 0) / SECTOR_BYTES)
    throw new DiskFormatError('disk container: not a part that may come now')
  const toComeAt = HEADER_BYTES + count * RECORD_BYTES
  const packedAt = toComeAt + later * 4
  // Each text is some chunk's, so the records say how much there can be.
  const unpacked =
    packedAt <= bytes.length && own <= count * CHUNK_SECTORS
      ? unpackFarCopies(bytes.subarray(packedAt), own * SECTOR_BYTES)
      : undefined
  if (!unpacked) throw new DiskFormatError(`disk container: ${bytes.length} bytes are not what its header says`)
  const texts = earlier ? joined(earlier, unpacked) : unpacked
  const chunks = new Map<number, Uint8Array>()
  const check = (number: number, last: number): void => {
    if (number <= last) throw new DiskFormatError(`disk container: chunk ${number} is out of order`)
    if (number * CHUNK_SECTORS >= sectors) throw new DiskFormatError(`disk container: chunk ${number} is past the end`)
  }
  let last = -1
  let next = before + 1
  for (let at = HEADER_BYTES; at < toComeAt; at += RECORD_BYTES) {
    const number = view.getUint32(at, true)
    check(number, last)
    const chunk = new Uint8Array(CHUNK_BYTES)
    for (let sector = 0; sector < CHUNK_SECTORS; sector++) {
      const ref = next + view.getInt32(at + 4 + sector * 4, true)
      if (ref < 0 || ref > before + own)
        throw new DiskFormatError(`disk container: chunk ${number} has a sector that is not there`)
      next = ref + 1
      const from = (ref - 1) * SECTOR_BYTES
      if (ref > 0) chunk.set(texts.subarray(from, from + SECTOR_BYTES), sector * SECTOR_BYTES)
    }
    if (isZero(chunk)) throw new DiskFormatError(`disk container: chunk ${number} is empty`)
    const inside = (sectors - number * CHUNK_SECTORS) * SECTOR_BYTES
    if (inside < CHUNK_BYTES && !isZero(chunk.subarray(inside)))
      throw new DiskFormatError(`disk container: chunk ${number} goes past the end`)
    chunks.set(number, chunk)
    last = number
  }
  const toCome = new Set<number>()
  last = -1
  for (let at = toComeAt; at < packedAt; at += 4) {
    const number = last + view.getUint32(at, true)
    check(number, last)
    if (chunks.has(number)) throw new DiskFormatError(`disk container: chunk ${number} is here already`)
    toCome.add(number)
    last = number
  }
  return { sectors, chunks, toCome, texts }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
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
