/** dmesg of util-linux 2.13: the kernel's log. */
import {
  SYSLOG_ACTION_CONSOLE_LEVEL,
  SYSLOG_ACTION_READ_ALL,
  SYSLOG_ACTION_READ_CLEAR,
  SYSLOG_ACTION_SIZE_BUFFER,
} from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, STDOUT, writeAll } from '../libc/stdio.ts'
import { syslog } from '../libc/syscall.ts'

const USAGE = 'Usage: dmesg [-c] [-n level] [-r] [-s bufsize]\n'
const BUFFER_MIN = 4096
const BUFFER_DEFAULT = 16392

export const dmesg = program({
  name: 'dmesg',
  usage: 'dmesg [-c] [-n LEVEL] [-r] [-s BUFSIZE]',
  help: [
    "Print the kernel's ring buffer.",
    '  -c          clear it after printing',
    '  -n LEVEL    what goes to the console: messages more urgent than LEVEL (1 to 8)',
    '  -r          keep the level in front of each line',
    '  -s BUFSIZE  how many bytes at most',
  ].join('\n'),
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'crn:s:')
    const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
    const has = (code: string): boolean => options.some((option) => option.code === code)
    if (error !== undefined || operands.length > 0) {
      yield* eprint((error === undefined ? '' : `dmesg: ${error}\n`) + USAGE)
      return 1
    }
    try {
      const level = value('n')
      if (level !== undefined) {
        yield* syslog(SYSLOG_ACTION_CONSOLE_LEVEL, Number(level))
        return 0
      }
      const asked = value('s')
      const known = asked === undefined ? yield* syslog(SYSLOG_ACTION_SIZE_BUFFER, 0) : Number(asked)
      const size = Math.max(BUFFER_MIN, (typeof known === 'number' && known) || BUFFER_DEFAULT)
      const bytes = yield* syslog(has('c') ? SYSLOG_ACTION_READ_CLEAR : SYSLOG_ACTION_READ_ALL, size)
      if (typeof bytes === 'number' || bytes.length === 0) return 0
      const text = byteString(bytes)
      const shown = has('r') ? text : text.replace(/^<\d>/gm, '')
      yield* writeAll(STDOUT, bytesOfString(shown.endsWith('\n') ? shown : `${shown}\n`))
      return 0
    } catch (caught) {
      if (!(caught instanceof OsError)) throw caught
      yield* eprint(`klogctl: ${strerror(caught.errno)}\n`)
      return 1
    }
  },
})
