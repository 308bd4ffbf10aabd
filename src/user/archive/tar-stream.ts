/** The archive as a stream of blocks: records of 10240 bytes to a file, a pipe, or through gzip. */
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, SEEK_SET } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { WEXITSTATUS, WIFEXITED, WTERMSIG } from '#abi/posix/wait.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { spawn, waitpid } from '../libc/process.ts'
import { eprint, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { close, dup2, lseek, open, pipe, read } from '../libc/syscall.ts'
import { BLOCK, RECORD } from './tar-header.ts'

/** `tar: text`, and then nothing more: status 2. */
export class Fatal extends Error {}

export interface Archive {
  readonly fd: number
  /** gzip's pid, or 0. */
  readonly child: number
}

/** Open to read; `gzipped`: undefined looks for itself. */
export function* openArchive(path: string, gzipped: boolean | undefined, env: readonly string[]): Sys<Archive> {
  const fd = path === '-' ? STDIN : yield* openOrDie(path, O_RDONLY)
  if (!(gzipped ?? (path !== '-' && (yield* looksGzipped(fd))))) return { fd, child: 0 }
  const [out, into] = yield* pipe()
  const child = yield* spawn('gzip', ['gzip', '-d'], env, function* () {
    yield* dup2(fd, STDIN)
    yield* dup2(into, STDOUT)
    for (const one of [out, into, fd]) if (one > 2) yield* close(one)
  })
  yield* close(into)
  if (fd !== STDIN) yield* close(fd)
  return { fd: out, child }
}

export function* createArchive(path: string, gzipped: boolean, env: readonly string[]): Sys<Archive> {
  const fd = path === '-' ? STDOUT : yield* openOrDie(path, O_WRONLY | O_CREAT | O_TRUNC)
  if (!gzipped) return { fd, child: 0 }
  const [out, into] = yield* pipe()
  const child = yield* spawn('gzip', ['gzip'], env, function* () {
    yield* dup2(out, STDIN)
    yield* dup2(fd, STDOUT)
    for (const one of [out, into, fd]) if (one > 2) yield* close(one)
  })
  yield* close(out)
  if (fd !== STDOUT) yield* close(fd)
  return { fd: into, child }
}

function* openOrDie(path: string, flags: number): Sys<number> {
  try {
    return yield* open(path, flags, 0o666)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new Fatal(`${path}: Cannot open: ${strerror(error.errno)}`)
  }
}

function* looksGzipped(fd: number): Sys<boolean> {
  try {
    yield* lseek(fd, 0, SEEK_SET)
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
  const magic = yield* read(fd, 2)
  yield* lseek(fd, 0, SEEK_SET)
  return magic[0] === 0x1f && magic[1] === 0x8b
}

/** Close, and wait for gzip. False, after a complaint, where that failed. */
export function* closeArchive({ fd, child }: Archive): Sys<boolean> {
  if (fd > 2) yield* close(fd)
  if (child === 0) return true
  const { status } = yield* waitpid(child)
  if (status === 0) return true
  yield* eprint(
    WIFEXITED(status)
      ? `tar: Child returned status ${WEXITSTATUS(status)}\n`
      : `tar: Child died with signal ${WTERMSIG(status)}\n`,
  )
  return false
}

export class BlockReader {
  readonly #fd: number
  readonly #record: Uint8Array
  #filled: number
  #at: number
  /** Blocks read so far. */
  blocks: number

  constructor(fd: number) {
    this.#fd = fd
    this.#record = new Uint8Array(RECORD)
    this.#filled = 0
    this.#at = 0
    this.blocks = 0
  }

  /** The next block, good until the next call; undefined at the end of the file. */
  *block(): Sys<Uint8Array | undefined> {
    if (this.#at >= this.#filled && !(yield* this.#fill())) return undefined
    const block = this.#record.subarray(this.#at, this.#at + BLOCK)
    this.#at += BLOCK
    this.blocks++
    return block
  }

  /** Blocks that are here, at most so many; Fatal at the end of the file. */
  *some(blocks: number): Sys<Uint8Array> {
    if (this.#at >= this.#filled && !(yield* this.#fill())) throw new Fatal('Unexpected EOF in archive')
    const end = Math.min(this.#filled, this.#at + blocks * BLOCK)
    const part = this.#record.subarray(this.#at, end)
    this.blocks += (end - this.#at) / BLOCK
    this.#at = end
    return part
  }

  *skip(blocks: number): Sys<void> {
    for (let left = blocks; left > 0; ) left -= (yield* this.some(left)).length / BLOCK
  }

  *#fill(): Sys<boolean> {
    this.#at = 0
    this.#filled = 0
    while (this.#filled < RECORD) {
      const part = yield* read(this.#fd, RECORD - this.#filled)
      if (part.length === 0) break
      this.#record.set(part, this.#filled)
      this.#filled += part.length
    }
    // A last block that is cut off.
    if (this.#filled % BLOCK !== 0) {
      const whole = Math.ceil(this.#filled / BLOCK) * BLOCK
      this.#record.fill(0, this.#filled, whole)
      this.#filled = whole
    }
    return this.#filled > 0
  }

  /** To the end, so that whoever writes into our pipe does not die of it. */
  *drain(): Sys<void> {
    while ((yield* read(this.#fd, RECORD)).length > 0);
  }
}

export class BlockWriter {
  readonly #fd: number
  readonly #name: string
  readonly #record: Uint8Array
  #at: number

  constructor(fd: number, name: string) {
    this.#fd = fd
    this.#name = name
    this.#record = new Uint8Array(RECORD)
    this.#at = 0
  }

  /** Bytes, of which whole blocks are made. */
  *put(bytes: Uint8Array): Sys<void> {
    for (let done = 0; done < bytes.length; ) {
      const count = Math.min(bytes.length - done, RECORD - this.#at)
      this.#record.set(bytes.subarray(done, done + count), this.#at)
      this.#at += count
      done += count
      if (this.#at === RECORD) yield* this.#flush()
    }
  }

  *pad(): Sys<void> {
    if (this.#at % BLOCK !== 0) yield* this.put(new Uint8Array(BLOCK - (this.#at % BLOCK)))
  }

  /** Two blocks of zeros, and zeros up to a whole record. */
  *finish(): Sys<void> {
    yield* this.put(new Uint8Array(2 * BLOCK))
    if (this.#at > 0) yield* this.put(new Uint8Array(RECORD - this.#at))
  }

  *#flush(): Sys<void> {
    this.#at = 0
    try {
      yield* writeAll(this.#fd, this.#record)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      throw new Fatal(`${this.#name}: Cannot write: ${strerror(error.errno)}`)
    }
  }
}
