/** The line that is being edited: its text, the cursor in it, what was killed last, and the moves and changes of readline's emacs mode. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { type EditScreen, isTail } from './edit-screen.ts'

const LINE_MAX = 4096

export class EditLine {
  protected readonly screen: EditScreen
  protected killed = ''
  protected text = ''
  protected cursor = 0

  constructor(screen: EditScreen) {
    this.screen = screen
  }

  protected *step(by: number): Sys<void> {
    if (this.cursor === (by < 0 ? 0 : this.text.length)) yield* this.screen.bell()
    else this.cursor = by < 0 ? this.before(this.cursor) : this.after(this.cursor)
  }

  /** Where the character before `at` begins. */
  protected before(at: number): number {
    let to = at - 1
    while (to > 0 && isTail(this.text[to]!)) to--
    return to
  }

  /** Where the character at `at` ends. */
  protected after(at: number): number {
    let to = at + 1
    while (to < this.text.length && isTail(this.text[to]!)) to++
    return to
  }

  protected *insert(text: string): Sys<void> {
    if (this.text.length + text.length > LINE_MAX) {
      yield* this.screen.bell()
      return
    }
    this.text = this.text.slice(0, this.cursor) + text + this.text.slice(this.cursor)
    this.cursor += text.length
  }

  protected delete(from: number, to: number): void {
    this.text = this.text.slice(0, from) + this.text.slice(to)
    this.cursor = from
  }

  protected kill(from: number, to: number): void {
    if (to > from) this.killed = this.text.slice(from, to)
    this.delete(from, to)
  }

  protected *transpose(): Sys<void> {
    if (this.cursor === 0 || this.text.length < 2) {
      yield* this.screen.bell()
      return
    }
    const text = this.text
    const at = this.cursor === text.length ? this.before(text.length) : this.cursor
    const end = this.after(at)
    const from = this.before(at)
    this.text = text.slice(0, from) + text.slice(at, end) + text.slice(from, at) + text.slice(end)
    this.cursor = end
  }

  protected blankBefore(): number {
    let at = this.cursor
    while (at > 0 && this.text[at - 1] === ' ') at--
    while (at > 0 && this.text[at - 1] !== ' ') at--
    return at
  }

  protected wordBefore(): number {
    let at = this.cursor
    while (at > 0 && !/\w/.test(this.text[at - 1]!)) at--
    while (at > 0 && /\w/.test(this.text[at - 1]!)) at--
    return at
  }

  protected wordAfter(): number {
    let at = this.cursor
    while (at < this.text.length && !/\w/.test(this.text[at]!)) at++
    while (at < this.text.length && /\w/.test(this.text[at]!)) at++
    return at
  }
}
