/** last and lastb of SysVinit 2.86, and lastlog of shadow-utils: who was here, by wtmp, btmp and lastlog. */
import { O_RDONLY, SEEK_SET } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  BOOT_TIME,
  BTMP_FILE,
  DEAD_PROCESS,
  LASTLOG_BYTES,
  LASTLOG_FILE,
  RUN_LVL,
  readLastlog,
  readUtmp,
  USER_PROCESS,
  type Utmp,
  WTMP_FILE,
} from '#abi/posix/utmp.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { getpwents } from '../libc/pwd.ts'
import { eprint, Out, readFile, STDOUT } from '../libc/stdio.ts'
import { close, lseek, open, read, stat } from '../libc/syscall.ts'
import { strftime } from '../libc/time.ts'

const DAY_SECONDS = 86400

/** A line of last: `end` is a time, or what to say instead. */
interface Row {
  readonly user: string
  readonly line: string
  readonly host: string
  readonly start: number
  readonly end: number
  readonly how: string
}

const record = (name: string, path: string, about: string) =>
  program({
    name,
    usage: `${name} [-NUM] [-n NUM] [-f FILE] [-Rx] [NAME...] [TTY...]`,
    help: [
      about,
      '  -n NUM, -NUM   only so many lines',
      '  -f FILE        another file',
      '  -R             without the hosts',
      '  -x             shutdowns and changes of the runlevel too',
    ].join('\n'),
    *main(argv) {
      const args = argv.slice(1).map((arg) => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg))
      const { options, operands, error } = getopt(args, 'f:n:Rxa')
      const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
      if (error !== undefined) {
        yield* eprint(
          `${name}: ${error}\nUsage: ${name} [-num | -n num] [-f file] [-t YYYYMMDDHHMMSS] [-R] [-x] [-o] [username..] [tty..]\n`,
        )
        return 1
      }
      return yield* show(
        name,
        value('f') ?? path,
        Number(value('n') ?? 0) || Number.POSITIVE_INFINITY,
        options.some(({ code }) => code === 'x'),
        !options.some(({ code }) => code === 'R'),
        operands,
      )
    },
  })

export const last = record(
  'last',
  WTMP_FILE,
  'Show who logged in, on which terminal and for how long: the latest first.',
)
export const lastb = record('lastb', BTMP_FILE, 'Show who tried to log in and did not get in: the latest first.')

function* show(
  name: string,
  path: string,
  most: number,
  extended: boolean,
  hosts: boolean,
  wanted: readonly string[],
): Sys<number> {
  const out = new Out(STDOUT)
  let records: Utmp[]
  let created: number
  try {
    records = readUtmp(bytesOfString(yield* readFile(path)))
    created = (yield* stat(path)).ctime
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`${name}: ${path}: ${strerror(error.errno)}\n`)
    if (error.errno === 2) yield* eprint('Perhaps this file was removed by the operator to prevent logging info.\n')
    return 1
  }
  const matches = ({ user, line }: Row): boolean =>
    wanted.length === 0 || wanted.some((one) => one === user || one === line || `tty${one}` === line)
  let shown = 0
  for (const row of rows(records, name === 'lastb', extended)) {
    if (!matches(row)) continue
    if (shown++ >= most) break
    yield* out.line(lineOf(row, hosts))
  }
  const first = records[0]?.seconds ?? created
  yield* out.print(`\n${path.slice(path.lastIndexOf('/') + 1)} begins ${strftime('%a %b %e %H:%M:%S %Y', first)}\n`)
  yield* out.flush()
  return 0
}

