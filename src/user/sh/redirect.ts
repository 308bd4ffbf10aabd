/** Redirections (POSIX.1-2004, XCU 2.7). */
import { EBADF, ENOENT, ENOTDIR } from '#abi/posix/errno.ts'
import {
  F_DUPFD,
  F_SETFD,
  FD_CLOEXEC,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  PIPE_BUF,
} from '#abi/posix/fcntl.ts'
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { writeAll } from '../libc/stdio.ts'
import { close, dup2, fcntl, fork, open, pipe, raw, stat } from '../libc/syscall.ts'
import type { Redir, RedirOp } from './ast.ts'
import { ShellError } from './errors.ts'
import type { Expander } from './expand.ts'
import type { Shell } from './shell.ts'

/** A redirection whose word has been expanded. */
export interface Target {
  readonly op: RedirOp
  readonly fd: number
  readonly text: string
}

/** Where a descriptor was put meanwhile; -1: it was closed. */
export interface SavedFd {
  readonly fd: number
  readonly kept: number
}

const FIRST_SAVED = 10

export function* targets(sh: Shell, expander: Expander, redirs: readonly Redir[]): Sys<Target[]> {
  const all: Target[] = []
  for (const { op, fd, word } of redirs) {
    let text = yield* expander.string(sh, word)
    if (op === '<<<') text += '\n'
    if ((op === '<&' || op === '>&') && !/^(?:[0-9]{1,9}|-)$/.test(text)) {
      if (sh.bash) throw new ShellError(`${text}: ambiguous redirect`, 1)
      throw new ShellError('Syntax error: Bad fd number')
    }
    all.push({ op, fd, text })
  }
  return all
}

/** Apply them; with `saved`, what is needed to take them back is put there. */
export function* redirect(sh: Shell, list: readonly Target[], saved?: SavedFd[]): Sys<void> {
  for (const target of list) {
    const { op, fd, text } = target
    if (op === '&>' || op === '&>>') {
      const from = yield* openTarget(sh, target)
      if (saved) yield* save(fd, saved)
      if (saved) yield* save(2, saved)
      yield* dup2(from, 2)
      yield* move(from, fd)
      continue
    }
    if (op === '<&' || op === '>&') {
      if (saved) yield* save(fd, saved)
      if (text === '-') yield* raw(SYSCALL_NR.close, fd)
      else {
        const from = Number(text)
        if (from === fd) continue
        // Descriptors from 10 on are the shell's own.
        const result = yield* raw(SYSCALL_NR.dup2, from, fd)
        if (typeof result === 'number' && result < 0)
          throw new ShellError(`${text}: ${strerror(-result)}`, sh.bash ? 1 : 2)
      }
      continue
    }
    const from = op === '<<' || op === '<<<' ? yield* document(sh, text) : yield* openTarget(sh, target)
    if (saved) yield* save(fd, saved)
    yield* move(from, fd)
  }
}

function* move(from: number, to: number): Sys<void> {
  if (from === to) return
  yield* dup2(from, to)
  yield* close(from)
}

function* save(fd: number, saved: SavedFd[]): Sys<void> {
  if (saved.some((entry) => entry.fd === fd)) return
  const kept = yield* raw(SYSCALL_NR.fcntl, fd, F_DUPFD, FIRST_SAVED)
  if (typeof kept !== 'number') return
  if (kept >= 0) yield* fcntl(kept, F_SETFD, FD_CLOEXEC)
  else if (kept !== -EBADF) throw new ShellError(`${fd}: ${strerror(-kept)}`)
  saved.push({ fd, kept: Math.max(kept, -1) })
}

export function* restore(saved: readonly SavedFd[]): Sys<void> {
  for (let i = saved.length - 1; i >= 0; i--) {
    const { fd, kept } = saved[i]!
    if (kept < 0) yield* raw(SYSCALL_NR.close, fd)
    else {
      yield* raw(SYSCALL_NR.dup2, kept, fd)
      yield* raw(SYSCALL_NR.close, kept)
    }
  }
}

function* openTarget(sh: Shell, { op, text }: Target): Sys<number> {
  try {
    switch (op) {
      case '<':
        return yield* open(text, O_RDONLY, 0)
      case '<>':
        return yield* open(text, O_RDWR | O_CREAT, 0o666)
      case '>>':
      case '&>>':
        return yield* open(text, O_WRONLY | O_CREAT | O_APPEND, 0o666)
      case '>':
        if (sh.options.has('C')) return yield* openNew(sh, text)
    }
    return yield* open(text, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new ShellError(openFault(sh, text, error.errno, op !== '<'), sh.bash ? 1 : 2)
  }
}

/** How a file could not be opened, in the shell's words. */
export function openFault(sh: Shell, path: string, errno: number, create: boolean): string {
  if (sh.bash) return `${path}: ${strerror(errno)}`
  const why =
    errno === ENOENT || errno === ENOTDIR ? (create ? 'Directory nonexistent' : 'No such file') : strerror(errno)
  return `cannot ${create ? 'create' : 'open'} ${path}: ${why}`
}

/** noclobber: only files that are new, or no regular files. */
function* openNew(sh: Shell, path: string): Sys<number> {
  try {
    const { mode } = yield* stat(path)
    if ((mode & S_IFMT) !== S_IFREG) return yield* open(path, O_WRONLY, 0o666)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return yield* open(path, O_WRONLY | O_CREAT | O_EXCL, 0o666)
  }
  throw new ShellError(
    sh.bash ? `${path}: cannot overwrite existing file` : `cannot create ${path}: File exists`,
    sh.bash ? 1 : 2,
  )
}

/** A here-document's reading end: a pipe that holds it, or that a child fills. */
function* document(sh: Shell, text: string): Sys<number> {
  const [reading, writing] = yield* pipe()
  const bytes = bytesOfString(text)
  if (bytes.length <= PIPE_BUF) {
    yield* writeAll(writing, bytes)
    yield* close(writing)
    return reading
  }
  void sh
  yield* fork(function* () {
    yield* close(reading)
    for (const signo of [1, 2, 3, 15, 20]) yield* raw(SYSCALL_NR.rt_sigaction, signo, 1, 0, 0)
    yield* raw(SYSCALL_NR.rt_sigaction, 13, 0, 0, 0)
    yield* writeAll(writing, bytes)
    return 0
  })
  yield* close(writing)
  return reading
}
