/** Logs of what domains and the hypervisor say, with or without the time at each line's beginning. */
import { O_APPEND, O_CREAT, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { writeAll } from '#user/libc/stdio.ts'
import { close, open } from '#user/libc/syscall.ts'
import { strftime, time } from '#user/libc/time.ts'

export class LogFile {
  readonly #fd: number
  readonly #stamps: boolean
  #atLineStart: boolean

  private constructor(fd: number, stamps: boolean) {
    this.#fd = fd
    this.#stamps = stamps
    this.#atLineStart = true
  }

  static *open(path: string, stamps: boolean): Sys<LogFile> {
    const log = new LogFile(yield* open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644), stamps)
    if (stamps) yield* log.write(bytesOfString('Logfile Opened'))
    return log
  }

  *write(bytes: Uint8Array): Sys<void> {
    yield* writeAll(this.#fd, this.#stamps ? bytesOfString(yield* this.#stamped(byteString(bytes))) : bytes)
  }

  /** write_with_timestamp: carriage returns behind a newline are left out. */
  *#stamped(text: string): Sys<string> {
    const stamp = strftime('[%Y-%m-%d %H:%M:%S] ', yield* time())
    let out = ''
    for (const line of text.replace(/\n\r+/g, '\n').match(/[^\n]*\n|[^\n]+/g) ?? []) {
      out += this.#atLineStart ? stamp + line : line
      this.#atLineStart = line.endsWith('\n')
    }
    return out
  }

  *close(): Sys<void> {
    yield* close(this.#fd)
  }
}
