/**
 * "Minimal BASH-like line editing": get_cmdline of stage2/char_io.c. A line that is longer than the screen is shown in sections; each
 * but the first begins with `<`, each but the last ends with `>`, and neighbours share a margin.
 */
import { complete } from './completion.ts'
import type { Grub } from './grub.ts'
import type { Run } from './run.ts'
import { KEY } from './terminal/terminal.ts'
import type { Tty } from './terminal/tty.ts'

const WIDTH = 78
const MARGIN = 10
const SECTION_STEP = WIDTH - 1 - MARGIN
/** MAX_CMDLINE: the most that fits, final zero included. */
export const LINE_MAX = 1600
const HISTORY_MAX = 5

export interface LineOptions {
  readonly prompt: string
  readonly initial?: string
  /** Bytes of the buffer, final zero included. */
  readonly max?: number
  /** Shown in place of what is typed. */
  readonly mask?: string
  /** History, kill and yank, movement, completion. */
  readonly readline?: boolean
}

/** The line being edited and its picture on the screen. */
class Line {
  text: string
  at: number
  readonly #tty: Tty
  readonly #prompt: string
  readonly #mask: string | undefined
  readonly #max: number
  /** Column of the cursor. */
  #x = 0
  #section = 0

  constructor(tty: Tty, { prompt, initial = '', max = LINE_MAX, mask }: LineOptions) {
    this.#tty = tty
    this.#prompt = prompt
    this.#mask = mask
    this.#max = Math.min(max, LINE_MAX)
    this.text = initial.slice(0, this.#max - 1)
    this.at = this.text.length
  }

  /** Begin on a new line of the screen. */
  *start(): Run {
    yield* this.#tty.put(10)
    yield* this.redraw()
  }

  /** Everything, after choosing the section that holds the cursor. */
  *redraw(): Run {
    const beyond = this.at + this.#prompt.length - WIDTH
    this.#section = beyond < 0 ? 0 : Math.floor(beyond / SECTION_STEP) + 1
    const lead = this.#section === 0 ? this.#prompt : '<'
    yield* this.#tty.print('\r' + lead)
    const first = this.#firstShown()
    this.#x = this.at - first + lead.length
    yield* this.#show(first, lead.length, WIDTH - lead.length)
  }

  /** Index of the character at the section's beginning. */
  #firstShown(): number {
    return this.#section === 0 ? 0 : (this.#section - 1) * SECTION_STEP + WIDTH - this.#prompt.length - MARGIN
  }

  /** `length` cells from column `column` on with the text from `from` on, then back to the cursor. */
  *#show(from: number, column: number, length: number): Run {
    const part = this.text.slice(from, from + length)
    yield* this.#tty.print((this.#mask === undefined ? part : this.#mask.repeat(part.length)).padEnd(length))
    let end = column + length
    if (end === WIDTH) {
      yield* this.#tty.print(from + length < this.text.length ? '>' : ' ')
      end++
    }
    if (this.#tty.dumb) yield* this.#tty.print('\b'.repeat(end - this.#x))
    else yield* this.#tty.goto(this.#x, this.#tty.current.row())
  }

