/** What GRUB asks of a terminal (stage2/term.h). The screen is 80 columns wide; columns and rows count from 0. */
import type { Run, Steps } from '../run.ts'

export type TerminalName = 'console' | 'serial'
export type ColorState = 'standard' | 'normal' | 'highlight'

/** Keys that are no characters arrive as these control codes, on every terminal. */
export const KEY = {
  home: 1,
  left: 2,
  pageDown: 3,
  delete: 4,
  end: 5,
  right: 6,
  pageUp: 7,
  backspace: 8,
  tab: 9,
  newline: 10,
  kill: 11,
  enter: 13,
  down: 14,
  up: 16,
  killToStart: 21,
  yank: 25,
  escape: 27,
} as const

/** CP437's characters for boxes and arrows; a serial terminal shows its own for them. */
export const DISP = {
  upperLeft: 218,
  upperRight: 191,
  lowerLeft: 192,
  lowerRight: 217,
  horizontal: 196,
  vertical: 179,
  left: 0x1b,
  right: 0x1a,
  up: 0x18,
  down: 0x19,
} as const

export interface TerminalFlags {
  /** Can do nothing but print and read: no cursor, no clearing. */
  readonly dumb: boolean
  readonly noEcho: boolean
  readonly noEdit: boolean
}

export const PLAIN: TerminalFlags = { dumb: false, noEcho: false, noEdit: false }

export interface Terminal {
  readonly name: TerminalName
  flags: TerminalFlags
  /** False until the device is set up: TERM_NEED_INIT. */
  readonly ready: boolean
  put(byte: number): Steps
  /** True when `key` would not wait. */
  hasKey(): boolean
  /** Wait for a key and take it. */
  key(): Run<number>
  column(): number
  row(): number
  goto(column: number, row: number): Steps
  clear(): Steps
  color(state: ColorState): Steps
  /** VGA attributes for `normal` and `highlight`; undefined where there are no colours. */
  setColors?(normal: number, highlight: number): void
  /** Returns what it was. */
  showCursor?(visible: boolean): boolean
}
