/** The addresses before a colon command: `1,$`, `.+3`, `/pattern/`, `'a`. */
import { type Editor, ViError } from './editor.ts'
import { search, searchAgain } from './search.ts'

/** Addresses in front of a command: lines from 0; `%` is two of them. */
export function parseRange(ed: Editor, text: string): readonly [lines: number[], rest: string] {
  const lines: number[] = []
  let rest = text
  let current = ed.cursor.line
  if (rest.startsWith('%')) return [[0, ed.lines.length - 1], rest.slice(1).trimStart()]
  for (;;) {
    const [line, after] = address(ed, rest, current)
    const separator = after[0]
    if (line === undefined && separator !== ',' && separator !== ';') return [lines, after]
    lines.push(line ?? current)
    if (separator === ';') current = lines.at(-1)!
    if (separator !== ',' && separator !== ';') return [lines, after]
    rest = after.slice(1)
    if (/^\s*[^0-9.$'/?\\+\-,;]/.test(rest) || rest.trim() === '') {
      lines.push(current)
      return [lines, rest.trimStart()]
    }
  }
}

export function address(ed: Editor, text: string, current: number): readonly [number | undefined, string] {
  let rest = text.trimStart()
  let line: number | undefined
  const number = /^[0-9]+/.exec(rest)?.[0]
  if (number !== undefined) {
    line = Number(number) - 1
    rest = rest.slice(number.length)
  } else if (rest[0] === '.') {
    line = current
    rest = rest.slice(1)
  } else if (rest[0] === '$') {
    line = ed.lines.length - 1
    rest = rest.slice(1)
  } else if (rest[0] === "'") {
    const mark = ed.buffer.marks.get(rest[1] ?? '')
    if (!mark) throw new ViError('E20: Mark not set')
    line = mark.line
    rest = rest.slice(2)
  } else if (rest[0] === '/' || rest[0] === '?') {
    const forward = rest[0] === '/'
    let end = 1
    while (end < rest.length && rest[end] !== rest[0]) end += rest[end] === '\\' ? 2 : 1
    const pattern = rest.slice(1, end)
    const at = { line: current, col: forward ? ed.lines[current]!.length : 0 }
    if (pattern !== '') ed.lastSearch = { pattern, forward }
    line = (pattern === '' ? searchAgain(ed, forward, at) : search(ed, pattern, forward, at)).line
    rest = rest.slice(end + 1)
  }
  for (;;) {
    const offset = /^[ \t]*([+-])([0-9]*)/.exec(rest)
    if (!offset) return [line, rest.trimStart()]
    line = (line ?? current) + (offset[1] === '+' ? 1 : -1) * (offset[2] === '' ? 1 : Number(offset[2]))
    rest = rest.slice(offset[0].length)
  }
}
