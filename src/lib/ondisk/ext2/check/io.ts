/**
 * What the checker reads and writes: blocks, by generators of the caller's kind (system calls in a program, nothing at all over bytes
 * in memory). A few blocks are kept; changes are written at once.
 */

export type Step<Y, T> = Generator<Y, T, unknown>

export interface CheckIo<Y> {
  /** `count` blocks of `blockBytes` from block `block` on. */
  read(block: number, count: number, blockBytes: number): Step<Y, Uint8Array>
  write(block: number, bytes: Uint8Array, blockBytes: number): Step<Y, void>
  /** Text for the person. */
  say(text: string): Step<Y, void>
  /** A question that is neither -y's nor -n's nor -p's to answer. */
  ask?(question: string): Step<Y, boolean>
}

const CACHE_BLOCKS = 256
/** Inode tables come in pieces of so many blocks. */
export const PIECE_BLOCKS = 32

export class Blocks<Y> {
  readonly blockBytes: number
  readonly #io: CheckIo<Y>
  readonly #cache = new Map<number, Uint8Array>()
  changed = false

  constructor(io: CheckIo<Y>, blockBytes: number) {
    this.#io = io
    this.blockBytes = blockBytes
  }

  /** Shared: copy before changing, or `put` it back. */
  *get(block: number): Step<Y, Uint8Array> {
    const known = this.#cache.get(block)
    if (known) return known
    const bytes = yield* this.#io.read(block, 1, this.blockBytes)
    this.#keep(block, bytes)
    return bytes
  }

  /** Many at once; not kept. */
  *piece(block: number, count: number): Step<Y, Uint8Array> {
    return yield* this.#io.read(block, count, this.blockBytes)
  }

  *put(block: number, bytes: Uint8Array): Step<Y, void> {
    this.changed = true
    this.#keep(block, bytes)
    yield* this.#io.write(block, bytes, this.blockBytes)
  }

  #keep(block: number, bytes: Uint8Array): void {
    if (!this.#cache.has(block) && this.#cache.size >= CACHE_BLOCKS)
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest)
        break
      }
    this.#cache.set(block, bytes)
  }
}
