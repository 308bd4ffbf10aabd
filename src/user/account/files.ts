/** Changing /etc/passwd, /etc/shadow and /etc/group as shadow-utils does: the new file beside the old, then renamed over it. */
import { O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { readFile, writeAll } from '../libc/stdio.ts'
import { close, fchmod, fchown, fsync, open, rename, stat, unlink } from '../libc/syscall.ts'

/** Lines of a file; the last needs no newline. */
export function* linesOf(path: string): Sys<string[]> {
  return (yield* readFile(path)).split('\n').filter((line) => line !== '')
}

/** Other lines for `path`, with its owner and mode. */
export function* rewrite(path: string, change: (lines: readonly string[]) => readonly string[]): Sys<void> {
  const before = yield* stat(path)
  const lines = change(yield* linesOf(path))
  const fd = yield* open(`${path}+`, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  yield* writeAll(fd, bytesOfString(lines.map((line) => `${line}\n`).join('')))
  yield* fchown(fd, before.uid, before.gid)
  yield* fchmod(fd, before.mode & 0o7777)
  yield* fsync(fd)
  yield* close(fd)
  yield* rename(`${path}+`, path)
}

/** lckpwdf: `work` while nobody else changes these files. Undefined where the lock cannot be had. */
export function* locked<T>(path: string, work: () => Sys<T>): Sys<T | undefined> {
  try {
    yield* close(yield* open(`${path}.lock`, O_WRONLY | O_CREAT | O_EXCL, 0o600))
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
  try {
    return yield* work()
  } finally {
    yield* unlink(`${path}.lock`)
  }
}
