/** agetty of util-linux 2.13: opens a serial line, asks for a name, and becomes login. */
import { O_NONBLOCK, O_RDWR } from '#abi/posix/fcntl.ts'
import { TCFLSH, TCSETS } from '#abi/posix/ioctl.ts'
import { SIG_DFL, SIGALRM } from '#abi/posix/signal.ts'
import { S_IFCHR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import * as tio from '#abi/posix/termios.ts'
import { LOGIN_PROCESS } from '#abi/posix/utmp.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { issueText } from '../account/issue.ts'
import { appendWtmp, putUtmp, utmpOfPid, utmpTime } from '../account/utmp.ts'
import { withEnv } from '../libc/env.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import {
  alarm,
  chmod,
  chown,
  close,
  dup2,
  execve,
  fcntl,
  getpid,
  ioctl,
  nanosleep,
  open,
  read,
  rt_sigaction,
  stat,
  uname,
} from '../libc/syscall.ts'
import { type Termios, tcgetattr, tcsetattr } from '../libc/termios.ts'

const SPEEDS: Readonly<Record<string, number>> = {
  '300': tio.B300,
  '1200': tio.B1200,
  '2400': tio.B2400,
  '4800': tio.B4800,
  '9600': tio.B9600,
  '19200': tio.B19200,
  '38400': tio.B38400,
  '57600': tio.B57600,
  '115200': tio.B115200,
}
const F_SETFL = 4
/** So long a failed getty holds its line of inittab up. */
const FAILED_SLEEP_NS = 10e9
const NAME_MAX = 255

interface Line {
  readonly tty: string
  readonly speeds: readonly string[]
  readonly term: string | undefined
  readonly local: boolean
  readonly issue: boolean
  readonly prompt: boolean
  readonly login: string
  readonly timeout: number
}

const USAGE =
  'Usage: agetty [-hiLmw] [-l login_program] [-t timeout] [-I initstring] [-H login_host] baud_rate,... line [termtype]\n' +
  'or\t[-hiLmw] [-l login_program] [-t timeout] [-I initstring] [-H login_host] line baud_rate,... [termtype]\n'

export const agetty = program({
  name: 'agetty',
  usage: 'agetty [-hiLmnw] [-l LOGIN] [-t TIMEOUT] BAUD_RATE,... LINE [TERM]',
  help: [
    'Open the terminal LINE, ask for a login name and call /bin/login.',
    '  -L           the line is local: there is no carrier to wait for',
    '  -i           do not show /etc/issue',
    '  -n           do not ask for a name',
    '  -l LOGIN     the program to call instead of /bin/login',
    '  -t SECONDS   give up if no name is typed',
    '  -h, -m, -w   hardware flow control, speed from the modem, wait for a line end: taken, and of no use here',
  ].join('\n'),
  *main(argv, env) {
    const line = parse(argv.slice(1))
    if (typeof line === 'string') {
      yield* eprint(line)
      return 1
    }
    const failure = yield* openLine(line.tty)
    if (failure !== undefined) {
      // syslog's to keep; there is nothing to write to.
      yield* nanosleep(FAILED_SLEEP_NS)
      return 1
    }
    yield* announce(line.tty)
    const settings = yield* rawMode(line)
    if (line.timeout > 0) yield* alarm(line.timeout)
    const name = line.prompt ? yield* askName(line, settings) : ''
    yield* alarm(0)
    if (name === undefined) return 0
    yield* finalMode(settings)
    yield* writeAll(STDOUT, bytesOfString('\n'))
    const next = line.term === undefined ? env : withEnv(env, 'TERM', line.term)
    try {
      return yield* execve(line.login, [line.login, '--', ...(name === '' ? [] : [name])], next)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`agetty: ${line.tty}: can't exec ${line.login}: ${strerror(error.errno)}\n`)
      yield* nanosleep(FAILED_SLEEP_NS)
      return 1
    }
  },
})

/** The line that the arguments describe, or what is wrong with them. */
function parse(args: readonly string[]): Line | string {
  const { options, operands, error } = getopt(args, '8I:LH:f:hil:mt:wUn')
  if (error !== undefined) return `agetty: ${error}\n${USAGE}`
  const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
  const has = (code: string): boolean => options.some((option) => option.code === code)
  const [first, second, term] = operands
  if (first === undefined || second === undefined) return USAGE
  const [bauds, tty] = /^\d/.test(first) ? [first, second] : [second, first]
  const speeds = bauds.split(',')
  const bad = speeds.find((speed) => SPEEDS[speed] === undefined)
  if (bad !== undefined) return `agetty: bad speed: ${bad}\n`
  const timeout = value('t')
  if (timeout !== undefined && !/^[1-9]\d*$/.test(timeout)) return `agetty: bad timeout value: ${timeout}\n`
  return {
    tty,
    speeds,
    term,
    local: has('L'),
    issue: !has('i'),
    prompt: !has('n'),
    login: value('l') ?? '/bin/login',
    timeout: Number(timeout ?? 0),
  }
}

