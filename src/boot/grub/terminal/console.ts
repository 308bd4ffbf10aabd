/** The PC's own screen and keyboard, by BIOS calls (console_* of stage2/asm.S and console.c). */
import type { Bios } from '#abi/pc/bios.ts'
import { AT_ONCE, FOR_INPUT, type Run, type Steps } from '../run.ts'
import { type ColorState, KEY, PLAIN, type Terminal, type TerminalFlags } from './terminal.ts'

const NORMAL = 0x07
const REVERSE = 0x70
const LAST_COLUMN = 79

/** INT 16h codes of keys without a character. */
const KEY_OF_SCAN: ReadonlyMap<number, number> = new Map([
  [0x4b00, KEY.left],
  [0x4d00, KEY.right],
  [0x4800, KEY.up],
  [0x5000, KEY.down],
  [0x4700, KEY.home],
  [0x4f00, KEY.end],
  [0x5300, KEY.delete],
  [0x4900, KEY.pageUp],
  [0x5100, KEY.pageDown],
])

/** Characters that the teletype call obeys: bell, backspace, newline, carriage return. */
const isControl = (byte: number): boolean => byte === 7 || byte === 8 || byte === 10 || byte === 13

export class Console implements Terminal {
  readonly name = 'console'
  readonly ready = true
  flags: TerminalFlags = PLAIN
  readonly #bios: Bios
  #peeked: number | undefined
  #attribute = NORMAL
  #normal = NORMAL
  #highlight = REVERSE
  #state: ColorState = 'standard'
  #cursorVisible = true

  constructor(bios: Bios) {
    this.#bios = bios
  }

  put(byte: number): Steps {
    const bios = this.#bios
    if (isControl(byte)) bios.teletype(byte)
    else {
      bios.putChar(byte, this.#attribute)
      const { row, column } = bios.cursor()
      if (column < LAST_COLUMN) bios.setCursor(row, column + 1)
      else {
        // The next character would fall off the line, and the teletype knows how to scroll.
        bios.teletype(13)
        bios.teletype(10)
      }
    }
    return AT_ONCE
  }

  hasKey(): boolean {
    if (this.#peeked !== undefined) return true
    const key = this.#bios.readKey()
    if (key === undefined) return false
    this.#peeked = KEY_OF_SCAN.get(key) ?? key & 0xff
    return true
  }

  *key(): Run<number> {
    while (!this.hasKey()) yield FOR_INPUT
    const key = this.#peeked!
    this.#peeked = undefined
    return key
  }

  column(): number {
    return this.#bios.cursor().column
  }

  row(): number {
    return this.#bios.cursor().row
  }

  goto(column: number, row: number): Steps {
    this.#bios.setCursor(row, column)
    return AT_ONCE
  }

  clear(): Steps {
    this.#bios.clearScreen()
    return AT_ONCE
  }

  color(state: ColorState): Steps {
    this.#state = state
    this.#attribute = state === 'standard' ? NORMAL : state === 'normal' ? this.#normal : this.#highlight
    return AT_ONCE
  }

  setColors(normal: number, highlight: number): void {
    this.#normal = normal
    this.#highlight = highlight
    this.#attribute = this.#state === 'standard' ? NORMAL : this.#state === 'normal' ? normal : highlight
  }

  showCursor(visible: boolean): boolean {
    const before = this.#cursorVisible
    this.#cursorVisible = visible
    this.#bios.showCursor(visible)
    return before
  }
}
