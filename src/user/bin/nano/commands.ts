/** What nano's keys do. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { stat } from '../../libc/syscall.ts'
import { compileRegex } from '../../regex/regex.ts'
import { askText, askYesNo } from './ask.ts'
import { insertFile, writeFile } from './files.ts'
import { drawn, type Nano, NanoQuit } from './nano.ts'

type Command = (ed: Nano) => Sys<void> | undefined

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['\x18', exit],
  ['\x0f', writeOut],
  ['\x12', readIn],
  ['\x17', whereIs],
  ['\x1c', replaceText],
  ['\x0b', cutLine],
  ['\x15', uncut],
  ['\x07', help],
  ['\x03', position],
  ['\x1f', goToLine],
  ['\x0a', justify],
  ['\x16', (ed) => page(ed, 1)],
  ['PageDown', (ed) => page(ed, 1)],
  ['\x19', (ed) => page(ed, -1)],
  ['PageUp', (ed) => page(ed, -1)],
  ['\x01', (ed) => void ed.goTo(ed.line, 0)],
  ['Home', (ed) => void ed.goTo(ed.line, 0)],
  ['\x05', (ed) => void ed.goTo(ed.line, ed.text.length)],
  ['End', (ed) => void ed.goTo(ed.line, ed.text.length)],
  ['\x10', (ed) => vertical(ed, -1)],
  ['Up', (ed) => vertical(ed, -1)],
  ['\x0e', (ed) => vertical(ed, 1)],
  ['Down', (ed) => vertical(ed, 1)],
  ['\x02', left],
  ['Left', left],
  ['\x06', right],
  ['Right', right],
  ['\b', backspace],
  ['\x7f', backspace],
  ['\x04', deleteHere],
  ['Delete', deleteHere],
  ['\x0c', (ed) => void ed.terminal.display.invalidate()],
  ['\x1b', escapeKey],
  ['\r', enter],
])

/** These keep what was said on the status line. */
const CHANGES = '\x0b\x15\x12\x1c\x0a\b\x7f\x04\r'

export function* nanoCommand(ed: Nano): Sys<void> {
  const key = yield* ed.key()
  ed.status = ''
  const command = COMMANDS.get(key)
  const changes = CHANGES.includes(key) || key === 'Delete' || !command
  const wasCutting = ed.cutting
  ed.cutting = false
  if (changes && ed.options.view) {
    ed.status = 'Key illegal in VIEW mode'
    return
  }
  if (command) {
    if (key === '\x0b') ed.cutting = wasCutting
    const steps = command(ed)
    if (steps) yield* steps
  } else if (key.length === 1 && (key >= ' ' || key === '\t')) insert(ed, key)
  else ed.status = 'Unknown Command'
  if (ed.options.constant && ed.status === '') yield* position(ed)
}

function insert(ed: Nano, text: string): void {
  const { line, col } = ed
  ed.replace(line, 1, [ed.text.slice(0, col) + text + ed.text.slice(col)])
  ed.goTo(line, col + text.length)
  // There is always an empty line below the last.
  if (line === ed.lines.length - 1) ed.replace(ed.lines.length, 0, [''])
}

function enter(ed: Nano): undefined {
  const { line, col, text } = ed
  const indent = ed.options.autoindent ? /^[ \t]*/.exec(text.slice(0, col))![0] : ''
  ed.replace(line, 1, [text.slice(0, col), indent + text.slice(col)])
  ed.goTo(line + 1, indent.length)
}

function left(ed: Nano): undefined {
  if (ed.col > 0) ed.goTo(ed.line, ed.col - 1)
  else if (ed.line > 0) ed.goTo(ed.line - 1, ed.lines[ed.line - 1]!.length)
}

function right(ed: Nano): undefined {
  if (ed.col < ed.text.length) ed.goTo(ed.line, ed.col + 1)
  else if (ed.line < ed.lines.length - 1) ed.goTo(ed.line + 1, 0)
}

function vertical(ed: Nano, by: number): undefined {
  const line = ed.line + by
  if (line < 0 || line >= ed.lines.length) return
  ed.goTo(line, ed.colAt(line, ed.want), true)
}

function page(ed: Nano, direction: 1 | -1): undefined {
  const by = Math.max(1, ed.height - 2)
  if (direction > 0 && ed.line + by >= ed.lines.length) return void ed.goTo(ed.lines.length - 1, 0)
  if (direction < 0 && ed.line - by <= 0) return void ed.goTo(0, 0)
  ed.top = Math.max(0, ed.top + direction * by)
  ed.goTo(ed.line + direction * by, 0)
}

function backspace(ed: Nano): undefined {
  if (ed.line === 0 && ed.col === 0) return
  left(ed)
  deleteHere(ed)
}

function deleteHere(ed: Nano): undefined {
  const { line, col, text } = ed
  if (col < text.length) ed.replace(line, 1, [text.slice(0, col) + text.slice(col + 1)])
  else if (line < ed.lines.length - 1) {
    // The empty line at the end stays.
    if (line === ed.lines.length - 2 && ed.lines[line + 1] === '' && text !== '') return
    ed.replace(line, 2, [text + ed.lines[line + 1]!])
  }
  ed.goTo(line, col)
}

/** ^K: the whole line; several in a row are kept together. */
function cutLine(ed: Nano): undefined {
  const { line } = ed
  if (!ed.cutting) ed.cut.splice(0)
  ed.cutting = true
  if (line === ed.lines.length - 1) {
    if (ed.text === '') return
    ed.cut.push(ed.text)
    ed.replace(line, 1, [''])
  } else {
    ed.cut.push(ed.text)
    ed.replace(line, 1, [])
  }
  ed.goTo(line, 0)
}

