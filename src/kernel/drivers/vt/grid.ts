/** The cells of a text screen, and which rows of them have changed since they were last shown. */
export class Grid {
  readonly columns: number
  readonly rows: number
  /** Attribute in the high byte, glyph in the low one, row by row. */
  readonly cells: Uint16Array
  /** Rows that differ from what was last shown. */
  readonly dirty: Uint8Array
  /** Full-screen scrolling since it was last shown, in rows upwards: the display may move along. */
  scrolled = 0

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
    this.cells = new Uint16Array(columns * rows)
    this.dirty = new Uint8Array(rows)
  }

  set(x: number, y: number, cell: number): void {
    this.cells[y * this.columns + x] = cell
    this.dirty[y] = 1
  }

  erase(from: number, count: number, blank: number): void {
    if (count <= 0) return
    this.cells.fill(blank, from, from + count)
    const last = Math.floor((from + count - 1) / this.columns)
    for (let row = Math.floor(from / this.columns); row <= last; row++) this.dirty[row] = 1
  }

  insert(x: number, y: number, wanted: number, blank: number): void {
    const count = Math.min(wanted, this.columns - x)
    const at = y * this.columns + x
    this.cells.copyWithin(at + count, at, (y + 1) * this.columns - count)
    this.erase(at, count, blank)
  }

  delete(x: number, y: number, wanted: number, blank: number): void {
    const count = Math.min(wanted, this.columns - x)
    const at = y * this.columns + x
    const end = (y + 1) * this.columns
    this.cells.copyWithin(at, at + count, end)
    this.erase(end - count, count, blank)
  }

  scrollUp(top: number, bottom: number, wanted: number, blank: number): void {
    const lines = Math.min(wanted, bottom - top)
    if (lines <= 0) return
    const { columns } = this
    this.cells.copyWithin(top * columns, (top + lines) * columns, bottom * columns)
    if (top === 0 && bottom === this.rows) {
      this.scrolled += lines
      this.dirty.copyWithin(0, lines)
      this.dirty.fill(1, this.rows - lines)
    } else this.dirty.fill(1, top, bottom)
    this.erase((bottom - lines) * columns, lines * columns, blank)
  }

  scrollDown(top: number, bottom: number, wanted: number, blank: number): void {
    const lines = Math.min(wanted, bottom - top)
    if (lines <= 0) return
    const { columns } = this
    this.cells.copyWithin((top + lines) * columns, top * columns, (bottom - lines) * columns)
    this.dirty.fill(1, top, bottom)
    this.erase(top * columns, lines * columns, blank)
  }

  /** Foreground and background of all cells change places. */
  invert(): void {
    const { cells } = this
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!
      cells[i] = (cell & 0x88ff) | ((cell & 0x7000) >> 4) | ((cell & 0x0700) << 4)
    }
    this.dirty.fill(1)
  }

  fill(cell: number): void {
    this.cells.fill(cell)
    this.dirty.fill(1)
  }
}
