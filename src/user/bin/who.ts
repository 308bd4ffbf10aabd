/** who(1) and users(1). */

import type { Sys } from '#abi/posix/syscalls.ts'
import {
  BOOT_TIME,
  DEAD_PROCESS,
  INIT_PROCESS,
  LOGIN_PROCESS,
  RUN_LVL,
  USER_PROCESS,
  type Utmp,
} from '#abi/posix/utmp.ts'
import { utmpRecords } from '../account/utmp.ts'
import { OsError } from '../libc/errno.ts'
import { readlink, stat } from '../libc/syscall.ts'
import { strftime, time } from '../libc/time.ts'
import { utility } from '../libc/utility.ts'

export const who = utility({
  name: 'who',
  usage: 'who [OPTION]... [ FILE | ARG1 ARG2 ]',
  help: `
  -a, --all         same as -b -d --login -p -r -t -T -u
  -b, --boot        time of last system boot
  -d, --dead        print dead processes
  -H, --heading     print line of column headings
  -l, --login       print system login processes
  -m                only hostname and user associated with stdin
  -p, --process     print active processes spawned by init
  -q, --count       all login names and number of users logged on
  -r, --runlevel    print current runlevel
  -s, --short       print only name, line, and time (default)
  -T, -w, --mesg    add user's message status as +, - or ?
  -u, --users       list users logged in
      --help     display this help and exit
      --version  output version information and exit

If FILE is not specified, use /var/run/utmp.  /var/log/wtmp as FILE is common.
If ARG1 ARG2 given, -m presumed: \`am i' or \`mom likes' are usual.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'abdHilmpqrstTuw',
  long: {
    all: 'a',
    boot: 'b',
    dead: 'd',
    heading: 'H',
    login: 'l',
    process: 'p',
    count: 'q',
    runlevel: 'r',
    short: 's',
    mesg: 'T',
    message: 'T',
    writable: 'T',
    users: 'u',
  },
  *main(run) {
    const records = yield* utmpRecords(run.operands.length === 1 ? run.operands[0] : undefined)
    if (run.has('q')) {
      const names = records.filter(({ type }) => type === USER_PROCESS).map(({ user }) => user)
      yield* run.out.line(names.join(' '))
      yield* run.out.line(`# users=${names.length}`)
      return 0
    }
    const all = run.has('a')
    const mesg = run.has('T') || run.has('w') || all
    const idle = run.has('u') || run.has('l') || all
    const kinds = new Set<number>()
    const want = (code: string, kind: number): void => {
      if (all || run.has(code)) kinds.add(kind)
    }
    want('b', BOOT_TIME)
    want('d', DEAD_PROCESS)
    want('l', LOGIN_PROCESS)
    want('p', INIT_PROCESS)
    want('r', RUN_LVL)
    if (all || run.has('u') || kinds.size === 0) kinds.add(USER_PROCESS)
    const mine = run.has('m') || run.operands.length === 2 ? yield* terminal() : undefined
    if ((run.has('m') || run.operands.length === 2) && mine === undefined) return 0

    if (run.has('H'))
      yield* run.out.line(
        row('NAME', mesg ? ' ' : '', 'LINE', 'TIME', idle ? 'IDLE' : '', idle ? 'PID' : '', 'COMMENT'),
      )
    const now = yield* time()
    for (const record of records) {
      if (!kinds.has(record.type) || (mine !== undefined && record.line !== mine)) continue
      yield* run.out.line(yield* describe(record, now, mesg, idle))
    }
    return 0
  },
})

/** print_line(): the columns, without blanks at the end. */
function row(
  user: string,
  state: string,
  line: string,
  when: string,
  idle: string,
  pid: string,
  comment: string,
): string {
  const mark = state === '' ? '' : ` ${state}`
  const idleCell = idle === '' ? '' : ` ${idle.padEnd(6)}`
  const pidCell = pid === '' ? '' : ` ${pid.padStart(10)}`
  const text = `${user.padEnd(8)}${mark} ${line.padEnd(12)} ${when.padEnd(16)}${idleCell}${pidCell} ${comment}`
  return text.trimEnd()
}

function* describe(record: Utmp, now: number, mesg: boolean, idle: boolean): Sys<string> {
  const when = strftime('%Y-%m-%d %H:%M', record.seconds)
  const blank = mesg ? ' ' : ''
  switch (record.type) {
    case BOOT_TIME:
      return row('', blank, 'system boot', when, '', '', '')
    case RUN_LVL: {
      const level = String.fromCharCode(record.pid & 255)
      const last = (record.pid >> 8) & 255
      const before = last === 0 ? '' : `last=${last === 78 ? 'S' : String.fromCharCode(last)}`
      return row('', blank, `run-level ${level}`, when, '', '', before)
    }
    case LOGIN_PROCESS:
      return row('LOGIN', blank, record.line, when, '', String(record.pid), `id=${record.id}`)
    case INIT_PROCESS:
      return row('', blank, record.line, when, '', String(record.pid), `id=${record.id}`)
    case DEAD_PROCESS:
      return row(
        '',
        blank,
        record.line,
        when,
        '',
        String(record.pid),
        `id=${record.id} term=${record.termination} exit=${record.exit}`,
      )
  }
  let state = '?'
  let idleText = '  ?'
  try {
    const { mode, atime } = yield* stat(`/dev/${record.line}`)
    state = (mode & 0o020) !== 0 ? '+' : '-'
    const minutes = Math.floor((now - atime) / 60)
    if (minutes < 1) idleText = '  .'
    else if (minutes < 24 * 60)
      idleText = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
    else idleText = ' old'
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  const host = record.host === '' ? '' : `(${record.host})`
  const line = row(
    record.user,
    mesg ? state : '',
    record.line,
    when,
    idle ? idleText : '',
    idle ? String(record.pid) : '',
    host,
  )
  return line
}

/** The terminal of standard input, without /dev/. */
function* terminal(): Sys<string | undefined> {
  try {
    return (yield* readlink('/proc/self/fd/0')).replace(/^\/dev\//, '')
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return undefined
  }
}

export const users = utility({
  name: 'users',
  usage: 'users [OPTION]... [ FILE ]',
  help: `Output who is currently logged in according to FILE.
If FILE is not specified, use /var/run/utmp.  /var/log/wtmp as FILE is common.

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    const names = (yield* utmpRecords(run.operands[0]))
      .filter(({ type }) => type === USER_PROCESS)
      .map(({ user }) => user)
    if (names.length > 0) yield* run.out.line(names.sort().join(' '))
    return 0
  },
})
