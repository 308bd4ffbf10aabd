/** nano's ^W and ^\: searching and replacing. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { compileRegex } from '../../regex/regex.ts'
import { askText, askYesNo } from './ask.ts'
import { goToLine } from './moves.ts'
import type { Nano } from './nano.ts'

/** The next place behind (line, col), around the end; undefined: none. Letters' case does not count. */
function find(
  ed: Nano,
  text: string,
  line: number,
  col: number,
): readonly [number, number, wrapped: boolean] | undefined {
  const regex = compileRegex(text, { fixed: true, ignoreCase: true })
  for (let i = 0; i <= ed.lines.length; i++) {
    const at = (line + i) % ed.lines.length
    const match = regex.exec(ed.lines[at]!, i === 0 ? Math.min(col, ed.lines[at]!.length) : 0)
    if (match) return [at, match[0]!, line + i >= ed.lines.length || (i > 0 && at === line)]
  }
  return undefined
}

export function* whereIs(ed: Nano): Sys<void> {
  const offer = ed.lastSearch === '' ? '' : ` [${ed.lastSearch}]`
  const answer = yield* askText(
    ed,
    `Search${offer}: `,
    '',
    [
      ['^Y', 'First Line'],
      ['^V', 'Last Line'],
      ['^R', 'Replace'],
      ['^T', 'Go To Line'],
    ],
    '\x19\x16\x12\x14',
  )
  if (!answer) return
  const [typed, key] = answer
  if (key === '\x19') return ed.goTo(0, 0)
  if (key === '\x16') return ed.goTo(ed.lines.length - 1, 0)
  if (key === '\x12') return yield* replaceText(ed)
  if (key === '\x14') return yield* goToLine(ed)
  const text = typed || ed.lastSearch
  if (text === '') {
    ed.status = 'Cancelled'
    return
  }
  ed.lastSearch = text
  const found = find(ed, text, ed.line, ed.col + 1)
  if (!found) {
    ed.status = `"${text}" not found`
    return
  }
  if (found[0] === ed.line && found[1] === ed.col) ed.status = 'This is the only occurrence'
  else if (found[2]) ed.status = 'Search Wrapped'
  ed.goTo(found[0], found[1])
}

export function* replaceText(ed: Nano): Sys<void> {
  const offer = ed.lastSearch === '' ? '' : ` [${ed.lastSearch}]`
  const what = yield* askText(ed, `Search (to replace)${offer}: `, '', [])
  if (!what) return
  const text = what[0] || ed.lastSearch
  if (text === '') {
    ed.status = 'Cancelled'
    return
  }
  ed.lastSearch = text
  const by = yield* askText(ed, 'Replace with: ', '', [])
  if (!by) return
  const [from, fromCol] = [ed.line, ed.col]
  let [line, col] = [from, fromCol]
  let count = 0
  let all = false
  let passed = false
  let any = false
  for (;;) {
    const found = find(ed, text, line, col)
    if (!found) break
    const wraps = found[0] < line || (found[0] === line && found[1] < col)
    if (wraps && passed) break
    passed ||= wraps
    if (passed && (found[0] > from || (found[0] === from && found[1] >= fromCol))) break
    any = true
    ;[line, col] = found
    ed.goTo(line, col)
    const answer = all ? 'yes' : yield* askYesNo(ed, 'Replace this instance? ', true)
    if (answer === undefined) break
    if (answer === 'all') all = true
    if (answer === 'no') col++
    else {
      const old = ed.lines[line]!
      ed.replace(line, 1, [old.slice(0, col) + by[0] + old.slice(col + text.length)])
      col += by[0].length
      count++
    }
  }
  ed.goTo(from, fromCol)
  ed.status = any ? `Replaced ${count} occurrence${count === 1 ? '' : 's'}` : `"${text}" not found`
}
