/**
 * A terminal's screen, synchronous and deterministic: what a VT102 (with xterm's common additions: SGR colours, alternate screen, UTF-8) shows
 * after the bytes that it was fed. Sources: ECMA-48, the VT102 user guide, and xterm's ctlseqs for the additions.
 * What only changes the look (blinking, fonts, mouse reports, titles) is accepted and has no effect. There is no scroll-back.
 */
import { blankRow, type Cell, PLAIN, type Row, type Style } from './cells.ts'
import { columnsOf } from './columns.ts'
import { type VtActions, VtParser } from './vt-parser.ts'

export interface ScreenOptions {
  readonly columns?: number
  readonly rows?: number
  /** Receives what the terminal answers to a query (cursor position, device attributes). */
  readonly answer?: (bytes: readonly number[]) => void
}

/** What DECSC keeps. */
interface Saved {
  readonly row: number
  readonly column: number
  readonly style: Style
  readonly originMode: boolean
  readonly shifted: boolean
  readonly graphics: readonly [boolean, boolean]
}

/** The character that DECALN fills the screen with. */
const ALIGNMENT = 0x45

/** DEC's special graphics (ESC ( 0), from 0x5f `_` to 0x7e `~`. */
const DEC_GRAPHICS = ' ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·'

const SIZE_MAX = 500

export class Screen {
  readonly columns: number
  readonly height: number
  /** How often BEL rang. */
  bells = 0
  /** DECCKM: cursor keys are to be sent as ESC O x. */
  applicationCursor = false
  /** Changes with every action that may have changed what is shown. */
  version = 0

  #rows: Row[]
  /** The main screen's rows while the alternate one shows. */
  #main: Row[] | undefined
  #row = 0
  #column = 0
  /** The last column was printed in: the next character wraps first. */
  #wrapPending = false
  #top = 0
  #bottom: number
  #style: Style = PLAIN
  #tabs = new Set<number>()
  #saved: Saved | undefined
  #graphics: [boolean, boolean] = [false, false]
  #shifted = false
  #autowrap = true
  #insert = false
  #newLine = false
  #originMode = false
  #cursorVisible = true
  #lastPrinted = 0x20
  readonly #parser: VtParser
  readonly #answer: (bytes: readonly number[]) => void

  constructor(options: ScreenOptions = {}) {
    this.columns = clamp(options.columns ?? 80, 1, SIZE_MAX)
    this.height = clamp(options.rows ?? 25, 1, SIZE_MAX)
    this.#answer = options.answer ?? (() => {})
    this.#rows = this.#blankRows()
    this.#bottom = this.height - 1
    const actions: VtActions = {
      print: (codePoint) => this.#print(codePoint),
      execute: (control) => this.#execute(control),
      escape: (intermediates, final) => this.#escape(intermediates, final),
      csi: (intermediates, parameters, final) => this.#csi(intermediates, parameters, final),
    }
    this.#parser = new VtParser(actions)
    this.reset()
  }

  write(bytes: Iterable<number>): void {
    for (const byte of bytes) this.byte(byte)
  }

  byte(byte: number): void {
    this.version++
    this.#parser.byte(byte)
  }

  /** Every row from the top, without trailing blanks. */
  rows(): string[] {
    return this.#rows.map((row) => row.text())
  }

  /** The row that the cursor is in, without trailing blanks. */
  line(): string {
    return this.#rows[this.#row]!.text()
  }

