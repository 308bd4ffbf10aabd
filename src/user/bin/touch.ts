/** touch(1). */
import { ENOENT } from '#abi/posix/errno.ts'
import { O_CREAT, O_NONBLOCK, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../libc/errno.ts'
import { parseDate, parsePosixTime } from '../libc/getdate.ts'
import { quote } from '../libc/quote.ts'
import { close, open, stat, utime } from '../libc/syscall.ts'
import { time } from '../libc/time.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const touch = utility({
  name: 'touch',
  usage: 'touch [OPTION]... FILE...',
  help: `Update the access and modification times of each FILE to the current time.

Mandatory arguments to long options are mandatory for short options too.
  -a                     change only the access time
  -c, --no-create        do not create any files
  -d, --date=STRING      parse STRING and use it instead of current time
  -f                     (ignored)
  -m                     change only the modification time
  -r, --reference=FILE   use this file's times instead of current time
  -t STAMP               use [[CC]YY]MMDDhhmm[.ss] instead of current time
  --time=WORD            change the specified time:
                           WORD is access, atime, or use: equivalent to -a
                           WORD is modify or mtime: equivalent to -m
      --help     display this help and exit
      --version  output version information and exit

Note that the -d and -t options accept different time-date formats.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'acd:fmr:t:',
  long: { 'no-create': 'c', 'date:': 'd', 'reference:': 'r', 'time:': 'time' },
  *main(run) {
    const sources = run.options.filter(({ code }) => code === 'd' || code === 'r' || code === 't')
    if (sources.some(({ code }) => code !== sources[0]!.code))
      throw new UsageError('cannot specify times from more than one source')
    const word = run.value('time')
    const access = run.has('a') || /^(access|atime|use)$/.test(word ?? '')
    const modify = run.has('m') || /^(modify|mtime)$/.test(word ?? '')
    const { atime, mtime } = yield* newTimes(run)
    if (run.operands.length === 0) throw new UsageError('missing file operand')
    for (const name of run.operands) {
      try {
        const old = yield* existing(run, name)
        if (old) yield* utime(name, access || !modify ? atime : old.atime, modify || !access ? mtime : old.mtime)
      } catch (error) {
        const making = error instanceof OsError && error.call === 'open'
        yield* run.warn(error, making ? `cannot touch ${quote(name)}` : `setting times of ${quote(name)}`)
      }
    }
    return run.status
  },
})

function* newTimes(run: Run): Sys<{ atime: number; mtime: number }> {
  const now = yield* time()
  const reference = run.value('r')
  if (reference !== undefined) {
    try {
      return yield* stat(reference)
    } catch (error) {
      yield* run.warn(error, `failed to get attributes of ${quote(reference)}`)
      throw new Exit(1)
    }
  }
  const date = run.value('d')
  const stamp = run.value('t')
  if (date === undefined && stamp === undefined) return { atime: now, mtime: now }
  const seconds = date !== undefined ? parseDate(date, now) : parsePosixTime(stamp!, now)
  if (seconds === undefined) throw new Exit(1, `invalid date format ${quote((date ?? stamp)!)}`)
  return { atime: seconds, mtime: seconds }
}

/** What is there, made if need be; undefined with -c where nothing is. */
function* existing(run: Run, name: string): Sys<{ atime: number; mtime: number } | undefined> {
  try {
    return yield* stat(name)
  } catch (error) {
    if (!(error instanceof OsError) || error.errno !== ENOENT) throw error
    if (run.has('c')) return undefined
  }
  yield* close(yield* open(name, O_WRONLY | O_CREAT | O_NONBLOCK, 0o666))
  return yield* stat(name)
}
