/** The line editor of interactive programs: readline's emacs keys, history, incremental search, completion. Whose it is says where keys come from. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { ECHO, ICANON, ICRNL, IEXTEN, IGNCR, INLCR, ISIG, ISTRIP, IXON, VMIN, VTIME } from '#abi/posix/termios.ts'
import { OsError } from '../libc/errno.ts'
import { TCSADRAIN, type Termios, tcgetattr, tcgetwinsize, tcsetattr } from '../libc/termios.ts'
import { EditLine } from './edit-line.ts'
import { bare, EditScreen, isTail } from './edit-screen.ts'

/** More candidates than these are listed only after a question. */
const LIST_MAX = 100
/** Bytes of the longest character of UTF-8. */
const CHARACTER_MAX = 4

type Verdict = 'go on' | 'accept' | 'end'

/** What TAB offers. */
export interface Completions {
  /** Where in the line the word begins. */
  readonly from: number
  /** What would replace it, with a slash or a blank behind it. Sorted. */
  readonly words: readonly string[]
  /** The same as it is listed. */
  readonly shown: readonly string[]
}

export abstract class LineEditor extends EditLine {
  #buffer = ''
  /** Read, and found to belong to the next key. */
  #held = ''
  #prompt = ''
  /** Which entry of the history is shown; its length: none. */
  #entry = 0
  #draft = ''
  #lastTab = false

  constructor() {
    super(new EditScreen((text) => this.say(text)))
  }

  /** Earlier lines, oldest first. */
  protected abstract readonly history: readonly string[]
  /** To the terminal. */
  protected abstract say(text: string): Sys<void>
  /** At most so many bytes of input; waits for one. '' at the end. */
  protected abstract bytes(count: number): Sys<string>
  protected abstract candidates(text: string, cursor: number): Sys<Completions>
  /** ^C */
  protected abstract interrupted(): never
  /** Called before input is waited for. */
  protected *beforeKey(): Sys<void> {}
  /** Where the terminal does not say. */
  protected columns(): number {
    return 80
  }

  /** A line with its newline; undefined at the end of the input. */
  *line(prompt: string): Sys<string | undefined> {
    const cooked = yield* this.#settings()
    if (!cooked) return yield* this.#plain(prompt)
    yield* tcsetattr(0, TCSADRAIN, rawOf(cooked))
    try {
      return yield* this.#edit(prompt)
    } finally {
      yield* tcsetattr(0, TCSADRAIN, cooked)
    }
  }

