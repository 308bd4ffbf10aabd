/** more(1): util-linux 2.13. The terminal scrolls; nothing is drawn twice. */
import { ENOTTY, ENXIO } from '#abi/posix/errno.ts'
import { O_RDONLY, O_RDWR } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { ECHO, ICANON, VMIN, VTIME } from '#abi/posix/termios.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { eprint, In, isatty, type Out, STDIN, STDOUT } from '../libc/stdio.ts'
import { close, fstat, open, read } from '../libc/syscall.ts'
import { TCSADRAIN, type Termios, tcgetattr, tcsetattr } from '../libc/termios.ts'
import { type Run, utility } from '../libc/utility.ts'
import { compileRegex } from '../regex/regex.ts'
import { RegexError } from '../regex/syntax.ts'
import { sizeOf } from '../terminal/terminal.ts'

export const more = utility({
  name: 'more',
  usage: 'more [-dflpcsu] [+linenum | +/pattern] name1 name2 ...',
  help: `Show files a screen at a time.

Keys: SPACE another screen, RETURN another line, d half a screen, /PATTERN to a match,
= the line's number, :n the next file, h help, q quit.
`,
  version: 'util-linux 2.13',
  short: 'dflpcsu',
  *main(run) {
    const skip = run.operands.find((word) => /^\+[0-9]+$/.test(word))
    const files = run.operands.filter((word) => word !== skip)
    if (files.length === 0 && (yield* isatty(STDIN))) {
      yield* eprint(`usage: ${more.usage}\n`)
      return 1
    }
    const screen = (yield* isatty(STDOUT)) ? yield* keyboard(run) : undefined
    try {
      const names = files.length > 0 ? files : ['-']
      for (const [i, name] of names.entries()) {
        const rest = names[i + 1]
        if (!(yield* show(run, name, names.length > 1, skip ? Number(skip.slice(1)) - 1 : 0, screen, rest))) break
      }
      return run.status
    } finally {
      yield* run.out.flush()
      if (screen) yield* tcsetattr(screen.fd, TCSADRAIN, screen.saved)
    }
  },
})

interface Keyboard {
  readonly fd: number
  readonly saved: Termios
  readonly rows: number
  readonly columns: number
}

function* keyboard(run: Run): Sys<Keyboard | undefined> {
  try {
    const fd = (yield* isatty(STDIN)) ? STDIN : yield* open('/dev/tty', O_RDWR, 0)
    const saved = yield* tcgetattr(fd)
    const cc = saved.cc.slice()
    cc[VMIN] = 1
    cc[VTIME] = 0
    yield* tcsetattr(fd, TCSADRAIN, { ...saved, lflag: saved.lflag & ~(ICANON | ECHO), cc })
    const { rows, cols } = yield* sizeOf(fd, run.env)
    return { fd, saved, rows, columns: cols }
  } catch (error) {
    if (error instanceof OsError && (error.errno === ENOTTY || error.errno === ENXIO)) return undefined
    throw error
  }
}

