/**
 * One virtual console's terminal (Linux 2.6.18: drivers/char/vt.c; console_codes(4)): its cells, its cursor, and what control characters and
 * escape sequences do to them. It knows no hardware: who shows it looks at `cells`, `dirty` and `scrolled`.
 */
import type { Charset, Font } from './charset.ts'
import { Page } from './page.ts'
import type { SavedRendition } from './rendition.ts'

const NPAR_MAX = 16
/** Control characters that act, and those that do so even with "display controls". */
const CTRL_ACTION = 0x0d00ff81
const CTRL_ALWAYS = 0x0800f501
type State =
  | 'normal'
  | 'esc'
  | 'square'
  | 'getpars'
  | 'funckey'
  | 'hash'
  | 'g0'
  | 'g1'
  | 'percent'
  | 'nonstd'
  | 'palette'

interface Saved {
  readonly x: number
  readonly y: number
  readonly rendition: SavedRendition
  readonly shifted: boolean
  readonly g0: Charset
  readonly g1: Charset
}

export class Terminal extends Page {
  cursorVisible = true
  /** CSI ? n c. 0: the usual underline. */
  cursorType = 0
  /** Modes that the keyboard asks about: DECCKM, DECKPAM, LNM. */
  cursorKeysApplication = false
  keypadApplication = false
  newLineMode = false
  autoRepeat = true
  /** A CSI n q has set the LEDs. */
  leds = 0

  readonly #font: Font
  /** Answers to queries come in as if typed. */
  readonly #answer: (text: string) => void
  /** CSI 12 ; n ] */
  readonly #toFront: (console: number) => void
  #state: State = 'normal'
  readonly #pars = new Uint32Array(NPAR_MAX)
  #npar = 0
  #question = false
  #saved: Saved | undefined
  #autowrap = true
  #insertMode = false
  #displayControls = false
  #toggleMeta = false
  #utf8 = false
  #utfCode = 0
  #utfMore = 0
  #charset: Charset = 'latin1'
  #g0: Charset = 'latin1'
  #g1: Charset = 'graphics'
  #shifted = false

  constructor(
    columns: number,
    rows: number,
    font: Font,
    hooks: { readonly answer?: (text: string) => void; readonly toFront?: (console: number) => void } = {},
  ) {
    super(columns, rows)
    this.#font = font
    this.#answer = hooks.answer ?? (() => {})
    this.#toFront = hooks.toFront ?? (() => {})
    this.reset(true)
  }

  // --- Output ---

  write(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#byte(bytes[i]!)
  }

