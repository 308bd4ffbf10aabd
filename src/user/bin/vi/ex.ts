/** The colon commands. */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { run } from '../../libc/process.ts'
import { clock_gettime } from '../../libc/syscall.ts'
import { type Editor, Quit, ViError } from './editor.ts'
import { edit, load, writeFile } from './files.ts'
import { firstNonBlank } from './motions.ts'
import { shift } from './operate.ts'
import { prompt } from './prompt.ts'
import { search, searchAgain, viRegex } from './search.ts'
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

/** Addresses in front of a command: lines from 0; `%` is two of them. */
function parseRange(ed: Editor, text: string): readonly [lines: number[], rest: string] {
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

function address(ed: Editor, text: string, current: number): readonly [number | undefined, string] {
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

function goTo(ed: Editor, line: number): void {
  const at = Math.max(0, Math.min(line, ed.lines.length - 1))
  ed.buffer.marks.set("'", ed.cursor)
  ed.moveTo({ line: at, col: firstNonBlank(ed.lines[at]!) })
}

const whole = (ed: Editor, { addresses, from, to }: ExCall) =>
  addresses === 0 ? { from: 0, to: ed.lines.length - 1 } : { from, to }

/** `%` is this file; a backslash takes that away. */
const expand = (ed: Editor, text: string): string =>
  text.replace(/\\%|%/g, (found) => (found === '%' ? (ed.file ?? '') : '%'))

function* write(ed: Editor, call: ExCall): Sys<void> {
  const range = whole(ed, call)
  const { argument } = call
  if (argument.startsWith('!')) throw new ViError('E492: Not an editor command: w !')
  const append = argument.startsWith('>>')
  const name = expand(ed, append ? argument.slice(2).trim() : argument.trim())
  yield* writeFile(ed, name === '' ? undefined : name, { ...range, force: call.bang, append })
}

const unwritten = 'E37: No write since last change (add ! to override)'

function* quit(ed: Editor, { bang }: ExCall): Sys<void> {
  if (!bang) {
    if (ed.buffer.modified) throw new ViError(unwritten)
    moreFiles(ed)
  }
  throw new Quit(0)
}

/** Files of the argument list that were not looked at: said once. */
function moreFiles(ed: Editor): void {
  const left = ed.files.length - ed.fileIndex - 1
  if (left <= 0) return
  ed.fileIndex = ed.files.length
  throw new ViError(left === 1 ? 'E173: 1 more file to edit' : `E173: ${left} more files to edit`)
}

function* writeQuit(ed: Editor, call: ExCall): Sys<void> {
  yield* write(ed, call)
  if (!call.bang) moreFiles(ed)
  throw new Quit(0)
}

function* exit(ed: Editor, call: ExCall): Sys<void> {
  if (ed.buffer.modified || call.argument !== '') yield* write(ed, call)
  if (!call.bang) moreFiles(ed)
  throw new Quit(0)
}

function* editCommand(ed: Editor, { bang, argument }: ExCall): Sys<void> {
  if (ed.buffer.modified && !bang) throw new ViError(unwritten)
  const name = expand(ed, argument.trim()) || ed.file
  const same = name === ed.file
  const line = ed.cursor.line
  yield* edit(ed, name, false)
  if (same) ed.moveTo({ line, col: 0 })
}

function* argument(ed: Editor, { bang }: ExCall, by: number): Sys<void> {
  if (ed.buffer.modified && !bang) throw new ViError(unwritten)
  const index = Math.min(ed.fileIndex, ed.files.length - 1) + by
  if (index >= ed.files.length) throw new ViError('E165: Cannot go beyond last file')
  if (index < 0) throw new ViError('E164: Cannot go before first file')
  ed.fileIndex = index
  yield* edit(ed, ed.files[index], false)
}

function* readCommand(ed: Editor, { to, addresses, argument }: ExCall): Sys<void> {
  if (argument.startsWith('!')) throw new ViError('E492: Not an editor command: r !')
  const name = expand(ed, argument.trim()) || ed.file
  if (name === undefined) throw new ViError('E32: No file name')
  try {
    const { lines, bytes } = yield* load(ed, name)
    const at = addresses > 0 ? to + 1 : ed.cursor.line + 1
    if (lines.length > 0) ed.buffer.replace(at, 0, lines)
    ed.moveTo({ line: at, col: 0 })
    ed.say(`"${name}" ${lines.length}L, ${bytes}C`)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new ViError(`E484: Can't open file ${name}`)
  }
}

function* deleteLines(ed: Editor, { from, to, argument }: ExCall): Sys<void> {
  const count = to - Math.max(0, from) + 1
  ed.setRegister(/^[a-z"]/i.exec(argument)?.[0], { lines: ed.lines.slice(from, to + 1), linewise: true }, true)
  ed.buffer.replace(from, count, [])
  goTo(ed, from)
  if (ed.buffer.empty) ed.say('--No lines in buffer--')
  else ed.sayLines(count, 'fewer lines')
}

function* yankLines(ed: Editor, { from, to, argument }: ExCall): Sys<void> {
  ed.setRegister(/^[a-z"]/i.exec(argument)?.[0], { lines: ed.lines.slice(from, to + 1), linewise: true }, false)
  ed.sayLines(to - from + 1, 'lines yanked')
}

function* joinLines(ed: Editor, { from, to }: ExCall): Sys<void> {
  const last = Math.min(ed.lines.length - 1, to === from ? to + 1 : to)
  const parts = ed.lines.slice(from, last + 1).map((line, i) => (i === 0 ? line : line.trimStart()))
  ed.buffer.replace(from, parts.length, [parts.filter((part, i) => i === 0 || part !== '').join(' ')])
  goTo(ed, from)
}

function target(ed: Editor, text: string): number {
  const [line, rest] = address(ed, text, ed.cursor.line)
  if (line === undefined || rest !== '') throw new ViError('E14: Invalid address')
  if (line < -1 || line >= ed.lines.length) throw new ViError('E16: Invalid range')
  return line
}

function* moveLines(ed: Editor, { from, to, argument }: ExCall): Sys<void> {
  const after = target(ed, argument)
  if (after >= from && after < to) throw new ViError('E134: Move lines into themselves')
  const lines = ed.lines.slice(from, to + 1)
  if (after === to) return
  if (after > to) {
    ed.buffer.replace(after + 1, 0, lines)
    ed.buffer.replace(from, lines.length, [])
  } else {
    ed.buffer.replace(from, lines.length, [])
    ed.buffer.replace(after + 1, 0, lines)
  }
  goTo(ed, after > to ? after : after + lines.length)
  ed.sayLines(lines.length, 'lines moved')
}

function* copyLines(ed: Editor, { from, to, argument }: ExCall): Sys<void> {
  const after = target(ed, argument)
  const lines = ed.lines.slice(from, to + 1)
  ed.buffer.replace(after + 1, 0, lines)
  goTo(ed, after + lines.length)
}

function* shiftLines(ed: Editor, { from, to, argument }: ExCall, right: boolean): Sys<void> {
  const more = /^[<>]*/.exec(argument)![0].length
  shift(ed, { start: { line: from, col: 0 }, end: { line: to, col: 0 }, linewise: true }, right, 1 + more)
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

function* undo(ed: Editor): Sys<void> {
  const [seconds] = yield* clock_gettime(CLOCK_REALTIME)
  const done = ed.buffer.undo(seconds)
  if (done) ed.moveTo(done[0])
  ed.say(done?.[1] ?? 'Already at oldest change')
}

function* redo(ed: Editor): Sys<void> {
  const [seconds] = yield* clock_gettime(CLOCK_REALTIME)
  const done = ed.buffer.redo(seconds)
  if (done) ed.moveTo(done[0])
  ed.say(done?.[1] ?? 'Already at newest change')
}

function* fileCommand(ed: Editor, { argument }: ExCall): Sys<void> {
  if (argument.trim() !== '') ed.file = argument.trim()
  ed.say(fileInfo(ed))
}

function* mark(ed: Editor, { to, argument }: ExCall): Sys<void> {
  const name = argument.trim()
  if (!/^[a-zA-Z']$/.test(name)) throw new ViError('E191: Argument must be a letter or forward/backward quote')
  ed.buffer.marks.set(name, { line: to, col: 0 })
}

function* lineNumber(ed: Editor, call: ExCall): Sys<void> {
  ed.say(`${call.addresses === 0 ? ed.lines.length : call.to + 1}`)
}

/** ^G */
export function fileInfo(ed: Editor): string {
  const count = ed.lines.length
  const percent = Math.floor(((ed.cursor.line + 1) * 100) / count)
  const flags = `${ed.buffer.modified ? '[Modified] ' : ''}${ed.newFile ? '[Not edited] ' : ''}${ed.readonly ? '[readonly] ' : ''}`
  const lines = ed.buffer.empty ? '--No lines in buffer--' : `${count} line${count === 1 ? '' : 's'} --${percent}%--`
  return `"${ed.file ?? '[No Name]'}" ${flags}${lines}`
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
