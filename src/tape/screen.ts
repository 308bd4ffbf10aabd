/**
 * A terminal's screen, synchronous and deterministic: what a VT102 (with xterm's common additions: SGR colours, alternate screen, UTF-8) shows
 * after the bytes that it was fed. Sources: ECMA-48, the VT102 user guide, and xterm's ctlseqs for the additions.
 * What only changes the look (blinking, fonts, mouse reports, titles) is accepted and has no effect. There is no scroll-back.
 */
import { PLAIN, type Row, type Style } from './cells.ts'
import { columnsOf } from './columns.ts'
import { Page } from './page.ts'
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

/** DEC's special graphics (ESC ( 0), from 0x5f `_` to 0x7e `~`. */
const DEC_GRAPHICS = ' ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·'

export class Screen extends Page {
  /** How often BEL rang. */
  bells = 0
  /** DECCKM: cursor keys are to be sent as ESC O x. */
  applicationCursor = false
  /** Changes with every action that may have changed what is shown. */
  version = 0

  /** The main screen's rows while the alternate one shows. */
  #main: Row[] | undefined
  #saved: Saved | undefined
  #graphics: [boolean, boolean] = [false, false]
  #shifted = false
  #autowrap = true
  #insert = false
  #newLine = false
  #cursorVisible = true
  #lastPrinted = 0x20
  readonly #parser: VtParser
  readonly #answer: (bytes: readonly number[]) => void

