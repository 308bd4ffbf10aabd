/** glob(3): path names that a pattern matches, sorted by bytes. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { listDirectory } from './dirent.ts'
import { OsError } from './errno.ts'
import { FNM_PERIOD, fnmatch } from './fnmatch.ts'
import { lstat } from './syscall.ts'

/** Does `text` hold an unquoted `*`, `?` or `[`? */
export const isPattern = (text: string): boolean => /^(?:[^\\*?[]|\\.)*[*?[]/s.test(text)

/** What a pattern without such characters stands for. */
const unquote = (text: string): string => text.replace(/\\(.)/gs, '$1')

/** Matches of `pattern`, in which backslashes quote; empty if there are none. */
export function* glob(pattern: string): Sys<string[]> {
  const parts = pattern.split('/')
  let found: string[] = ['']
  for (let i = 0; i < parts.length && found.length > 0; i++) {
    const part = parts[i]!
    const last = i === parts.length - 1
    const tail = last ? '' : '/'
    const next: string[] = []
    for (const dir of found) {
      if (part === '' || !isPattern(part)) {
        const path = dir + unquote(part)
        // What follows will tell whether a directory in the middle exists.
        if (!last || (yield* exists(path))) next.push(path + tail)
      } else {
        for (const name of yield* matches(dir, part)) {
          if (last || (yield* exists(`${dir}${name}/`))) next.push(dir + name + tail)
        }
      }
    }
    found = next
  }
  return found
}

function* matches(dir: string, part: string): Sys<string[]> {
  try {
    const names: string[] = []
    for (const { name } of yield* listDirectory(dir || '.')) {
      if ((name === '.' || name === '..') && !part.startsWith('.')) continue
      if (fnmatch(part, name, FNM_PERIOD)) names.push(name)
    }
    return names.sort(byBytes)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return []
  }
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function* exists(path: string): Sys<boolean> {
  if (path === '') return false
  try {
    yield* lstat(path)
    return true
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}
