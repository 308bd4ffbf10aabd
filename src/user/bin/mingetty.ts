/** mingetty 1.07: a getty for virtual terminals. */
import { TCSETS, TIOCSCTTY } from '#abi/posix/ioctl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { issueText } from '../account/issue.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, readLineUnbuffered, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { execve, ioctl, nanosleep, uname } from '../libc/syscall.ts'
import { tcgetattr, tcsetattr } from '../libc/termios.ts'
import { announce, openLine } from './agetty.ts'
import { saneSettings } from './init/console.ts'

export const mingetty = program({
  name: 'mingetty',
  usage: 'mingetty [--noclear] [--nonewline] [--noissue] [--nohostname] [--autologin USER] TTY',
  help: [
    'Open the virtual terminal TTY, ask for a login name and call /bin/login.',
    '  --noclear         leave the screen as it is',
    '  --nonewline       no empty line before the text',
    '  --noissue         do not show /etc/issue',
    '  --nohostname      ask without the host name',
    '  --autologin USER  log USER in without asking',
    '  --delay SECONDS   wait first',
    '  --loginprog PATH  instead of /bin/login',
  ].join('\n'),
  *main(argv, env) {
    const { options, operands, error } = getopt(argv.slice(1), '', {
      noclear: 'c',
      nonewline: 'n',
      noissue: 'i',
      nohostname: 'h',
      'long-hostname': 'H',
      'autologin:': 'a',
      'delay:': 'd',
      'loginprog:': 'l',
    })
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const value = (code: string): string | undefined => options.find((option) => option.code === code)?.value
    const [tty] = operands
    if (error !== undefined || tty === undefined) {
      yield* eprint(`${argv[0]}: ${error ?? 'no tty'}\n`)
      return 1
    }
    const line = tty.replace(/^\/dev\//, '')
    const delay = Number(value('d') ?? 0)
    if (delay > 0) yield* nanosleep(delay * 1e9)
    const failure = yield* openLine(line)
    if (failure !== undefined) {
      yield* nanosleep(5e9)
      return 1
    }
    yield* control()
    yield* announce(line)
    if (!has('c')) yield* writeAll(STDOUT, bytesOfString('\x1b[3;J\x1b[H\x1b[J'))
    const login = value('l') ?? '/bin/login'
    const auto = value('a')
    const name = auto ?? (yield* askName(line, has('n'), has('i'), has('h')))
    if (name === undefined) return 0
    try {
      return yield* execve(login, auto === undefined ? [login, '--', name] : [login, '-f', name], env)
    } catch (caught) {
      if (!(caught instanceof OsError)) throw caught
      yield* eprint(`mingetty: ${line}: can't exec ${login}: ${strerror(caught.errno)}\n`)
      yield* nanosleep(5e9)
      return 1
    }
  },
})

/** The terminal is this session's own, with settings fit for a person. */
function* control(): Sys<void> {
  try {
    yield* ioctl(STDIN, TIOCSCTTY, 1)
    const tio = yield* tcgetattr(STDIN)
    saneSettings(tio)
    yield* tcsetattr(STDIN, TCSETS, tio)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

function* askName(tty: string, noNewline: boolean, noIssue: boolean, noHost: boolean): Sys<string | undefined> {
  for (;;) {
    const { nodename } = yield* uname()
    const issue = noIssue ? '' : yield* issueText(tty, '')
    const host = noHost ? '' : `${nodename.split('.')[0]} `
    yield* writeAll(STDOUT, bytesOfString(`${noNewline ? '' : '\n'}${issue}${host}login: `))
    const name = yield* readLineUnbuffered(STDIN)
    if (name === undefined) return undefined
    if (/^[ -~]+$/.test(name.trim())) return name.trim()
  }
}
