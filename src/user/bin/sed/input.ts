/** sed's input: the lines of all files as one, with a line of foresight, since `$` has to know the last. And where it prints to. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { In, type Out, STDIN } from '../../libc/stdio.ts'
import { close, open } from '../../libc/syscall.ts'
import type { Run } from '../../libc/utility.ts'
import type { InPlace } from './in-place.ts'

/** Lines with their ends: what lacked a newline at the end of a file goes out without one. */
export class SedOutput {
  #missing = false
  out: Out

  constructor(out: Out) {
    this.out = out
  }

  *line(text: string, complete = true): Sys<void> {
    if (this.#missing) this.out.put('\n')
    this.#missing = !complete
    yield* this.out.print(complete ? text + '\n' : text)
  }

  /** Text that brings its own newlines. */
  *text(text: string): Sys<void> {
    if (text === '') return
    if (this.#missing) this.out.put('\n')
    this.#missing = false
    yield* this.out.print(text)
  }

  /** From here on another file. */
  switchTo(out: Out): void {
    this.out = out
    this.#missing = false
  }
}

export class SedInput {
  /** Of the line that came last. */
  number = 0
  complete = true
  readonly #run: Run
  readonly #files: string[]
  readonly #separate: boolean
  readonly #inPlace: InPlace | undefined
  #in: In | undefined
  #fd = STDIN
  #ahead: string | undefined
  #aheadComplete = true
  #haveAhead = false
  #name = '-'

  constructor(run: Run, files: readonly string[], separate: boolean, inPlace: InPlace | undefined) {
    this.#run = run
    this.#files = files.length > 0 ? [...files] : ['-']
    this.#separate = separate
    this.#inPlace = inPlace
  }

  /** The next line. */
  *next(): Sys<string | undefined> {
    if (!this.#haveAhead) yield* this.#look()
    let line = this.#take()
    // The end of one of several files: what comes next is the first of another.
    while (line === undefined && (yield* this.#nextFile())) {
      yield* this.#look()
      line = this.#take()
    }
    if (line !== undefined) this.number++
    return line
  }

  /** Whether the line that came last is the last of all, or of its file if files are separate. */
  *isLast(): Sys<boolean> {
    if (!this.#haveAhead) yield* this.#look()
    if (this.#ahead !== undefined) return false
    if (this.#separate) return true
    while (this.#ahead === undefined && (yield* this.#nextFile())) yield* this.#look()
    return this.#ahead === undefined
  }

  /** No more lines in any file. */
  *atEnd(): Sys<boolean> {
    if (!this.#haveAhead) yield* this.#look()
    return this.#ahead === undefined && this.#files.length === 0
  }

  /** The rest of the file that is being read, for -i when q ends early; then it is closed. */
  *finish(): Sys<void> {
    if (this.#inPlace?.active) {
      for (let line = yield* this.next(); line !== undefined && this.#inPlace.active; ) {
        yield* this.#inPlace.output.line(line, this.complete)
        if (!this.#haveAhead) yield* this.#look()
        if (this.#ahead === undefined) break
        line = yield* this.next()
      }
    }
    yield* this.#close()
  }

  #take(): string | undefined {
    this.#haveAhead = false
    const line = this.#ahead
    this.#ahead = undefined
    if (line !== undefined) this.complete = this.#aheadComplete
    return line
  }

  *#look(): Sys<void> {
    if (!this.#in && !(yield* this.#nextFile())) {
      this.#haveAhead = true
      return
    }
    const input = this.#in!
    const ready = input.next()
    try {
      this.#ahead = ready ?? (yield* input.line())
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* this.#run.complain(`read error on ${this.#name}: ${strerror(error.errno)}`, 4)
      this.#ahead = undefined
    }
    this.#aheadComplete = ready !== undefined || input.complete
    this.#haveAhead = true
  }

  *#nextFile(): Sys<boolean> {
    yield* this.#close()
    while (this.#files.length > 0) {
      const name = this.#files.shift()!
      this.#name = name
      try {
        this.#fd = name === '-' && !this.#inPlace ? STDIN : yield* open(name, O_RDONLY, 0)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        yield* this.#run.complain(`can't read ${name}: ${strerror(error.errno)}`, 2)
        continue
      }
      if (this.#inPlace && !(yield* this.#inPlace.begin(name, this.#fd))) continue
      if (this.#separate) this.number = 0
      this.#in = new In(this.#fd)
      this.#haveAhead = false
      return true
    }
    return false
  }

  *#close(): Sys<void> {
    if (this.#in && this.#fd !== STDIN) yield* close(this.#fd)
    this.#in = undefined
    if (this.#inPlace) yield* this.#inPlace.end()
  }
}
