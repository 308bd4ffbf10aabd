/** Visual mode: keys that work on a selection. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Editor, Failed } from './editor.ts'
import { exPrompt } from './ex.ts'
import { join, put, type Range, remove } from './operate.ts'
import { apply } from './operators.ts'

/** With a selection; undefined: the key means what it means in normal mode. */
export function* visual(
  ed: Editor,
  key: string,
  register: string | undefined,
  count: number | undefined,
): Sys<true | undefined> {
  const [start, last, linewise] = ed.selection()
  const line = ed.lines[last.line]!
  const overEnd = !linewise && last.col >= line.length && last.line < ed.lines.length - 1
  const range: Range = {
    start,
    end: linewise ? last : overEnd ? { line: last.line + 1, col: 0 } : { line: last.line, col: last.col + 1 },
    linewise,
  }
  const leave = (): void => {
    ed.mode = 'normal'
  }
  switch (key) {
    case '\x1b':
    case '\x03':
      leave()
      return true
    case 'v':
    case 'V': {
      const wanted = key === 'v' ? 'visual' : 'visual-line'
      ed.mode = ed.mode === wanted ? 'normal' : wanted
      return true
    }
    case 'o':
      ;[ed.anchor, ed.cursor] = [ed.cursor, ed.anchor]
      return true
    case 'd':
    case 'x':
    case 'Delete':
    case 'y':
    case 'c':
    case 's':
    case '>':
    case '<':
      leave()
      ed.cursor = start
      yield* apply(ed, key === 'x' || key === 'Delete' ? 'd' : key === 's' ? 'c' : key, range, register, count ?? 1)
      return true
    case 'D':
    case 'X':
    case 'Y':
    case 'C':
    case 'S':
    case 'R':
      leave()
      ed.cursor = start
      yield* apply(
        ed,
        key === 'Y' ? 'y' : key === 'D' || key === 'X' ? 'd' : 'c',
        { ...range, end: last, linewise: true },
        register,
      )
      return true
    case 'J':
      leave()
      join(ed, start.line, Math.max(2, last.line - start.line + 1))
      return true
    case '~':
    case 'u':
    case 'U': {
      leave()
      for (let at = start.line; at <= last.line; at++) {
        const text = ed.lines[at]!
        const from = linewise || at > start.line ? 0 : start.col
        const to = linewise || at < last.line ? text.length : last.col + 1
        const part = text.slice(from, to)
        const lower = (c: string) => c.toLowerCase()
        const upper = (c: string) => c.toUpperCase()
        const changed =
          key === '~'
            ? part.replace(/[A-Za-z]/g, (c) => (c >= 'a' ? upper(c) : lower(c)))
            : part.replace(/[A-Za-z]/g, key === 'u' ? lower : upper)
        ed.buffer.setLine(at, text.slice(0, from) + changed + text.slice(to))
      }
      ed.moveTo(start)
      return true
    }
    case 'r': {
      const char = yield* ed.charKey()
      leave()
      for (let at = start.line; at <= last.line; at++) {
        const text = ed.lines[at]!
        const from = linewise || at > start.line ? 0 : start.col
        const to = linewise || at < last.line ? text.length : Math.min(text.length, last.col + 1)
        ed.buffer.setLine(at, text.slice(0, from) + char.repeat(Math.max(0, to - from)) + text.slice(to))
      }
      ed.moveTo(start)
      return true
    }
    case 'p':
    case 'P': {
      const text = ed.getRegister(register)
      leave()
      ed.cursor = start
      remove(ed, range, undefined)
      put(ed, text, ed.cursor.col > 0 && start.col > ed.cursor.col, 1)
      return true
    }
    case ':':
      leave()
      ed.buffer.marks.set('<', { line: start.line, col: 0 })
      ed.buffer.marks.set('>', { line: last.line, col: 0 })
      yield* exPrompt(ed, "'<,'>")
      return true
    case 'i':
    case 'a':
    case 'I':
    case 'A':
      throw new Failed()
    default:
      return undefined
  }
}
