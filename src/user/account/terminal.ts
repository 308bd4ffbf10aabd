/** ttyname(3): which of /dev's terminals a descriptor is. */
import { S_IFCHR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { namesIn } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { isatty } from '../libc/stdio.ts'
import { fstat, readlink, stat } from '../libc/syscall.ts'

/** `xvc0`, `pts/0`; undefined for what is no terminal. */
export function* terminalName(fd: number): Sys<string | undefined> {
  if (!(yield* isatty(fd))) return undefined
  try {
    const path = yield* readlink(`/proc/self/fd/${fd}`)
    if (path.startsWith('/dev/')) return path.slice(5)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  const { rdev } = yield* fstat(fd)
  for (const dir of ['/dev', '/dev/pts'])
    for (const name of yield* names(dir)) {
      const found = yield* attributes(`${dir}/${name}`)
      if (found && (found.mode & S_IFMT) === S_IFCHR && found.rdev === rdev) return `${dir}/${name}`.slice(5)
    }
  return undefined
}

function* names(dir: string): Sys<string[]> {
  try {
    return yield* namesIn(dir)
  } catch (error) {
    if (error instanceof OsError) return []
    throw error
  }
}

function* attributes(path: string): Sys<{ mode: number; rdev: number } | undefined> {
  try {
    return yield* stat(path)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}
