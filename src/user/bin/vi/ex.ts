/** The colon commands. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { run } from '../../libc/process.ts'
import { type Editor, ViError } from './editor.ts'
import {
  argument,
  editCommand,
  exit,
  expand,
  fileCommand,
  quit,
  readCommand,
  whole,
  write,
  writeQuit,
} from './ex-files.ts'
import {
  copyLines,
  deleteLines,
  goTo,
  joinLines,
  mark,
  moveLines,
  redo,
  shiftLines,
  undo,
  yankLines,
} from './ex-lines.ts'
import { parseRange } from './ex-range.ts'
import { prompt } from './prompt.ts'
import { viRegex } from './search.ts'
import { setOption } from './set.ts'
import { substitute } from './substitute.ts'

export interface ExCall {
  /** Lines from 0, both included. */
  readonly from: number
  readonly to: number
  /** How many addresses were typed. */
  readonly addresses: number
  readonly bang: boolean
  readonly argument: string
}

type ExCommand = (ed: Editor, call: ExCall) => Sys<void>

/** Names with their shortest form: `w[rite]`. */
const COMMANDS: readonly (readonly [short: string, long: string, run: ExCommand])[] = [
  ['w', 'write', write],
  ['q', 'quit', quit],
  ['wq', 'wq', writeQuit],
  ['x', 'xit', exit],
  ['exi', 'exit', exit],
  ['e', 'edit', editCommand],
  ['ene', 'enew', editCommand],
  ['r', 'read', readCommand],
  ['n', 'next', (ed, call) => argument(ed, call, 1)],
  ['N', 'Next', (ed, call) => argument(ed, call, -1)],
  ['prev', 'previous', (ed, call) => argument(ed, call, -1)],
  ['rew', 'rewind', (ed, call) => argument(ed, call, -ed.fileIndex)],
  ['s', 'substitute', substitute],
  ['&', '&', substitute],
  ['d', 'delete', deleteLines],
  ['y', 'yank', yankLines],
  ['j', 'join', joinLines],
  ['m', 'move', moveLines],
  ['co', 'copy', copyLines],
  ['t', 't', copyLines],
  ['>', '>', (ed, call) => shiftLines(ed, call, true)],
  ['<', '<', (ed, call) => shiftLines(ed, call, false)],
  ['g', 'global', (ed, call) => global(ed, call, call.bang)],
  ['v', 'vglobal', (ed, call) => global(ed, call, true)],
  ['u', 'undo', undo],
  ['red', 'redo', redo],
  ['se', 'set', setOption],
  ['f', 'file', fileCommand],
  ['k', 'k', mark],
  ['ma', 'mark', mark],
  ['noh', 'nohlsearch', function* () {}],
  ['!', '!', shell],
  ['sh', 'shell', shell],
  ['st', 'stop', (ed) => ed.terminal.suspend()],
  ['sus', 'suspend', (ed) => ed.terminal.suspend()],
  ['=', '=', lineNumber],
  [
    've',
    'version',
    function* (ed) {
      ed.say('VIM - Vi IMproved 7.0 (2006 May 7)')
    },
  ],
]

/** `:` was pressed. */
export function* exPrompt(ed: Editor, initial = ''): Sys<void> {
  ed.message = ''
  const text = yield* prompt(ed, ':', ed.commandHistory, initial)
  if (text !== undefined && text.trim() !== '') {
    ed.say(`:${text}`)
    yield* exCommand(ed, text)
  }
}

