/** malloc's side of brk(2): a program that keeps what grows says so here, and the kernel finds frames for it, or says ENOMEM. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { brk } from './syscall.ts'

/** malloc asks for so much at a time. */
const STEP = 132 * 1024

/** sbrk(2): so many bytes more, on top of whatever the process holds by now. */
export function* sbrk(bytes: number): Sys<void> {
  yield* brk((yield* brk(0)) + bytes)
}

/** A part of the heap. What one holds comes on top of what others hold. */
export class Heap {
  #top: number
  #used: number

  constructor() {
    this.#top = 0
    this.#used = 0
  }

  /** So many more bytes are kept. OsError ENOMEM when there are none. */
  *keep(bytes: number): Sys<void> {
    this.#used += bytes
    if (this.#used > this.#top) yield* this.#grow()
  }

  /** So many bytes fewer: they are kept for the next. */
  free(bytes: number): void {
    this.#used -= bytes
  }

  /** Whether `keep` of so many would need a system call. */
  get room(): number {
    return this.#top - this.#used
  }

  *#grow(): Sys<void> {
    // Twice as much each time up to 16 MiB, so that large inputs do not ask thousands of times.
    const top = Math.max(this.#used, this.#top + Math.min(Math.max(STEP, this.#top), 16 << 20))
    yield* sbrk(top - this.#top)
    this.#top = top
  }
}

/** What a string of so many bytes costs in a heap: itself and malloc's header. */
export const stringCost = (length: number): number => (length + 8 + 15) & ~15