  /** Repaint from the cursor's old column on, `length` cells and not past the edge. The cursor has already moved in `at`. */
  *#repaint(length: number): Run {
    const column = this.#x
    const lead = this.#section === 0 ? this.#prompt.length : 1
    const first = this.#firstShown()
    this.#x = this.at - first + lead
    yield* this.#show(first + column - lead, column, Math.min(length, WIDTH - column))
  }

  *back(count: number): Run {
    this.at -= count
    const inFirst = this.#section === 1 && this.#prompt.length + this.at < WIDTH
    if (inFirst || this.#x - count < 1) return yield* this.redraw()
    this.#x -= count
    if (this.#tty.dumb) yield* this.#tty.print('\b'.repeat(count))
    else yield* this.#tty.goto(this.#x, this.#tty.current.row())
  }

  *forward(count: number): Run {
    this.at += count
    if (this.#x + count >= WIDTH) return yield* this.redraw()
    this.#x += count
    if (!this.#tty.dumb) return yield* this.#tty.goto(this.#x, this.#tty.current.row())
    const passed = this.text.slice(this.at - count, this.at)
    yield* this.#tty.print(this.#mask === undefined ? passed : this.#mask.repeat(count))
  }

  /** Does nothing where the buffer is full. */
  *insert(added: string): Run {
    if (added === '' || this.text.length + added.length >= this.#max) return
    this.text = this.text.slice(0, this.at) + added + this.text.slice(this.at)
    this.at += added.length
    if (this.#x + added.length >= WIDTH) yield* this.redraw()
    else yield* this.#repaint(added.length + this.text.length - this.at)
  }

  /** Take away `count` characters behind the cursor. */
  *remove(count: number): Run {
    const shown = this.text.length - this.at
    this.text = this.text.slice(0, this.at) + this.text.slice(this.at + count)
    yield* this.#repaint(shown)
  }

  *replace(text: string): Run {
    this.text = text
    this.at = text.length
    yield* this.redraw()
  }
}

/** Steps through earlier lines; the line that was begun waits below them. */
class History {
  readonly #lines: string[]
  #index = -1
  #begun = ''

  constructor(lines: string[]) {
    this.#lines = lines
  }

  /** Keep what was changed in an earlier line as a line of its own. */
  #keep(text: string): void {
    if (this.#index < 0) this.#begun = text
    else if (this.#lines[this.#index] !== text) remember(this.#lines, text, this.#index)
  }

  older(text: string): string | undefined {
    this.#keep(text)
    if (this.#index + 1 >= this.#lines.length) return undefined
    return this.#lines[++this.#index]
  }

  newer(text: string): string | undefined {
    if (this.#index < 0) return undefined
    this.#keep(text)
    this.#index--
    return this.#index < 0 ? this.#begun : this.#lines[this.#index]
  }
}

function remember(lines: string[], text: string, at = 0): void {
  lines.splice(at, 0, text)
  if (lines.length > HISTORY_MAX) lines.length = HISTORY_MAX
}

const isPrintable = (key: number): boolean => key >= 32 && key <= 126

/** A terminal without echo or editing: characters until the end of the line. */
function* readPlainly(tty: Tty, { prompt, max = LINE_MAX }: LineOptions): Run<string | undefined> {
  const { noEcho } = tty.current.flags
  yield* tty.print(prompt)
  let text = ''
  for (;;) {
    const key = yield* tty.key()
    if (key === KEY.newline || key === KEY.enter) break
    if (key === KEY.escape) return undefined
    if (!isPrintable(key)) continue
    const c = String.fromCharCode(key)
    if (!noEcho) yield* tty.print(c)
    if ((c !== ' ' || text !== '') && text.length < Math.min(max, LINE_MAX) - 1) text += c
  }
  if (!noEcho) yield* tty.put(10)
  return text
}

/** Let a person edit a line. Undefined after Esc. */
export function* readLine(grub: Grub, options: LineOptions): Run<string | undefined> {
  const { tty } = grub
  const cursor = tty.showCursor(true)
  const { noEcho, noEdit } = tty.current.flags
  const text = noEcho || noEdit ? yield* readPlainly(tty, options) : yield* edit(grub, options)
  tty.showCursor(cursor)
  return text
}

function* edit(grub: Grub, options: LineOptions): Run<string | undefined> {
  const { tty } = grub
  const line = new Line(tty, options)
  const history = new History(grub.history)
  yield* line.start()
  for (;;) {
    const key = yield* tty.key()
    if (key === KEY.newline || key === KEY.enter) break
    if (key === KEY.escape) return undefined
    if (key === KEY.delete) {
      if (line.at < line.text.length) yield* line.remove(1)
    } else if (key === KEY.backspace) {
      if (line.at > 0) {
        yield* line.back(1)
        yield* line.remove(1)
      }
    } else if (isPrintable(key)) yield* line.insert(String.fromCharCode(key))
    else if (options.readline) yield* command(grub, line, history, key)
  }
  yield* tty.put(10)
  if (options.mask !== undefined) return line.text
  const text = line.text.replace(/^ +/, '')
  if (options.readline && text !== '') remember(grub.history, text)
  return text
}

/** The keys that only readline has. */
function* command(grub: Grub, line: Line, history: History, key: number): Run {
  switch (key) {
    case KEY.tab:
      return yield* completeAt(grub, line)
    case KEY.home:
      return yield* line.back(line.at)
    case KEY.end:
      return yield* line.forward(line.text.length - line.at)
    case KEY.right:
      if (line.at < line.text.length) yield* line.forward(1)
      return
    case KEY.left:
      if (line.at > 0) yield* line.back(1)
      return
    case KEY.killToStart: {
      const count = line.at
      if (count === 0) return
      grub.killed = line.text.slice(0, count)
      yield* line.back(count)
      return yield* line.remove(count)
    }
    case KEY.kill:
      if (line.at === line.text.length) return
      grub.killed = line.text.slice(line.at)
      return yield* line.remove(line.text.length - line.at)
    case KEY.yank:
      return yield* line.insert(grub.killed)
    case KEY.up:
    case KEY.down: {
      const text = key === KEY.up ? history.older(line.text) : history.newer(line.text)
      if (text !== undefined) yield* line.replace(text)
      return
    }
  }
}

/** TAB: insert what all candidates share, and list them when there are several. */
function* completeAt(grub: Grub, line: Line): Run {
  const { text, at } = line
  let afterCommand = 0
  while (text[afterCommand] === ' ') afterCommand++
  while (afterCommand < text.length && text[afterCommand] !== '=' && text[afterCommand] !== ' ') afterCommand++
  // `=` behind the command counts as a blank.
  let equals = afterCommand
  while (equals < text.length && text[equals] !== ' ' && text[equals] !== '=') equals++
  let start = at
  while (start > 0 && text[start - 1] !== ' ' && !(text[start - 1] === '=' && start - 1 === equals)) start--
  const { insert, several, message } = complete(grub, text.slice(start, at), at > afterCommand)
  yield* line.insert(insert)
  if (message === undefined) return
  if (several) yield* grub.tty.put(10)
  yield* grub.tty.print(message)
  yield* line.start()
}
