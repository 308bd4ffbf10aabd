/** wall's work: a message on every terminal with a login (sysvinit's dowall.c). */
import { O_NOCTTY, O_NONBLOCK, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { USER_PROCESS } from '#abi/posix/utmp.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { getpwuid } from '../libc/pwd.ts'
import { STDIN } from '../libc/stdio.ts'
import { close, getuid, open, write } from '../libc/syscall.ts'
import { strftime, time } from '../libc/time.ts'
import { terminalName } from './terminal.ts'
import { utmpRecords } from './utmp.ts'

/** `text`: lines that end in CR LF. */
export function* broadcast(text: string): Sys<void> {
  const user = (yield* getpwuid(yield* getuid()))?.name ?? 'unknown'
  const tty = (yield* terminalName(STDIN)) ?? 'somewhere'
  const when = strftime('%a %b %e %H:%M:%S %Y', yield* time())
  const bytes = bytesOfString(`\x07\r\nBroadcast message from ${user} (${tty}) (${when}):\r\n\r\n${text}`)
  for (const { type, line, user: name } of yield* utmpRecords()) {
    if (type !== USER_PROCESS || name === '' || line === '' || line.startsWith(':')) continue
    try {
      const fd = yield* open(line.startsWith('/dev/') ? line : `/dev/${line}`, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0)
      yield* write(fd, bytes)
      yield* close(fd)
    } catch (error) {
      // Gone, or full: nobody waits for it.
      if (!(error instanceof OsError)) throw error
    }
  }
}
