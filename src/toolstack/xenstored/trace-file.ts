/** --trace-file: a line for each message, connection, watch and transaction; opened anew at SIGHUP. And the access trace's device. */
import { F_SETFD, FD_CLOEXEC, O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } from '#abi/posix/fcntl.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import {
  XS_DEBUG,
  XS_DIRECTORY,
  XS_ERROR,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_INTRODUCE,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RELEASE,
  XS_RESUME,
  XS_RM,
  XS_SET_PERMS,
  XS_SET_TARGET,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
} from '#abi/xen/io/xs_wire.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { eprint, STDERR } from '#user/libc/stdio.ts'
import { close, fcntl, open, raw } from '#user/libc/syscall.ts'
import { gmtime, time } from '#user/libc/time.ts'
import type { Connection } from './connection.ts'
import { type Outgoing, RESUMED } from './outbox.ts'

/** sockmsg_string */
const NAMES: ReadonlyMap<number, string> = new Map([
  [XS_DEBUG, 'DEBUG'],
  [XS_DIRECTORY, 'DIRECTORY'],
  [XS_READ, 'READ'],
  [XS_GET_PERMS, 'GET_PERMS'],
  [XS_WATCH, 'WATCH'],
  [XS_UNWATCH, 'UNWATCH'],
  [XS_TRANSACTION_START, 'TRANSACTION_START'],
  [XS_TRANSACTION_END, 'TRANSACTION_END'],
  [XS_INTRODUCE, 'INTRODUCE'],
  [XS_RELEASE, 'RELEASE'],
  [XS_GET_DOMAIN_PATH, 'GET_DOMAIN_PATH'],
  [XS_WRITE, 'WRITE'],
  [XS_MKDIR, 'MKDIR'],
  [XS_RM, 'RM'],
  [XS_SET_PERMS, 'SET_PERMS'],
  [XS_WATCH_EVENT, 'WATCH_EVENT'],
  [XS_ERROR, 'ERROR'],
  [XS_IS_DOMAIN_INTRODUCED, 'XS_IS_DOMAIN_INTRODUCED'],
  [XS_RESUME, 'RESUME'],
  [XS_SET_TARGET, 'SET_TARGET'],
])

/** What waits to be written, at most, once a write has not taken all: who does not keep up misses lines. */
const PENDING_MAX = 1 << 20

/** Lines for a descriptor, written once a round. */
export class LineSink {
  readonly fd: number
  #text: string
  #slow: boolean

  constructor(fd: number) {
    this.fd = fd
    this.#text = ''
    this.#slow = false
  }

  put(line: string): void {
    if (!this.#slow || this.#text.length < PENDING_MAX) this.#text += line
  }

  /** Not yet written. */
  get waiting(): string {
    return this.#text
  }

  *flush(): Sys<void> {
    if (this.#text === '') return
    const done = yield* raw(SYSCALL_NR.write, this.fd, bytesOfString(this.#text))
    if (typeof done === 'number' && done > 0) this.#text = this.#text.slice(done)
    this.#slow = this.#text !== ''
  }
}

/** /dev/hostlink-trace, where there is one. */
export function* accessDevice(): Sys<LineSink | undefined> {
  const fd = yield* raw(SYSCALL_NR.open, '/dev/hostlink-trace', O_WRONLY | O_NONBLOCK, 0)
  return typeof fd === 'number' && fd >= 0 ? new LineSink(fd) : undefined
}

export class TraceFile {
  /** SIGHUP has come. */
  stale: boolean
  /** --verbose: each message is said to `says` as well. */
  readonly #verbose: boolean
  readonly #path: string | undefined
  #sink: LineSink | undefined
  /** xprintf: standard error of a daemon that did not fork, else the trace file. */
  readonly #stderr: LineSink | undefined
  #access: LineSink | undefined
  #stamp: string

  constructor(path: string | undefined, verbose: boolean, forks: boolean) {
    this.stale = false
    this.#path = path
    this.#verbose = verbose
    this.#sink = undefined
    this.#stderr = forks ? undefined : new LineSink(STDERR)
    this.#access = undefined
    this.#stamp = ''
  }

  /** Whether `received` has anything to do. */
  get on(): boolean {
    return this.#sink !== undefined || this.#verbose
  }

  /** Lines for it are written out together with the trace file's. */
  also(access: LineSink): void {
    this.#access = access
  }

  /** reopen_log */
  *reopen(): Sys<void> {
    this.stale = false
    if (this.#path === undefined) return
    if (this.#sink) yield* close(this.#sink.fd)
    this.#sink = undefined
    try {
      this.#sink = new LineSink(yield* open(this.#path, O_WRONLY | O_CREAT | O_APPEND, 0o600))
      yield* fcntl(this.#sink.fd, F_SETFD, FD_CLOEXEC)
      this.note('\n***\n')
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`Could not open tracefile: ${strerror(error.errno)}\n`)
    }
  }

  note(text: string): void {
    this.#sink?.put(text)
  }

  says(text: string): void {
    const to = this.#stderr ?? this.#sink
    to?.put(text)
  }

  /** trace_io for what has come. */
  *received(conn: Connection, type: number, payload: string): Sys<void> {
    if (this.#sink) {
      const { year, month, day, hour, minute, second } = gmtime(yield* time())
      const date = `${digits(year, 4)}${digits(month + 1)}${digits(day)}`
      this.#stamp = `${date} ${digits(hour)}:${digits(minute)}:${digits(second)}`
      this.#line('IN', conn, type, payload)
    }
    if (this.#verbose) this.says(`Got message ${nameOf(type)} len ${payload.length} from ${address(conn)}\n`)
  }

  /** trace_io for what has been sent. */
  sent(conn: Connection, { type, bytes }: Outgoing): void {
    if (!this.on || type === RESUMED) return
    const payload = byteString(bytes.subarray(16))
    if (this.#verbose) this.says(`Writing msg ${nameOf(type)} (${payload.split('\0', 1)[0]}) out to ${address(conn)}\n`)
    this.#line('OUT', conn, type, payload)
  }

  #line(way: string, conn: Connection, type: number, payload: string): void {
    this.note(`${way} ${address(conn)} ${this.#stamp} ${nameOf(type)} (${payload.replaceAll('\0', ' ')})\n`)
  }

  /** `flush` has something to do. */
  get waits(): boolean {
    return hasLines(this.#access) || hasLines(this.#sink) || hasLines(this.#stderr)
  }

  *flush(): Sys<void> {
    if (this.#sink) yield* this.#sink.flush()
    if (this.#stderr) yield* this.#stderr.flush()
    if (this.#access) yield* this.#access.flush()
  }
}

const hasLines = (sink: LineSink | undefined): boolean => sink !== undefined && sink.waiting !== ''

const nameOf = (type: number): string => NAMES.get(type) ?? '**UNKNOWN**'

const address = ({ serial }: Connection): string => `0x${serial.toString(16)}`

const digits = (value: number, count = 2): string => String(value).padStart(count, '0')
