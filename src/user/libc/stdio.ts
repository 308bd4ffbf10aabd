/**
 * stdio: buffered output and input over file descriptors. Text is byte strings. Streams are objects that `main` makes: a child of fork shares
 * the heap, so flush before forking, as in life.
 */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { TCGETS } from '#abi/posix/ioctl.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from './errno.ts'
import { sbrk } from './heap.ts'
import { close, open, raw, read, write } from './syscall.ts'

export const STDIN = 0
export const STDOUT = 1
export const STDERR = 2

/** What programs read and write at once. */
export const CHUNK = 65536
const BUFSIZ = 8192

/** Write all of `bytes`, in as many calls as it takes. */
export function* writeAll(fd: number, bytes: Uint8Array): Sys<void> {
  for (let done = 0; done < bytes.length; ) done += yield* write(fd, done === 0 ? bytes : bytes.subarray(done))
}

/** isatty(3). */
export function* isatty(fd: number): Sys<boolean> {
  const result = yield* raw(SYSCALL_NR.ioctl, fd, TCGETS, 0)
  return typeof result !== 'number' || result >= 0
}

/** Output failed: close_stdout's `write error`. Programs let it pass; `utility` reports it. */
export class WriteError extends OsError {}

/** A FILE open for writing: fully buffered, or by lines on a terminal. */
export class Out {
  readonly fd: number
  /** Undefined until the first output asks the descriptor. */
  #byLine: boolean | undefined
  #parts: string[] = []
  #length = 0
  #newline = false

  constructor(fd: number, byLine?: boolean) {
    this.fd = fd
    this.#byLine = byLine
  }

