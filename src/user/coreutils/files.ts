/** Looking at files without the exceptions. */
import { ENOENT, ENOTDIR } from '#abi/posix/errno.ts'
import type { Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../libc/errno.ts'
import { isDir } from '../libc/mode.ts'
import { lstat, stat, umask } from '../libc/syscall.ts'

/** lstat; undefined if there is no such file. Other errors are thrown. */
export const lstatIfAny = (path: string): Sys<Stat | undefined> => ifAny(lstat(path))
/** stat, likewise. */
export const statIfAny = (path: string): Sys<Stat | undefined> => ifAny(stat(path))

function* ifAny(call: Sys<Stat>): Sys<Stat | undefined> {
  try {
    return yield* call
  } catch (error) {
    if (error instanceof OsError && (error.errno === ENOENT || error.errno === ENOTDIR)) return undefined
    throw error
  }
}

/** Whether `path` is a directory, or a link to one. */
export function* isDirectory(path: string): Sys<boolean> {
  try {
    return isDir((yield* stat(path)).mode)
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

/** Two names of one inode. */
export const sameFile = (a: Stat, b: Stat): boolean => a.dev === b.dev && a.ino === b.ino

/** umask(2) tells the mask only by setting another. */
export function* currentUmask(): Sys<number> {
  const mask = yield* umask(0)
  yield* umask(mask)
  return mask
}
