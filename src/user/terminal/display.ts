/**
 * What a full-screen program wants the terminal to show, and what it shows already: only the difference is sent, since a serial line takes 87 us
 * for each byte. Rows that moved are moved by the terminal itself (scrolling regions, as curses does). Sequences are those of VT102 and all its heirs.
 */

import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { writeAll } from '../libc/stdio.ts'

/** Looks of a cell: characters of `looks` strings. */
export const NORMAL = '0'
export const REVERSE = '7'
export const BOLD = '1'
export const UNDERLINE = '4'

interface Row {
  readonly text: string
  readonly looks: string
}

/** A gap of so many equal cells is jumped over rather than sent again. */
const GAP_MIN = 8
/** Moving rows has to save so many of them. */
const SCROLL_GAIN_MIN = 2

export class Display {
  rows: number
  columns: number
  readonly #fd: number
  #wanted: Row[] = []
  #shown: Row[] | undefined
  #cursor = { row: 0, column: 0 }
  /** Where the terminal's cursor is; undefined: nobody knows. */
  #at: { row: number; column: number } | undefined
  #look = NORMAL
  #out: string[] = []

  constructor(fd: number, rows: number, columns: number) {
    this.#fd = fd
    this.rows = rows
    this.columns = columns
    this.resize(rows, columns)
  }

  resize(rows: number, columns: number): void {
    this.rows = rows
    this.columns = columns
    this.#wanted = Array.from({ length: rows }, () => ({ text: '', looks: '' }))
    this.invalidate()
  }

  /** Nobody knows what is shown: everything is sent anew. */
  invalidate(): void {
    this.#shown = undefined
    this.#at = undefined
  }

  /** Row `row` is to show `text`: printable characters. `looks` has a character for each; what it lacks is plain. */
  row(row: number, text: string, looks = ''): void {
    const cut = text.length > this.columns ? text.slice(0, this.columns) : text
    const plain = looks.slice(0, cut.length).padEnd(cut.length, NORMAL)
    let length = cut.length
    while (length > 0 && cut.charCodeAt(length - 1) === 0x20 && plain[length - 1] === NORMAL) length--
    this.#wanted.splice(row, 1, { text: cut.slice(0, length), looks: plain.slice(0, length) })
  }

  cursor(row: number, column: number): void {
    this.#cursor = { row: Math.min(row, this.rows - 1), column: Math.min(column, this.columns - 1) }
  }

  bell(): void {
    this.#out.push('\x07')
  }

  /** Make it so. */
  *flush(): Sys<void> {
    if (!this.#shown) {
      this.#out.push('\x1b[m\x1b[H\x1b[2J')
      this.#look = NORMAL
      this.#at = { row: 0, column: 0 }
      this.#shown = this.#wanted.map(() => ({ text: '', looks: '' }))
    }
    this.#scroll()
    for (let row = 0; row < this.rows; row++) this.#update(row)
    this.#move(this.#cursor.row, this.#cursor.column)
    this.#setLook(NORMAL)
    yield* this.#send()
  }

  /** Leave: the cursor goes to a clean bottom row. */
  *leave(): Sys<void> {
    this.#setLook(NORMAL)
    this.#out.push(`\x1b[${this.rows};1H\x1b[K`)
    this.invalidate()
    yield* this.#send()
  }

  /** Bytes for the terminal that are no picture. */
  *raw(text: string): Sys<void> {
    this.#out.push(text)
    yield* this.#send()
  }

  *#send(): Sys<void> {
    if (this.#out.length === 0) return
    const bytes = bytesOfString(this.#out.join(''))
    this.#out = []
    yield* writeAll(this.#fd, bytes)
  }

  #move(row: number, column: number): void {
    const at = this.#at
    if (at && at.row === row && at.column === column) return
    if (at && at.row === row && column === 0) this.#out.push('\r')
    else if (at && at.row === row && column === at.column - 1) this.#out.push('\b')
    else if (row === 0 && column === 0) this.#out.push('\x1b[H')
    else this.#out.push(column === 0 ? `\x1b[${row + 1}H` : `\x1b[${row + 1};${column + 1}H`)
    this.#at = { row, column }
  }

  #setLook(look: string): void {
    if (look === this.#look) return
    this.#out.push(look === NORMAL ? '\x1b[m' : this.#look === NORMAL ? `\x1b[${look}m` : `\x1b[0;${look}m`)
    this.#look = look
  }

  /** Cells from `from` to `to` of a row that may be longer than its text. */
  #put(row: number, { text, looks }: Row, from: number, to: number): void {
    this.#move(row, from)
    for (let i = from; i < to; ) {
      const look = i < text.length ? looks[i]! : NORMAL
      let end = i + 1
      while (end < to && (end < text.length ? looks[end]! : NORMAL) === look) end++
      this.#setLook(look)
      this.#out.push(text.slice(i, end).padEnd(end - i))
      i = end
    }
    // In the last column the cursor may or may not have wrapped.
    this.#at = to >= this.columns ? undefined : { row, column: to }
  }