function uncut(ed: Nano): undefined {
  if (ed.cut.length === 0) return
  const { line, col, text } = ed
  ed.replace(line, 1, (text.slice(0, col) + ed.cut.map((cut) => `${cut}\n`).join('') + text.slice(col)).split('\n'))
  ed.goTo(line + ed.cut.length, 0)
}

function* exit(ed: Nano): Sys<void> {
  if (ed.modified) {
    const question = 'Save modified buffer (ANSWERING "No" WILL DESTROY CHANGES) ? '
    const answer = yield* askYesNo(ed, question, false)
    if (answer === undefined || (answer === 'yes' && !(yield* save(ed)))) return
  }
  throw new NanoQuit()
}

function* writeOut(ed: Nano): Sys<void> {
  yield* save(ed)
}

function* save(ed: Nano): Sys<boolean> {
  let name = ed.file
  for (;;) {
    const answer = yield* askText(ed, 'File Name to Write: ', name, [])
    if (!answer) return false
    name = answer[0]
    if (name === '') {
      ed.status = 'Cancelled'
      return false
    }
    if (name !== ed.file && (yield* exists(name))) {
      const over = yield* askYesNo(ed, 'File exists, OVERWRITE ? ', false)
      if (over === 'no') continue
      if (over === undefined) return false
    }
    return yield* writeFile(ed, name)
  }
}

function* exists(name: string): Sys<boolean> {
  try {
    yield* stat(name)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

function* readIn(ed: Nano): Sys<void> {
  const answer = yield* askText(ed, 'File to insert [from ./] : ', '', [])
  if (!answer || answer[0] === '') {
    ed.status = 'Cancelled'
    return
  }
  yield* insertFile(ed, answer[0])
}

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

function* whereIs(ed: Nano): Sys<void> {
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

function* replaceText(ed: Nano): Sys<void> {
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

function* goToLine(ed: Nano): Sys<void> {
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
function* position(ed: Nano): Sys<void> {
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

/** ^J: the paragraph that the cursor is in, filled to 72 columns. */
function justify(ed: Nano): undefined {
  let first = ed.line
  while (first > 0 && ed.lines[first - 1]!.trim() !== '') first--
  let last = ed.line
  if (ed.text.trim() === '') return
  while (last + 1 < ed.lines.length && ed.lines[last + 1]!.trim() !== '') last++
  const width = Math.max(20, ed.terminal.display.columns - 8)
  const now: string[] = []
  let line = /^[ \t]*/.exec(ed.lines[first]!)![0]
  let empty = true
  for (const word of ed.lines
    .slice(first, last + 1)
    .join(' ')
    .split(/[ \t]+/)
    .filter((w) => w !== '')) {
    if (!empty && line.length + 1 + word.length > width) {
      now.push(line)
      line = word
    } else line += (empty ? '' : ' ') + word
    empty = false
  }
  now.push(line)
  ed.replace(first, last - first + 1, now)
  ed.goTo(first + now.length, 0)
}

const HELP_TEXT: readonly string[] = [
  ' nano help text',
  '',
  ' The nano editor is designed to emulate the functionality and ease-of-use of',
  ' the UW Pico text editor.  There are four main sections of the editor.  The',
  ' top line shows the program version, the current filename being edited, and',
  ' whether or not the file has been modified.  Next is the main editor window',
  ' showing the file being edited.  The status line is the third line from the',
  ' bottom and shows important messages.  The bottom two lines show the most',
  ' commonly used shortcuts in the editor.',
  '',
  ' The following keystrokes are available in the main editor window:',
  '',
  ' ^G       Display this help text',
  ' ^X       Exit from nano',
  ' ^O       Write the current file to disk',
  ' ^R       Insert another file into the current one',
  ' ^W       Search for text within the editor',
  ' ^\\       Replace text within the editor',
  ' ^Y ^V    Move to the previous, the next screen',
  ' ^K       Cut the current line and store it in the cutbuffer',
  ' ^U       Uncut from the cutbuffer into the current line',
  ' ^C       Show the position of the cursor',
  ' ^_       Go to a specific line number',
  ' ^J       Justify the current paragraph',
  ' ^A ^E    Move to the beginning, the end of the line',
  ' ^B ^F ^P ^N  Move one character back, forward, one line up, down',
  ' ^D       Delete the character under the cursor',
]

function* help(ed: Nano): Sys<void> {
  const { display } = ed.terminal
  const before = ed.shortcuts
  ed.shortcuts = [['^X', 'Exit']]
  const view = { lines: ed.lines, line: ed.line, col: ed.col, top: ed.top, file: ed.file, modified: ed.modified }
  Object.assign(ed, { lines: [...HELP_TEXT], line: 0, col: 0, top: 0, file: '', modified: false })
  try {
    for (;;) {
      const key = yield* ed.key()
      if (key === '\x18' || key === '\x03' || key === '\x07') break
      if (key === 'Down' || key === '\x0e') vertical(ed, 1)
      else if (key === 'Up' || key === '\x10') vertical(ed, -1)
      else if (key === '\x16' || key === 'PageDown' || key === ' ') page(ed, 1)
      else if (key === '\x19' || key === 'PageUp') page(ed, -1)
    }
  } finally {
    ed.shortcuts = before
    Object.assign(ed, view)
    display.invalidate()
  }
}

/** Meta keys: the few that stand for others. */
function* escapeKey(ed: Nano): Sys<void> {
  const key = yield* ed.key()
  if (key === '\\' || key === '|') ed.goTo(0, 0)
  else if (key === '/' || key === '?') ed.goTo(ed.lines.length - 1, 0)
  else if (key === 'g' || key === 'G') yield* goToLine(ed)
  else if (key === 'r' || key === 'R') yield* replaceText(ed)
  else ed.status = 'Unknown Command'
}