  constructor(options: ScreenOptions = {}) {
    super(options.columns ?? 80, options.rows ?? 25)
    this.#answer = options.answer ?? (() => {})
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

  get cursor(): { readonly row: number; readonly column: number; readonly visible: boolean } {
    return { row: this.row, column: this.column, visible: this.#cursorVisible }
  }

  /** RIS: as after power-on. */
  reset(): void {
    this.#parser.reset()
    this.#main = undefined
    this.grid = this.blankRows()
    this.row = 0
    this.column = 0
    this.tabs = new Set()
    for (let column = 8; column < this.columns; column += 8) this.tabs.add(column)
    this.#softReset()
    this.#autowrap = true
    this.#newLine = false
  }

  /** DECSTR: modes and margins, not the text. */
  #softReset(): void {
    this.top = 0
    this.bottom = this.height - 1
    this.wrapPending = false
    this.style = PLAIN
    this.#saved = undefined
    this.#graphics = [false, false]
    this.#shifted = false
    this.#insert = false
    this.originMode = false
    this.#cursorVisible = true
    this.applicationCursor = false
  }

  #print(codePoint: number): void {
    const width = columnsOf(codePoint)
    if (width === 0) return
    const graphics = this.#graphics[this.#shifted ? 1 : 0]
    const glyph =
      graphics && codePoint >= 0x5f && codePoint <= 0x7e ? DEC_GRAPHICS.charCodeAt(codePoint - 0x5f) : codePoint
    if (this.wrapPending || (width === 2 && this.column === this.columns - 1 && this.#autowrap)) {
      this.column = 0
      this.index()
      this.grid[this.row]!.continued = true
    }
    this.wrapPending = false
    const at = Math.min(this.column, this.columns - width)
    if (at < 0) return
    const row = this.grid[this.row]!
    if (this.#insert) row.insert(at, width, this.style)
    row.set(at, glyph, width, this.style)
    this.#lastPrinted = codePoint
    const next = at + width
    if (next < this.columns) this.column = next
    else {
      this.column = this.columns - 1
      this.wrapPending = this.#autowrap
    }
  }

  #execute(control: number): void {
    if (control === 0x07) this.bells++
    else if (control === 0x08) this.moveTo(this.row, this.column - 1)
    else if (control === 0x09) this.tab(1)
    else if (control >= 0x0a && control <= 0x0c) {
      if (this.#newLine) this.column = 0
      this.wrapPending = false
      this.index()
    } else if (control === 0x0d) this.moveTo(this.row, 0)
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
        this.wrapPending = false
        this.index()
        break
      case 'E':
        this.moveTo(this.row, 0)
        this.index()
        break
      case 'H':
        this.tabs.add(this.column)
        break
      case 'M':
        this.reverseIndex()
        break
      case 'Z':
        this.#identify()
        break
      case 'c':
        this.reset()
        break
      case '#8':
        this.align()
        break
    }
  }

  #csi(intermediates: string, parameters: readonly number[], final: string): void {
    const first = parameters[0] ?? 0
    const count = Math.max(1, first)
    switch (intermediates + final) {
      case '@':
        this.edit((row) => row.insert(this.column, count, this.style))
        break
      case 'A':
        this.vertical(-count)
        break
      case 'B':
      case 'e':
        this.vertical(count)
        break
      case 'C':
      case 'a':
        this.moveTo(this.row, this.column + count)
        break
      case 'D':
        this.moveTo(this.row, this.column - count)
        break
      case 'E':
        this.vertical(count)
        this.column = 0
        break
      case 'F':
        this.vertical(-count)
        this.column = 0
        break
      case 'G':
      case '`':
        this.moveTo(this.row, count - 1)
        break
      case 'H':
      case 'f':
        this.moveOrigin(count - 1, Math.max(1, parameters[1] ?? 0) - 1)
        break
      case 'I':
        this.tab(count)
        break
      case 'J':
      case '?J':
        this.eraseDisplay(first)
        break
      case 'K':
      case '?K':
        this.eraseLine(first)
        break
      case 'L':
        this.insertLines(count)
        break
      case 'M':
        this.deleteLines(count)
        break
      case 'P':
        this.edit((row) => row.remove(this.column, count, this.style))
        break
      case 'S':
        this.scroll(this.top, this.bottom, count)
        break
      case 'T':
        if (parameters.length === 1) this.scroll(this.top, this.bottom, -count)
        break
      case 'X':
        this.edit((row) => row.erase(this.column, this.column + count, this.style))
        break
      case 'Z':
        this.backTab(count)
        break
      case 'b':
        for (let i = 0; i < Math.min(count, this.columns * this.height); i++) this.#print(this.#lastPrinted)
        break
      case 'c':
        if (first === 0) this.#identify()
        break
      case 'd':
        this.moveOrigin(count - 1, this.column)
        break
      case 'g':
        if (first === 0) this.tabs.delete(this.column)
        else if (first === 3) this.tabs.clear()
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
        this.style = this.style.select(parameters)
        break
      case 'n':
        this.#report(first)
        break
      case 'r':
        this.margins(first, parameters[1] ?? 0)
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
      this.originMode = on
      this.moveOrigin(0, 0)
    } else if (mode === 7) {
      this.#autowrap = on
      if (!on) this.wrapPending = false
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
      this.#main = this.grid
      this.grid = this.blankRows()
    } else if (!on && this.#main) {
      this.grid = this.#main
      this.#main = undefined
    }
  }

  #save(): void {
    this.#saved = {
      row: this.row,
      column: this.column,
      style: this.style,
      originMode: this.originMode,
      shifted: this.#shifted,
      graphics: [this.#graphics[0], this.#graphics[1]],
    }
  }

  #restore(): void {
    const saved = this.#saved
    this.originMode = saved?.originMode ?? false
    this.style = saved?.style ?? PLAIN
    this.#shifted = saved?.shifted ?? false
    this.#graphics = [saved?.graphics[0] ?? false, saved?.graphics[1] ?? false]
    this.moveTo(saved?.row ?? 0, saved?.column ?? 0)
  }

  /** DSR: 5 asks whether all is well, 6 where the cursor is. */
  #report(what: number): void {
    if (what === 5) this.#say('\x1b[0n')
    else if (what === 6) {
      const row = this.row - (this.originMode ? this.top : 0) + 1
      this.#say(`\x1b[${row};${this.column + 1}R`)
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