/** Standard input, output and error become the line. What is wrong otherwise. */
export function* openLine(tty: string): Sys<string | undefined> {
  const path = `/dev/${tty}`
  try {
    if (tty !== '-') {
      if (((yield* stat(path)).mode & S_IFMT) !== S_IFCHR) return `${path}: not a character device`
      yield* close(STDIN)
      yield* open(path, O_RDWR | O_NONBLOCK, 0)
      yield* fcntl(STDIN, F_SETFL, O_RDWR)
    }
    yield* dup2(STDIN, 1)
    yield* dup2(STDIN, 2)
    // Nobody else listens in.
    if (tty !== '-') {
      yield* chown(path, 0, 0)
      yield* chmod(path, 0o620)
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    // A read-only root keeps its modes.
    if (error.call !== 'chown' && error.call !== 'chmod') return `${path}: ${strerror(error.errno)}`
  }
  return undefined
}

/** utmp: this line waits for a login. */
export function* announce(tty: string): Sys<void> {
  const pid = yield* getpid()
  const old = yield* utmpOfPid(pid)
  const record = { type: LOGIN_PROCESS, pid, line: tty, id: old?.id ?? tty.slice(-4), user: 'LOGIN', session: pid }
  const when = yield* utmpTime()
  yield* putUtmp({ ...record, ...when })
  yield* appendWtmp({ ...record, ...when })
}

/** For the name every byte is seen as it comes. */
function* rawMode({ speeds, local }: Line): Sys<Termios> {
  const settings = yield* tcgetattr(STDIN)
  settings.cflag = tio.CS8 | tio.HUPCL | tio.CREAD | SPEEDS[speeds[0]!]! | (local ? tio.CLOCAL : 0)
  settings.iflag = 0
  settings.lflag = 0
  settings.oflag = 0
  settings.line = 0
  settings.cc[tio.VMIN] = 1
  settings.cc[tio.VTIME] = 0
  yield* tcsetattr(STDIN, TCSETS, settings)
  yield* ioctl(STDIN, TCFLSH, tio.TCIFLUSH)
  return settings
}

/** Asks until there is a name; `undefined`: ^D, or the line is gone. */
function* askName(line: Line, settings: Termios): Sys<string | undefined> {
  for (;;) {
    yield* writeAll(STDOUT, bytesOfString('\r\n'))
    const { nodename } = yield* uname()
    const issue = line.issue ? yield* issueText(line.tty, line.speeds[0]!) : ''
    yield* writeAll(STDOUT, bytesOfString(`${issue.replaceAll('\n', '\r\n')}${nodename} login: `))
    const name = yield* readName(settings)
    if (name !== '') return name
  }
}

function* readName(settings: Termios): Sys<string | undefined> {
  let name = ''
  for (;;) {
    const byte = (yield* read(STDIN, 1))[0]
    if (byte === undefined || byte === 4) return undefined
    const char = String.fromCharCode(byte & 0x7f)
    if (char === '\r' || char === '\n') {
      settings.iflag = char === '\r' ? tio.ICRNL : 0
      return name
    }
    if (char === '\b' || byte === 0x7f || char === '#') {
      if (name !== '') {
        name = name.slice(0, -1)
        yield* writeAll(STDOUT, bytesOfString('\b \b'))
      }
    } else if (char === '@' || byte === 21) {
      yield* writeAll(STDOUT, bytesOfString('\b \b'.repeat(name.length)))
      name = ''
    } else if (byte < 32) {
      // Control characters are no part of a name.
    } else if (name.length < NAME_MAX) {
      yield* writeAll(STDOUT, bytesOfString(char))
      name += char
    }
  }
}

/** Sane settings for login and the shell. */
function* finalMode(settings: Termios): Sys<void> {
  settings.iflag |= tio.IXON | tio.IXOFF
  settings.lflag = tio.ICANON | tio.ISIG | tio.ECHO | tio.ECHOE | tio.ECHOK | tio.ECHOKE | tio.ECHOCTL | tio.IEXTEN
  settings.oflag = tio.OPOST | tio.ONLCR
  const { cc } = settings
  cc[tio.VINTR] = 3
  cc[tio.VQUIT] = 0x1c
  cc[tio.VEOF] = 4
  cc[tio.VEOL] = 0
  cc[tio.VKILL] = 21
  cc[tio.VERASE] = 0x7f
  yield* tcsetattr(STDIN, TCSETS, settings)
  yield* rt_sigaction(SIGALRM, SIG_DFL, 0, 0)
}
