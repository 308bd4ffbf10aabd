/** file objects: buffered reading and writing over descriptors. */
import { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { In, Out } from '#user/libc/stdio.ts'
import { close, lseek, open } from '#user/libc/syscall.ts'
import { typeError, valueError } from './errors.ts'
import { Obj, PyList, type Value } from './objects.ts'

export class PyFile extends Obj {
  readonly name: string
  readonly mode: string
  readonly fd: number
  #in: In
  readonly #out: Out
  #ahead = ''
  closed = false
  /** print's: a blank is due before the next thing. */
  softspace = false
  /** Whom close() waits for: popen's child. */
  onClose: (() => Sys<Value>) | undefined = undefined

  constructor(name: string, mode: string, fd: number, unbuffered = false) {
    super()
    this.name = name
    this.mode = mode
    this.fd = fd
    this.#in = new In(fd)
    this.#out = new Out(fd, unbuffered ? true : undefined)
  }

  override get kind(): string {
    return 'file'
  }

  #check(): void {
    if (this.closed) throw valueError('I/O operation on closed file')
  }

  *put(text: string): Sys<void> {
    this.#check()
    yield* this.#out.print(text)
    if (this.fd === 2) yield* this.#out.flush()
  }

  *flush(): Sys<void> {
    this.#check()
    yield* this.#out.flush()
  }

  *readAll(): Sys<string> {
    this.#check()
    let text = this.#ahead
    this.#ahead = ''
    for (;;) {
      const part = yield* this.#in.some()
      if (part === '') return text
      text += part
    }
  }

  *read(count: number): Sys<string> {
    this.#check()
    if (count < 0) return yield* this.readAll()
    const text = this.#ahead.slice(0, count)
    this.#ahead = this.#ahead.slice(count)
    return text + (text.length < count ? yield* this.#in.take(count - text.length) : '')
  }

  /** A line with its newline, or '' at the end. */
  *readLine(): Sys<string> {
    this.#check()
    if (this.#ahead !== '') {
      const end = this.#ahead.indexOf('\n')
      const line = end < 0 ? this.#ahead : this.#ahead.slice(0, end + 1)
      this.#ahead = this.#ahead.slice(line.length)
      if (end >= 0) return line
      return line + (yield* this.readLine())
    }
    const line = yield* this.#in.line()
    if (line === undefined) return ''
    return this.#in.complete ? `${line}\n` : line
  }

  *nextLine(): Sys<Value | undefined> {
    const line = yield* this.readLine()
    return line === '' ? undefined : line
  }

  *readLines(): Sys<PyList> {
    const lines: Value[] = []
    for (;;) {
      const line = yield* this.readLine()
      if (line === '') return new PyList(lines)
      lines.push(line)
    }
  }

  *seek(offset: number, whence: number): Sys<void> {
    this.#check()
    yield* this.#out.flush()
    yield* lseek(this.fd, offset, whence)
    this.#in = new In(this.fd)
    this.#ahead = ''
  }

  *close(): Sys<Value> {
    if (this.closed) return null
    yield* this.#out.flush()
    this.closed = true
    yield* close(this.fd)
    return this.onClose ? yield* this.onClose() : null
  }

  member(name: string): Value | undefined {
    switch (name) {
      case 'name':
        return this.name
      case 'mode':
        return this.mode
      case 'closed':
        return this.closed
      case 'softspace':
        return this.softspace ? 1 : 0
    }
    return undefined
  }

  describe(address: string): string {
    return `<${this.closed ? 'closed' : 'open'} file '${this.name}', mode '${this.mode}' at ${address}>`
  }
}

const FLAGS: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  'r+': O_RDWR,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  'w+': O_RDWR | O_CREAT | O_TRUNC,
  a: O_WRONLY | O_CREAT | O_APPEND,
  'a+': O_RDWR | O_CREAT | O_APPEND,
}

/** open(). */
export function* openFile(name: string, mode: string): Sys<PyFile> {
  const flags = FLAGS[mode.replace(/[bUt]/g, '')]
  if (flags === undefined) throw mode === '' ? valueError('empty mode string') : typeError(`invalid mode: ${mode}`)
  return new PyFile(name, mode, yield* open(name, flags, 0o666))
}
