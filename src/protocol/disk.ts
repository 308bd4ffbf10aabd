/** What becomes of the disk's content outside the machine (design D11). */
export type DiskState =
  /** Nothing more is kept. `asked`: by `?disk=temporary`. `denied`: this page has no storage. `failed`: it has, but it did not work. */
  | { readonly kind: 'temporary'; readonly why: 'asked' | 'other-tab' | 'denied' | 'full' | 'failed' | 'lost-lock' }
  /** All that was flushed is stored. */
  | { readonly kind: 'saved' }
  /** Flushed, and on its way to storage. */
  | { readonly kind: 'saving' }

/** CHUNK_BYTES of the disk, by number. */
export interface DiskChunk {
  readonly number: number
  readonly bytes: Uint8Array
}

/** Chunks of the disk (lib/ondisk/sparse-disk.ts: CHUNK_BYTES each) that one FLUSH has made durable, in one piece. */
export interface DiskBatch {
  /** Counted by the worker, from 1: a batch is only good on top of all before it. */
  readonly sequence: number
  readonly chunks: readonly DiskChunk[]
  /** The disk begins anew with this batch (an image was imported): zeros of so many sectors, under `chunks`. */
  readonly blankSectors?: number
}
