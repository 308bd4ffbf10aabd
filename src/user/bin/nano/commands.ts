/** What nano's keys do: the table, and the commands that change or save the text. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { stat } from '../../libc/syscall.ts'
import { askText, askYesNo } from './ask.ts'
import { insertFile, writeFile } from './files.ts'
import { help } from './help.ts'
import { goToLine, left, page, position, right, vertical } from './moves.ts'
import { type Nano, NanoQuit } from './nano.ts'
import { replaceText, whereIs } from './search.ts'

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

/** Meta keys: the few that stand for others. */
function* escapeKey(ed: Nano): Sys<void> {
  const key = yield* ed.key()
  if (key === '\\' || key === '|') ed.goTo(0, 0)
  else if (key === '/' || key === '?') ed.goTo(ed.lines.length - 1, 0)
  else if (key === 'g' || key === 'G') yield* goToLine(ed)
  else if (key === 'r' || key === 'R') yield* replaceText(ed)
  else ed.status = 'Unknown Command'
}
