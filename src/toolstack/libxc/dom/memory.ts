/** What a build holds: xc_dom_malloc and xc_dom_malloc_filemap (xc_dom_core.c), and blobs that are unpacked into memory. */
import { EINVAL, ENODEV } from '#abi/posix/errno.ts'
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { sbrk } from '#user/libc/heap.ts'
import { isDir } from '#user/libc/mode.ts'
import { close, fstat, open, read } from '#user/libc/syscall.ts'
import { XcError } from '../error.ts'
import { type Log, memoryLine } from './log.ts'

const READ_BYTES = 1 << 20
/** Smaller allocations are not worth a line. */
const LOGGED_BYTES = 100 * 1024

/** Bytes that a build holds, charged to the process: gives them back with the build. */
export class Charge {
  #bytes: number
  constructor() {
    this.#bytes = 0
  }
  *take(bytes: number): Sys<void> {
    yield* sbrk(bytes)
    this.#bytes += bytes
  }
  *release(): Sys<void> {
    if (this.#bytes > 0) yield* sbrk(-this.#bytes)
    this.#bytes = 0
  }
}

/** xc_dom_malloc's line. */
export function logMalloc(bytes: number, log: Log): void {
  if (bytes > LOGGED_BYTES) log(memoryLine('xc_dom_malloc', bytes))
}

/** xc_dom_malloc_filemap: what mmap of it would say is an errno and nothing else. */
export function* fileMap(path: string, charge: Charge, log: Log): Sys<Uint8Array> {
  try {
    const fd = yield* open(path, O_RDONLY, 0)
    try {
      const { size, mode } = yield* fstat(fd)
      if (isDir(mode)) throw new XcError(ENODEV)
      if (size === 0) throw new XcError(EINVAL)
      yield* charge.take(size)
      const bytes = new Uint8Array(size)
      let length = 0
      while (length < size) {
        const part = yield* read(fd, Math.min(READ_BYTES, size - length))
        if (part.length === 0) break
        bytes.set(part, length)
        length += part.length
      }
      if (size > LOGGED_BYTES) log(memoryLine('xc_dom_malloc_filemap', size))
      return bytes
    } finally {
      yield* close(fd)
    }
  } catch (error) {
    throw error instanceof OsError && !(error instanceof XcError) ? new XcError(error.errno) : error
  }
}
