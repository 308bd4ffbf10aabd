/** xsh's lines: the line editor, which waits for keys and for what watches tell at the same time. */
import { EINTR } from '#abi/posix/errno.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { eprint, STDIN } from '#user/libc/stdio.ts'
import { poll, read } from '#user/libc/syscall.ts'
import { type Completions, LineEditor } from '#user/terminal/line-editor.ts'
import { readMore } from '../libxs/connection.ts'
import { xsDaemonClose, xsPending } from '../libxs/xs.ts'
import { COMMANDS } from './commands.ts'
import { Interrupted, type Session } from './session.ts'
import { resolve } from './words.ts'

const SPECIAL = ['@introduceDomain', '@releaseDomain']

export class XshReader extends LineEditor {
  readonly #xs: Session
  /** What keys walk through. */
  readonly history: string[]

  constructor(xs: Session, history: string[]) {
    super()
    this.#xs = xs
    this.history = history
  }

  protected say(text: string): Sys<void> {
    return eprint(text)
  }

  protected *bytes(count: number): Sys<string> {
    for (;;) {
      try {
        return byteString(yield* read(STDIN, count))
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        if (error.errno !== EINTR) return ''
        if (this.#xs.interrupted) this.interrupted()
      }
    }
  }

  protected interrupted(): never {
    throw new Interrupted()
  }

  /** Until there is input. */
  protected override *beforeKey(): Sys<void> {
    const xs = this.#xs
    for (;;) {
      const said = yield* this.#heard()
      if (said !== '') yield* this.#tell(said)
      else if (!xsPending(xs.h) && (yield* this.#input())) return
    }
  }

  /** True: there are keys to be read. False: the daemon has spoken. */
  *#input(): Sys<boolean> {
    const { h } = this.#xs
    try {
      const [keys, daemon] = yield* poll([STDIN, POLLIN, h.fd, POLLIN], -1)
      if (daemon && h.fd >= 0) yield* readMore(h)
      return keys !== 0
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno === EINTR) {
        if (this.#xs.interrupted) this.interrupted()
        return false
      }
      yield* xsDaemonClose(h)
      yield* this.#tell('xsh: xenstored has closed the connection\n')
      return false
    }
  }

  *#heard(): Sys<string> {
    try {
      return yield* this.#xs.events()
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return ''
    }
  }

  /** Above the line that is being edited. */
  *#tell(said: string): Sys<void> {
    if (this.#xs.interactive) return yield* this.screen.above(said, this.text, this.cursor)
    this.#xs.out.put(said)
    yield* this.#xs.out.flush()
  }

  protected *candidates(text: string, cursor: number): Sys<Completions> {
    const before = text.slice(0, cursor)
    const word = /[^\s;]*$/.exec(before)![0]
    const from = cursor - word.length
    const lead = before.slice(before.lastIndexOf(';', from) + 1, from).trimStart()
    const command = lead === '' ? undefined : lead.split(/\s/, 1)[0]
    const plain = (names: readonly string[]): Completions => {
      const shown = names.filter((name) => name.startsWith(word)).sort()
      return { from, words: shown.map((name) => `${name} `), shown }
    }
    if (command === undefined || command === 'help') return plain([...COMMANDS.keys()])
    if (command === 'unwatch') return plain(this.#xs.watched)
    if (command === 'watch' && word.startsWith('@')) return plain(SPECIAL)
    return yield* this.#paths(word, from)
  }

  *#paths(word: string, from: number): Sys<Completions> {
    const xs = this.#xs
    const slash = word.lastIndexOf('/') + 1
    const dir = resolve(xs.cwd, slash === 0 ? '.' : word.slice(0, slash))
    const found = yield* xs.names(dir)
    if (found instanceof OsError) return { from, words: [], shown: [] }
    const shown = found.filter((name) => name.startsWith(word.slice(slash))).sort()
    const words = shown.map((name) => `${word.slice(0, slash)}${name}`)
    if (words.length !== 1) return { from, words, shown }
    // A key with others below it is probably on the way.
    const below = yield* xs.names(resolve(xs.cwd, words[0]!))
    return { from, words: [`${words[0]}${below instanceof OsError || below.length === 0 ? ' ' : '/'}`], shown }
  }
}
