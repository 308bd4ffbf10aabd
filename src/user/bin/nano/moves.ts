/** Moving about in nano, and saying where one is. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { askText } from './ask.ts'
import { drawn, type Nano } from './nano.ts'

export function left(ed: Nano): undefined {
  if (ed.col > 0) ed.goTo(ed.line, ed.col - 1)
  else if (ed.line > 0) ed.goTo(ed.line - 1, ed.lines[ed.line - 1]!.length)
}

export function right(ed: Nano): undefined {
  if (ed.col < ed.text.length) ed.goTo(ed.line, ed.col + 1)
  else if (ed.line < ed.lines.length - 1) ed.goTo(ed.line + 1, 0)
}

export function vertical(ed: Nano, by: number): undefined {
  const line = ed.line + by
  if (line < 0 || line >= ed.lines.length) return
  ed.goTo(line, ed.colAt(line, ed.want), true)
}

export function page(ed: Nano, direction: 1 | -1): undefined {
  const by = Math.max(1, ed.height - 2)
  if (direction > 0 && ed.line + by >= ed.lines.length) return void ed.goTo(ed.lines.length - 1, 0)
  if (direction < 0 && ed.line - by <= 0) return void ed.goTo(0, 0)
  ed.top = Math.max(0, ed.top + direction * by)
  ed.goTo(ed.line + direction * by, 0)
}

export function* goToLine(ed: Nano): Sys<void> {
  const answer = yield* askText(
    ed,
    'Enter line number, column number: ',
    '',
    [
      ['^Y', 'First Line'],
      ['^V', 'Last Line'],
    ],
    '\x19\x16',
  )
  if (!answer) return
  if (answer[1] === '\x19') return ed.goTo(0, 0)
  if (answer[1] === '\x16') return ed.goTo(ed.lines.length - 1, 0)
  const match = /^\s*([0-9]+)?\s*(?:,\s*([0-9]+))?\s*$/.exec(answer[0])
  if (!match || answer[0].trim() === '') {
    ed.status = 'Come on, be reasonable'
    return
  }
  const line = Math.min(ed.lines.length, Math.max(1, Number(match[1] ?? ed.line + 1))) - 1
  ed.goTo(line, match[2] === undefined ? 0 : ed.colAt(line, Number(match[2]) - 1))
}

/** ^C: `line 1/17 (5%), col 1/20 (5%), char 0/512 (0%)` */
export function* position(ed: Nano): Sys<void> {
  let before = 0
  let total = 0
  for (let i = 0; i < ed.lines.length; i++) {
    if (i < ed.line) before += ed.lines[i]!.length + 1
    total += ed.lines[i]!.length + 1
  }
  const at = before + ed.col
  const size = total - 1
  const percent = (part: number, whole: number) => (whole === 0 ? 0 : Math.floor((100 * part) / whole))
  const col = ed.columnOf(ed.line, ed.col) + 1
  const cols = drawn(ed.text).length + 1
  const [line, lines] = [ed.line + 1, ed.lines.length]
  ed.status = `line ${line}/${lines} (${percent(line, lines)}%), col ${col}/${cols} (${percent(col, cols)}%), char ${at}/${size} (${percent(at, size)}%)`
}
