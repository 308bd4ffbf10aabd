/** The part of a terminal's screen that holds text: rows of cells, the cursor, margins, tab stops and what moves and edits within them. */
import { blankRow, type Cell, PLAIN, type Row, type Style } from './cells.ts'

/** The character that DECALN fills the screen with. */
const ALIGNMENT = 0x45

const SIZE_MAX = 500

export class Page {
  readonly columns: number
  readonly height: number

  protected grid: Row[]
  protected row = 0
  protected column = 0
  /** The last column was printed in: the next character wraps first. */
  protected wrapPending = false
  protected top = 0
  protected bottom: number
  protected style: Style = PLAIN
  protected tabs = new Set<number>()
  protected originMode = false

  constructor(columns: number, height: number) {
    this.columns = clamp(columns, 1, SIZE_MAX)
    this.height = clamp(height, 1, SIZE_MAX)
    this.grid = this.blankRows()
    this.bottom = this.height - 1
  }

  /** Every row from the top, without trailing blanks. */
  rows(): string[] {
    return this.grid.map((row) => row.text())
  }

  /** The row that the cursor is in, without trailing blanks. */
  line(): string {
    return this.grid[this.row]!.text()
  }

  /** As `rows`, but a line that wrapped over several rows is one again. */
  lines(): string[] {
    const lines: string[] = []
    for (let row = 0; row < this.height; row = this.#lineEnd(row)) lines.push(this.#joined(row))
    return lines
  }

  /** The whole line that the cursor is in, however many rows it takes. */
  wholeLine(): string {
    let row = this.row
    while (row > 0 && this.grid[row]!.continued) row--
    return this.#joined(row)
  }

  #lineEnd(row: number): number {
    let end = row + 1
    while (end < this.height && this.grid[end]!.continued) end++
    return end
  }

  #joined(row: number): string {
    const last = this.#lineEnd(row) - 1
    let text = ''
    for (let i = row; i < last; i++) text += this.grid[i]!.wholeText()
    return text + this.grid[last]!.text()
  }

  /** One character cell; undefined outside the screen. */
  cell(row: number, column: number): Cell | undefined {
    return this.grid[row]?.cell(column)
  }

  protected blankRows(): Row[] {
    return Array.from({ length: this.height }, () => blankRow(this.columns, PLAIN))
  }

  protected moveTo(row: number, column: number): void {
    this.row = clamp(row, 0, this.height - 1)
    this.column = clamp(column, 0, this.columns - 1)
    this.wrapPending = false
  }

  /** Rows count from the top margin while origin mode is on, and cannot leave the margins. */
  protected moveOrigin(row: number, column: number): void {
    if (this.originMode) this.moveTo(clamp(this.top + row, this.top, this.bottom), column)
    else this.moveTo(row, column)
  }

  /** Up and down stop at a margin when they start inside the margins. */
  protected vertical(count: number): void {
    const low = this.row >= this.top ? this.top : 0
    const high = this.row <= this.bottom ? this.bottom : this.height - 1
    this.moveTo(clamp(this.row + count, low, high), this.column)
  }

  protected tab(count: number): void {
    let column = this.column
    for (let i = 0; i < count && column < this.columns - 1; i++) {
      do column++
      while (column < this.columns - 1 && !this.tabs.has(column))
    }
    this.moveTo(this.row, column)
  }

  protected backTab(count: number): void {
    let column = this.column
    for (let i = 0; i < count && column > 0; i++) {
      do column--
      while (column > 0 && !this.tabs.has(column))
    }
    this.moveTo(this.row, column)
  }

  protected index(): void {
    if (this.row === this.bottom) this.scroll(this.top, this.bottom, 1)
    else if (this.row < this.height - 1) this.row++
  }

  protected reverseIndex(): void {
    this.wrapPending = false
    if (this.row === this.top) this.scroll(this.top, this.bottom, -1)
    else if (this.row > 0) this.row--
  }

  /** Rows `top`..`bottom` go up by `count` (down when negative); blank ones come in. */
  protected scroll(top: number, bottom: number, count: number): void {
    const height = bottom - top + 1
    const shift = clamp(count, -height, height)
    for (let i = 0; i < Math.abs(shift); i++) {
      const blank = blankRow(this.columns, this.style.erased())
      this.grid.splice(shift > 0 ? top : bottom, 1)
      this.grid.splice(shift > 0 ? bottom : top, 0, blank)
    }
  }

  protected insertLines(count: number): void {
    if (this.row < this.top || this.row > this.bottom) return
    this.scroll(this.row, this.bottom, -count)
    this.moveTo(this.row, 0)
  }

  protected deleteLines(count: number): void {
    if (this.row < this.top || this.row > this.bottom) return
    this.scroll(this.row, this.bottom, count)
    this.moveTo(this.row, 0)
  }

  protected edit(change: (row: Row) => void): void {
    this.wrapPending = false
    change(this.grid[this.row]!)
  }

  protected eraseLine(how: number): void {
    if (how > 2) return
    const from = how === 0 ? this.column : 0
    const to = how === 1 ? this.column + 1 : this.columns
    this.edit((row) => row.erase(from, to, this.style))
  }

  protected eraseDisplay(how: number): void {
    if (how > 2) return
    this.eraseLine(how)
    const from = how === 0 ? this.row + 1 : 0
    const to = how === 1 ? this.row : this.height
    for (let row = from; row < to; row++) this.grid[row]!.erase(0, this.columns, this.style)
  }

  /** DECSTBM; a region of fewer than two rows is ignored. */
  protected margins(top: number, bottom: number): void {
    const first = Math.max(1, top) - 1
    const last = Math.min(bottom === 0 ? this.height : bottom, this.height) - 1
    if (first >= last) return
    this.top = first
    this.bottom = last
    this.moveOrigin(0, 0)
  }

  protected align(): void {
    this.top = 0
    this.bottom = this.height - 1
    this.moveTo(0, 0)
    for (const row of this.grid) {
      for (let column = 0; column < this.columns; column++) row.set(column, ALIGNMENT, 1, PLAIN)
    }
  }
}

export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)
