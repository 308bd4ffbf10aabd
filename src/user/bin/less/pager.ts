/** less at work: a window over a text, moved by keys. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { compileRegex, type Regex } from '../../regex/regex.ts'
import { RegexError } from '../../regex/syntax.ts'
import { NORMAL, REVERSE } from '../../terminal/display.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { type Drawn, draw, type PagedText } from './text.ts'

export interface PagerOptions {
  numbers: boolean
  chop: boolean
  readonly raw: boolean
  readonly ignoreCase: boolean
  readonly quitAtEnd: boolean
}

/** A screen row's place: a line, and which of its rows. */
interface Place {
  readonly line: number
  readonly row: number
}

export class Pager {
  readonly #terminal: Terminal
  readonly #files: readonly { readonly name: string; readonly text: PagedText }[]
  readonly #options: PagerOptions
  #index = 0
  #top: Place = { line: 0, row: 0 }
  /** Columns that are shifted out to the left, with -S. */
  #left = 0
  #prompt: string
  #pattern: Regex | undefined
  #forward = true

  constructor(
    terminal: Terminal,
    files: readonly { readonly name: string; readonly text: PagedText }[],
    options: PagerOptions,
  ) {
    this.#terminal = terminal
    this.#files = files
    this.#options = options
    this.#prompt = this.#title()
  }

