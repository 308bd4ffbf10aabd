/** A terminal in a full-screen program's hands: raw mode, size, keys, signals; and given back as it was (termios(3), curs_initscr(3)). */
import { EINTR } from '#abi/posix/errno.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import { SIG_DFL, SIGHUP, SIGTERM, SIGTSTP, SIGWINCH } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  BRKINT,
  ECHO,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  INLCR,
  ISIG,
  IXON,
  OPOST,
  VMIN,
  VTIME,
} from '#abi/posix/termios.ts'
import { byteString } from '#lib/utf8.ts'
import { getenv } from '../libc/env.ts'
import { OsError } from '../libc/errno.ts'
import { kill, poll, read, rt_sigaction } from '../libc/syscall.ts'
import { TCSADRAIN, type Termios, tcgetattr, tcgetwinsize, tcsetattr } from '../libc/termios.ts'
import { Display } from './display.ts'
import { decodeKey, ESCAPE_MS, type Key } from './keys.ts'

/** Someone asked it to end: a hang-up or a polite signal. */
export class Terminated extends Error {
  readonly signo: number
  constructor(signo: number) {
    super(`signal ${signo}`)
    this.signo = signo
  }
}

const READ_BYTES = 512

export interface TerminalOptions {
  /** Where keys come from. */
  readonly input?: number
  readonly output?: number
  /** ^C, ^Z and ^\ are signals rather than keys. */
  readonly signals?: boolean
}

export class Terminal {
  readonly display: Display
  readonly #input: number
  readonly #saved: Termios
  readonly #raw: Termios
  readonly #env: readonly string[]
  #pending = ''
  #ended = false
  #resized = false
  #terminated = 0
  readonly #alternate: boolean

  private constructor(
    env: readonly string[],
    saved: Termios,
    size: { rows: number; cols: number },
    { input = 0, output = 1, signals = false }: TerminalOptions,
  ) {
    this.#input = input
    this.#env = env
    this.#saved = saved
    this.#raw = rawMode(saved, signals)
    this.display = new Display(output, size.rows, size.cols)
    // Only terminals of the xterm kind have a second screen.
    this.#alternate = /^(xterm|rxvt|screen)/.test(getenv(env, 'TERM') ?? '')
  }

  /** OsError with ENOTTY if it is none. */
  static *open(env: readonly string[], options: TerminalOptions = {}): Sys<Terminal> {
    const input = options.input ?? 0
    const saved = yield* tcgetattr(input)
    const terminal = new Terminal(env, saved, yield* sizeOf(input, env), options)
    const note = function* (signo: number): Sys<void> {
      if (signo === SIGWINCH) terminal.#resized = true
      else terminal.#terminated = signo
    }
    for (const signo of [SIGWINCH, SIGHUP, SIGTERM]) yield* rt_sigaction(signo, note, 0, 0)
    yield* terminal.resume()
    return terminal
  }

  /** Raw mode, with what is on the screen left alone for now. */
  *resumeQuietly(): Sys<void> {
    yield* tcsetattr(this.#input, TCSADRAIN, this.#raw)
    this.display.invalidate()
  }

  /** Raw mode, everything to be drawn. */
  *resume(): Sys<void> {
    yield* tcsetattr(this.#input, TCSADRAIN, this.#raw)
    if (this.#alternate) yield* this.display.raw('\x1b[?1049h')
    this.display.invalidate()
  }

  /** As it was before; the cursor on a new bottom line. */
  *restore(): Sys<void> {
    yield* this.display.leave()
    if (this.#alternate) yield* this.display.raw('\x1b[?1049l')
    yield* tcsetattr(this.#input, TCSADRAIN, this.#saved)
  }

  /** ^Z: stop until somebody continues us. */
  *suspend(): Sys<void> {
    yield* this.restore()
    yield* rt_sigaction(SIGTSTP, SIG_DFL, 0, 0)
    // To the whole job, as the terminal would.
    yield* kill(0, SIGTSTP)
    yield* this.resume()
    yield* this.#resize()
  }

  /** Whether a key is already here: the screen need not be drawn yet. */
  *ready(): Sys<boolean> {
    if (this.#pending !== '') return true
    const [events] = yield* this.#poll(0)
    return ((events ?? 0) & POLLIN) !== 0
  }

  /** The next key; 'Resize' after SIGWINCH, 'Timeout' if none came in time, 'Eof' at the end of input. Throws Terminated. */
  *key(timeoutMs = -1): Sys<Key> {
    for (;;) {
      if (this.#terminated !== 0) throw new Terminated(this.#terminated)
      if (this.#resized) {
        this.#resized = false
        yield* this.#resize()
        return 'Resize'
      }
      if (this.#pending !== '') {
        const [key, length] = decodeKey(this.#pending)
        if (length > 0) {
          this.#pending = this.#pending.slice(length)
          return key
        }
        // An escape character: the rest of a key's sequence comes at once, a person's next key does not.
        if (!(yield* this.#fill(ESCAPE_MS))) {
          if (this.#resized || this.#terminated !== 0) continue
          this.#pending = this.#pending.slice(1)
          return '\x1b'
        }
        continue
      }
      if (this.#ended) return 'Eof'
      if (!(yield* this.#fill(timeoutMs)) && timeoutMs >= 0 && !this.#resized && this.#terminated === 0)
        return 'Timeout'
    }
  }

  *#poll(timeoutMs: number): Sys<readonly number[]> {
    try {
      return yield* poll([this.#input, POLLIN], timeoutMs)
    } catch (error) {
      if (error instanceof OsError && error.errno === EINTR) return [0]
      throw error
    }
  }

  *#fill(timeoutMs: number): Sys<boolean> {
    if (timeoutMs >= 0) {
      const [events] = yield* this.#poll(timeoutMs)
      if (!events) return false
    }
    try {
      const bytes = yield* read(this.#input, READ_BYTES)
      if (bytes.length === 0) this.#ended = true
      this.#pending += byteString(bytes)
      return bytes.length > 0
    } catch (error) {
      if (error instanceof OsError && error.errno === EINTR) return false
      throw error
    }
  }

  *#resize(): Sys<void> {
    const { rows, cols } = yield* sizeOf(this.#input, this.#env)
    this.display.resize(rows, cols)
  }
}

/** The kernel's word, else the environment's, else what terminals of this kind have. */
export function* sizeOf(fd: number, env: readonly string[]): Sys<{ rows: number; cols: number }> {
  let [rows, cols] = [0, 0]
  try {
    ;({ rows, cols } = yield* tcgetwinsize(fd))
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  const positive = (name: string) => Math.min(500, Math.max(0, Number.parseInt(getenv(env, name) ?? '', 10) || 0))
  if (rows === 0) rows = positive('LINES') || (getenv(env, 'TERM') === 'linux' ? 25 : 24)
  if (cols === 0) cols = positive('COLUMNS') || 80
  return { rows, cols }
}

function rawMode(saved: Termios, signals: boolean): Termios {
  const cc = saved.cc.slice()
  cc[VMIN] = 1
  cc[VTIME] = 0
  return {
    ...saved,
    iflag: saved.iflag & ~(ICRNL | INLCR | IXON | BRKINT),
    oflag: saved.oflag & ~OPOST,
    lflag: saved.lflag & ~(ICANON | ECHO | ECHONL | IEXTEN | (signals ? 0 : ISIG)),
    cc,
  }
}
