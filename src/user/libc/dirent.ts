/** dirent.h: directories. */
import { O_DIRECTORY, O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Dirent } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from './errno.ts'
import { close, getdents, open } from './syscall.ts'

/** All entries in the directory's own order, `.` and `..` among them. Errors name `path`. */
export function* listDirectory(path: string): Sys<Dirent[]> {
  const fd = yield* open(path, O_RDONLY | O_DIRECTORY, 0)
  const entries: Dirent[] = []
  try {
    for (;;) {
      const some = yield* getdents(fd)
      if (some.length === 0) return entries
      for (const entry of some) entries.push(entry)
    }
  } catch (error) {
    throw error instanceof OsError ? new OsError(error.errno, error.call, path) : error
  } finally {
    yield* close(fd)
  }
}

/** The names without `.` and `..`. */
export function* namesIn(path: string): Sys<string[]> {
  const names: string[] = []
  for (const { name } of yield* listDirectory(path)) if (name !== '.' && name !== '..') names.push(name)
  return names
}
