/** Colon commands about files: writing, quitting, editing others, reading one in. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { type Editor, Quit, ViError } from './editor.ts'
import type { ExCall } from './ex.ts'
import { edit, load, writeFile } from './files.ts'

export const whole = (ed: Editor, { addresses, from, to }: ExCall) =>
  addresses === 0 ? { from: 0, to: ed.lines.length - 1 } : { from, to }

/** `%` is this file; a backslash takes that away. */
export const expand = (ed: Editor, text: string): string =>
  text.replace(/\\%|%/g, (found) => (found === '%' ? (ed.file ?? '') : '%'))

export function* write(ed: Editor, call: ExCall): Sys<void> {
  const range = whole(ed, call)
  const { argument } = call
  if (argument.startsWith('!')) throw new ViError('E492: Not an editor command: w !')
  const append = argument.startsWith('>>')
  const name = expand(ed, append ? argument.slice(2).trim() : argument.trim())
  yield* writeFile(ed, name === '' ? undefined : name, { ...range, force: call.bang, append })
}

const unwritten = 'E37: No write since last change (add ! to override)'

export function* quit(ed: Editor, { bang }: ExCall): Sys<void> {
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

export function* writeQuit(ed: Editor, call: ExCall): Sys<void> {
  yield* write(ed, call)
  if (!call.bang) moreFiles(ed)
  throw new Quit(0)
}

export function* exit(ed: Editor, call: ExCall): Sys<void> {
  if (ed.buffer.modified || call.argument !== '') yield* write(ed, call)
  if (!call.bang) moreFiles(ed)
  throw new Quit(0)
}

export function* editCommand(ed: Editor, { bang, argument }: ExCall): Sys<void> {
  if (ed.buffer.modified && !bang) throw new ViError(unwritten)
  const name = expand(ed, argument.trim()) || ed.file
  const same = name === ed.file
  const line = ed.cursor.line
  yield* edit(ed, name, false)
  if (same) ed.moveTo({ line, col: 0 })
}

export function* argument(ed: Editor, { bang }: ExCall, by: number): Sys<void> {
  if (ed.buffer.modified && !bang) throw new ViError(unwritten)
  const index = Math.min(ed.fileIndex, ed.files.length - 1) + by
  if (index >= ed.files.length) throw new ViError('E165: Cannot go beyond last file')
  if (index < 0) throw new ViError('E164: Cannot go before first file')
  ed.fileIndex = index
  yield* edit(ed, ed.files[index], false)
}

export function* readCommand(ed: Editor, { to, addresses, argument }: ExCall): Sys<void> {
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

export function* fileCommand(ed: Editor, { argument }: ExCall): Sys<void> {
  if (argument.trim() !== '') ed.file = argument.trim()
  ed.say(fileInfo(ed))
}

/** ^G */
export function fileInfo(ed: Editor): string {
  const count = ed.lines.length
  const percent = Math.floor(((ed.cursor.line + 1) * 100) / count)
  const flags = `${ed.buffer.modified ? '[Modified] ' : ''}${ed.newFile ? '[Not edited] ' : ''}${ed.readonly ? '[readonly] ' : ''}`
  const lines = ed.buffer.empty ? '--No lines in buffer--' : `${count} line${count === 1 ? '' : 's'} --${percent}%--`
  return `"${ed.file ?? '[No Name]'}" ${flags}${lines}`
}
