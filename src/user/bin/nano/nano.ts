/** nano's state and its screen. */
import { O_CREAT, O_EXCL, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../../libc/errno.ts'
import { Heap, stringCost } from '../../libc/heap.ts'
import { writeAll } from '../../libc/stdio.ts'
import { close, open } from '../../libc/syscall.ts'
import { NORMAL, REVERSE } from '../../terminal/display.ts'
import type { Key } from '../../terminal/keys.ts'
import type { Terminal } from '../../terminal/terminal.ts'

export class NanoQuit extends Error {}

export interface NanoOptions {
  readonly backup: boolean
  readonly constant: boolean
  readonly autoindent: boolean
  readonly view: boolean
  readonly help: boolean
}

/** A key and what it does, as the help lines show them. */
export type Shortcut = readonly [key: string, what: string]

const MAIN_SHORTCUTS: readonly Shortcut[] = [
  ['^G', 'Get Help'],
  ['^X', 'Exit'],
  ['^O', 'WriteOut'],
  ['^J', 'Justify'],
  ['^R', 'Read File'],
  ['^W', 'Where Is'],
  ['^Y', 'Prev Page'],
  ['^V', 'Next Page'],
  ['^K', 'Cut Text'],
  ['^U', 'UnCut Txt'],
  ['^C', 'Cur Pos'],
  ['^T', 'To Spell'],
]

const TABSTOP = 8
const BRANDING = 'GNU nano 1.3.12'

export class Nano {
  lines: string[] = ['']
  line = 0
  col = 0
  top = 0
  /** The display column that up and down keep. */
  want = 0
  file = ''
  modified = false
  status = ''
  readonly cut: string[] = []
  /** The last command was a cut too: what it takes is added. */
  cutting = false
  lastSearch = ''
  lastReplace = ''
  /** Where a hang-up saved it. */
  saved: string | undefined
  readonly terminal: Terminal
  readonly options: NanoOptions
  readonly #heap = new Heap()
  #bytes = 0
  #charged = 0
  shortcuts: readonly Shortcut[] = MAIN_SHORTCUTS
  /** A question on the status line: its text, the answer so far and the cursor in it. */
  prompt: { readonly text: string; readonly cursor: number } | undefined

  constructor(terminal: Terminal, options: NanoOptions) {
    this.terminal = terminal
    this.options = options
  }

  get text(): string {
    return this.lines[this.line]!
  }

  /** Rows of text. */
  get height(): number {
    return Math.max(1, this.terminal.display.rows - (this.options.help ? 5 : 3))
  }

  load(lines: readonly string[]): void {
    this.lines = lines.length > 0 ? [...lines] : ['']
    this.#bytes = this.lines.reduce((sum, line) => sum + stringCost(line.length), 0)
    this.goTo(0, 0)
  }

  /** The one way in which text changes. */
  replace(at: number, count: number, now: readonly string[]): void {
    for (const line of this.lines.splice(at, count, ...now)) this.#bytes -= stringCost(line.length)
    for (const line of now) this.#bytes += stringCost(line.length)
    this.modified = true
  }

  goTo(line: number, col: number, keepWant = false): void {
    this.line = Math.max(0, Math.min(line, this.lines.length - 1))
    this.col = Math.max(0, Math.min(col, this.text.length))
    if (!keepWant) this.want = this.columnOf(this.line, this.col)
  }

  columnOf(line: number, col: number): number {
    return drawn(this.lines[line]!.slice(0, col)).length
  }

  /** The character of `line` at display column `column`. */
  colAt(line: number, column: number): number {
    const text = this.lines[line]!
    let at = 0
    let width = 0
    for (; at < text.length; at++) {
      const next = width + cell(text.charCodeAt(at), width).length
      if (next > column) break
      width = next
    }
    return at
  }

  *key(): Sys<Key> {
    for (;;) {
      if (!(yield* this.terminal.ready())) yield* this.draw()
      const key = yield* this.terminal.key()
      if (key === 'Eof') throw new NanoQuit()
      if (key !== 'Resize') return key
    }
  }

  *draw(): Sys<void> {
    if (this.#bytes > this.#charged) {
      yield* this.#heap.keep(this.#bytes - this.#charged)
      this.#charged = this.#bytes
    }
    const { display } = this.terminal
    // Out of sight: the line comes to the middle.
    if (this.line < this.top || this.line >= this.top + this.height)
      this.top = Math.max(0, this.line - Math.floor(this.height / 2))
    display.row(0, this.#title(display.columns), REVERSE.repeat(display.columns))
    display.row(1, '')
    const width = display.columns
    let cursorColumn = 0
    for (let i = 0; i < this.height; i++) {
      const line = this.top + i
      const text = this.lines[line]
      if (text === undefined) {
        display.row(i + 2, '')
        continue
      }
      // Long lines are shown from a page's beginning, with a mark where they go on.
      const cells = drawn(text)
      const column = line === this.line ? this.columnOf(line, this.col) : 0
      const page = column < width - 1 ? 0 : column - ((column - 7) % (width - 8)) - (column > 7 ? 7 : 0)
      const from = line === this.line ? Math.max(0, page) : 0
      if (line === this.line) cursorColumn = column - from
      let part = cells.slice(from, from + width)
      if (from > 0) part = `$${part.slice(1)}`
      if (cells.length > from + width) part = `${part.slice(0, width - 1)}$`
      display.row(i + 2, part)
    }
    const statusRow = display.rows - (this.options.help ? 3 : 1)
    if (this.prompt) {
      const shown = this.prompt.text.slice(0, width)
      display.row(statusRow, shown.padEnd(width), REVERSE.repeat(width))
    } else if (this.status !== '') {
      const text = `[ ${this.status.slice(0, width - 4)} ]`
      const left = Math.floor((width - text.length) / 2)
      display.row(statusRow, ' '.repeat(left) + text, NORMAL.repeat(left) + REVERSE.repeat(text.length))
    } else display.row(statusRow, '')
    if (this.options.help) this.#help(statusRow + 1)
    if (this.prompt) display.cursor(statusRow, this.prompt.cursor)
    else display.cursor(2 + this.line - this.top, cursorColumn)
    yield* display.flush()
  }

  #title(width: number): string {
    const left = `  ${BRANDING}`
    const right = this.options.view ? 'View ' : this.modified ? 'Modified ' : ''
    const middle = this.file === '' ? 'New Buffer' : `File: ${this.file}`
    const room = width - left.length - right.length
    const shown = middle.length > room - 3 ? `File: ...${this.file.slice(-(room - 12))}` : middle
    const at = Math.max(left.length + 2, Math.floor((width - shown.length) / 2))
    const head = left.padEnd(at) + shown
    return head.padEnd(width - right.length) + right
  }

  #help(row: number): void {
    const { display } = this.terminal
    const width = display.columns
    const columns = Math.max(2, Math.ceil(this.shortcuts.length / 2))
    const each = Math.floor(width / (this.shortcuts.length > 4 ? Math.max(6, columns) : columns))
    for (let line = 0; line < 2; line++) {
      let text = ''
      let looks = ''
      for (let i = 0; i < columns; i++) {
        const shortcut = this.shortcuts[i * 2 + line]
        if (!shortcut) continue
        const [key, what] = shortcut
        const item = `${key} ${what}`.slice(0, each - 1)
        text = text.padEnd(i * each) + item
        looks = looks.padEnd(i * each, NORMAL) + REVERSE.repeat(key.length) + NORMAL.repeat(item.length - key.length)
      }
      display.row(row + line, text, looks)
    }
  }

  /** A hang-up or SIGTERM: FILE.save, or nano.PID.save. */
  *emergencySave(): Sys<void> {
    if (!this.modified) return
    const base = this.file === '' ? 'nano' : this.file
    for (let i = 0; i < 100; i++) {
      const name = `${base}.save${i === 0 ? '' : `.${i}`}`
      try {
        const fd = yield* open(name, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        yield* writeAll(fd, bytesOfString(this.lines.join('\n')))
        yield* close(fd)
        this.saved = name
        return
      } catch (error) {
        if (!(error instanceof OsError)) throw error
      }
    }
  }
}

function cell(code: number, column: number): string {
  if (code === 9) return ' '.repeat(TABSTOP - (column % TABSTOP))
  if (code < 0x20 || code === 0x7f) return `^${String.fromCharCode(code ^ 0x40)}`
  return code < 0x7f ? String.fromCharCode(code) : code < 0xa0 ? '?' : String.fromCharCode(code)
}

export function drawn(text: string): string {
  let result = ''
  for (let i = 0; i < text.length; i++) result += cell(text.charCodeAt(i), result.length)
  return result
}
