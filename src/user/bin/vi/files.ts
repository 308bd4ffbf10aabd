/** Reading files into the buffer and writing them back, with vim's messages about it. */
import { EISDIR, ENOENT } from '#abi/posix/errno.ts'
import { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, W_OK } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../../libc/errno.ts'
import { CHUNK, In, writeAll } from '../../libc/stdio.ts'
import { access, close, fstat, open, stat } from '../../libc/syscall.ts'
import { type Editor, ViError } from './editor.ts'

interface Loaded {
  readonly lines: readonly string[]
  readonly bytes: number
  readonly noEol: boolean
}

/** All lines of a file. Memory is paid for as it comes. */
export function* load(ed: Editor, name: string): Sys<Loaded> {
  const fd = yield* open(name, O_RDONLY, 0)
  try {
    if (((yield* fstat(fd)).mode & S_IFMT) === S_IFDIR) throw new OsError(EISDIR, 'read', name)
    const input = new In(fd)
    const lines: string[] = []
    let bytes = 0
    let noEol = false
    for (let line = yield* input.line(); line !== undefined; line = input.next() ?? (yield* input.line())) {
      lines.push(line)
      noEol = !input.complete
      bytes += line.length + 1
      if (lines.length % 1024 === 0) yield* ed.heap.keep(1024 * 16)
    }
    return { lines, bytes: noEol ? bytes - 1 : bytes, noEol }
  } finally {
    yield* close(fd)
  }
}

/** Edit `name`: what vi says about it at once. A directory or an unreadable file leaves an empty buffer. */
export function* edit(ed: Editor, name: string | undefined, readonlyView: boolean): Sys<void> {
  ed.file = name
  ed.newFile = false
  ed.noEol = false
  ed.readonly = readonlyView
  ed.buffer.load([])
  ed.view.top = 0
  ed.moveTo({ line: 0, col: 0 })
  if (name === undefined) return
  try {
    const { lines, bytes, noEol } = yield* load(ed, name)
    ed.buffer.load(lines)
    ed.noEol = noEol
    if (!(yield* writable(name))) ed.readonly = true
    const notes = `${ed.readonly ? '[readonly] ' : ''}${noEol ? '[noeol] ' : ''}`
    ed.say(`"${name}" ${notes}${lines.length}L, ${bytes}C`)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    if (error.errno === ENOENT) {
      ed.newFile = true
      ed.say(`"${name}" [New File]`)
    } else if (error.errno === EISDIR) ed.complain(`"${name}" is a directory`)
    else ed.complain(`"${name}" [Permission Denied]`)
  }
}

function* writable(name: string): Sys<boolean> {
  try {
    yield* access(name, W_OK)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

export interface WriteOptions {
  readonly force: boolean
  readonly append: boolean
  /** Only these lines, both included. */
  readonly from: number
  readonly to: number
}

/** :w */
export function* writeFile(ed: Editor, name: string | undefined, options: WriteOptions): Sys<void> {
  const target = name ?? ed.file
  if (target === undefined) throw new ViError('E32: No file name')
  const { lines } = ed
  const whole = options.from === 0 && options.to === lines.length - 1
  const own = target === ed.file
  let exists = true
  try {
    const { mode } = yield* stat(target)
    if ((mode & S_IFMT) === S_IFDIR) throw new ViError(`"${target}" is a directory`)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    exists = false
  }
  if (!options.force && !options.append) {
    if (own && ed.readonly) throw new ViError("E45: 'readonly' option is set (add ! to override)")
    if (exists && !own) throw new ViError('E13: File exists (add ! to override)')
    if (own && !whole) throw new ViError('E140: Use ! to write partial buffer')
  }
  if (options.append && !exists && !options.force) throw new ViError(`E212: Can't open file for writing`)
  let fd: number
  try {
    fd = yield* open(target, O_WRONLY | O_CREAT | (options.append ? O_APPEND : O_TRUNC), 0o666)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new ViError(`"${target}" E212: Can't open file for writing`)
  }
  const last = ed.buffer.empty ? -1 : options.to
  let written = 0
  let chunk = ''
  try {
    for (let i = options.from; i <= last; i++) {
      chunk += i === lines.length - 1 && ed.noEol ? lines[i]! : `${lines[i]!}\n`
      if (chunk.length < CHUNK && i < last) continue
      yield* writeAll(fd, bytesOfString(chunk))
      written += chunk.length
      chunk = ''
    }
    yield* close(fd)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new ViError(`"${target}" E514: write error (file system full?)`)
  }
  const note = options.append ? '' : exists ? '' : '[New] '
  const eol = ed.noEol && last === lines.length - 1 ? '[noeol] ' : ''
  ed.say(
    `"${target}" ${note}${eol}${Math.max(0, last - options.from + 1)}L, ${written}C ${options.append ? 'appended' : 'written'}`,
  )
  if (ed.file === undefined && whole) ed.file = target
  if (target === ed.file && whole) {
    ed.buffer.saved()
    ed.newFile = false
    if (options.force) ed.readonly = false
  }
}
