/** xc_dom_printf and xc_dom_panic (tools/libxc/xc_dom_core.c): the domain builder's log, and how a build ends before its end. */
import { O_APPEND, O_CREAT, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { writeAll } from '#user/libc/stdio.ts'
import { close, open } from '#user/libc/syscall.ts'
import type { XcErrorCode } from '../error.ts'
import type { XcHandle } from '../privcmd.ts'

const LOG_PATH = '/var/log/xen/domain-builder-ng.log'

export type Log = (text: string) => void

/** The build cannot go on; `where` is the place in the library's source. */
export class Panic extends Error {
  readonly where: string
  readonly code: XcErrorCode
  readonly text: string
  readonly errno: number

  constructor(where: string, code: XcErrorCode, text: string, errno = 22) {
    super(text)
    this.where = where
    this.code = code
    this.text = text
    this.errno = errno
  }
}

/** Lines of one build; written a stage at a time. */
export class BuilderLog {
  readonly #xc: XcHandle
  #fd: number
  #text: string
  readonly print: Log

  constructor(xc: XcHandle) {
    this.#xc = xc
    this.#fd = -1
    this.#text = ''
    this.print = (text) => {
      this.#text += text
    }
  }

  /** xc_dom_loginit. Without the directory there is no log. Its first line comes once for a handle. */
  *open(): Sys<void> {
    try {
      this.#fd = yield* open(LOG_PATH, O_WRONLY | O_CREAT | O_APPEND, 0o666)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return
    }
    if (!this.#xc.builderLogged) this.print('### ----- xc domain builder logfile opened -----\n')
    this.#xc.builderLogged = true
  }

  *flush(): Sys<void> {
    const text = this.#text
    this.#text = ''
    if (this.#fd < 0 || text === '') return
    try {
      yield* writeAll(this.#fd, bytesOfString(text))
    } catch (error) {
      // As after fprintf, nobody looks: a full disk stops no build.
      if (!(error instanceof OsError)) throw error
    }
  }

  *close(): Sys<void> {
    yield* this.flush()
    if (this.#fd >= 0) yield* close(this.#fd)
  }
}

/** `%x`. */
export const hex = (value: number | bigint): string => value.toString(16)

/** print_mem. */
export function memoryLine(name: string, bytes: number): string {
  const [amount, unit] =
    bytes > 32 << 20 ? [bytes / (1 << 20), 'MB'] : bytes > 32 << 10 ? [bytes / 1024, 'kB'] : [bytes, 'bytes']
  return `${name.padEnd(24)} : ${Math.floor(amount)} ${unit}\n`
}
