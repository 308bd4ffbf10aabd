/** Operators: d, c, y, < and > with a motion, doubled, or by their synonyms. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Editor, Failed } from './editor.ts'
import { insertMode } from './insert.ts'
import { motion } from './move.ts'
import { type Range, rangeOf, remove, shift, yank } from './operate.ts'

export const COUNT_MAX = 99_999_999

/** `x` is `dl` and so on. */
export const SYNONYMS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['x', ['d', 'l']],
  ['Delete', ['d', 'l']],
  ['X', ['d', 'h']],
  ['D', ['d', '$']],
  ['C', ['c', '$']],
  ['s', ['c', 'l']],
  ['S', ['c', 'c']],
  ['Y', ['y', 'y']],
])

export function* operator(
  ed: Editor,
  op: string,
  register: string | undefined,
  count: number | undefined,
  synonym?: string,
): Sys<boolean> {
  let total = count
  let key = synonym
  if (key === undefined) {
    key = yield* ed.key()
    let second: number | undefined
    while (key >= '0' && key <= '9' && key.length === 1 && (key !== '0' || second !== undefined)) {
      second = Math.min(COUNT_MAX, (second ?? 0) * 10 + Number(key))
      key = yield* ed.key()
    }
    if (second !== undefined) total = (count ?? 1) * second
  }
  let range: Range
  if (key === op) {
    const last = ed.cursor.line + (total ?? 1) - 1
    const end = { line: Math.min(last, ed.lines.length - 1), col: 0 }
    range = { start: { line: ed.cursor.line, col: 0 }, end, linewise: true }
  } else {
    if (synonym === 'l' && ed.text === '') {
      if (op === 'd') throw new Failed()
      yield* insertMode(ed, 1)
      return true
    }
    const moved = yield* motion(ed, key, total, op)
    if (!moved) throw new Failed()
    range = rangeOf(ed, moved, op)
    if (moved.keepWant) ed.want = ed.cursor.col
  }
  return yield* apply(ed, op, range, register)
}

export function* apply(ed: Editor, op: string, range: Range, register: string | undefined, times = 1): Sys<boolean> {
  switch (op) {
    case 'y':
      yank(ed, range, register)
      ed.want = ed.cursor.col
      return false
    case 'd':
      remove(ed, range, register)
      ed.moveTo(ed.cursor)
      return true
    case 'c':
      if (range.linewise) {
        const { start, end } = range
        ed.setRegister(register, { lines: ed.lines.slice(start.line, end.line + 1), linewise: true }, true)
        const first = ed.lines[start.line]!
        const indent = ed.set.autoindent ? first.slice(0, first.length - first.trimStart().length) : ''
        ed.buffer.replace(start.line, end.line - start.line + 1, [indent])
        ed.cursor = { line: start.line, col: indent.length }
      } else remove(ed, range, register)
      yield* insertMode(ed, 1)
      return true
    default:
      shift(ed, range, op === '>', times)
      ed.moveTo(ed.cursor)
      return true
  }
}