/** False: q was pressed. */
function* show(
  run: Run,
  name: string,
  titled: boolean,
  skip: number,
  screen: Keyboard | undefined,
  next: string | undefined,
): Sys<boolean> {
  let fd: number
  let size = 0
  try {
    fd = name === '-' ? STDIN : yield* open(name, O_RDONLY, 0)
    const found = yield* fstat(fd)
    size = name === '-' ? 0 : found.size
    if ((found.mode & S_IFMT) === S_IFDIR) {
      yield* run.out.print(`\n*** ${name}: directory ***\n\n`)
      return true
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* run.out.flush()
    yield* eprint(`${name}: ${strerror(error.errno)}\n`)
    return true
  }
  const { out } = run
  const input = new In(fd)
  if (titled) yield* out.print(`::::::::::::::\n${name}\n::::::::::::::\n`)
  let left = (screen?.rows ?? Number.POSITIVE_INFINITY) - 1 - (titled ? 3 : 0)
  let bytes = 0
  let number = 0
  let quit = false
  let ahead = yield* input.line()
  while (ahead !== undefined && number < skip) {
    bytes += ahead.length + 1
    number++
    ahead = yield* input.line()
  }
  while (ahead !== undefined) {
    const rows = screen ? Math.max(1, Math.ceil(width(ahead) / screen.columns)) : 1
    if (screen && left < rows) {
      const percent = size > 0 ? `(${Math.floor((bytes * 100) / size)}%)` : ''
      const answer = yield* prompt(screen, out, `--More--${percent}`, number)
      if (answer === 'quit') {
        quit = true
        break
      }
      if (answer === 'next') break
      if (typeof answer === 'number') left = answer
      else {
        // Forward to a line that matches, two above it.
        yield* out.print('...skipping\n')
        while (ahead !== undefined && !answer.test(ahead)) {
          bytes += ahead.length + 1
          number++
          ahead = yield* input.line()
        }
        if (ahead === undefined) {
          yield* out.print('Pattern not found\n')
          break
        }
        left = screen.rows - 2
      }
      continue
    }
    yield* out.print(input.complete ? `${ahead}\n` : ahead)
    left -= rows
    bytes += ahead.length + 1
    number++
    ahead = input.next() ?? (yield* input.line())
  }
  if (fd !== STDIN) yield* close(fd)
  if (!quit && screen && next !== undefined && ahead === undefined) {
    const answer = yield* prompt(screen, out, `--More--(Next file: ${next})`, number)
    return answer !== 'quit'
  }
  return !quit
}

const width = (line: string): number => {
  let columns = 0
  for (let i = 0; i < line.length; i++) columns += line[i] === '\t' ? 8 - (columns % 8) : 1
  return columns
}

/** How many rows to go on for, where to go on, or that it is enough. */
function* prompt(screen: Keyboard, out: Out, text: string, line: number): Sys<number | RegexLike | 'quit' | 'next'> {
  let count = ''
  let shown = text
  for (;;) {
    out.put(`\r\x1b[7m${shown}\x1b[m\x1b[K`)
    yield* out.flush()
    const byte = (yield* read(screen.fd, 1))[0]
    const key = byte === undefined ? 'q' : String.fromCharCode(byte)
    const erase = '\r\x1b[K'
    const n = count === '' ? undefined : Number(count)
    if (key >= '0' && key <= '9') {
      count += key
      continue
    }
    count = ''
    shown = text
    if (key === ' ' || key === 'z') {
      out.put(erase)
      return n ?? screen.rows - 1
    }
    if (key === '\n' || key === '\r') {
      out.put(erase)
      return n ?? 1
    }
    if (key === 'd' || key === '\x04') {
      out.put(erase)
      return n ?? 11
    }
    if (key === 'q' || key === 'Q' || key === '\x03') {
      out.put(erase)
      yield* out.flush()
      return 'quit'
    }
    if (key === '=') shown = String(line)
    else if (key === 'h' || key === '?')
      shown = 'SPACE screen, RETURN line, d half, /PATTERN, = line number, :n next file, q quit'
    else if (key === ':') {
      const which = (yield* read(screen.fd, 1))[0]
      if (which === 0x6e) {
        out.put(erase)
        return 'next'
      }
      if (which === 0x71) return 'quit'
    } else if (key === '/') {
      let pattern = ''
      for (;;) {
        out.put(`${erase}/${pattern}`)
        yield* out.flush()
        const typed = (yield* read(screen.fd, 1))[0]
        if (typed === undefined || typed === 10 || typed === 13) break
        if (typed === 8 || typed === 127) pattern = pattern.slice(0, -1)
        else pattern += String.fromCharCode(typed)
      }
      out.put(erase)
      try {
        return compileRegex(pattern)
      } catch (error) {
        if (!(error instanceof RegexError)) throw error
        shown = error.message
      }
    } else shown = "[Press 'h' for instructions.]"
  }
}

interface RegexLike {
  test(text: string): boolean
}