  /** How the terminal is set; undefined: standard input is none. */
  *#settings(): Sys<Termios | undefined> {
    try {
      return yield* tcgetattr(0)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return undefined
    }
  }

  *#plain(prompt: string): Sys<string | undefined> {
    yield* this.say(bare(prompt))
    while (!this.#buffer.includes('\n')) {
      yield* this.beforeKey()
      const part = yield* this.bytes(4096)
      if (part === '') {
        const rest = this.#buffer
        this.#buffer = ''
        return rest === '' ? undefined : rest
      }
      this.#buffer += part
    }
    const end = this.#buffer.indexOf('\n') + 1
    const line = this.#buffer.slice(0, end)
    this.#buffer = this.#buffer.slice(end)
    return line
  }

  /** A key, or all bytes of a character of UTF-8. */
  *#character(): Sys<string> {
    if (this.#held === '') yield* this.beforeKey()
    let c = this.#held || (yield* this.bytes(1))
    this.#held = ''
    if (c < '\xc2' || c > '\xf4') return c
    const length = c < '\xe0' ? 2 : c < '\xf0' ? 3 : CHARACTER_MAX
    while (c.length < length) {
      const next = yield* this.bytes(1)
      if (!isTail(next)) {
        this.#held = next
        break
      }
      c += next
    }
    return c
  }

  *#columns(): Sys<number> {
    try {
      const { cols } = yield* tcgetwinsize(0)
      if (cols > 0) return cols
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
    return this.columns()
  }

  *#edit(prompt: string): Sys<string | undefined> {
    this.text = this.#draft = ''
    this.cursor = 0
    this.#prompt = prompt
    this.#entry = this.history.length
    this.#lastTab = false
    yield* this.screen.begin(prompt, yield* this.#columns())
    for (;;) {
      // One byte at a time: what is typed ahead is for the command that will run.
      const c = yield* this.#character()
      if (c === '') return undefined
      const verdict = yield* this.#key(c)
      if (verdict === 'end') return undefined
      if (verdict === 'accept') {
        yield* this.screen.show(this.text, this.text.length)
        yield* this.screen.end()
        return `${this.text}\n`
      }
      yield* this.screen.show(this.text, this.cursor)
    }
  }

  *#key(c: string): Sys<Verdict> {
    const tab = this.#lastTab
    this.#lastTab = false
    switch (c) {
      case '\r':
      case '\n':
        return 'accept'
      case '\x03':
        yield* this.screen.show(this.text, this.text.length)
        yield* this.say('^C')
        return this.interrupted()
      case '\x04':
        if (this.text === '') return 'end'
        if (this.cursor === this.text.length) yield* this.screen.bell()
        else this.delete(this.cursor, this.after(this.cursor))
        break
      case '\x01':
        this.cursor = 0
        break
      case '\x05':
        this.cursor = this.text.length
        break
      case '\x02':
        yield* this.step(-1)
        break
      case '\x06':
        yield* this.step(1)
        break
      case '\x08':
      case '\x7f':
        if (this.cursor === 0) yield* this.screen.bell()
        else this.delete(this.before(this.cursor), this.cursor)
        break
      case '\x0b':
        this.kill(this.cursor, this.text.length)
        break
      case '\x15':
        this.kill(0, this.cursor)
        break
      case '\x17':
        this.kill(this.blankBefore(), this.cursor)
        break
      case '\x19':
        yield* this.insert(this.killed)
        break
      case '\x14':
        yield* this.transpose()
        break
      case '\x0c':
        yield* this.screen.clear(this.#prompt, this.text, this.cursor)
        break
      case '\x10':
        yield* this.#history(-1)
        break
      case '\x0e':
        yield* this.#history(1)
        break
      case '\x12':
        return yield* this.#search()
      case '\x16':
        yield* this.insert(yield* this.bytes(1))
        break
      case '\t':
        yield* this.#complete(tab)
        break
      case '\x1b':
        yield* this.#escape()
        break
      default:
        if (c >= ' ') yield* this.insert(c)
        else yield* this.screen.bell()
    }
    return 'go on'
  }

  *#escape(): Sys<void> {
    const c = yield* this.bytes(1)
    if (c === '[' || c === 'O') {
      let sequence = yield* this.bytes(1)
      while (/^[0-9;]+$/.test(sequence) && sequence.length < 16) sequence += yield* this.bytes(1)
      yield* this.#cursorKey(sequence)
      return
    }
    switch (c) {
      case 'b':
        this.cursor = this.wordBefore()
        break
      case 'f':
        this.cursor = this.wordAfter()
        break
      case 'd':
        this.kill(this.cursor, this.wordAfter())
        break
      case '\x7f':
      case '\x08':
        this.kill(this.wordBefore(), this.cursor)
        break
      case '<':
        yield* this.#history(-this.#entry)
        break
      case '>':
        yield* this.#history(this.history.length - this.#entry)
        break
      default:
        yield* this.screen.bell()
    }
  }

  *#cursorKey(sequence: string): Sys<void> {
    switch (sequence) {
      case 'A':
        yield* this.#history(-1)
        break
      case 'B':
        yield* this.#history(1)
        break
      case 'C':
        yield* this.step(1)
        break
      case 'D':
        yield* this.step(-1)
        break
      case 'H':
      case '1~':
      case '7~':
        this.cursor = 0
        break
      case 'F':
      case '4~':
      case '8~':
        this.cursor = this.text.length
        break
      case '3~':
        if (this.cursor < this.text.length) this.delete(this.cursor, this.after(this.cursor))
        break
      case '1;5C':
        this.cursor = this.wordAfter()
        break
      case '1;5D':
        this.cursor = this.wordBefore()
        break
      default:
        yield* this.screen.bell()
    }
  }

  *#history(by: number): Sys<void> {
    const { history } = this
    const to = this.#entry + by
    if (by === 0 || to < 0 || to > history.length) {
      yield* this.screen.bell()
      return
    }
    if (this.#entry === history.length) this.#draft = this.text
    this.#entry = to
    this.text = to === history.length ? this.#draft : history[to]!
    this.cursor = this.text.length
  }

  /** ^R: each key looks further back. */
  *#search(): Sys<Verdict> {
    const { history } = this
    const kept = { text: this.text, cursor: this.cursor }
    let wanted = ''
    let at = history.length
    let failed = false
    const find = (from: number): void => {
      for (let i = Math.min(from, history.length - 1); i >= 0; i--)
        if (history[i]!.includes(wanted)) {
          at = i
          failed = false
          this.text = history[i]!
          this.cursor = history[i]!.indexOf(wanted)
          return
        }
      failed = true
    }
    for (;;) {
      yield* this.screen.reprompt(`(${failed ? 'failed ' : ''}reverse-i-search)\`${wanted}': `, this.text, this.cursor)
      const c = yield* this.#character()
      if (c === '') return 'end'
      if (c === '\x12') {
        if (wanted !== '') find(at - 1)
      } else if (c === '\x7f' || c === '\x08') {
        wanted = wanted.slice(0, -1)
        if (wanted !== '') find(history.length - 1)
      } else if (c >= ' ') {
        wanted += c
        find(at)
      } else {
        const last = this.#prompt.slice(this.#prompt.lastIndexOf('\n') + 1)
        const abandon = c === '\x07' || c === '\x03'
        if (abandon) {
          this.text = kept.text
          this.cursor = kept.cursor
        } else if (at < history.length) this.#entry = at
        yield* this.screen.reprompt(bare(last), this.text, this.cursor)
        return abandon && c === '\x07' ? 'go on' : yield* this.#key(c)
      }
    }
  }

  *#complete(again: boolean): Sys<void> {
    const { from, words, shown } = yield* this.candidates(this.text, this.cursor)
    if (words.length === 0) {
      yield* this.screen.bell()
      return
    }
    const common = words.length === 1 ? words[0]! : commonPrefix(words).replace(/[ /]$/, '')
    const word = this.text.slice(from, this.cursor)
    if (common.length > word.length && common !== word) {
      this.text = this.text.slice(0, from) + this.text.slice(this.cursor)
      this.cursor = from
      yield* this.insert(common)
      return
    }
    this.#lastTab = true
    if (!again) {
      yield* this.screen.bell()
      return
    }
    if (shown.length > LIST_MAX) {
      yield* this.screen.below(`Display all ${shown.length} possibilities? (y or n)`)
      const answer = yield* this.bytes(1)
      yield* this.say('\n')
      if (/[yY ]/.test(answer)) yield* this.say(inColumns(shown, this.screen.columns))
    } else yield* this.screen.below(inColumns(shown, this.screen.columns))
    yield* this.screen.again(this.#prompt, this.text, this.cursor)
  }
}

/** Keys one by one, and none of them a signal; output as before. */
function rawOf(cooked: Termios): Termios {
  const cc = cooked.cc.slice()
  cc[VMIN] = 1
  cc[VTIME] = 0
  return {
    ...cooked,
    iflag: cooked.iflag & ~(ICRNL | INLCR | IGNCR | ISTRIP | IXON),
    lflag: cooked.lflag & ~(ICANON | ECHO | ISIG | IEXTEN),
    cc,
  }
}

/** What all of them begin with. */
function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? ''
  for (const word of words) {
    let n = 0
    while (n < prefix.length && prefix[n] === word[n]) n++
    prefix = prefix.slice(0, n)
  }
  return prefix
}

/** As ls would: down the columns. */
export function inColumns(names: readonly string[], width: number): string {
  const cell = Math.max(...names.map((name) => name.length)) + 2
  const across = Math.max(1, Math.floor(width / cell))
  const rows = Math.ceil(names.length / across)
  let text = ''
  for (let row = 0; row < rows; row++) {
    let line = ''
    for (let at = row; at < names.length; at += rows) line += names[at]!.padEnd(at + rows < names.length ? cell : 0)
    text += `${line}\n`
  }
  return text
}
