/** cp's, mv's and install's work (coreutils' copy.c). */
import { EXDEV } from '#abi/posix/errno.ts'
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { S_IFMT, type Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { namesIn } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { isDir, isLink, isRegular } from '../libc/mode.ts'
import { dirname, join } from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import { CHUNK, writeAll } from '../libc/stdio.ts'
import {
  access,
  chmod,
  chown,
  close,
  fstat,
  ftruncate,
  lchown,
  link,
  lseek,
  lstat,
  mkdir,
  mknod,
  open,
  read,
  readlink,
  rename,
  stat,
  symlink,
  unlink,
  utime,
} from '../libc/syscall.ts'
import type { Run } from '../libc/utility.ts'
import { ask } from './ask.ts'
import { currentUmask, lstatIfAny, sameFile } from './files.ts'

export interface CopyOptions {
  readonly recursive: boolean
  /** Which links are followed. */
  readonly dereference: 'always' | 'never' | 'operands'
  readonly keepMode: boolean
  readonly keepOwner: boolean
  readonly keepTimes: boolean
  readonly keepLinks: boolean
  readonly force: boolean
  readonly interactive: boolean
  readonly update: boolean
  readonly verbose: boolean
  readonly hardLink: boolean
  readonly symbolicLink: boolean
  readonly oneFileSystem: boolean
  readonly removeFirst: boolean
  /** mv: rename where it can be done. */
  readonly move: boolean
}

/** What one run of a program remembers. */
export class Copier {
  readonly #run: Run
  readonly #options: CopyOptions
  /** Where hard links went: `dev:ino` to the copy. */
  readonly #links: Map<string, string>
  /** Set when a file that exists is left alone, which is no failure. */
  #skips: boolean
  /** What mv could not rename and has copied. */
  readonly #copied: Set<string>

  constructor(run: Run, options: CopyOptions) {
    this.#run = run
    this.#options = options
    this.#links = new Map()
    this.#skips = false
    this.#copied = new Set()
  }

  /** Whether mv has to remove this source, since it lay on another file system. */
  copied(source: string): boolean {
    return this.#copied.has(source)
  }

  /** Copy `source` to `dest`; whether all of it went well. Complaints are made here. */
  *copy(source: string, dest: string, operand = true, device = -1, parents: readonly Stat[] = []): Sys<boolean> {
    const run = this.#run
    const options = this.#options
    let from: Stat
    const follow = options.dereference === 'always' || (operand && options.dereference === 'operands')
    try {
      from = follow ? yield* stat(source) : yield* lstat(source)
    } catch (error) {
      yield* run.warn(error, `cannot stat ${quote(source)}`)
      return false
    }
    if (isDir(from.mode) && !options.recursive) {
      yield* run.complain(`omitting directory ${quote(source)}`)
      return false
    }
    let to: Stat | undefined
    try {
      to = yield* lstatIfAny(dest)
      // A copy goes through a link that is in the way, a rename replaces it.
      if (to && isLink(to.mode) && !options.move && !isLink(from.mode)) to = yield* stat(dest)
    } catch (error) {
      if (to && isLink(to.mode)) yield* run.complain(`not writing through dangling symlink ${quote(dest)}`)
      else yield* run.warn(error, `cannot stat ${quote(dest)}`)
      return false
    }
    if (to && !(yield* this.#mayReplace(source, dest, from, to))) return false
    if (to && this.#skips) {
      this.#skips = false
      return true
    }
    if (options.move && operand) {
      const moved = yield* this.#rename(source, dest, from)
      if (moved !== undefined) return moved
      if (operand) this.#copied.add(source)
      to = yield* lstatIfAny(dest)
    }
    if (options.verbose && !(to && isDir(from.mode))) yield* run.out.line(`${quote(source)} -> ${quote(dest)}`)
    if (parents.some((parent) => sameFile(parent, from))) {
      yield* run.complain(`cannot copy a directory, ${quote(source)}, into itself, ${quote(dest)}`)
      return false
    }
    try {
      if (isDir(from.mode)) return yield* this.#directory(source, dest, from, to, device, parents)
      return yield* this.#leaf(source, dest, from, to)
    } catch (error) {
      yield* run.warn(error)
      return false
    }
  }

  *#mayReplace(source: string, dest: string, from: Stat, to: Stat): Sys<boolean> {
    const run = this.#run
    const options = this.#options
    if (sameFile(from, to) && !(options.move && isLink(from.mode) !== isLink(to.mode)) && !options.hardLink) {
      if (!(isDir(from.mode) && options.move)) {
        yield* run.complain(`${quote(source)} and ${quote(dest)} are the same file`)
        return false
      }
    }
    if (isDir(to.mode) && !isDir(from.mode)) {
      yield* run.complain(`cannot overwrite directory ${quote(dest)} with non-directory`)
      return false
    }
    if (!isDir(to.mode) && isDir(from.mode)) {
      yield* run.complain(`cannot overwrite non-directory ${quote(dest)} with directory ${quote(source)}`)
      return false
    }
    if (isDir(from.mode)) return true
    if (options.update && from.mtime <= to.mtime) this.#skips = true
    else if (options.interactive) this.#skips = !(yield* ask(run, `overwrite ${quote(dest)}`))
    else if (options.move && !options.force && !(yield* writable(dest)) && (yield* run.stdinIsTerminal())) {
      const mode = (to.mode & 0o7777).toString(8).padStart(4, '0')
      this.#skips = !(yield* ask(run, `overwrite ${quote(dest)}, overriding mode ${mode}`))
    }
    return true
  }

  /** Undefined: another file system, so it has to be copied. */
  *#rename(source: string, dest: string, from: Stat): Sys<boolean | undefined> {
    const run = this.#run
    try {
      yield* rename(source, dest)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno === EXDEV) {
        if (!isDir(from.mode) && (yield* lstatIfAny(dest))) yield* unlink(dest)
        return undefined
      }
      if (isDir(from.mode) && (yield* inside(dest, from)))
        yield* run.complain(`cannot move ${quote(source)} to a subdirectory of itself, ${quote(dest)}`)
      else yield* run.warn(error, `cannot move ${quote(source)} to ${quote(dest)}`)
      return false
    }
    if (this.#options.verbose) yield* run.out.line(`${quote(source)} -> ${quote(dest)}`)
    return true
  }

  *#directory(
    source: string,
    dest: string,
    from: Stat,
    to: Stat | undefined,
    device: number,
    parents: readonly Stat[],
  ): Sys<boolean> {
    const run = this.#run
    const options = this.#options
    // The owner must be able to fill it, whatever its mode will be.
    if (!to) {
      try {
        yield* mkdir(dest, (from.mode & 0o777) | 0o700)
      } catch (error) {
        yield* run.warn(error, `cannot create directory ${quote(dest)}`)
        return false
      }
    }
    if (options.oneFileSystem && device >= 0 && device !== from.dev) return true
    const made = yield* stat(dest)
    let names: string[]
    try {
      names = yield* namesIn(source)
    } catch (error) {
      yield* run.warn(error, `cannot access ${quote(source)}`)
      return false
    }
    let good = true
    const above = [...parents, made]
    for (const name of names)
      good = (yield* this.copy(join(source, name), join(dest, name), false, from.dev, above)) && good
    if (!to && !options.keepMode) {
      const mode = from.mode & 0o777 & ~(yield* currentUmask())
      if ((made.mode & 0o777) !== mode) yield* chmod(dest, mode)
    }
    return (yield* this.#keep(dest, from)) && good
  }

  *#leaf(source: string, dest: string, from: Stat, to: Stat | undefined): Sys<boolean> {
    const run = this.#run
    const options = this.#options
    const key = `${from.dev}:${from.ino}`
    const earlier = options.keepLinks && from.nlink > 1 ? this.#links.get(key) : undefined
    const remove = function* (): Sys<void> {
      if (to) yield* unlink(dest)
    }
    if (options.keepLinks && from.nlink > 1 && earlier === undefined) this.#links.set(key, dest)
    const newName = options.hardLink ? source : earlier
    if (options.symbolicLink || newName !== undefined || !isRegular(from.mode)) {
      try {
        if (options.force || !isRegular(from.mode) || earlier !== undefined) yield* remove()
        if (options.symbolicLink) yield* symlink(source, dest)
        else if (newName !== undefined) yield* link(newName, dest)
        else if (isLink(from.mode)) yield* symlink(yield* readlink(source), dest)
        // Without -R a device or pipe is read like a file.
        else if (!options.recursive && !options.move) return yield* this.#contents(source, dest, from, undefined)
        else yield* mknod(dest, from.mode & (S_IFMT | 0o777), from.rdev)
      } catch (error) {
        const what =
          options.symbolicLink || isLink(from.mode) ? 'symbolic link' : newName === undefined ? 'special file' : 'link'
        yield* run.warn(
          error,
          `cannot create ${what} ${quote(dest)}${newName === undefined ? '' : ` to ${quote(newName)}`}`,
        )
        return false
      }
      if (options.symbolicLink || newName !== undefined) return true
      return yield* this.#keep(dest, from)
    }
    return yield* this.#contents(source, dest, from, to)
  }

  *#contents(source: string, dest: string, from: Stat, to: Stat | undefined): Sys<boolean> {
    const run = this.#run
    const options = this.#options
    let input: number
    try {
      input = yield* open(source, O_RDONLY, 0)
    } catch (error) {
      yield* run.warn(error, `cannot open ${quote(source)} for reading`)
      return false
    }
    let output = -1
    try {
      if (to && options.removeFirst) yield* unlink(dest)
      const fresh = !to || options.removeFirst
      const flags = fresh ? O_WRONLY | O_CREAT : O_WRONLY | O_TRUNC
      try {
        output = yield* open(dest, flags, from.mode & 0o777)
      } catch (error) {
        if (!(error instanceof OsError) || fresh || !options.force) throw error
        yield* unlink(dest)
        output = yield* open(dest, O_WRONLY | O_CREAT, from.mode & 0o777)
      }
    } catch (error) {
      yield* run.warn(error, `cannot create regular file ${quote(dest)}`)
      yield* close(input)
      return false
    }
    let good = true
    try {
      // A file with holes gets a copy with holes.
      const sparse = isRegular(from.mode) && from.blocks * 512 < from.size
      if (sparse) yield* copySparse(input, output)
      else {
        for (;;) {
          const part = yield* read(input, CHUNK)
          if (part.length === 0) break
          yield* writeAll(output, part)
        }
      }
    } catch (error) {
      const writing = error instanceof OsError && error.call !== 'read'
      yield* run.warn(error, writing ? `writing ${quote(dest)}` : `reading ${quote(source)}`)
      good = false
    }
    yield* close(input)
    yield* close(output)
    return (yield* this.#keep(dest, from)) && good
  }

  /** Times, owner and mode, as far as they are wanted. */
  *#keep(dest: string, from: Stat): Sys<boolean> {
    const run = this.#run
    const options = this.#options
    if (isLink(from.mode)) {
      if (options.keepOwner) yield* quietly(lchown(dest, from.uid, from.gid))
      return true
    }
    try {
      if (options.keepTimes) yield* utime(dest, from.atime, from.mtime)
    } catch (error) {
      yield* run.warn(error, `preserving times for ${quote(dest)}`)
      return false
    }
    let owned = true
    // Only root may give files away; others keep theirs without a word.
    if (options.keepOwner) owned = yield* quietly(chown(dest, from.uid, from.gid))
    try {
      if (options.keepMode) yield* chmod(dest, from.mode & (owned ? 0o7777 : 0o1777))
    } catch (error) {
      yield* run.warn(error, `preserving permissions for ${quote(dest)}`)
      return false
    }
    return true
  }
}

function* copySparse(input: number, output: number): Sys<void> {
  let length = 0
  for (;;) {
    const part = yield* read(input, CHUNK)
    if (part.length === 0) break
    length += part.length
    if (part.every((byte) => byte === 0)) yield* lseek(output, length, 0)
    else yield* writeAll(output, part)
  }
  if ((yield* fstat(output)).size < length) yield* ftruncate(output, length)
}

function* quietly(call: Sys<unknown>): Sys<boolean> {
  try {
    yield* call
    return true
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}

const writable = (path: string): Sys<boolean> => quietly(access(path, 2))

/** Whether `path` would lie below the directory. */
function* inside(path: string, directory: Stat): Sys<boolean> {
  let above = dirname(path)
  for (let depth = 0; depth < 256; depth++) {
    const here = yield* lstatIfAny(above)
    if (!here) return false
    if (sameFile(here, directory)) return true
    above += '/..'
    const next = yield* lstatIfAny(above)
    if (!next || sameFile(next, here)) return false
  }
  return false
}