  #update(row: number): void {
    const wanted = this.#wanted[row]!
    const shown = this.#shown![row]!
    if (wanted.text === shown.text && wanted.looks === shown.looks) return
    const common = Math.max(wanted.text.length, shown.text.length)
    const same = (i: number): boolean =>
      (i < wanted.text.length ? wanted.text.charCodeAt(i) : 0x20) ===
        (i < shown.text.length ? shown.text.charCodeAt(i) : 0x20) &&
      (wanted.looks[i] ?? NORMAL) === (shown.looks[i] ?? NORMAL)
    // What is blank to the end of the line is erased, if that is shorter.
    const erase = shown.text.length > wanted.text.length + 3
    const limit = erase ? wanted.text.length : common
    for (let i = 0; i < limit; ) {
      if (same(i)) {
        i++
        continue
      }
      let end = i + 1
      let gap = 0
      for (let k = end; k < limit && gap < GAP_MIN; k++) {
        if (same(k)) gap++
        else {
          gap = 0
          end = k + 1
        }
      }
      this.#put(row, wanted, i, end)
      i = end
    }
    if (erase) {
      this.#move(row, wanted.text.length)
      this.#setLook(NORMAL)
      this.#out.push('\x1b[K')
    }
    this.#shown!.splice(row, 1, wanted)
  }

  /** If a block of rows only moved, let the terminal move it. */
  #scroll(): void {
    const shown = this.#shown!
    const wanted = this.#wanted
    const equal = (a: Row, b: Row): boolean => a.text === b.text && a.looks === b.looks
    let top = 0
    while (top < this.rows && equal(shown[top]!, wanted[top]!)) top++
    let bottom = this.rows - 1
    while (bottom > top && equal(shown[bottom]!, wanted[bottom]!)) bottom--
    const height = bottom - top + 1
    if (height < 4) return
    let bestShift = 0
    let bestTop = 0
    let bestBottom = 0
    let bestGain = SCROLL_GAIN_MIN
    // The longest run of rows that are the same but `shift` rows further down.
    for (let shift = -(height - 2); shift <= height - 2; shift++) {
      if (shift === 0) continue
      let length = 0
      let gain = 0
      for (let row = top; row <= bottom; row++) {
        const to = row + shift
        const fits = to >= top && to <= bottom && equal(shown[row]!, wanted[to]!)
        if (fits) {
          length++
          if (!equal(shown[to]!, wanted[to]!) && shown[row]!.text !== '') gain++
        }
        if (!fits || row === bottom) {
          if (gain > bestGain) {
            const last = fits ? row : row - 1
            const first = last - length + 1
            bestGain = gain
            bestShift = shift
            bestTop = Math.min(first, first + shift)
            bestBottom = Math.max(last, last + shift)
          }
          length = 0
          gain = 0
        }
      }
    }
    if (bestShift === 0) return
    this.#setLook(NORMAL)
    const blank = { text: '', looks: '' }
    const count = Math.abs(bestShift)
    const blanks = Array.from({ length: count }, () => blank)
    const block = shown.slice(bestTop, bestBottom + 1)
    this.#out.push(`\x1b[${bestTop + 1};${bestBottom + 1}r`)
    if (bestShift < 0) {
      this.#out.push(`\x1b[${bestBottom + 1};1H${'\n'.repeat(count)}`)
      shown.splice(bestTop, block.length, ...block.slice(count), ...blanks)
    } else {
      this.#out.push(`\x1b[${bestTop + 1};1H${'\x1bM'.repeat(count)}`)
      shown.splice(bestTop, block.length, ...blanks, ...block.slice(0, block.length - count))
    }
    this.#out.push('\x1b[r')
    this.#at = undefined
  }
}
