/** The files and commands that an awk program has open beside its input: for print, printf, getline and close. */
import { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { shellStatus, spawn, waitpid } from '../../libc/process.ts'
import { In, Out, STDERR, STDIN } from '../../libc/stdio.ts'
import { close, dup2, open, pipe } from '../../libc/syscall.ts'
import { Exit, type Run } from '../../libc/utility.ts'

type Target = { readonly out: Out; readonly pid: number }
type Source = { readonly input: In; readonly pid: number }

export class Streams {
  readonly #run: Run
  readonly #outs = new Map<string, Target>()
  readonly #ins = new Map<string, Source>()

  constructor(run: Run) {
    this.#run = run
  }

  /** `how`: `>`, `>>` or `|`. What is open already stays as it is. */
  *output(how: string, name: string): Sys<Out> {
    let target = this.#outs.get(name)
    if (!target) {
      target = yield* this.#openOut(how, name)
      this.#outs.set(name, target)
    }
    return target.out
  }

  *input(from: 'file' | 'pipe', name: string): Sys<In> {
    let source = this.#ins.get(name)
    if (!source) {
      source =
        from === 'file'
          ? { input: new In(name === '-' ? STDIN : yield* open(name, O_RDONLY, 0)), pid: 0 }
          : yield* this.#openPipe(name)
      this.#ins.set(name, source)
    }
    return source.input
  }

  *#openOut(how: string, name: string): Sys<Target> {
    if (how === '|') {
      yield* this.#run.out.flush()
      const [from, to] = yield* pipe()
      const pid = yield* spawn('/bin/sh', ['sh', '-c', name], this.#run.env, function* () {
        yield* close(to)
        yield* dup2(from, 0)
        yield* close(from)
      })
      yield* close(from)
      return { out: new Out(to, false), pid }
    }
    if (name === '/dev/stdout') return { out: this.#run.out, pid: 0 }
    if (name === '/dev/stderr') return { out: new Out(STDERR, true), pid: 0 }
    try {
      return {
        out: new Out(yield* open(name, O_WRONLY | O_CREAT | (how === '>>' ? O_APPEND : O_TRUNC), 0o666), false),
        pid: 0,
      }
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      throw new Exit(2, `can't redirect to \`${name}' (${strerror(error.errno)})`)
    }
  }

  /** close(): the exit status of a command, -1 for what is not open. */
  *close(name: string): Sys<number> {
    const target = this.#outs.get(name)
    const source = this.#ins.get(name)
    let status = -1
    if (target) {
      this.#outs.delete(name)
      yield* target.out.flush()
      if (target.out.fd > STDERR) yield* close(target.out.fd)
      status = target.pid > 0 ? shellStatus((yield* waitpid(target.pid)).status) : 0
    }
    if (source) {
      this.#ins.delete(name)
      if (source.input.fd > STDERR) yield* close(source.input.fd)
      status = source.pid > 0 ? shellStatus((yield* waitpid(source.pid)).status) : 0
    }
    return status
  }

  *closeOutputs(): Sys<void> {
    for (const name of [...this.#outs.keys()]) yield* this.close(name)
  }

  *#openPipe(command: string): Sys<Source> {
    yield* this.#run.out.flush()
    const [from, to] = yield* pipe()
    const pid = yield* spawn('/bin/sh', ['sh', '-c', command], this.#run.env, function* () {
      yield* close(from)
      yield* dup2(to, 1)
      yield* close(to)
    })
    yield* close(to)
    return { input: new In(from), pid }
  }

  *flush(): Sys<void> {
    yield* this.#run.out.flush()
    for (const { out } of this.#outs.values()) yield* out.flush()
  }
}
