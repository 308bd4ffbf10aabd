/** xenconsole (tools/console/client/main.c): this terminal on a domain's console, until ^]. `xm console` executes it. */
import { EAGAIN, EINTR, EINVAL, ENOENT } from '#abi/posix/errno.ts'
import { O_NOCTTY, O_RDWR } from '#abi/posix/fcntl.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import { SIGTERM } from '#abi/posix/signal.ts'
import { CLOCK_MONOTONIC, type Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { getopt } from '#user/libc/getopt.ts'
import { basename } from '#user/libc/path.ts'
import { program } from '#user/libc/program.ts'
import { eprint, STDIN, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { clock_gettime, close, open, poll, read, rt_sigaction } from '#user/libc/syscall.ts'
import { TCSAFLUSH, TCSANOW, type Termios, tcsetattr } from '#user/libc/termios.ts'
import { type XsHandle, xsDaemonOpen, xsGetDomainPath, xsPending, xsRead, xsReadWatch, xsWatch } from '../libxs/xs.ts'
import { setRaw } from '../xenconsoled/pty.ts'

const ESCAPE_CHARACTER = 0x1d
const INPUT_BYTES = 60
const OUTPUT_BYTES = 512
/** xend may have made the domain before xenconsoled has seen it. */
const PATIENCE_MS = 5000

const help = (name: string): string =>
  `Usage: ${name} [OPTION] DOMID\nAttaches to a virtual domain console\n\n` +
  '  -h, --help       display this help and exit\n'

/** err(3): the status is the errno. */
class Fatal extends Error {
  readonly text: string
  readonly errno: number
  constructor(text: string, errno: number) {
    super(text)
    this.text = text
    this.errno = errno
  }
}

/** What fails of `call` is `text`'s. */
function* orDie<T>(call: Sys<T>, text: string): Sys<T> {
  try {
    return yield* call
  } catch (error) {
    throw error instanceof OsError ? new Fatal(text, error.errno) : error
  }
}

export const xenconsole = program({
  name: 'xenconsole',
  usage: 'xenconsole [OPTION] DOMID',
  help: 'Attach to the console of domain DOMID. ^] ends it.\n\n  -h, --help       display this help and exit',
  *main(argv, env) {
    const name = argv[0] ?? 'xenconsole'
    const args = argv.slice(1)
    const { options, error, ...parsed } = getopt(args, 'h', { help: 'h' })
    if (options.length > 0) {
      yield* writeAll(STDOUT, bytesOfString(help(name)))
      return 0
    }
    // What it does not know it names, and goes on.
    if (error !== undefined) yield* eprint(`${name}: ${error}\n`)
    const operands = error === undefined ? parsed.operands : args.filter((arg) => !arg.startsWith('-'))
    const hint = `Try \`${name} --help' for more information.\n`
    if (operands.length !== 1) {
      yield* eprint(`Invalid number of arguments\n${hint}`)
      return EINVAL
    }
    const [domid = ''] = operands
    if (!/^\s*[+-]?\d+$/.test(domid)) {
      yield* eprint(`Invalid DOMID \`${domid}'\n${hint}`)
      return EINVAL
    }
    try {
      return yield* attach(Number(domid), env)
    } catch (thrown) {
      if (!(thrown instanceof Fatal)) throw thrown
      yield* eprint(`${basename(name)}: ${thrown.text}: ${strerror(thrown.errno)}\n`)
      return thrown.errno
    }
  },
})

function* attach(domid: number, env: readonly string[]): Sys<number> {
  const xs = yield* orDie(xsDaemonOpen(env), 'Could not contact XenStore')
  const stop = { wanted: false }
  yield* rt_sigaction(
    SIGTERM,
    function* () {
      stop.wanted = true
    },
    0,
    0,
  )
  const path = `${yield* orDie(xsGetDomainPath(xs, domid), 'xs_get_domain_path()')}/console/tty`
  // xenconsoled has no console of domain 0's: nothing would ever come.
  if (domid === 0) {
    yield* eprint("Can't specify Domain-0\n")
    return EINVAL
  }
  yield* orDie(xsWatch(xs, path, ''), "Can't set watch for console pty")
  const tty = yield* openTty(xs, path, PATIENCE_MS)
  if (tty < 0) throw new Fatal('Could not read tty from store', ENOENT)
  // 3.3 flushes here what the domain has said (TCSAFLUSH): the first 4 KiB, all of a short boot, login prompt and all. That helps nobody.
  yield* tryRaw(tty, TCSANOW)
  const before = yield* tryRaw(STDIN, TCSAFLUSH)
  yield* copy(tty, xs, path, stop)
  if (before) yield* tcsetattr(STDIN, TCSAFLUSH, before)
  return 0
}

/** init_term: what is no terminal stays as it is. */
function* tryRaw(fd: number, action: number): Sys<Termios | undefined> {
  try {
    return yield* setRaw(fd, action)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

/** get_pty_fd: the terminal that the store names, opened; -1 if it names none in time. The watch on `path` is there. */
function* openTty(xs: XsHandle, path: string, patienceMs: number): Sys<number> {
  const now = function* (): Sys<number> {
    const [seconds, ns] = yield* clock_gettime(CLOCK_MONOTONIC)
    return seconds * 1000 + ns / 1e6
  }
  const end = (yield* now()) + patienceMs
  for (let left = patienceMs; left >= 0; left = end - (yield* now())) {
    if (!xsPending(xs) && !(yield* poll([xs.fd, POLLIN], Math.ceil(left)))[0]) return -1
    yield* orDie(xsReadWatch(xs), 'Could not read tty from store')
    let tty: string
    try {
      tty = yield* xsRead(xs, 0, path)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      continue
    }
    return yield* orDie(open(tty, O_RDWR | O_NOCTTY, 0), `Could not open tty \`${tty}'`)
  }
  return -1
}

/** console_loop: both ways, until ^] or a signal, or the domain's terminal is no more. */
function* copy(tty: number, xs: XsHandle, path: string, stop: { readonly wanted: boolean }): Sys<void> {
  let fd = tty
  while (!stop.wanted) {
    let ready: readonly number[]
    try {
      const fds = [STDIN, POLLIN, xs.fd, POLLIN]
      if (fd >= 0) fds.push(fd, POLLIN)
      ready = xsPending(xs) ? [0, POLLIN, 0] : yield* poll(fds, -1)
    } catch (error) {
      if (error instanceof OsError && (error.errno === EINTR || error.errno === EAGAIN)) continue
      return
    }
    if (ready[1]) {
      const next = yield* openTty(xs, path, 0)
      if (fd >= 0) yield* close(fd)
      if (next < 0) return
      fd = next
      continue
    }
    if (ready[0]) {
      const bytes = yield* readSome(STDIN, INPUT_BYTES)
      if (bytes === 'again') continue
      if (bytes.length === 0 || (bytes.length === 1 && bytes[0] === ESCAPE_CHARACTER)) return
      if (fd >= 0 && !(yield* writeSync(fd, bytes))) {
        yield* close(fd)
        fd = -1
      }
      continue
    }
    if (fd >= 0 && ready[2]) {
      const bytes = yield* readSome(fd, OUTPUT_BYTES)
      if (bytes === 'again') continue
      if (bytes.length === 0) {
        yield* close(fd)
        fd = -1
      } else if (!(yield* writeSync(STDOUT, bytes))) return
    }
  }
}

/** Nothing at the end, and where reading fails. */
function* readSome(fd: number, count: number): Sys<Uint8Array | 'again'> {
  try {
    return yield* read(fd, count)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return error.errno === EINTR || error.errno === EAGAIN ? 'again' : new Uint8Array(0)
  }
}

function* writeSync(fd: number, bytes: Uint8Array): Sys<boolean> {
  try {
    yield* writeAll(fd, bytes)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}
