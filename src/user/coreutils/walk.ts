/** A tree of files, visited before (or also behind) what lies in it: fts(3) as chmod, chown and du use it. */
import type { Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { namesIn } from '../libc/dirent.ts'
import { isDir } from '../libc/mode.ts'
import { join } from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import { lstat } from '../libc/syscall.ts'
import type { Run } from '../libc/utility.ts'

/** Visit `path` and, with `recursive`, all below it. A directory that cannot be read is complained about. */
export function* walk(
  run: Run,
  path: string,
  recursive: boolean,
  visit: (path: string, stat: Stat) => Sys<void>,
): Sys<void> {
  let status: Stat
  try {
    status = yield* lstat(path)
  } catch (error) {
    yield* run.warn(error, `cannot access ${quote(path)}`)
    return
  }
  yield* visit(path, status)
  if (!recursive || !isDir(status.mode)) return
  let names: string[]
  try {
    names = yield* namesIn(path)
  } catch (error) {
    yield* run.warn(error, `cannot read directory ${quote(path)}`)
    return
  }
  for (const name of names) yield* walk(run, join(path, name), true, visit)
}
