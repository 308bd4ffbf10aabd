/** What test(1) asks of files, as a program and as a builtin of the shell. */
import type { Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../libc/errno.ts'
import { access, lstat, stat } from '../libc/syscall.ts'

/** Its attributes; undefined: it cannot be looked at, for whatever reason. */
export function* attributes(path: string, link = false): Sys<Stat | undefined> {
  try {
    return yield* link ? lstat(path) : stat(path)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return undefined
  }
}

/** `mode`: R_OK, W_OK or X_OK. */
export function* accessible(path: string, mode: number): Sys<boolean> {
  try {
    yield* access(path, mode)
    return true
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}

/** `-nt`, `-ot` and `-ef`; a file that is not there is older than any. */
export function* compareFiles(left: string, op: string, right: string): Sys<boolean> {
  const a = yield* attributes(left)
  const b = yield* attributes(right)
  if (op === '-ef') return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
  if (op === '-nt') return a !== undefined && (b === undefined || a.mtime > b.mtime)
  return b !== undefined && (a === undefined || a.mtime < b.mtime)
}
