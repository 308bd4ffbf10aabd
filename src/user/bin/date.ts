/** date(1). */
import { CLOCK_REALTIME } from '#abi/posix/syscalls.ts'
import { withInput } from '../coreutils/inputs.ts'
import { parseDate, parseDateOperand } from '../libc/getdate.ts'
import { quote } from '../libc/quote.ts'
import { In } from '../libc/stdio.ts'
import { clock_gettime, clock_settime, stat } from '../libc/syscall.ts'
import { strftime } from '../libc/time.ts'
import { Exit, UsageError, utility } from '../libc/utility.ts'

export const date = utility({
  name: 'date',
  usage: 'date [OPTION]... [+FORMAT]\ndate [-u|--utc|--universal] [MMDDhhmm[[CC]YY][.ss]]',
  help: `Display the current time in the given FORMAT, or set the system date.

  -d, --date=STRING         display time described by STRING, not \`now'
  -f, --file=DATEFILE       like --date once for each line of DATEFILE
  -r, --reference=FILE      display the last modification time of FILE
  -R, --rfc-2822            output date and time in RFC 2822 format
      --rfc-3339=TIMESPEC   output date and time in RFC 3339 format.
                            TIMESPEC=\`date', \`seconds', or \`ns' for
                            date and time to the indicated precision.
  -s, --set=STRING          set time described by STRING
  -u, --utc, --universal    print or set Coordinated Universal Time
      --help     display this help and exit
      --version  output version information and exit

FORMAT controls the output.  The only valid option for the second form
specifies Coordinated Universal Time.  Interpreted sequences are:

  %%   a literal %
  %a   locale's abbreviated weekday name (e.g., Sun)
  %A   locale's full weekday name (e.g., Sunday)
  %b   locale's abbreviated month name (e.g., Jan)
  %B   locale's full month name (e.g., January)
  %c   locale's date and time (e.g., Thu Mar  3 23:05:25 2005)
  %C   century; like %Y, except omit last two digits (e.g., 21)
  %d   day of month (e.g, 01)
  %D   date; same as %m/%d/%y
  %e   day of month, space padded; same as %_d
  %F   full date; same as %Y-%m-%d
  %g   the last two digits of the year corresponding to the %V week number
  %G   the year corresponding to the %V week number
  %h   same as %b
  %H   hour (00..23)
  %I   hour (01..12)
  %j   day of year (001..366)
  %k   hour ( 0..23)
  %l   hour ( 1..12)
  %m   month (01..12)
  %M   minute (00..59)
  %n   a newline
  %N   nanoseconds (000000000..999999999)
  %p   locale's equivalent of either AM or PM; blank if not known
  %P   like %p, but lower case
  %r   locale's 12-hour clock time (e.g., 11:11:04 PM)
  %R   24-hour hour and minute; same as %H:%M
  %s   seconds since 1970-01-01 00:00:00 UTC
  %S   second (00..60)
  %t   a tab
  %T   time; same as %H:%M:%S
  %u   day of week (1..7); 1 is Monday
  %U   week number of year with Sunday as first day of week (00..53)
  %V   week number of year with Monday as first day of week (01..53)
  %w   day of week (0..6); 0 is Sunday
  %W   week number of year with Monday as first day of week (00..53)
  %x   locale's date representation (e.g., 12/31/99)
  %X   locale's time representation (e.g., 23:13:48)
  %y   last two digits of year (00..99)
  %Y   year
  %z   +hhmm numeric timezone (e.g., -0400)
  %Z   alphabetic time zone abbreviation (e.g., EDT)

By default, date pads numeric fields with zeroes.
The following optional flags may follow \`%':

  - (hyphen) do not pad the field
  _ (underscore) pad with spaces
  0 (zero) pad with zeros
  ^ use upper case if possible
  # use opposite case if possible

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'd:f:I::r:Rs:u',
  long: {
    'date:': 'd',
    'file:': 'f',
    'iso-8601::': 'I',
    'reference:': 'r',
    'rfc-2822': 'R',
    'rfc-822': 'R',
    'rfc-3339:': 'rfc-3339',
    'set:': 's',
    utc: 'u',
    uct: 'u',
    universal: 'u',
  },
  *main(run) {
    const sources = run.options.filter(({ code }) => 'dfr'.includes(code)).length
    if (sources > 1) throw new UsageError('the options to specify dates for printing are mutually exclusive')
    if (sources > 0 && run.has('s'))
      throw new UsageError('the options to print and set the time may not be used together')
    const [operand, extra] = run.operands
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    let format = optionFormat(run.options)
    if (operand?.startsWith('+')) {
      if (format !== undefined) throw new Exit(1, 'multiple output formats specified')
      format = operand.slice(1)
    } else if (operand !== undefined && (sources > 0 || run.has('s')))
      throw new UsageError(
        `the argument ${quote(operand)} lacks a leading \`+';\nWhen using an option to specify date(s), any non-option\nargument must be a format string beginning with \`+'.`,
      )
    const shown = (seconds: number, ns: number): string => strftime(format ?? '%a %b %e %H:%M:%S %Z %Y', seconds, ns)
    const [now, nowNs] = yield* clock_gettime(CLOCK_REALTIME)

    const file = run.value('f')
    if (file !== undefined) {
      return yield* withInput(file, function* (fd) {
        const input = new In(fd)
        for (let line = yield* input.line(); line !== undefined; line = yield* input.line()) {
          const seconds = parseDate(line, now)
          if (seconds === undefined) yield* run.complain(`invalid date ${quote(line)}`)
          else yield* run.out.line(shown(seconds, 0))
        }
        return run.status
      })
    }
    const reference = run.value('r')
    const text = run.value('d') ?? run.value('s')
    const setting = run.has('s') || (operand !== undefined && !operand.startsWith('+'))
    let seconds: number | undefined = now
    let ns = nowNs
    if (reference !== undefined) {
      seconds = (yield* stat(reference)).mtime
      ns = 0
    } else if (text !== undefined) {
      seconds = parseDate(text, now)
      if (!/^\s*(now)?\s*$/.test(text)) ns = 0
    } else if (setting) {
      seconds = parseDateOperand(operand!, now)
      ns = 0
    }
    if (seconds === undefined) throw new Exit(1, `invalid date ${quote((text ?? operand)!)}`)
    if (setting) {
      try {
        yield* clock_settime(CLOCK_REALTIME, seconds, 0)
      } catch (error) {
        yield* run.warn(error, 'cannot set date')
      }
    }
    yield* run.out.line(shown(seconds, ns))
    return run.status
  },
})

