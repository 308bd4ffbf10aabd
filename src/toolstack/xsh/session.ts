/** What an xsh goes on with from command to command: its connection, where it stands, what it watches. */
import { EINTR } from '#abi/posix/errno.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { eprint, Out, STDOUT } from '#user/libc/stdio.ts'
import { poll } from '#user/libc/syscall.ts'
import { readMore } from '../libxs/connection.ts'
import {
  type XsHandle,
  xsDaemonOpen,
  xsDirectory,
  xsDomainOpen,
  xsGetDomainPath,
  xsPending,
  xsRead,
  xsReadWatch,
  xsWatch,
} from '../libxs/xs.ts'
import { sanitise } from '../xenstore/escape.ts'

/** ^C: back to the prompt. */
export class Interrupted extends Error {}

/** What a command says before it fails. Behind the command's name and a colon. */
export class Refusal extends Error {
  readonly status: number
  constructor(message: string, status = 1) {
    super(message)
    this.status = status
  }
}

/** Events that are printed at a time: behind them a watched flood still leaves the prompt alive. */
const EVENTS_MAX = 200

const PLAIN = { path: (text: string) => text, name: (text: string) => text, event: (text: string) => text }
/** As GNU ls colours directories; changes stand out. */
const COLOURED: typeof PLAIN = {
  path: (text) => `\x1b[01;34m${text}\x1b[0m`,
  name: (text) => `\x1b[36m${text}\x1b[0m`,
  event: (text) => `\x1b[33m${text}\x1b[0m`,
}

export class Session {
  readonly #socket: boolean
  readonly #env: readonly string[]
  readonly out = new Out(STDOUT)
  /** Set by whoever opens it. */
  h!: XsHandle
  cwd = '/'
  /** Where `cd` goes to. */
  home = '/'
  status = 0
  /** `exit` has been said. */
  ended = false
  /** Paths that are watched, each with itself as token. */
  readonly watched: string[] = []
  /** SIGINT has come. */
  interrupted = false
  readonly interactive: boolean
  /** Of the terminal that output goes to; 0: it is none. */
  columns = 0
  style = PLAIN

  constructor(socket: boolean, env: readonly string[], interactive: boolean) {
    this.#socket = socket
    this.#env = env
    this.interactive = interactive
  }

  colour(): void {
    this.style = COLOURED
  }

  /** Connect; a Refusal in libxenstore's words if nobody is there. */
  *open(): Sys<void> {
    try {
      this.h = yield* this.#socket ? xsDaemonOpen(this.#env) : xsDomainOpen(this.#env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      throw new Refusal(`${this.#socket ? 'xs_daemon_open' : 'xs_domain_open'}: ${strerror(error.errno)}`)
    }
  }

  /** A guest begins where its own keys are, as its relative paths do. */
  *settle(): Sys<void> {
    if (this.#socket) return
    try {
      const domid = yield* xsRead(this.h, 0, 'domid')
      if (domid !== '0' && /^\d+$/.test(domid)) this.home = yield* xsGetDomainPath(this.h, Number(domid))
      this.cwd = this.home
    } catch (error) {
      // Nobody has told it who it is.
      if (!(error instanceof OsError)) throw error
    }
  }

  /** The daemon was away: connect anew, and watch what was watched. */
  *revive(): Sys<void> {
    if (this.h.fd >= 0) return
    yield* this.open()
    for (const path of this.watched) yield* this.ask(xsWatch(this.h, path, path))
  }

  /** One request; ^C meanwhile ends the command, not the connection. */
  *ask<T>(call: Sys<T>): Sys<T> {
    const result = yield* call
    if (this.interrupted) throw new Interrupted()
    return result
  }

  /** The value, or why not. */
  *attempt<T>(call: Sys<T>): Sys<T | OsError> {
    try {
      return yield* this.ask(call)
    } catch (error) {
      if (error instanceof OsError) return error
      throw error
    }
  }

  *names(path: string): Sys<string[] | OsError> {
    return yield* this.attempt(xsDirectory(this.h, 0, path))
  }

  *print(line: string): Sys<void> {
    try {
      yield* this.out.line(line)
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== EINTR || !this.interrupted) throw error
      throw new Interrupted()
    }
  }

  /** What watches have told, a line each: the path and what is there now. */
  *events(): Sys<string> {
    let text = ''
    for (let n = 0; n < EVENTS_MAX && xsPending(this.h); n++) {
      const { path } = yield* xsReadWatch(this.h)
      text += `${this.style.event(`${path}${yield* this.#now(path)}`)}\n`
    }
    return text
  }

  /** Behind a command: what has come by now. */
  *hear(): Sys<void> {
    if (this.watched.length === 0 || this.h.fd < 0) return
    try {
      if ((yield* poll([this.h.fd, POLLIN], 0))[0]) yield* readMore(this.h)
      this.out.put(yield* this.events())
    } catch (error) {
      // The next command finds out what is wrong with the connection.
      if (!(error instanceof OsError)) throw error
    }
  }

  *#now(path: string): Sys<string> {
    if (path.startsWith('@')) return ''
    const value = yield* this.attempt(xsRead(this.h, 0, path))
    return value instanceof OsError ? `: ${strerror(value.errno)}` : ` = "${sanitise(value)}"`
  }
}

/** What a command has been told to do. */
export interface Call {
  readonly xs: Session
  readonly operands: readonly string[]
  /** By letter; those without a number have 1. */
  readonly options: ReadonlyMap<string, number>
}

/** What went wrong with one of several operands. */
export function* complain(xs: Session, text: string, status = 1): Sys<void> {
  yield* xs.out.flush()
  yield* eprint(`${text}\n`)
  xs.status = status
}
