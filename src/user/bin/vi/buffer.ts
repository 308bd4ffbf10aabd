/** The text that vi edits, with marks, and all that was done to it. */
import { stringCost } from '../../libc/heap.ts'

export interface Pos {
  readonly line: number
  readonly col: number
}

/** Lines `at`... that were `old` became `now`. */
interface Edit {
  readonly at: number
  readonly old: readonly string[]
  readonly now: readonly string[]
}

/** What one `u` takes back. */
interface Change {
  readonly before: Pos
  readonly edits: readonly Edit[]
  /** Seconds. */
  readonly time: number
}

/** vim's 'undolevels'. */
const UNDO_MAX = 1000

export class Buffer {
  lines: string[] = ['']
  /** There is no line at all; `lines` has one all the same. */
  empty = true
  readonly marks = new Map<string, Pos>()
  /** What the text costs, in heap bytes. */
  bytes = 0
  #undo: Change[] = []
  #redo: Change[] = []
  #open: Edit[] = []
  #before: Pos = { line: 0, col: 0 }
  /** How many changes the file on disk has. */
  #saved = 0

  load(lines: readonly string[]): void {
    this.lines = lines.length > 0 ? [...lines] : ['']
    this.empty = lines.length === 0
    this.bytes = 0
    for (const line of this.lines) this.bytes += stringCost(line.length)
    this.#undo = []
    this.#redo = []
    this.#open = []
    this.#saved = 0
    this.marks.clear()
  }

  get modified(): boolean {
    return this.#undo.length !== this.#saved || this.#open.length > 0
  }

  /** The file is as the buffer now. */
  saved(): void {
    this.#saved = this.#undo.length
  }

  /** A command begins here. */
  begin(cursor: Pos): void {
    if (this.#open.length === 0) this.#before = cursor
  }

  /** The one way in which text changes. A buffer has at least one line. */
  replace(at: number, count: number, now: readonly string[]): void {
    this.empty = this.lines.length === count && now.length === 0
    const lines = this.empty ? [''] : now
    const old = this.lines.splice(at, count, ...lines)
    this.#open.push({ at, old, now: lines })
    for (const line of old) this.bytes -= stringCost(line.length)
    for (const line of lines) this.bytes += stringCost(line.length)
    const shift = lines.length - count
    if (shift === 0) return
    for (const [name, mark] of [...this.marks]) {
      if (mark.line >= at + count) this.marks.set(name, { ...mark, line: mark.line + shift })
      else if (mark.line >= at + lines.length) this.marks.delete(name)
    }
  }

  setLine(line: number, text: string): void {
    if (this.lines[line] !== text) this.replace(line, 1, [text])
  }

  /** A command ends: what it did is one change. True if it did something. */
  commit(time: number): boolean {
    if (this.#open.length === 0) return false
    if (this.#saved > this.#undo.length) this.#saved = -1
    this.#undo.push({ before: this.#before, edits: this.#open, time })
    this.#open = []
    this.#redo = []
    if (this.#undo.length > UNDO_MAX) {
      this.#undo.shift()
      this.#saved--
    }
    return true
  }

  /** Where the cursor goes, and what to say; undefined: there is nothing (more) to take back. */
  undo(now: number): readonly [Pos, string] | undefined {
    const change = this.#undo.pop()
    if (!change) return undefined
    const before = this.lines.length
    for (let i = change.edits.length - 1; i >= 0; i--) {
      const { at, old, now: lines } = change.edits[i]!
      this.replace(at, lines.length, old)
    }
    this.#open = []
    this.#redo.push(change)
    return [this.#where(change), report(this.lines.length - before, change, `before #${this.#undo.length + 1}`, now)]
  }

  redo(now: number): readonly [Pos, string] | undefined {
    const change = this.#redo.pop()
    if (!change) return undefined
    const before = this.lines.length
    for (const { at, old, now: lines } of change.edits) this.replace(at, old.length, lines)
    this.#open = []
    this.#undo.push(change)
    return [this.#where(change), report(this.lines.length - before, change, `after #${this.#undo.length}`, now)]
  }

  #where({ edits, before }: Change): Pos {
    const line = Math.min(...edits.map(({ at }) => at))
    return line === before.line ? before : { line: Math.min(line, this.lines.length - 1), col: 0 }
  }
}

/** u_undo_end's words. */
function report(lines: number, { edits, time }: Change, which: string, now: number): string {
  const count = Math.abs(lines)
  const what =
    lines === 0
      ? edits.length === 1
        ? '1 change'
        : `${edits.length} changes`
      : lines < 0
        ? count === 1
          ? '1 line less'
          : `${count} fewer lines`
        : count === 1
          ? '1 more line'
          : `${count} more lines`
  const ago = now - time
  const clock = (n: number) => String(Math.floor(n)).padStart(2, '0')
  const at = (time % 86400) / 3600
  return `${what}; ${which}  ${ago >= 100 ? `${clock(at)}:${clock((time / 60) % 60)}:${clock(time % 60)}` : `${ago} seconds ago`}`
}