const ISO: Readonly<Record<string, string>> = {
  date: '%Y-%m-%d',
  hours: '%Y-%m-%dT%H%z',
  minutes: '%Y-%m-%dT%H:%M%z',
  seconds: '%Y-%m-%dT%H:%M:%S%z',
  ns: '%Y-%m-%dT%H:%M:%S,%N%z',
}
const RFC3339: Readonly<Record<string, string>> = {
  date: '%Y-%m-%d',
  seconds: '%Y-%m-%d %H:%M:%S+00:00',
  ns: '%Y-%m-%d %H:%M:%S.%N+00:00',
}

function optionFormat(options: readonly { code: string; value: string | undefined }[]): string | undefined {
  let format: string | undefined
  for (const { code, value } of options) {
    let next: string | undefined
    if (code === 'R') next = '%a, %d %b %Y %H:%M:%S %z'
    else if (code === 'I') next = ISO[value ?? 'date']
    else if (code === 'rfc-3339') next = RFC3339[value!]
    else continue
    if (next === undefined)
      throw new UsageError(`invalid argument ${quote(value!)} for \`${code === 'I' ? '--iso-8601' : '--rfc-3339'}'`)
    if (format !== undefined) throw new Exit(1, 'multiple output formats specified')
    format = next
  }
  return format
}
