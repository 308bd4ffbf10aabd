/** What of the text is on the screen, and how it looks there. */
import { BOLD, type Display, NORMAL, REVERSE } from '../../terminal/display.ts'
import type { Pos } from './buffer.ts'

export interface ViewOptions {
  number: boolean
  list: boolean
  tabstop: number
}

/** A byte as vim's transchar shows it. */
function visible(code: number): string {
  if (code >= 0x20 && code < 0x7f) return String.fromCharCode(code)
  if (code < 0x80) return `^${String.fromCharCode(code ^ 0x40)}`
  const low = code - 0x80
  return low >= 0x20 && low < 0x7f ? `|${String.fromCharCode(low)}` : `~${String.fromCharCode(low ^ 0x40)}`
}

/** The line as it is drawn, and the column of each character; one more for its end. */
function drawLine(text: string, { list, tabstop }: ViewOptions): { text: string; columns: number[] } {
  let drawn = ''
  const columns: number[] = []
  for (let i = 0; i < text.length; i++) {
    columns.push(drawn.length)
    const code = text.charCodeAt(i)
    if (code === 9 && !list) drawn += ' '.repeat(tabstop - (drawn.length % tabstop))
    else drawn += visible(code)
  }
  columns.push(drawn.length)
  return { text: list ? `${drawn}$` : drawn, columns }
}

export interface Drawn {
  readonly lines: readonly string[]
  readonly cursor: Pos
  /** Inserting: the cursor may be behind the end, and on a tab it is at its start. */
  readonly inserting: boolean
  readonly selection: readonly [Pos, Pos, linewise: boolean] | undefined
  readonly bottom: string
  readonly bottomLook: string
  /** On the command line, the cursor is there. */
  readonly commandColumn: number | undefined
  readonly ruler: boolean
}

/** Columns before the ruler. */
const RULER_WIDTH = 18

export class View {
  top = 0
  readonly options: ViewOptions = { number: false, list: false, tabstop: 8 }
  readonly #display: Display

  constructor(display: Display) {
    this.#display = display
  }

  /** Rows of text. */
  get height(): number {
    return Math.max(1, this.#display.rows - 1)
  }

  #gutter(lines: readonly string[]): number {
    return this.options.number ? Math.max(4, String(lines.length).length + 1) : 0
  }

  #width(lines: readonly string[]): number {
    return Math.max(1, this.#display.columns - this.#gutter(lines))
  }

  rowsOf(lines: readonly string[], line: number): number {
    // Most lines are short: their length is known without drawing.
    const text = lines[line]!
    const width = this.#width(lines)
    if (text.length * 8 < width) return 1
    const drawn = drawLine(text, this.options).text.length
    return Math.max(1, Math.ceil(drawn / width))
  }

  /** The last line that is on the screen as a whole. */
  bottomLine(lines: readonly string[]): number {
    let row = 0
    let line = this.top
    while (line < lines.length && row + this.rowsOf(lines, line) <= this.height) row += this.rowsOf(lines, line++)
    return Math.max(this.top, line - 1)
  }

  /** Bring `line` onto the screen: near ones by scrolling, far ones to the middle. */
  follow(lines: readonly string[], line: number): void {
    if (this.top > line) {
      this.top = this.top - line < this.height / 2 ? line : this.#topFor(lines, line, Math.floor(this.height / 2))
      return
    }
    if (line <= this.bottomLine(lines)) return
    const exact = this.#topFor(lines, line, this.height - this.rowsOf(lines, line))
    this.top = exact - this.top < this.height / 2 ? exact : this.#topFor(lines, line, Math.floor(this.height / 2))
    if (line > this.bottomLine(lines)) this.top = exact
  }

