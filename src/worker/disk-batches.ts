/**
 * What the drive has made durable, in batches (design D11). Writes reach the platter in their order, so every moment between two of them is one
 * at which the power may fail; a batch ends where the guest can rely on it, at FLUSH CACHE. The kernel flushes at the end of sync, fsync, umount
 * and each write-back by pdflush (30 s after a page was dirtied: Linux's dirty_expire_centisecs; fs/ext2/super.ts). A boot loader that writes
 * by INT 13h flushes nothing, but a drive empties its cache when it has nothing else to do: a batch also ends when the machine's state changes.
 */
import { CHUNK_BYTES, type SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import type { DiskBatch, DiskChunk } from '#protocol/disk.ts'
import type { Send } from './outbox.ts'

/** Sends the batches of all machines of this worker, numbered in one row. */
export class BatchSender {
  readonly #send: Send
  #sequence = 0

  constructor(send: Send) {
    this.#send = send
  }

  send(chunks: readonly DiskChunk[], blankSectors?: number): void {
    const batch: DiskBatch = {
      sequence: ++this.#sequence,
      chunks,
      ...(blankSectors === undefined ? {} : { blankSectors }),
    }
    this.#send(
      { type: 'disk-batch', batch },
      chunks.map(({ bytes }) => bytes.buffer as ArrayBuffer),
    )
  }
}

/** Watches the writes to one disk. */
export class DiskWatch {
  readonly #disk: SparseDisk
  readonly #sender: BatchSender
  readonly #skip: number
  readonly #dirty = new Set<number>()
  #batches = 0

  /** `skip`: so many batches were sent by a machine of which this is a replay. */
  constructor(disk: SparseDisk, sender: BatchSender, skip = 0) {
    this.#disk = disk
    this.#sender = sender
    this.#skip = skip
    disk.onDirty = (chunk) => this.#dirty.add(chunk)
  }

  get batches(): number {
    return this.#batches
  }

  /** What was written until now is a batch, unless it is nothing. */
  flushed(): void {
    if (this.#dirty.size === 0) return
    this.#batches++
    if (this.#batches > this.#skip) this.#sender.send([...this.#dirty].sort((a, b) => a - b).map(this.#chunk))
    this.#dirty.clear()
  }

  readonly #chunk = (number: number): DiskChunk => ({
    number,
    bytes: this.#disk.chunk(number) ?? new Uint8Array(CHUNK_BYTES),
  })
}
