/** /var/log/xen/xend.log (xen.xend.XendLogging over Python's logging): rotated at 1 MB, five old ones are kept. */
import { O_APPEND, O_CREAT, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { writeAll } from '#user/libc/stdio.ts'
import { close, fstat, getpid, open, rename } from '#user/libc/syscall.ts'
import { strftime, time } from '#user/libc/time.ts'
import { exceptionText, XendError } from './errors.ts'

const MAX_BYTES = 1 << 20
const BACKUP_COUNT = 5

/** Of Python's logging, and xend's TRACE. */
const LEVELS: Readonly<Record<string, number>> = { TRACE: 9, DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40, CRITICAL: 50 }

/** Says where and what: `XendDomainInfo:2028` is the module, and the line of the original that says the same. */
export class Logger {
  readonly path: string
  readonly #level: number
  #fd: number
  #size: number

  constructor(path: string, level: string) {
    this.path = path
    this.#level = LEVELS[level] ?? 10
    this.#fd = -1
    this.#size = 0
  }

  debug(where: string, text: string): Sys<void> {
    return this.#log('DEBUG', where, text)
  }
  info(where: string, text: string): Sys<void> {
    return this.#log('INFO', where, text)
  }
  warn(where: string, text: string): Sys<void> {
    return this.#log('WARNING', where, text)
  }
  error(where: string, text: string): Sys<void> {
    return this.#log('ERROR', where, text)
  }

  critical(where: string, text: string): Sys<void> {
    return this.#log('CRITICAL', where, text)
  }

  /** log.exception: with what was thrown in the last line. An error of our own program shows where it comes from. */
  exception(where: string, text: string, error: unknown): Sys<void> {
    const name = error instanceof XendError ? error.constructor.name : error instanceof OsError ? 'Error' : undefined
    const detail = name
      ? `${name}: ${exceptionText(error)}`
      : error instanceof Error
        ? (error.stack ?? error.message)
        : ''
    return this.#log('ERROR', where, detail === '' ? text : `${text}\n${detail}`)
  }

  *#log(level: string, where: string, text: string): Sys<void> {
    if (LEVELS[level]! < this.#level) return
    const when = strftime('%Y-%m-%d %H:%M:%S', yield* time())
    const line = bytesOfString(`[${when} ${yield* getpid()}] ${level} (${where}) ${text}\n`)
    try {
      if (this.#fd < 0) yield* this.#open()
      else if (this.#size + line.length >= MAX_BYTES) yield* this.#rotate()
      yield* writeAll(this.#fd, line)
      this.#size += line.length
    } catch (error) {
      // A full disk must not stop the daemon: logging says nothing about it either.
      if (!(error instanceof OsError)) throw error
    }
  }

  *#open(): Sys<void> {
    this.#fd = yield* open(this.path, O_WRONLY | O_CREAT | O_APPEND, 0o666)
    this.#size = (yield* fstat(this.#fd)).size
  }

  *#rotate(): Sys<void> {
    yield* close(this.#fd)
    this.#fd = -1
    for (let i = BACKUP_COUNT - 1; i >= 0; i--) {
      try {
        yield* rename(i === 0 ? this.path : `${this.path}.${i}`, `${this.path}.${i + 1}`)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
      }
    }
    yield* this.#open()
  }
}