  /** The top line that leaves `rows` rows above `line`. */
  #topFor(lines: readonly string[], line: number, rows: number): number {
    let top = line
    let above = 0
    while (top > 0 && above + this.rowsOf(lines, top - 1) <= rows) above += this.rowsOf(lines, --top)
    return top
  }

  /** zt, zz, zb */
  place(lines: readonly string[], line: number, where: 'top' | 'middle' | 'bottom'): void {
    const rows = where === 'top' ? 0 : where === 'middle' ? Math.floor((this.height - 1) / 2) : this.height - 1
    this.top = this.#topFor(lines, line, rows)
  }

  draw(drawn: Drawn): void {
    const { lines, cursor, selection } = drawn
    const display = this.#display
    const gutter = this.#gutter(lines)
    const width = this.#width(lines)
    let row = 0
    let cursorRow = 0
    let cursorColumn = 0
    let line = this.top
    for (; line < lines.length && row < this.height; line++) {
      const { text, columns } = drawLine(lines[line]!, this.options)
      const rows = Math.max(1, Math.ceil(text.length / width))
      if (row + rows > this.height && row > 0) break
      if (line === cursor.line) {
        const tab = lines[line]![cursor.col] === '\t' && !drawn.inserting && !this.options.list
        const column = tab ? columns[cursor.col + 1]! - 1 : (columns[cursor.col] ?? columns.at(-1)!)
        cursorRow = row + Math.min(Math.floor(column / width), this.height - row - 1)
        cursorColumn = gutter + (column % width)
      }
      const looks = selection ? selectionLooks(line, columns, text.length, selection) : ''
      for (let i = 0; i < rows && row < this.height; i++) {
        const label = gutter === 0 ? '' : i === 0 ? `${String(line + 1).padStart(gutter - 1)} ` : ' '.repeat(gutter)
        const part = text.slice(i * width, (i + 1) * width)
        const look = looks === '' ? '' : NORMAL.repeat(gutter) + looks.slice(i * width, (i + 1) * width)
        display.row(row++, label + part, look)
      }
    }
    // A line that does not fit is not shown in part.
    while (row < this.height) display.row(row++, line < lines.length ? '@' : '~', BOLD)
    this.#bottom(drawn, line)
    if (drawn.commandColumn === undefined) display.cursor(cursorRow, cursorColumn)
    else display.cursor(display.rows - 1, drawn.commandColumn)
  }

  #bottom({ lines, cursor, bottom, bottomLook, ruler }: Drawn, after: number): void {
    const display = this.#display
    const at = display.columns - RULER_WIDTH
    if (!ruler || at < 1) {
      display.row(display.rows - 1, bottom, bottomLook.repeat(bottom.length))
      return
    }
    const text = lines[cursor.line]!
    const { columns } = drawLine(text, this.options)
    const tab = text[cursor.col] === '\t'
    const column = tab ? columns[cursor.col + 1]! : (columns[cursor.col] ?? 0) + 1
    const bytes = text === '' ? 0 : cursor.col + 1
    const shown = text === '' ? '0-1' : bytes === column ? `${bytes}` : `${bytes}-${column}`
    const emptyBuffer = lines.length === 1 && text === ''
    const position = `${emptyBuffer ? 0 : cursor.line + 1},${shown}`
    const above = this.top
    const below = lines.length - after
    const relative =
      above === 0
        ? below <= 0
          ? 'All'
          : 'Top'
        : below <= 0
          ? 'Bot'
          : `${String(Math.floor((above * 100) / (above + below))).padStart(2)}%`
    const left = bottom.slice(0, at).padEnd(at)
    display.row(
      display.rows - 1,
      left + position.padEnd(RULER_WIDTH - 1 - relative.length) + relative,
      bottomLook.repeat(Math.min(at, bottom.length)),
    )
  }
}

function selectionLooks(
  line: number,
  columns: readonly number[],
  length: number,
  [start, end, linewise]: readonly [Pos, Pos, boolean],
): string {
  if (line < start.line || line > end.line) return ''
  const from = linewise || line > start.line ? 0 : (columns[start.col] ?? 0)
  const to = linewise || line < end.line ? length : (columns[Math.min(end.col + 1, columns.length - 1)] ?? length)
  return NORMAL.repeat(from) + REVERSE.repeat(Math.max(0, to - from))
}