  /** As `rows`, but a line that wrapped over several rows is one again. */
  lines(): string[] {
    const lines: string[] = []
    for (let row = 0; row < this.height; row = this.#lineEnd(row)) lines.push(this.#joined(row))
    return lines
  }

  /** The whole line that the cursor is in, however many rows it takes. */
  wholeLine(): string {
    let row = this.#row
    while (row > 0 && this.#rows[row]!.continued) row--
    return this.#joined(row)
  }

  #lineEnd(row: number): number {
    let end = row + 1
    while (end < this.height && this.#rows[end]!.continued) end++
    return end
  }

  #joined(row: number): string {
    const last = this.#lineEnd(row) - 1
    let text = ''
    for (let i = row; i < last; i++) text += this.#rows[i]!.wholeText()
    return text + this.#rows[last]!.text()
  }

  get cursor(): { readonly row: number; readonly column: number; readonly visible: boolean } {
    return { row: this.#row, column: this.#column, visible: this.#cursorVisible }
  }

  /** One character cell; undefined outside the screen. */
  cell(row: number, column: number): Cell | undefined {
    return this.#rows[row]?.cell(column)
  }

  /** RIS: as after power-on. */
  reset(): void {
    this.#parser.reset()
    this.#main = undefined
    this.#rows = this.#blankRows()
    this.#row = 0
    this.#column = 0
    this.#tabs = new Set()
    for (let column = 8; column < this.columns; column += 8) this.#tabs.add(column)
    this.#softReset()
    this.#autowrap = true
    this.#newLine = false
  }

  /** DECSTR: modes and margins, not the text. */
  #softReset(): void {
    this.#top = 0
    this.#bottom = this.height - 1
    this.#wrapPending = false
    this.#style = PLAIN
    this.#saved = undefined
    this.#graphics = [false, false]
    this.#shifted = false
    this.#insert = false
    this.#originMode = false
    this.#cursorVisible = true
    this.applicationCursor = false
  }

  #blankRows(): Row[] {
    return Array.from({ length: this.height }, () => blankRow(this.columns, PLAIN))
  }

  #print(codePoint: number): void {
    const width = columnsOf(codePoint)
    if (width === 0) return
    const graphics = this.#graphics[this.#shifted ? 1 : 0]
    const glyph =
      graphics && codePoint >= 0x5f && codePoint <= 0x7e ? DEC_GRAPHICS.charCodeAt(codePoint - 0x5f) : codePoint
    if (this.#wrapPending || (width === 2 && this.#column === this.columns - 1 && this.#autowrap)) {
      this.#column = 0
      this.#index()
      this.#rows[this.#row]!.continued = true
    }
    this.#wrapPending = false
    const at = Math.min(this.#column, this.columns - width)
    if (at < 0) return
    const row = this.#rows[this.#row]!
    if (this.#insert) row.insert(at, width, this.#style)
    row.set(at, glyph, width, this.#style)
    this.#lastPrinted = codePoint
    const next = at + width
    if (next < this.columns) this.#column = next
    else {
      this.#column = this.columns - 1
      this.#wrapPending = this.#autowrap
    }
  }

  #execute(control: number): void {
    if (control === 0x07) this.bells++
    else if (control === 0x08) this.#moveTo(this.#row, this.#column - 1)
    else if (control === 0x09) this.#tab(1)
    else if (control >= 0x0a && control <= 0x0c) {
      if (this.#newLine) this.#column = 0
      this.#wrapPending = false
      this.#index()
    } else if (control === 0x0d) this.#moveTo(this.#row, 0)
    else if (control === 0x0e || control === 0x0f) this.#shifted = control === 0x0e
  }

  #escape(intermediates: string, final: string): void {
    if (intermediates === '(' || intermediates === ')') {
      this.#graphics[intermediates === '(' ? 0 : 1] = final === '0'
      return
    }
    switch (intermediates + final) {
      case '7':
        this.#save()
        break
      case '8':
        this.#restore()
        break
      case 'D':
        this.#wrapPending = false
        this.#index()
        break
      case 'E':
        this.#moveTo(this.#row, 0)
        this.#index()
        break
      case 'H':
        this.#tabs.add(this.#column)
        break
      case 'M':
        this.#reverseIndex()
        break
      case 'Z':
        this.#identify()
        break
      case 'c':
        this.reset()
        break
      case '#8':
        this.#align()
        break
    }
  }

  #csi(intermediates: string, parameters: readonly number[], final: string): void {
    const first = parameters[0] ?? 0
    const count = Math.max(1, first)
    switch (intermediates + final) {
      case '@':
        this.#edit((row) => row.insert(this.#column, count, this.#style))
        break
      case 'A':
        this.#vertical(-count)
        break
      case 'B':
      case 'e':
        this.#vertical(count)
        break
      case 'C':
      case 'a':
        this.#moveTo(this.#row, this.#column + count)
        break
      case 'D':
        this.#moveTo(this.#row, this.#column - count)
        break
      case 'E':
        this.#vertical(count)
        this.#column = 0
        break
      case 'F':
        this.#vertical(-count)
        this.#column = 0
        break
      case 'G':
      case '`':
        this.#moveTo(this.#row, count - 1)
        break
      case 'H':
      case 'f':
        this.#moveOrigin(count - 1, Math.max(1, parameters[1] ?? 0) - 1)
        break
      case 'I':
        this.#tab(count)
        break
      case 'J':
      case '?J':
        this.#eraseDisplay(first)
        break
      case 'K':
      case '?K':
        this.#eraseLine(first)
        break
      case 'L':
        this.#insertLines(count)
        break
      case 'M':
        this.#deleteLines(count)
        break
      case 'P':
        this.#edit((row) => row.remove(this.#column, count, this.#style))
        break
      case 'S':
        this.#scroll(this.#top, this.#bottom, count)
        break
      case 'T':
        if (parameters.length === 1) this.#scroll(this.#top, this.#bottom, -count)
        break
      case 'X':
        this.#edit((row) => row.erase(this.#column, this.#column + count, this.#style))
        break
      case 'Z':
        this.#backTab(count)
        break
      case 'b':
        for (let i = 0; i < Math.min(count, this.columns * this.height); i++) this.#print(this.#lastPrinted)
        break
      case 'c':
        if (first === 0) this.#identify()
        break
      case 'd':
        this.#moveOrigin(count - 1, this.#column)
        break
      case 'g':
        if (first === 0) this.#tabs.delete(this.#column)
        else if (first === 3) this.#tabs.clear()
        break
      case 'h':
      case 'l':
        for (const mode of parameters) this.#ansiMode(mode, final === 'h')
        break
      case '?h':
      case '?l':
        for (const mode of parameters) this.#privateMode(mode, final === 'h')
        break
      case 'm':
        this.#style = this.#style.select(parameters)
        break
      case 'n':
        this.#report(first)
        break
      case 'r':
        this.#margins(first, parameters[1] ?? 0)
        break
      case 's':
        this.#save()
        break
      case 'u':
        this.#restore()
        break
      case '!p':
        this.#softReset()
        break
    }
  }

