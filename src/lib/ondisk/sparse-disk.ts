/**
 * A disk that holds only what was written: chunks of 4 KiB, shared between copies until one of them changes. A part of it may still be on its
 * way (disk-container.ts): who reads or writes there has to wait.
 */
import { digest } from '../digest.ts'
import { type BlockStore, SECTOR_BYTES } from './block-store.ts'

export const CHUNK_BYTES = 4096
export const CHUNK_SECTORS = CHUNK_BYTES / SECTOR_BYTES
/** Chunk numbers are 32 bits; 2 TiB is also where MBR disks end. */
const SECTORS_MAX = 2 ** 32

export class SparseDisk implements BlockStore {
  readonly sectors: number
  /** Bytes are never changed in place once shared: see `#owned`. */
  readonly #chunks: Map<number, Uint8Array>
  /** Chunks that no copy shares, and that may be written in place. */
  #owned = new Set<number>()
  /** Told the number of each chunk that is written, once per write. For whoever stores the disk. */
  onDirty: ((chunk: number) => void) | undefined
  /** Chunks that are on their way, and the texts that theirs may repeat; undefined once all is here. */
  #awaited: ReadonlySet<number> | undefined
  #texts: Uint8Array | undefined
  /** Chunks that were put here: they count more than what is on its way. */
  #placed: ReadonlySet<number> = new Set()
  /** `soon`: somebody will touch what is on its way. `missed`: somebody has, and met zeros or wrote into nothing. */
  wanted: 'no' | 'soon' | 'missed' = 'no'

  constructor(sectors: number, chunks: ReadonlyMap<number, Uint8Array> = new Map()) {
    if (!Number.isInteger(sectors) || sectors < 1 || sectors > SECTORS_MAX) throw new RangeError('impossible disk size')
    this.sectors = sectors
    this.#chunks = new Map(chunks)
  }

  #check(lba: number, count: number): void {
    if (!Number.isInteger(lba) || !Number.isInteger(count) || lba < 0 || count < 0 || lba + count > this.sectors)
      throw new RangeError(`sectors ${lba}+${count} are outside the disk`)
  }

  get awaited(): ReadonlySet<number> | undefined {
    return this.#awaited
  }

  get texts(): Uint8Array | undefined {
    return this.#texts
  }

  /** These chunks will come. */
  expect(chunks: ReadonlySet<number>, texts: Uint8Array | undefined): void {
    this.#awaited = chunks
    this.#texts = texts
  }

  /** They have come. What was put in their place stays. */
  complete(chunks: ReadonlyMap<number, Uint8Array>): void {
    for (const number of this.#awaited ?? []) {
      const chunk = chunks.get(number)
      if (chunk && !this.#placed.has(number)) this.#chunks.set(number, chunk)
    }
    this.#awaited = undefined
    this.#texts = undefined
    this.wanted = 'no'
  }

  /** Whole chunks over what the disk has, or will have. RangeError for what is no chunk of it. */
  place(chunks: readonly { readonly number: number; readonly bytes: Uint8Array }[]): void {
    for (const { number, bytes } of chunks) {
      if (bytes.length !== CHUNK_BYTES || !Number.isInteger(number) || number < 0)
        throw new RangeError(`not a chunk: ${number}, ${bytes.length} bytes`)
      this.#check(number * CHUNK_SECTORS, Math.min(CHUNK_SECTORS, Math.max(1, this.sectors - number * CHUNK_SECTORS)))
      this.#owned.delete(number)
      this.#chunks.set(number, bytes)
    }
    this.#placed = new Set([...this.#placed, ...chunks.map(({ number }) => number)])
  }

  /** Sectors that will be read or written before long. */
  prefetch(lba: number, count: number): void {
    if (this.wanted === 'no' && this.#isAwaited(lba, count)) this.wanted = 'soon'
  }

  #isAwaited(lba: number, count: number): boolean {
    if (!this.#awaited) return false
    const last = Math.floor((lba + count - 1) / CHUNK_SECTORS)
    for (let chunk = Math.floor(lba / CHUNK_SECTORS); chunk <= last; chunk++)
      if (this.#awaited.has(chunk) && !this.#placed.has(chunk)) return true
    return false
  }

  read(lba: number, count: number): Uint8Array {
    this.#check(lba, count)
    if (this.#awaited && this.#isAwaited(lba, count)) this.wanted = 'missed'
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
    if (this.#awaited && this.#isAwaited(lba, bytes.length / SECTOR_BYTES)) this.wanted = 'missed'
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
    const copy = new SparseDisk(this.sectors, this.#chunks)
    copy.#awaited = this.#awaited
    copy.#texts = this.#texts
    copy.#placed = this.#placed
    return copy
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

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}
