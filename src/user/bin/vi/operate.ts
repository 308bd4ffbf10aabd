/** Operators: what d, c, y, > and < do with a piece of text; and putting it back. */
import type { Pos } from './buffer.ts'
import type { Editor, Register } from './editor.ts'
import { Failed } from './editor.ts'
import { firstNonBlank } from './motions.ts'
import type { Motion } from './move.ts'

/** From `start` up to, not including, `end`; whole lines if `linewise`. */
export interface Range {
  readonly start: Pos
  readonly end: Pos
  readonly linewise: boolean
}

const before = (a: Pos, b: Pos): boolean => a.line < b.line || (a.line === b.line && a.col < b.col)

/** What lies between the cursor and where the motion leads (vim: motion.txt, "exclusive"). */
export function rangeOf(ed: Editor, { to, kind }: Motion, operator: string): Range {
  const from = ed.cursor
  const [start, last] = before(to, from) ? [to, from] : [from, to]
  if (kind === 'line') return { start, end: last, linewise: true }
  if (kind === 'inclusive') return { start, end: { line: last.line, col: last.col + 1 }, linewise: false }
  // An exclusive motion to the first column stops at the end of the line before.
  if (last.col === 0 && last.line > start.line) {
    const end = { line: last.line - 1, col: ed.lines[last.line - 1]!.length }
    const whole = start.col <= leading(ed.lines[start.line]!) && operator !== 'c'
    return { start, end, linewise: whole }
  }
  return { start, end: last, linewise: false }
}

const leading = (text: string): number => text.length - text.trimStart().length

function textOf(ed: Editor, { start, end, linewise }: Range): Register {
  if (linewise) return { lines: ed.lines.slice(start.line, end.line + 1), linewise }
  if (start.line === end.line) return { lines: [ed.lines[start.line]!.slice(start.col, end.col)], linewise }
  return {
    lines: [
      ed.lines[start.line]!.slice(start.col),
      ...ed.lines.slice(start.line + 1, end.line),
      ed.lines[end.line]!.slice(0, end.col),
    ],
    linewise,
  }
}

/** Take the range out; the cursor is where it was. */
function removeRange(ed: Editor, range: Range): void {
  const { start, end, linewise } = range
  if (linewise) {
    const count = end.line - start.line + 1
    ed.buffer.replace(start.line, count, [])
    const line = Math.min(start.line, ed.lines.length - 1)
    ed.cursor = { line, col: firstNonBlank(ed.lines[line]!) }
    if (count > 2)
      ed.say(ed.lines.length === 1 && ed.lines[0] === '' ? '--No lines in buffer--' : `${count} fewer lines`)
    return
  }
  const joined = ed.lines[start.line]!.slice(0, start.col) + ed.lines[end.line]!.slice(end.col)
  ed.buffer.replace(start.line, end.line - start.line + 1, [joined])
  ed.cursor = start
  ed.sayLines(end.line - start.line, 'fewer lines')
}

export function remove(ed: Editor, range: Range, register: string | undefined): void {
  ed.setRegister(register, textOf(ed, range), true)
  removeRange(ed, range)
}

export function yank(ed: Editor, range: Range, register: string | undefined): void {
  const text = textOf(ed, range)
  ed.setRegister(register, text, false)
  // Lines are yanked without moving sideways.
  ed.cursor = { line: range.start.line, col: range.linewise ? ed.cursor.col : range.start.col }
  ed.sayLines(text.lines.length, 'lines yanked')
}

/** > and <, `times` over. */
export function shift(ed: Editor, { start, end }: Range, right: boolean, times = 1): void {
  const width = ed.set.shiftwidth * times
  const { tabstop } = ed.view.options
  const now = ed.lines.slice(start.line, end.line + 1).map((text) => {
    if (text === '') return text
    const head = leading(text)
    let columns = 0
    for (let i = 0; i < head; i++) columns = text[i] === '\t' ? columns - (columns % tabstop) + tabstop : columns + 1
    const wanted = Math.max(0, columns + (right ? width : -width))
    const indent = ed.set.expandtab
      ? ' '.repeat(wanted)
      : '\t'.repeat(Math.floor(wanted / tabstop)) + ' '.repeat(wanted % tabstop)
    return indent + text.slice(head)
  })
  ed.buffer.replace(start.line, now.length, now)
  ed.cursor = { line: start.line, col: firstNonBlank(now[0]!) }
  if (now.length > 2) ed.say(`${now.length} lines ${right ? '>' : '<'}ed ${times === 1 ? '1 time' : `${times} times`}`)
}

/** p and P. */
export function put(ed: Editor, register: Register, after: boolean, count: number): void {
  const { line, col } = ed.cursor
  if (register.linewise) {
    const all: string[] = []
    for (let i = 0; i < count; i++) all.push(...register.lines)
    const at = after ? line + 1 : line
    ed.buffer.replace(at, 0, all)
    ed.cursor = { line: at, col: firstNonBlank(ed.lines[at]!) }
    ed.sayLines(all.length, 'more lines')
    return
  }
  const text = ed.lines[line]!
  const at = after && text !== '' ? col + 1 : col
  const parts = Array.from({ length: count }, () => register.lines.join('\n')).join('')
  const now = (text.slice(0, at) + parts + text.slice(at)).split('\n')
  ed.buffer.replace(line, 1, now)
  ed.cursor = { line, col: now.length > 1 ? at : Math.max(0, at + parts.length - 1) }
}

/** J: `count` lines become one, with one blank between them where words meet. */
export function join(ed: Editor, from: number, count: number): void {
  const lines = ed.lines.slice(from, from + count)
  if (lines.length < 2) throw new Failed()
  let text = lines[0]!
  let col = text.length
  for (const next of lines.slice(1)) {
    const tail = next.trimStart()
    col = text.length
    if (tail === '') continue
    if (text !== '' && !/[ \t]$/.test(text) && !tail.startsWith(')')) text += ' '
    text += tail
  }
  ed.buffer.replace(from, lines.length, [text])
  ed.cursor = { line: from, col }
}

/** ~ */
export function swapCase(ed: Editor, count: number): void {
  const { line, col } = ed.cursor
  const text = ed.text
  if (text === '') throw new Failed()
  const part = text.slice(col, col + count)
  ed.buffer.setLine(line, text.slice(0, col) + part.replace(/[A-Za-z]/g, flip) + text.slice(col + part.length))
  ed.cursor = { line, col: col + part.length }
}

const flip = (char: string): string => (char >= 'a' ? char.toUpperCase() : char.toLowerCase())
