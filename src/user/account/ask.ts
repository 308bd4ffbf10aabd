/** Asking for a password: getpass(3), without echo. */
import { TCSETSF } from '#abi/posix/ioctl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { ECHO, ISIG } from '#abi/posix/termios.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { readLineUnbuffered, writeAll } from '../libc/stdio.ts'
import { tcgetattr, tcsetattr } from '../libc/termios.ts'

/** What is typed on `fd` after `prompt` has been written to `out`; `undefined` at the end of input. */
export function* askSecret(prompt: string, fd: number, out: number): Sys<string | undefined> {
  let restore: (() => Sys<void>) | undefined
  try {
    const tio = yield* tcgetattr(fd)
    const { lflag } = tio
    tio.lflag &= ~(ECHO | ISIG)
    yield* tcsetattr(fd, TCSETSF, tio)
    restore = function* () {
      tio.lflag = lflag
      yield* tcsetattr(fd, TCSETSF, tio)
    }
  } catch (error) {
    // Not a terminal: read it all the same.
    if (!(error instanceof OsError)) throw error
  }
  try {
    yield* writeAll(out, bytesOfString(prompt))
    const answer = yield* readLineUnbuffered(fd)
    yield* writeAll(out, bytesOfString('\n'))
    return answer
  } finally {
    if (restore) yield* restore()
  }
}