  /** vt_console_print: the kernel's own text, without escape sequences. */
  print(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i) & 0xff
      if (c === 10 || c === 13 || c === 8 || this.needWrap) {
        if (c === 8) {
          this.backspace()
          continue
        }
        if (c !== 13) this.lineFeed()
        this.carriageReturn()
        if (c === 10 || c === 13) continue
      }
      this.#put((this.rendition.attr << 8) | this.#font.glyph(c))
    }
  }

  #byte(c: number): void {
    let codePoint: number
    if (this.#state === 'normal' && this.#utf8 && !this.#displayControls) {
      const decoded = this.#decode(c)
      if (decoded < 0) return
      codePoint = decoded
    } else codePoint = this.#font.translate(this.#charset, this.#toggleMeta ? c | 0x80 : c)
    const shown =
      codePoint !== 0 &&
      (c >= 32 || (!this.#utf8 && (((this.#displayControls ? CTRL_ALWAYS : CTRL_ACTION) >>> c) & 1) === 0)) &&
      (c !== 127 || this.#displayControls) &&
      c !== 128 + 27
    if (this.#state !== 'normal' || !shown) {
      this.#control(c)
      return
    }
    if (this.needWrap) {
      this.carriageReturn()
      this.lineFeed()
    }
    if (this.#insertMode) this.insertChars(1)
    this.#put((this.rendition.attr << 8) | this.#font.glyph(codePoint))
  }

  /** Code points of UTF-8; -1: not complete, or a byte that belongs to none. */
  #decode(c: number): number {
    if (c < 0x80) {
      this.#utfMore = 0
      return c
    }
    if (this.#utfMore > 0 && (c & 0xc0) === 0x80) {
      this.#utfCode = (this.#utfCode << 6) | (c & 0x3f)
      return --this.#utfMore === 0 ? this.#utfCode : -1
    }
    if ((c & 0xe0) === 0xc0) {
      this.#utfMore = 1
      this.#utfCode = c & 0x1f
    } else if ((c & 0xf0) === 0xe0) {
      this.#utfMore = 2
      this.#utfCode = c & 0x0f
    } else if ((c & 0xf8) === 0xf0) {
      this.#utfMore = 3
      this.#utfCode = c & 0x07
    } else this.#utfMore = 0
    return -1
  }

  #put(cell: number): void {
    this.set(this.x, this.y, cell)
    if (this.x === this.columns - 1) this.needWrap = this.#autowrap
    else this.x++
  }

  // --- Control characters and sequences (do_con_trol) ---

  #control(c: number): void {
    switch (c) {
      case 0:
      case 7: // the bell: this machine has no speaker
        return
      case 8:
        this.backspace()
        return
      case 9:
        this.tab()
        return
      case 10:
      case 11:
      case 12:
        this.lineFeed()
        if (this.newLineMode) this.carriageReturn()
        return
      case 13:
        this.carriageReturn()
        return
      case 14:
        this.#shift(true)
        return
      case 15:
        this.#shift(false)
        return
      case 24:
      case 26:
        this.#state = 'normal'
        return
      case 27:
        this.#state = 'esc'
        return
      case 127:
        return
      case 128 + 27:
        this.#state = 'square'
        return
    }
    switch (this.#state) {
      case 'esc':
        this.#escape(c)
        return
      case 'square':
        this.#pars.fill(0)
        this.#npar = 0
        this.#state = c === 0x5b ? 'funckey' : 'getpars'
        this.#question = c === 0x3f
        if (c !== 0x5b && c !== 0x3f) this.#parameter(c)
        return
      case 'getpars':
        this.#parameter(c)
        return
      case 'funckey':
        this.#state = 'normal'
        return
      case 'hash':
        this.#state = 'normal'
        if (c === 0x38) this.alignmentTest()
        return
      case 'g0':
      case 'g1':
        this.#designate(this.#state, c)
        this.#state = 'normal'
        return
      case 'percent':
        this.#state = 'normal'
        if (c === 0x40) this.#utf8 = false
        else if (c === 0x47 || c === 0x38) this.#utf8 = true
        return
      case 'nonstd':
        this.#npar = 0
        this.#state = c === 0x50 ? 'palette' : 'normal'
        return
      case 'palette': // seven digits: taken, but the palette stays as it is
        if (!/[0-9A-Fa-f]/.test(String.fromCharCode(c)) || ++this.#npar === 7) this.#state = 'normal'
        return
    }
  }

  #escape(c: number): void {
    this.#state = 'normal'
    switch (String.fromCharCode(c)) {
      case '[':
        this.#state = 'square'
        return
      case ']':
        this.#state = 'nonstd'
        return
      case '%':
        this.#state = 'percent'
        return
      case '(':
        this.#state = 'g0'
        return
      case ')':
        this.#state = 'g1'
        return
      case '#':
        this.#state = 'hash'
        return
      case 'E':
        this.carriageReturn()
        this.lineFeed()
        return
      case 'M':
        this.reverseIndex()
        return
      case 'D':
        this.lineFeed()
        return
      case 'H':
        this.setTab()
        return
      case 'Z':
        this.#answer('\x1b[?6c')
        return
      case '7':
        this.#save()
        return
      case '8':
        this.#restore()
        return
      case 'c':
        this.reset(true)
        return
      case '>':
        this.keypadApplication = false
        return
      case '=':
        this.keypadApplication = true
        return
    }
  }

  #parameter(c: number): void {
    if (c === 0x3b && this.#npar < NPAR_MAX - 1) {
      this.#npar++
      return
    }
    if (c >= 0x30 && c <= 0x39) {
      const value = this.#pars[this.#npar]! * 10 + c - 0x30
      this.#pars[this.#npar] = Math.min(value, 99_999)
      return
    }
    this.#state = 'normal'
    this.#csi(String.fromCharCode(c))
  }

  #csi(final: string): void {
    const pars = this.#pars
    const first = pars[0]!
    const count = first || 1
    switch (final) {
      case 'h':
      case 'l':
        this.#setModes(final === 'h')
        return
      case 'c':
        if (this.#question) {
          this.cursorType = first | (pars[1]! << 8) | (pars[2]! << 16)
          return
        }
        break
      case 'n':
        if (this.#question) return
        if (first === 5) this.#answer('\x1b[0n')
        else if (first === 6) this.#answer(`\x1b[${this.reportedRow};${this.x + 1}R`)
        return
    }
    if (this.#question) return
    switch (final) {
      case 'G':
      case '`':
        this.moveTo(count - 1, this.y)
        return
      case 'A':
        this.moveTo(this.x, this.y - count)
        return
      case 'B':
      case 'e':
        this.moveTo(this.x, this.y + count)
        return
      case 'C':
      case 'a':
        this.moveTo(this.x + count, this.y)
        return
      case 'D':
        this.moveTo(this.x - count, this.y)
        return
      case 'E':
        this.moveTo(0, this.y + count)
        return
      case 'F':
        this.moveTo(0, this.y - count)
        return
      case 'd':
        this.moveToAbsolute(this.x, count - 1)
        return
      case 'H':
      case 'f':
        this.moveToAbsolute((pars[1]! || 1) - 1, count - 1)
        return
      case 'J':
        this.eraseDisplay(first)
        return
      case 'K':
        this.eraseLine(first)
        return
      case 'L':
        this.insertLines(count)
        return
      case 'M':
        this.deleteLines(count)
        return
      case 'P':
        this.deleteChars(count)
        return
      case '@':
        this.insertChars(count)
        return
      case 'X':
        this.eraseChars(count)
        return
      case 'c':
        if (first === 0) this.#answer('\x1b[?6c')
        return
      case 'g':
        this.clearTabs(first)
        return
      case 'm':
        this.#selectGraphicRendition()
        return
      case 'q':
        if (first < 4) this.leds = first
        return
      case 'r':
        this.setRegion(count, pars[1]! || this.rows)
        return
      case 's':
        this.#save()
        return
      case 'u':
        this.#restore()
        return
      case ']':
        this.#setterm()
        return
    }
  }

  /** CSI n ] (setterm_command). Blanking and the bell do nothing here. */
  #setterm(): void {
    const [what, value] = [this.#pars[0]!, this.#pars[1]!]
    if (what === 1 && value < 16) this.rendition.setUnderlineColor(value)
    else if (what === 2 && value < 16) this.rendition.setHalfColor(value)
    else if (what === 8) this.rendition.storeDefault()
    else if (what === 12 && value >= 1) this.#toFront(value)
  }

  #setModes(on: boolean): void {
    for (let i = 0; i <= this.#npar; i++) {
      const mode = this.#pars[i]!
      if (this.#question) {
        if (mode === 1) this.cursorKeysApplication = on
        else if (mode === 5) {
          if (this.rendition.reverseScreen(on)) this.invert()
        } else if (mode === 6) {
          this.originMode = on
          this.moveToAbsolute(0, 0)
        } else if (mode === 7) this.#autowrap = on
        else if (mode === 8) this.autoRepeat = on
        else if (mode === 25) this.cursorVisible = on
      } else if (mode === 3) this.#displayControls = on
      else if (mode === 4) this.#insertMode = on
      else if (mode === 20) this.newLineMode = on
    }
  }

  // --- Attributes ---

  #selectGraphicRendition(): void {
    for (let i = 0; i <= this.#npar; i++) {
      const par = this.#pars[i]!
      if (par === 10) {
        this.#charset = this.#shifted ? this.#g1 : this.#g0
        this.#displayControls = false
        this.#toggleMeta = false
      } else if (par === 11 || par === 12) {
        this.#charset = 'ibm'
        this.#displayControls = true
        this.#toggleMeta = par === 12
      } else this.rendition.select(par)
    }
    this.rendition.update()
  }

  #shift(out: boolean): void {
    this.#shifted = out
    this.#charset = out ? this.#g1 : this.#g0
    this.#displayControls = out
  }

  #designate(which: 'g0' | 'g1', c: number): void {
    const set = ({ 48: 'graphics', 66: 'latin1', 85: 'ibm', 75: 'user' } as const)[c]
    if (set && which === 'g0') this.#g0 = set
    else if (set) this.#g1 = set
    if (this.#shifted === (which === 'g1')) this.#charset = which === 'g0' ? this.#g0 : this.#g1
  }

  // --- The cursor ---

  #save(): void {
    this.#saved = {
      x: this.x,
      y: this.y,
      rendition: this.rendition.save(),
      shifted: this.#shifted,
      g0: this.#g0,
      g1: this.#g1,
    }
  }

  #restore(): void {
    const saved = this.#saved
    if (!saved) return
    this.moveTo(saved.x, saved.y)
    this.rendition.restore(saved.rendition)
    this.#shifted = saved.shifted
    this.#g0 = saved.g0
    this.#g1 = saved.g1
    this.#charset = saved.shifted ? saved.g1 : saved.g0
    this.needWrap = false
  }

  // --- Cells ---

  /** reset_terminal. */
  reset(clear: boolean): void {
    this.#state = 'normal'
    this.#question = false
    this.#charset = 'latin1'
    this.#g0 = 'latin1'
    this.#g1 = 'graphics'
    this.#shifted = false
    this.needWrap = false
    this.#utf8 = false
    this.#utfMore = 0
    this.#displayControls = false
    this.#toggleMeta = false
    this.#autowrap = true
    this.#insertMode = false
    this.cursorVisible = true
    this.cursorType = 0
    this.cursorKeysApplication = false
    this.keypadApplication = false
    this.newLineMode = false
    this.autoRepeat = true
    this.resetPage()
    this.#save()
    if (clear) this.eraseDisplay(2)
  }
}
