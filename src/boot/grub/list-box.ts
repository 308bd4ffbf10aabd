/** The framed list on the menu screen (print_border, print_entries of stage2/stage2.c): 12 rows that scroll, one of them reversed. */
import type { Run } from './run.ts'
import { DISP, KEY } from './terminal/terminal.ts'
import type { Tty } from './terminal/tty.ts'

const ROWS = 12
const TOP = 3
const LEFT = 1
const RIGHT = 75
/** Text of an entry begins here; the last column shows an arrow when there is more. */
const TEXT_LEFT = 3
const TEXT_RIGHT = 72
const ARROWS = 77
/** The line that a dumb terminal draws. */
const RULE = '-'.repeat(67) + '\n'

const char = (code: number): string => String.fromCharCode(code)

export class ListBox {
  /** Changed by the owner; call `draw` then. */
  items: readonly string[]
  /** The first item shown. */
  #first = 0
  /** The row of the selected one. A dumb terminal has no rows: all items are shown. */
  #row = 0
  readonly #tty: Tty

  constructor(tty: Tty, items: readonly string[], selected: number) {
    this.#tty = tty
    this.items = items
    this.select(selected)
  }

  get selected(): number {
    return this.#first + this.#row
  }

  /** Make `index` the selected item, moving the window no further than needed. */
  select(index: number): void {
    if (this.#tty.dumb) {
      this.#first = 0
      this.#row = index
      return
    }
    if (index < this.#first) this.#first = index
    if (index - this.#first >= ROWS) this.#first = index - ROWS + 1
    this.#row = index - this.#first
  }

  /** After an item went: no empty rows at the end while there are items above. */
  settle(): void {
    const last = Math.max(0, this.items.length - 1)
    const selected = Math.min(this.selected, last)
    this.#first = Math.max(0, Math.min(this.#first, this.items.length - ROWS))
    this.select(selected)
  }

  *drawFrame(): Run {
    const tty = this.#tty
    if (tty.dumb) return yield* this.#drawPlainly()
    const rule = char(DISP.horizontal).repeat(RIGHT - LEFT - 1)
    yield* tty.current.color('normal')
    yield* tty.goto(LEFT, TOP)
    yield* tty.print(char(DISP.upperLeft) + rule + char(DISP.upperRight))
    for (let row = 1; row <= ROWS; row++) {
      yield* tty.goto(LEFT, TOP + row)
      yield* tty.put(DISP.vertical)
      yield* tty.goto(RIGHT, TOP + row)
      yield* tty.put(DISP.vertical)
    }
    yield* tty.goto(LEFT, TOP + ROWS + 1)
    yield* tty.print(char(DISP.lowerLeft) + rule + char(DISP.lowerRight))
    yield* tty.current.color('standard')
  }

  /** Everything inside the frame. */
  *draw(): Run {
    const tty = this.#tty
    if (tty.dumb) {
      yield* tty.print('\n\n')
      yield* this.#drawPlainly()
      return yield* tty.put(10)
    }
    yield* tty.goto(ARROWS, TOP + 1)
    yield* tty.put(this.#first > 0 ? DISP.up : 32)
    for (let row = 0; row < ROWS; row++) yield* this.#drawRow(row, row === this.#row)
    yield* tty.goto(ARROWS, TOP + ROWS)
    yield* tty.put(this.items.length > this.#first + ROWS ? DISP.down : 32)
    yield* this.park()
  }

  *#drawPlainly(): Run {
    let text = RULE
    this.items.forEach((item, index) => {
      text += `${index < 10 ? ' ' : ''}${index}: ${item}\n`
    })
    yield* this.#tty.print(text + RULE)
  }

  *#drawRow(row: number, selected: boolean): Run {
    const tty = this.#tty
    const item = this.items[this.#first + row] ?? ''
    const width = TEXT_RIGHT - TEXT_LEFT
    const text = item.slice(0, width) + (item.length > width ? char(DISP.right) : '')
    yield* tty.current.color('normal')
    if (selected) yield* tty.current.color('highlight')
    yield* tty.goto(LEFT + 1, TOP + 1 + row)
    yield* tty.print(' ' + text.padEnd(RIGHT - TEXT_LEFT))
    yield* tty.goto(RIGHT - 1, TOP + 1 + row)
    yield* tty.current.color('standard')
  }

  /** Take the mark off the selected row. */
  *unmark(): Run {
    if (!this.#tty.dumb) yield* this.#drawRow(this.#row, false)
  }

  /** Put the cursor where it disturbs least. */
  *park(): Run {
    if (!this.#tty.dumb) yield* this.#tty.goto(RIGHT - 1, TOP + 1 + this.#row)
  }

  /** A key that moves the selection; all others are nothing to the box. */
  *key(key: number): Run {
    const last = this.items.length - 1
    if (key === KEY.up || key === 0x5e) yield* this.#step(-1)
    else if (key === KEY.down || key === 0x76) yield* this.#step(1)
    else if (key === KEY.pageUp) {
      const row = this.#row + Math.min(0, this.#first - ROWS)
      this.#first = Math.max(0, this.#first - ROWS)
      this.#row = Math.max(0, row)
      yield* this.#drawPage()
    } else if (key === KEY.pageDown) {
      this.#first += ROWS
      if (this.#first + this.#row >= last) {
        this.#first = Math.max(0, this.items.length - ROWS)
        this.#row = Math.max(0, last - this.#first)
      }
      yield* this.#drawPage()
    }
  }

  *#drawPage(): Run {
    if (!this.#tty.dumb) return yield* this.draw()
    this.select(this.selected)
  }

  *#step(by: number): Run {
    const to = this.selected + by
    if (to < 0 || to >= this.items.length) return
    if (this.#tty.dumb) return this.select(to)
    const first = this.#first
    yield* this.unmark()
    this.select(to)
    if (this.#first === first) yield* this.#drawRow(this.#row, true)
    else yield* this.draw()
  }
}
