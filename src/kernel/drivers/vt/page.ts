/** A screen with a cursor on it (Linux 2.6.18: vt.c, gotoxy to csi_M): margins, wrapping, tab stops, erasing. */
import { Grid } from './grid.ts'
import { Rendition } from './rendition.ts'

export class Page extends Grid {
  x = 0
  y = 0
  readonly rendition = new Rendition()
  /** The last column was written in: the next character wraps first. */
  needWrap = false
  /** DECOM: rows count from the region's top. */
  originMode = false
  /** First row of the scrolling region, and the one behind its last. */
  #top = 0
  #bottom: number
  readonly #tabs: Uint8Array

  constructor(columns: number, rows: number) {
    super(columns, rows)
    this.#bottom = rows
    this.#tabs = new Uint8Array(columns)
  }

  get #blank(): number {
    return this.rendition.blank
  }

  get #at(): number {
    return this.y * this.columns + this.x
  }

  // --- The cursor ---

  moveTo(x: number, y: number): void {
    const from = this.originMode ? this.#top : 0
    const to = this.originMode ? this.#bottom : this.rows
    this.x = Math.min(Math.max(x, 0), this.columns - 1)
    this.y = Math.min(Math.max(y, from), to - 1)
    this.needWrap = false
  }

  moveToAbsolute(x: number, y: number): void {
    this.moveTo(x, this.originMode ? this.#top + y : y)
  }

  /** The row that a cursor report tells. */
  get reportedRow(): number {
    return this.y + 1 + (this.originMode ? this.#top : 0)
  }

  /** Where another had left it: for taking the screen over. */
  place(x: number, y: number): void {
    this.moveTo(x, y)
    this.eraseDisplay(0)
  }

  setRegion(top: number, bottom: number): void {
    if (top >= bottom || bottom > this.rows) return
    this.#top = top - 1
    this.#bottom = bottom
    this.moveToAbsolute(0, 0)
  }

  backspace(): void {
    if (this.x === 0) return
    this.x--
    this.needWrap = false
  }

  carriageReturn(): void {
    this.x = 0
    this.needWrap = false
  }

  lineFeed(): void {
    if (this.y + 1 === this.#bottom) this.scrollUp(this.#top, this.#bottom, 1, this.#blank)
    else if (this.y < this.rows - 1) this.y++
    this.needWrap = false
  }

  reverseIndex(): void {
    if (this.y === this.#top) this.scrollDown(this.#top, this.#bottom, 1, this.#blank)
    else if (this.y > 0) this.y--
    this.needWrap = false
  }

  tab(): void {
    while (this.x < this.columns - 1) if (this.#tabs[++this.x]) break
  }

  setTab(): void {
    this.#tabs[this.x] = 1
  }

  clearTabs(what: number): void {
    if (what === 0) this.#tabs[this.x] = 0
    else if (what === 3) this.#tabs.fill(0)
  }

  // --- Cells ---

  eraseDisplay(what: number): void {
    if (what === 0) this.erase(this.#at, this.cells.length - this.#at, this.#blank)
    else if (what === 1) this.erase(0, this.#at + 1, this.#blank)
    else if (what === 2) this.erase(0, this.cells.length, this.#blank)
    else return
    this.needWrap = false
  }

  eraseLine(what: number): void {
    const line = this.y * this.columns
    if (what === 0) this.erase(this.#at, this.columns - this.x, this.#blank)
    else if (what === 1) this.erase(line, this.x + 1, this.#blank)
    else if (what === 2) this.erase(line, this.columns, this.#blank)
    else return
    this.needWrap = false
  }

  eraseChars(count: number): void {
    this.erase(this.#at, Math.min(count, this.columns - this.x), this.#blank)
    this.needWrap = false
  }

  insertChars(count: number): void {
    this.insert(this.x, this.y, count, this.#blank)
    this.needWrap = false
  }

  deleteChars(count: number): void {
    this.delete(this.x, this.y, count, this.#blank)
    this.needWrap = false
  }

  insertLines(count: number): void {
    this.scrollDown(this.y, this.#bottom, count, this.#blank)
    this.needWrap = false
  }

  deleteLines(count: number): void {
    this.scrollUp(this.y, this.#bottom, count, this.#blank)
    this.needWrap = false
  }

  /** DECALN. */
  alignmentTest(): void {
    this.fill((this.#blank & 0xff00) | 0x45)
    this.needWrap = false
  }

  /** Of reset_terminal, what concerns the page. */
  resetPage(): void {
    this.#top = 0
    this.#bottom = this.rows
    this.originMode = false
    this.rendition.reverseScreen(false)
    this.rendition.defaults()
    for (let i = 0; i < this.#tabs.length; i++) this.#tabs[i] = i > 0 && i % 8 === 0 ? 1 : 0
    this.moveTo(0, 0)
  }
}
