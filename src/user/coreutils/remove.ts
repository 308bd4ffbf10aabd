/** rm's work (coreutils' remove.c), also mv's behind a copy to another file system. */
import { EISDIR, ENOENT, EPERM } from '#abi/posix/errno.ts'
import { W_OK } from '#abi/posix/fcntl.ts'
import type { Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { namesIn } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { isDir, isLink } from '../libc/mode.ts'
import { basename, join } from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import { access, lstat, rmdir, unlink } from '../libc/syscall.ts'
import type { Run } from '../libc/utility.ts'
import { ask } from './ask.ts'
import { fileType } from './file-type.ts'

export interface RemoveOptions {
  readonly recursive: boolean
  readonly force: boolean
  readonly interactive: boolean
  readonly verbose: boolean
  /** -d: unlink directories too. */
  readonly directories: boolean
  /** Whether standard input is a terminal, where write-protected files are asked about. */
  readonly terminal: boolean
  readonly preserveRoot: boolean
}

/** Remove one operand. */
export function* removeOperand(run: Run, path: string, options: RemoveOptions): Sys<void> {
  const name = basename(path)
  if (name === '.' || name === '..') {
    yield* run.complain("cannot remove `.' or `..'")
    return
  }
  if (options.recursive && options.preserveRoot && (yield* isRoot(path))) {
    yield* run.complain("it is dangerous to operate recursively on `/'")
    yield* run.complain('use --no-preserve-root to override this failsafe')
    return
  }
  yield* remove(run, path, options)
}

/** `/` itself, by whatever name. */
export function* isRoot(path: string): Sys<boolean> {
  try {
    const [here, root] = [yield* lstat(path), yield* lstat('/')]
    return here.dev === root.dev && here.ino === root.ino
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}

/** Whether it is gone. */
function* remove(run: Run, path: string, options: RemoveOptions): Sys<boolean> {
  let file: Stat
  try {
    file = yield* lstat(path)
  } catch (error) {
    if (error instanceof OsError && error.errno === ENOENT && options.force) return true
    yield* run.warn(error, `cannot remove ${quote(path)}`)
    return false
  }
  if (isDir(file.mode) && !options.directories) {
    if (!options.recursive) {
      yield* run.complain(`cannot remove ${quote(path)}: Is a directory`)
      return false
    }
    return yield* removeDirectory(run, path, file, options)
  }
  if (!(yield* agreed(run, path, file, options, 'remove'))) return false
  try {
    yield* unlink(path)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    const errno = error.errno === EPERM && isDir(file.mode) ? EISDIR : error.errno
    if (errno === ENOENT && options.force) return true
    yield* run.warn(new OsError(errno, error.call, path), `cannot remove ${quote(path)}`)
    return false
  }
  if (options.verbose) yield* run.out.line(`removed ${quote(path)}`)
  return true
}

function* removeDirectory(run: Run, path: string, file: Stat, options: RemoveOptions): Sys<boolean> {
  let names: string[]
  try {
    names = yield* namesIn(path)
  } catch (error) {
    yield* run.warn(error, `cannot open directory ${quote(path)}`)
    return false
  }
  if (names.length > 0) {
    if (!(yield* agreed(run, path, file, options, 'descend into'))) return false
    let all = true
    for (const name of names) all = (yield* remove(run, join(path, name), options)) && all
    // What is left inside has been explained.
    if (!all && !options.interactive) return false
  }
  if (options.interactive && !(yield* ask(run, `remove directory ${quote(path)}`))) return false
  try {
    yield* rmdir(path)
  } catch (error) {
    yield* run.warn(error, `cannot remove directory ${quote(path)}`)
    return false
  }
  if (options.verbose) yield* run.out.line(`removed directory: ${quote(path)}`)
  return true
}

function* agreed(run: Run, path: string, file: Stat, options: RemoveOptions, act: string): Sys<boolean> {
  if (options.force) return true
  const guarded = !isLink(file.mode) && options.terminal && !(yield* isWritable(path))
  if (!options.interactive && !guarded) return true
  return yield* ask(run, `${act} ${guarded ? 'write-protected ' : ''}${fileType(file)} ${quote(path)}`)
}

function* isWritable(path: string): Sys<boolean> {
  try {
    yield* access(path, W_OK)
    return true
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}
