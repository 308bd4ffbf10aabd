/** Lines for an interactive shell: the line editor over the shell's history, variables and traps. */
import { EINTR } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { read } from '../libc/syscall.ts'
import { type Completions, LineEditor } from '../terminal/line-editor.ts'
import { complete } from './complete.ts'
import { Interrupted } from './errors.ts'
import type { Shell } from './shell.ts'
import { runTraps } from './signals.ts'

export class LineReader extends LineEditor {
  readonly #sh: Shell
  /** Text behind the last command on its line. */
  pending = ''

  constructor(sh: Shell) {
    super()
    this.#sh = sh
  }

  protected get history(): readonly string[] {
    return this.#sh.history
  }

  protected say(text: string): Sys<void> {
    return this.#sh.err(text)
  }

  /** Signals with traps are dealt with here. */
  protected *bytes(count: number): Sys<string> {
    for (;;) {
      try {
        return byteString(yield* read(0, count))
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        if (error.errno !== EINTR) return ''
        const sh = this.#sh
        if (sh.interrupted) {
          sh.interrupted = false
          this.interrupted()
        }
        if (sh.caught.length > 0) yield* runTraps(sh)
      }
    }
  }

  protected candidates(text: string, cursor: number): Sys<Completions> {
    return complete(this.#sh, text, cursor)
  }

  protected interrupted(): never {
    throw new Interrupted()
  }

  protected override columns(): number {
    return Number(this.#sh.get('COLUMNS')) || super.columns()
  }
}
