/** dirent.h: directories. */
import { O_DIRECTORY, O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Dirent } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from './errno.ts'
import { close, getdents, open } from './syscall.ts'

/** All entries in the directory's own order, `.` and `..` among them. Errors name `path`. */
export function* listDirectory(path: string): Sys<Dirent[]> {
  return yield* withDirectory(path, NOTHING_MORE)
}

/** The same, with something to do before the directory is closed: /proc/self/fd shows who looks at it. */
export function* withDirectory<T>(path: string, work: (entries: Dirent[]) => Sys<T>): Sys<T> {
  const fd = yield* open(path, O_RDONLY | O_DIRECTORY, 0)
  try {
    return yield* work(yield* readAll(fd, path))
  } finally {
    yield* close(fd)
  }
}

const NOTHING_MORE = function* (entries: Dirent[]): Sys<Dirent[]> {
  return entries
}

function* readAll(fd: number, path: string): Sys<Dirent[]> {
  const entries: Dirent[] = []
  try {
    for (;;) {
      const some = yield* getdents(fd)
      if (some.length === 0) return entries
      for (const entry of some) entries.push(entry)
    }
  } catch (error) {
    throw error instanceof OsError ? new OsError(error.errno, error.call, path) : error
  }
}

/** The names without `.` and `..`. */
export function* namesIn(path: string): Sys<string[]> {
  const names: string[] = []
  for (const { name } of yield* listDirectory(path)) if (name !== '.' && name !== '..') names.push(name)
  return names
}