/** From the last record to the first: a session ends where its line's next record is, or the machine. */
function rows(records: readonly Utmp[], bad: boolean, extended: boolean): Row[] {
  const made: Row[] = []
  const ends = new Map<string, number>()
  let down: { readonly seconds: number; readonly word: string } | undefined
  for (const entry of records.toReversed()) {
    const start = entry.seconds
    if (bad) {
      if (entry.type !== 0 || entry.user !== '') made.push({ ...entry, start, end: start, how: '' })
      continue
    }
    if (entry.type === BOOT_TIME) {
      made.push({
        user: 'reboot',
        line: 'system boot',
        host: entry.host,
        start,
        end: down?.seconds ?? 0,
        how: down ? '' : 'since',
      })
      // What was still open when it came up again was lost.
      down = { seconds: start, word: 'crash' }
      ends.clear()
    } else if (entry.type === RUN_LVL) {
      const level = String.fromCharCode(entry.pid & 0xff)
      if (entry.user === 'shutdown' || level === '0' || level === '6') {
        if (extended)
          made.push({
            user: 'shutdown',
            line: 'system down',
            host: entry.host,
            start,
            end: down?.seconds ?? 0,
            how: '',
          })
        down = { seconds: start, word: 'down' }
        ends.clear()
      } else if (extended)
        made.push({
          user: 'runlevel',
          line: `(to lvl ${level})`,
          host: entry.host,
          start,
          end: down?.seconds ?? 0,
          how: down ? '' : 'since',
        })
    } else if (entry.type === USER_PROCESS && entry.user !== '') {
      const end = ends.get(entry.line)
      const how = end !== undefined ? '' : down ? down.word : 'still'
      made.push({ ...entry, start, end: end ?? down?.seconds ?? 0, how })
      ends.set(entry.line, start)
    } else if (entry.type === DEAD_PROCESS && entry.line !== '') ends.set(entry.line, start)
  }
  return made
}

function lineOf({ user, line, host, start, end, how }: Row, hosts: boolean): string {
  const seconds = Math.max(0, end - start)
  const days = Math.floor(seconds / DAY_SECONDS)
  const clock = strftime('%H:%M', seconds % DAY_SECONDS)
  const length = days > 0 ? `(${days}+${clock})` : ` (${clock})`
  const until =
    how === 'still' || how === 'since'
      ? how === 'still'
        ? '  still logged in'
        : ` ${' '.repeat(6)} ${''}`
      : `- ${how === '' ? strftime('%H:%M', end) : how.padEnd(5)} ${length}`
  const where = hosts ? `${host.slice(0, 16).padEnd(16)} ` : ''
  return `${user.slice(0, 8).padEnd(8)} ${line.slice(0, 12).padEnd(12)} ${where}${strftime('%a %b %e %H:%M', start)} ${until}`
}

export const lastlog = program({
  name: 'lastlog',
  usage: 'lastlog [-u LOGIN]',
  help: 'Show when each user logged in last.\n  -u LOGIN   only this one',
  *main(argv) {
    const { options, error } = getopt(argv.slice(1), 'u:b:t:', { 'user:': 'u' })
    if (error !== undefined) {
      yield* eprint(
        `lastlog: ${error}\nUsage: lastlog [options]\n\nOptions:\n  -u, --user LOGIN              print lastlog record for user with specified LOGIN\n`,
      )
      return 1
    }
    const only = options.find(({ code }) => code === 'u')?.value
    const users = (yield* getpwents()).filter(({ name }) => only === undefined || name === only)
    if (only !== undefined && users.length === 0) {
      yield* eprint(`lastlog: Unknown User: ${only}\n`)
      return 1
    }
    let fd: number
    try {
      fd = yield* open(LASTLOG_FILE, O_RDONLY, 0)
    } catch (caught) {
      if (!(caught instanceof OsError)) throw caught
      yield* eprint(`${LASTLOG_FILE}: ${strerror(caught.errno)}\n`)
      return 1
    }
    const out = new Out(STDOUT)
    yield* out.line('Username         Port     From             Latest')
    for (const { name, uid } of users) {
      yield* lseek(fd, uid * LASTLOG_BYTES, SEEK_SET)
      const { seconds, line, host } = readLastlog(yield* read(fd, LASTLOG_BYTES))
      const when = seconds === 0 ? '**Never logged in**' : strftime('%a %b %e %H:%M:%S %z %Y', seconds)
      yield* out.line(`${name.padEnd(16)} ${line.slice(0, 8).padEnd(8)} ${host.slice(0, 16).padEnd(16)} ${when}`)
    }
    yield* close(fd)
    yield* out.flush()
    return 0
  },
})
