/** nano reads and writes. */
import { ENOENT } from '#abi/posix/errno.ts'
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { CHUNK, In, readAll, writeAll } from '../../libc/stdio.ts'
import { chmod, close, fstat, open, stat } from '../../libc/syscall.ts'
import type { Nano } from './nano.ts'

const plural = (count: number): string => `${count} line${count === 1 ? '' : 's'}`

/** The lines of a file, with an empty last one behind a final newline; undefined: said on the status line. */
function* readLines(ed: Nano, name: string): Sys<string[] | undefined> {
  let fd: number
  try {
    const { mode } = yield* stat(name)
    if ((mode & S_IFMT) === S_IFDIR) {
      ed.status = `"${name}" is a directory`
      return undefined
    }
    if ((mode & S_IFMT) === S_IFCHR || (mode & S_IFMT) === S_IFBLK) {
      ed.status = `File "${name}" is a device file`
      return undefined
    }
    fd = yield* open(name, O_RDONLY, 0)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    ed.status = error.errno === ENOENT ? 'New File' : `Error reading ${name}: ${strerror(error.errno)}`
    return undefined
  }
  const input = new In(fd)
  const lines: string[] = []
  let complete = true
  for (let line = yield* input.line(); line !== undefined; line = input.next() ?? (yield* input.line())) {
    lines.push(line)
    complete = input.complete
  }
  yield* close(fd)
  ed.status = `Read ${plural(lines.length)}`
  if (lines.length === 0 || complete) lines.push('')
  return lines
}

export function* openFile(ed: Nano, name: string): Sys<void> {
  const lines = yield* readLines(ed, name)
  if (lines === undefined && ed.status !== 'New File') return
  ed.file = name
  if (lines) ed.load(lines)
  ed.modified = false
}

/** Inserted where the cursor is. */
export function* insertFile(ed: Nano, name: string): Sys<void> {
  const lines = yield* readLines(ed, name)
  if (!lines) {
    if (ed.status === 'New File') ed.status = `"${name}" not found`
    return
  }
  const { line, col, text } = ed
  const now = (text.slice(0, col) + lines.join('\n') + text.slice(col)).split('\n')
  ed.replace(line, 1, now)
  ed.goTo(line + lines.length - 1, lines.length === 1 ? col + lines[0]!.length : lines.at(-1)!.length)
}

/** False: it did not work, which has been said. */
export function* writeFile(ed: Nano, name: string): Sys<boolean> {
  try {
    if (ed.options.backup) yield* backup(name)
    const fd = yield* open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
    // The text ends in a newline.
    if (ed.lines.at(-1) !== '') ed.replace(ed.lines.length, 0, [''])
    const last = ed.lines.length - 1
    let chunk = ''
    for (let i = 0; i < last; i++) {
      chunk += `${ed.lines[i]}\n`
      if (chunk.length < CHUNK) continue
      yield* writeAll(fd, bytesOfString(chunk))
      chunk = ''
    }
    yield* writeAll(fd, bytesOfString(chunk))
    yield* close(fd)
    ed.file = name
    ed.modified = false
    ed.status = `Wrote ${plural(last)}`
    return true
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    ed.status = `Error writing ${name}: ${strerror(error.errno)}`
    return false
  }
}

function* backup(name: string): Sys<void> {
  let fd: number
  try {
    fd = yield* open(name, O_RDONLY, 0)
  } catch (error) {
    if (error instanceof OsError && error.errno === ENOENT) return
    throw error
  }
  const { mode } = yield* fstat(fd)
  const text = yield* readAll(fd)
  yield* close(fd)
  const copy = yield* open(`${name}~`, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  yield* writeAll(copy, bytesOfString(text))
  yield* close(copy)
  yield* chmod(`${name}~`, mode & 0o7777)
}