  get #text(): PagedText {
    return this.#files[this.#index]!.text
  }

  get #height(): number {
    return Math.max(1, this.#terminal.display.rows - 1)
  }

  #title(): string {
    const { name } = this.#files[this.#index]!
    const of = this.#files.length > 1 ? ` (file ${this.#index + 1} of ${this.#files.length})` : ''
    return name === '-' ? '' : name + of
  }

  *run(quitIfShort: boolean): Sys<void> {
    if (quitIfShort && this.#files.length === 1) {
      yield* this.#text.need(this.#height + 1)
      if (this.#text.lines.length <= this.#height) return yield* this.#short()
    }
    let count = ''
    for (;;) {
      if (!(yield* this.#terminal.ready())) yield* this.#draw(count)
      const key = yield* this.#terminal.key()
      if (key === 'Eof' || key === 'q' || key === 'Q' || key === '\x03') return
      if (key >= '0' && key <= '9' && key.length === 1) {
        count += key
        continue
      }
      this.#prompt = ''
      const ended = yield* this.#command(key, count === '' ? undefined : Number(count))
      count = ''
      if (ended) return
    }
  }

  /** -F: print it and go. */
  *#short(): Sys<void> {
    for (const line of this.#text.lines) yield* this.#terminal.display.raw(`${line}\r\n`)
  }

  /** True: leave. */
  *#command(key: string, count: number | undefined): Sys<boolean> {
    const half = Math.max(1, Math.floor(this.#height / 2))
    switch (key) {
      case ' ':
      case 'f':
      case 'z':
      case '\x06':
      case '\x16':
      case 'PageDown':
        return yield* this.#down(count ?? this.#height)
      case 'b':
      case '\x02':
      case 'PageUp':
        yield* this.#up(count ?? this.#height)
        return false
      case 'd':
      case '\x04':
        return yield* this.#down(count ?? half)
      case 'u':
      case '\x15':
        yield* this.#up(count ?? half)
        return false
      case '\r':
      case '\n':
      case 'j':
      case 'e':
      case '\x0e':
      case '\x05':
      case 'Down':
        return yield* this.#down(count ?? 1)
      case 'k':
      case 'y':
      case '\x10':
      case '\x19':
      case 'Up':
        yield* this.#up(count ?? 1)
        return false
      case 'g':
      case '<':
      case 'Home':
        yield* this.#goTo((count ?? 1) - 1)
        return false
      case 'G':
      case '>':
      case 'End':
        if (count === undefined) yield* this.#bottom()
        else yield* this.#goTo(count - 1)
        return false
      case 'p':
      case '%':
        yield* this.#text.need(Number.POSITIVE_INFINITY)
        yield* this.#goTo(Math.floor((this.#text.lines.length * Math.min(100, count ?? 0)) / 100))
        return false
      case 'Right':
        this.#left += count ?? Math.floor(this.#terminal.display.columns / 2)
        return false
      case 'Left':
        this.#left = Math.max(0, this.#left - (count ?? Math.floor(this.#terminal.display.columns / 2)))
        return false
      case '/':
      case '?':
        yield* this.#ask(key, count ?? 1)
        return false
      case 'n':
      case 'N':
        if (!this.#pattern) this.#prompt = 'No previous search pattern  (press RETURN)'
        else yield* this.#search(this.#forward === (key === 'n'), count ?? 1)
        return false
      case '=':
      case '\x07':
        yield* this.#where()
        return false
      case '-': {
        const flag = yield* this.#terminal.key()
        if (flag === 'S') this.#options.chop = !this.#options.chop
        else if (flag === 'N') this.#options.numbers = !this.#options.numbers
        else this.#prompt = `There is no -${flag} option (press RETURN)`
        this.#top = { line: this.#top.line, row: 0 }
        return false
      }
      case ':': {
        const which = yield* this.#terminal.key()
        if (which === 'q') return true
        if (which === 'n' || which === 'p') this.#switch(which === 'n' ? 1 : -1)
        else if (which === 'f') yield* this.#where()
        return false
      }
      case 'Z':
        return (yield* this.#terminal.key()) === 'Z'
      case 'h':
      case 'H':
        this.#prompt = 'SPACE b d u j k g G /pattern n N :n :p = q  (press RETURN)'
        return false
      case '\x1a':
        yield* this.#terminal.suspend()
        return false
      case 'r':
      case '\x0c':
      case 'R':
        this.#terminal.display.invalidate()
        return false
      case 'Resize':
        return false
      default:
        this.#terminal.display.bell()
        return false
    }
  }

  #switch(by: number): void {
    const index = this.#index + by
    if (index < 0 || index >= this.#files.length) {
      this.#prompt = by > 0 ? 'No next file  (press RETURN)' : 'No previous file  (press RETURN)'
      return
    }
    this.#index = index
    this.#top = { line: 0, row: 0 }
    this.#prompt = this.#title()
  }

  /** The rows that a line takes. */
  #rows(line: number): Drawn[] {
    const { numbers, chop, raw } = this.#options
    const all = draw(this.#text.lines[line]!, raw)
    const gutter = numbers ? 8 : 0
    const width = Math.max(1, this.#terminal.display.columns - gutter)
    const rows: Drawn[] = []
    const from = chop ? this.#left : 0
    const to = chop ? from + width : all.text.length
    for (let at = from; at < Math.max(to, from + 1); at += width) {
      const label = gutter === 0 ? '' : at === from ? `${String(line + 1).padStart(7)} ` : ' '.repeat(gutter)
      rows.push({
        text: label + all.text.slice(at, at + width),
        looks: NORMAL.repeat(gutter) + all.looks.slice(at, at + width),
      })
    }
    return rows
  }

  /** `count` rows further, but not past the end; undefined: it is reached. */
  *#forwardFrom(place: Place, count: number): Sys<Place> {
    let { line, row } = place
    for (let i = 0; i < count; i++) {
      yield* this.#text.need(line + 2)
      if (line >= this.#text.lines.length) break
      if (row + 1 < this.#rows(line).length) row++
      else {
        line++
        row = 0
      }
    }
    return { line, row }
  }

  #backFrom(place: Place, count: number): Place {
    let { line, row } = place
    for (let i = 0; i < count; i++) {
      if (row > 0) row--
      else if (line > 0) {
        line--
        row = this.#rows(line).length - 1
      } else break
    }
    return { line, row }
  }

  /** The last row is on the screen. */
  *#atEnd(): Sys<boolean> {
    const end = yield* this.#forwardFrom(this.#top, this.#height)
    yield* this.#text.need(end.line + 1)
    return end.line >= this.#text.lines.length
  }

  *#down(count: number): Sys<boolean> {
    if (yield* this.#atEnd()) {
      if (this.#options.quitAtEnd) return true
      this.#terminal.display.bell()
      return false
    }
    const wanted = yield* this.#forwardFrom(this.#top, count)
    const { line } = yield* this.#forwardFrom(wanted, this.#height)
    yield* this.#text.need(line + 1)
    this.#top = wanted
    if (line >= this.#text.lines.length) yield* this.#bottom()
    return false
  }

  *#up(count: number): Sys<void> {
    if (this.#top.line === 0 && this.#top.row === 0) this.#terminal.display.bell()
    this.#top = this.#backFrom(this.#top, count)
  }

  *#bottom(): Sys<void> {
    yield* this.#text.need(Number.POSITIVE_INFINITY)
    this.#top = this.#backFrom({ line: this.#text.lines.length, row: 0 }, this.#height)
  }

  *#goTo(line: number): Sys<void> {
    yield* this.#text.need(line + this.#height + 1)
    if (line >= this.#text.lines.length) {
      this.#prompt = 'Cannot seek to that file position  (press RETURN)'
      if (this.#text.lines.length > 0) yield* this.#bottom()
      return
    }
    this.#top = { line: Math.max(0, line), row: 0 }
  }

  *#ask(mark: string, count: number): Sys<void> {
    let typed = ''
    for (;;) {
      this.#prompt = mark + typed
      yield* this.#draw('')
      const key = yield* this.#terminal.key()
      if (key === '\r' || key === '\n') break
      if (key === '\x1b' || key === '\x03' || ((key === '\b' || key === '\x7f') && typed === '')) {
        this.#prompt = ''
        return
      }
      if (key === '\b' || key === '\x7f') typed = typed.slice(0, -1)
      else if (key === '\x15') typed = ''
      else if (key.length === 1 && key >= ' ') typed += key
    }
    this.#prompt = ''
    this.#forward = mark === '/'
    if (typed !== '') {
      try {
        this.#pattern = compileRegex(typed, {
          extended: true,
          ignoreCase: this.#options.ignoreCase && typed === typed.toLowerCase(),
        })
      } catch (error) {
        if (!(error instanceof RegexError)) throw error
        this.#prompt = `${error.message}  (press RETURN)`
        return
      }
    }
    if (this.#pattern) yield* this.#search(this.#forward, count)
  }

  *#search(forward: boolean, count: number): Sys<void> {
    let line = this.#top.line
    for (let found = 0; found < count; ) {
      line += forward ? 1 : -1
      if (forward) yield* this.#text.need(line + 1)
      const text = line < 0 ? undefined : this.#text.lines[line]
      if (text === undefined) {
        // The first line is looked at too, when the window stands on it.
        this.#prompt = 'Pattern not found  (press RETURN)'
        return
      }
      if (this.#pattern!.test(draw(text, true).text)) found++
    }
    this.#top = { line, row: 0 }
    if (yield* this.#atEnd()) yield* this.#bottom()
  }

  *#where(): Sys<void> {
    const text = this.#text
    yield* text.need(Number.POSITIVE_INFINITY)
    const last = Math.min(text.lines.length, (yield* this.#forwardFrom(this.#top, this.#height)).line)
    let bytes = 0
    for (let i = 0; i < last; i++) bytes += text.lines[i]!.length + 1
    const percent = text.bytes === 0 ? 100 : Math.floor((bytes * 100) / text.bytes)
    const name = this.#title()
    this.#prompt = `${name === '' ? '' : `${name} `}lines ${this.#top.line + 1}-${last}/${text.lines.length} byte ${bytes}/${text.bytes} ${percent}%  (press RETURN)`
  }

  *#draw(count: string): Sys<void> {
    const { display } = this.#terminal
    yield* this.#text.need(this.#top.line + this.#height + 1)
    let row = 0
    let { line, row: skip } = this.#top
    for (; row < this.#height && line < this.#text.lines.length; line++) {
      for (const drawn of this.#rows(line).slice(skip)) {
        if (row >= this.#height) break
        display.row(row, drawn.text, this.#highlight(drawn))
        row++
      }
      skip = 0
    }
    for (; row < this.#height; row++) display.row(row, '~')
    const end = this.#text.ended && (yield* this.#atEnd())
    const last = this.#index === this.#files.length - 1
    const title =
      this.#prompt !== ''
        ? this.#prompt + (this.#prompt === this.#title() && end && last ? ' (END)' : '')
        : end
          ? last
            ? '(END)'
            : `(END) - Next: ${this.#files[this.#index + 1]!.name}`
          : ':'
    const shown = `${count === '' ? title : `:${count}`}`.slice(0, display.columns - 1)
    const plain = shown.startsWith(':') || shown.startsWith('/') || shown.startsWith('?')
    display.row(display.rows - 1, shown, (plain ? NORMAL : REVERSE).repeat(shown.length))
    display.cursor(display.rows - 1, shown.length)
    yield* display.flush()
  }

  /** What was searched for stands out. */
  #highlight({ text, looks }: Drawn): string {
    if (!this.#pattern) return looks
    let result = looks
    for (let at = 0; at < text.length; ) {
      const match = this.#pattern.exec(text, at, false)
      if (!match || match[1] === match[0]) break
      result = result.slice(0, match[0]) + REVERSE.repeat(match[1]! - match[0]!) + result.slice(match[1])
      at = match[1]!
    }
    return result
  }
}