  #ansiMode(mode: number, on: boolean): void {
    if (mode === 4) this.#insert = on
    else if (mode === 20) this.#newLine = on
  }

  #privateMode(mode: number, on: boolean): void {
    if (mode === 1) this.applicationCursor = on
    else if (mode === 6) {
      this.#originMode = on
      this.#moveOrigin(0, 0)
    } else if (mode === 7) {
      this.#autowrap = on
      if (!on) this.#wrapPending = false
    } else if (mode === 25) this.#cursorVisible = on
    else if (mode === 47 || mode === 1047) this.#alternate(on)
    else if (mode === 1048) on ? this.#save() : this.#restore()
    else if (mode === 1049) {
      if (on) this.#save()
      this.#alternate(on)
      if (!on) this.#restore()
    }
  }

  #alternate(on: boolean): void {
    if (on && !this.#main) {
      this.#main = this.#rows
      this.#rows = this.#blankRows()
    } else if (!on && this.#main) {
      this.#rows = this.#main
      this.#main = undefined
    }
  }

  #save(): void {
    this.#saved = {
      row: this.#row,
      column: this.#column,
      style: this.#style,
      originMode: this.#originMode,
      shifted: this.#shifted,
      graphics: [this.#graphics[0], this.#graphics[1]],
    }
  }

  #restore(): void {
    const saved = this.#saved
    this.#originMode = saved?.originMode ?? false
    this.#style = saved?.style ?? PLAIN
    this.#shifted = saved?.shifted ?? false
    this.#graphics = [saved?.graphics[0] ?? false, saved?.graphics[1] ?? false]
    this.#moveTo(saved?.row ?? 0, saved?.column ?? 0)
  }

  #moveTo(row: number, column: number): void {
    this.#row = clamp(row, 0, this.height - 1)
    this.#column = clamp(column, 0, this.columns - 1)
    this.#wrapPending = false
  }

  /** Rows count from the top margin while origin mode is on, and cannot leave the margins. */
  #moveOrigin(row: number, column: number): void {
    if (this.#originMode) this.#moveTo(clamp(this.#top + row, this.#top, this.#bottom), column)
    else this.#moveTo(row, column)
  }

  /** Up and down stop at a margin when they start inside the margins. */
  #vertical(count: number): void {
    const low = this.#row >= this.#top ? this.#top : 0
    const high = this.#row <= this.#bottom ? this.#bottom : this.height - 1
    this.#moveTo(clamp(this.#row + count, low, high), this.#column)
  }

  #tab(count: number): void {
    let column = this.#column
    for (let i = 0; i < count && column < this.columns - 1; i++) {
      do column++
      while (column < this.columns - 1 && !this.#tabs.has(column))
    }
    this.#moveTo(this.#row, column)
  }

  #backTab(count: number): void {
    let column = this.#column
    for (let i = 0; i < count && column > 0; i++) {
      do column--
      while (column > 0 && !this.#tabs.has(column))
    }
    this.#moveTo(this.#row, column)
  }

  #index(): void {
    if (this.#row === this.#bottom) this.#scroll(this.#top, this.#bottom, 1)
    else if (this.#row < this.height - 1) this.#row++
  }

  #reverseIndex(): void {
    this.#wrapPending = false
    if (this.#row === this.#top) this.#scroll(this.#top, this.#bottom, -1)
    else if (this.#row > 0) this.#row--
  }

  /** Rows `top`..`bottom` go up by `count` (down when negative); blank ones come in. */
  #scroll(top: number, bottom: number, count: number): void {
    const height = bottom - top + 1
    const shift = clamp(count, -height, height)
    for (let i = 0; i < Math.abs(shift); i++) {
      const blank = blankRow(this.columns, this.#style.erased())
      this.#rows.splice(shift > 0 ? top : bottom, 1)
      this.#rows.splice(shift > 0 ? bottom : top, 0, blank)
    }
  }

  #insertLines(count: number): void {
    if (this.#row < this.#top || this.#row > this.#bottom) return
    this.#scroll(this.#row, this.#bottom, -count)
    this.#moveTo(this.#row, 0)
  }

  #deleteLines(count: number): void {
    if (this.#row < this.#top || this.#row > this.#bottom) return
    this.#scroll(this.#row, this.#bottom, count)
    this.#moveTo(this.#row, 0)
  }

  #edit(change: (row: Row) => void): void {
    this.#wrapPending = false
    change(this.#rows[this.#row]!)
  }

  #eraseLine(how: number): void {
    if (how > 2) return
    const from = how === 0 ? this.#column : 0
    const to = how === 1 ? this.#column + 1 : this.columns
    this.#edit((row) => row.erase(from, to, this.#style))
  }

  #eraseDisplay(how: number): void {
    if (how > 2) return
    this.#eraseLine(how)
    const from = how === 0 ? this.#row + 1 : 0
    const to = how === 1 ? this.#row : this.height
    for (let row = from; row < to; row++) this.#rows[row]!.erase(0, this.columns, this.#style)
  }

  /** DECSTBM; a region of fewer than two rows is ignored. */
  #margins(top: number, bottom: number): void {
    const first = Math.max(1, top) - 1
    const last = Math.min(bottom === 0 ? this.height : bottom, this.height) - 1
    if (first >= last) return
    this.#top = first
    this.#bottom = last
    this.#moveOrigin(0, 0)
  }

  #align(): void {
    this.#top = 0
    this.#bottom = this.height - 1
    this.#moveTo(0, 0)
    for (const row of this.#rows) {
      for (let column = 0; column < this.columns; column++) row.set(column, ALIGNMENT, 1, PLAIN)
    }
  }

  /** DSR: 5 asks whether all is well, 6 where the cursor is. */
  #report(what: number): void {
    if (what === 5) this.#say('\x1b[0n')
    else if (what === 6) {
      const row = this.#row - (this.#originMode ? this.#top : 0) + 1
      this.#say(`\x1b[${row};${this.#column + 1}R`)
    }
  }

  /** A VT100 with the advanced video option. */
  #identify(): void {
    this.#say('\x1b[?1;2c')
  }

  #say(text: string): void {
    this.#answer(Array.from(text, (char) => char.charCodeAt(0)))
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)
