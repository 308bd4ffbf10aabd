/** /etc/issue and the prompt, as agetty and mingetty show them. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { USER_PROCESS } from '#abi/posix/utmp.ts'
import { OsError } from '../libc/errno.ts'
import { readFile } from '../libc/stdio.ts'
import { uname } from '../libc/syscall.ts'
import { strftime, time } from '../libc/time.ts'
import { utmpRecords } from './utmp.ts'

/** /etc/issue with its escapes filled in; '' where there is none. */
export function* issueText(tty: string, bauds: string): Sys<string> {
  let text: string
  try {
    text = yield* readFile('/etc/issue')
  } catch (error) {
    if (error instanceof OsError) return ''
    throw error
  }
  if (!text.includes('\\')) return text
  const { sysname, nodename, release, version, machine } = yield* uname()
  const now = yield* time()
  const users = (yield* utmpRecords()).filter(({ type }) => type === USER_PROCESS).length
  const values: Readonly<Record<string, string>> = {
    s: sysname,
    n: nodename,
    r: release,
    v: version,
    m: machine,
    o: '(none)',
    d: strftime('%a %b %e  %Y', now),
    t: strftime('%H:%M:%S', now),
    l: tty,
    b: bauds,
    u: String(users),
    U: `${users} user${users === 1 ? '' : 's'}`,
  }
  return text.replace(/\\(.)/g, (whole, letter: string) => values[letter] ?? whole.slice(1))
}