  /** Buffer a byte string. Makes no system call: whoever puts without bound calls `spill` now and then. */
  put(text: string): void {
    this.#parts.push(text)
    this.#length += text.length
    if (this.#byLine !== false && text.includes('\n')) this.#newline = true
  }

  /** Bytes waiting. */
  get pending(): number {
    return this.#length
  }

  /** Write out if it is time: the buffer is full, or a line is complete on a terminal. */
  *spill(): Sys<void> {
    if (this.#length >= BUFSIZ || this.#newline) yield* this.#due()
  }

  *#due(): Sys<void> {
    if (this.#byLine === undefined) this.#byLine = yield* isatty(this.fd)
    if (!this.#byLine) this.#newline = false
    if (this.#length >= BUFSIZ || this.#newline) yield* this.flush()
  }

  /** Put and spill. */
  *print(text: string): Sys<void> {
    this.put(text)
    if (this.#length >= BUFSIZ || this.#newline) yield* this.#due()
  }

  /** One line. */
  *line(text: string): Sys<void> {
    this.#parts.push(text, '\n')
    this.#length += text.length + 1
    if (this.#byLine !== false) this.#newline = true
    if (this.#length >= BUFSIZ || this.#newline) yield* this.#due()
  }

  /** Bytes as they are: what is buffered goes first. */
  *bytes(bytes: Uint8Array): Sys<void> {
    if (bytes.length < 1024) return yield* this.print(byteString(bytes))
    yield* this.flush()
    yield* this.#write(bytes)
  }

  *flush(): Sys<void> {
    if (this.#length === 0) return
    const bytes = bytesOfString(this.#parts.join(''))
    this.#parts = []
    this.#length = 0
    this.#newline = false
    yield* this.#write(bytes)
  }

  *#write(bytes: Uint8Array): Sys<void> {
    try {
      yield* writeAll(this.fd, bytes)
    } catch (error) {
      throw error instanceof OsError ? new WriteError(error.errno, 'write') : error
    }
  }
}

/** A FILE open for reading. */
export class In {
  readonly fd: number
  #chunk: string
  #at: number
  #ended: boolean
  /** What long lines have been charged with brk. */
  #charged: number
  /** Whether the line that came last had its newline. */
  complete: boolean

  constructor(fd: number) {
    this.fd = fd
    this.#chunk = ''
    this.#at = 0
    this.#ended = false
    this.#charged = 2 * CHUNK
    this.complete = true
  }

  /** A line that is already here, without its newline. `undefined`: ask `line`. No system call. */
  next(): string | undefined {
    const end = this.#chunk.indexOf('\n', this.#at)
    if (end < 0) return undefined
    const line = this.#chunk.slice(this.#at, end)
    this.#at = end + 1
    return line
  }

  /** The next line without its newline; `undefined` at the end. */
  line(): Sys<string | undefined> {
    return this.delimited('\n')
  }

  /** The next record that ends in `end` (one character). */
  *delimited(end: string): Sys<string | undefined> {
    let head = ''
    for (;;) {
      const found = this.#chunk.indexOf(end, this.#at)
      if (found >= 0) {
        const line = head + this.#chunk.slice(this.#at, found)
        this.#at = found + 1
        this.complete = true
        return line
      }
      head += this.#chunk.slice(this.#at)
      this.#at = this.#chunk.length
      if (head.length > this.#charged) {
        yield* sbrk(this.#charged)
        this.#charged *= 2
      }
      if (!(yield* this.#fill())) {
        this.complete = false
        return head === '' ? undefined : head
      }
    }
  }

  /** What is here, or else what one read brings; empty at the end. */
  *some(): Sys<string> {
    if (this.#at >= this.#chunk.length && !(yield* this.#fill())) return ''
    const part = this.#at === 0 ? this.#chunk : this.#chunk.slice(this.#at)
    this.#at = this.#chunk.length
    return part
  }

  /** One byte as a character; '' at the end. */
  *char(): Sys<string> {
    if (this.#at >= this.#chunk.length && !(yield* this.#fill())) return ''
    return this.#chunk.charAt(this.#at++)
  }

  /** At most `count` bytes; fewer only at the end. */
  *take(count: number): Sys<string> {
    let taken = ''
    while (taken.length < count) {
      if (this.#at >= this.#chunk.length && !(yield* this.#fill())) break
      const part = this.#chunk.slice(this.#at, this.#at + count - taken.length)
      this.#at += part.length
      taken += part
    }
    return taken
  }

  *#fill(): Sys<boolean> {
    if (this.#ended) return false
    const bytes = yield* read(this.fd, CHUNK)
    if (bytes.length === 0) {
      this.#ended = true
      return false
    }
    this.#chunk = byteString(bytes)
    this.#at = 0
    return true
  }
}

/**
 * One line by single bytes: for whoever shares the descriptor with others (the shell's `read`), since what is behind the newline must stay
 * there. `undefined` at the end.
 */
export function* readLineUnbuffered(fd: number): Sys<string | undefined> {
  let line = ''
  for (;;) {
    const byte = yield* read(fd, 1)
    if (byte.length === 0) return line === '' ? undefined : line
    if (byte[0] === 10) return line
    line += String.fromCharCode(byte[0]!)
  }
}

/** The whole file as a byte string. For small files: /etc, /proc. */
export function* readFile(path: string): Sys<string> {
  const fd = yield* open(path, O_RDONLY, 0)
  try {
    return yield* readAll(fd)
  } finally {
    yield* close(fd)
  }
}

/** All that is left to read, as a byte string. */
export function* readAll(fd: number): Sys<string> {
  let text = ''
  let charged = 2 * CHUNK
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) return text
    text += byteString(part)
    if (text.length > charged) {
      yield* sbrk(charged)
      charged *= 2
    }
  }
}

/** To standard error, at once; nobody is left to hear of a failure. */
export function* eprint(text: string): Sys<void> {
  yield* raw(SYSCALL_NR.write, STDERR, bytesOfString(text))
}

/** As glibc's error(3) puts it: `foo: No such file or directory`. Rethrows what is no OsError: that is our bug, not the user's. */
export function describe(error: unknown, what?: string): string {
  if (!(error instanceof OsError)) throw error
  const subject = what ?? error.path
  return subject === undefined ? strerror(error.errno) : `${subject}: ${strerror(error.errno)}`
}