/** One command; bars between commands. */
export function* exCommand(ed: Editor, text: string): Sys<void> {
  const [range, rest] = parseRange(ed, text.replace(/^[ \t:]+/, ''))
  const match = /^(substitute|su|s(?=[^a-zA-Z]|$|[giIceknp&]+$)|k(?=[a-z]$)|[A-Za-z]+|[!&=<>])?(!?)[ \t]*(.*)$/s.exec(
    rest,
  )
  const name = match?.[1]
  if (name === undefined) {
    if (rest !== '' && !rest.startsWith('"')) throw new ViError(`E492: Not an editor command: ${text}`)
    if (range.length > 0) goTo(ed, range.at(-1)!)
    return
  }
  const found = COMMANDS.find(([short, long]) => name.startsWith(short) && long.startsWith(name))
  if (!found) throw new ViError(`E492: Not an editor command: ${text}`)
  const last = ed.lines.length - 1
  for (const line of range) if (line > last || line < -1) throw new ViError('E16: Invalid range')
  let [from, to] = range.length >= 2 ? [range.at(-2)!, range.at(-1)!] : [range.at(-1), range.at(-1)]
  if (from !== undefined && to !== undefined && from > to) [from, to] = [to, from]
  const [argument, next] = splitBar(match![3]!, found[1])
  const here = ed.cursor.line
  yield* found[2](ed, {
    from: from ?? here,
    to: to ?? here,
    addresses: range.length,
    bang: match![2] === '!',
    argument,
  })
  if (next !== undefined) yield* exCommand(ed, next)
}

/** A bar ends a command, except one that takes the rest of the line. */
function splitBar(text: string, command: string): readonly [string, string | undefined] {
  if (['!', 'global', 'vglobal', 'read', 'write'].includes(command) && (command !== 'write' || text.includes('!')))
    return [text, undefined]
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '|') return [text.slice(0, i), text.slice(i + 1)]
  }
  return [text, undefined]
}

/** :g and :v: mark the lines first, then run the command on each that is still there. */
function* global(ed: Editor, call: ExCall, inverted: boolean): Sys<void> {
  const { from, to } = whole(ed, call)
  const delimiter = call.argument[0]
  if (delimiter === undefined || /[A-Za-z0-9"|\\]/.test(delimiter))
    throw new ViError('E148: Regular expression missing from global')
  let end = 1
  while (end < call.argument.length && call.argument[end] !== delimiter) end += call.argument[end] === '\\' ? 2 : 1
  const pattern = call.argument.slice(1, end) || ed.lastSearch?.pattern
  if (pattern === undefined) throw new ViError('E35: No previous regular expression')
  ed.lastSearch = { pattern, forward: true }
  const command = call.argument.slice(end + 1) || 'p'
  if (!/^\s*(s|d|m|t|co|j|y|>|<|k|norm|&)/.test(command)) throw new ViError(`E492: Not an editor command: ${command}`)
  const regex = viRegex(ed, pattern)
  const marked: string[] = []
  for (let line = from; line <= to; line++) {
    if (regex.test(ed.lines[line]!) === inverted) continue
    const name = `:g${marked.length}`
    marked.push(name)
    ed.buffer.marks.set(name, { line, col: 0 })
  }
  if (marked.length === 0) throw new ViError(`E486: Pattern not found: ${pattern}`)
  try {
    for (const name of marked) {
      const at = ed.buffer.marks.get(name)
      if (!at) continue
      ed.cursor = at
      yield* exCommand(ed, command)
    }
  } finally {
    for (const name of marked) ed.buffer.marks.delete(name)
  }
}

function* lineNumber(ed: Editor, call: ExCall): Sys<void> {
  ed.say(`${call.addresses === 0 ? ed.lines.length : call.to + 1}`)
}

/** :!command and :sh: the terminal is the command's meanwhile. */
function* shell(ed: Editor, { argument, addresses }: ExCall): Sys<void> {
  // Filters are left out.
  if (addresses > 0) throw new ViError('E481: No range allowed')
  const command = expand(ed, argument).replace(/\\!|!/g, (found) => (found === '!' ? (ed.lastShell ?? '!') : '!'))
  if (command !== '') ed.lastShell = command
  yield* ed.terminal.restore()
  yield* ed.terminal.display.raw(command === '' ? '\r' : `\r:!${command}\r\n`)
  const status = yield* run('/bin/sh', command === '' ? ['sh'] : ['sh', '-c', command], ed.env)
  if (status !== 0) yield* ed.terminal.display.raw(`\r\nshell returned ${(status >> 8) & 0xff || status}\r\n`)
  yield* ed.terminal.resumeQuietly()
  if (command !== '') {
    yield* ed.terminal.display.raw('\r\nPress ENTER or type command to continue')
    const key = yield* ed.terminal.key()
    ed.terminal.display.invalidate()
    if (key === ':') yield* exPrompt(ed)
  }
  ed.say('')
}
