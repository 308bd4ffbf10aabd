/** What gzip, gunzip and zcat do with each file: gzip 1.3.5's treat_file() and what it calls. */
import { EEXIST } from '#abi/posix/errno.ts'
import { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY, SEEK_END, SEEK_SET } from '#abi/posix/fcntl.ts'
import type { Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import type { Option } from '../libc/getopt.ts'
import { isDir, isRegular } from '../libc/mode.ts'
import { basename, join } from '../libc/path.ts'
import { CHUNK, eprint, isatty, readLineUnbuffered, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { chmod, chown, close, fstat, getdents, lseek, lstat, open, read, stat, unlink, utime } from '../libc/syscall.ts'
import { strftime } from '../libc/time.ts'
import {
  deflateMember,
  FormatError,
  inflateMember,
  isMagic,
  type Member,
  peekMagic,
  readHeader,
  Source,
  type Totals,
  totals,
  trailerOf,
} from './gzip-member.ts'

export const OK = 0
export const ERROR = 1
const WARNING = 2

/** Names that stand for themselves and `.gz`; in this order. */
const SUFFIXES = ['.gz', '.z', '.taz', '.tgz', '-gz', '-z', '_z']
const DECOMPRESS_SUFFIXES = ['.gz', '.tgz', '.taz', '.z', '-gz', '-z', '_z']

export class Job {
  readonly #name: string
  readonly #level: number
  readonly #decompress: boolean
  readonly #stdout: boolean
  readonly #test: boolean
  readonly list: boolean
  readonly #force: boolean
  readonly #quiet: boolean
  readonly #verbose: boolean
  readonly #recursive: boolean
  readonly #noName: boolean | undefined
  readonly #suffix: string
  status: number
  #listed: number
  #listedIn: number
  #listedOut: number

  constructor(name: string, options: readonly Option[]) {
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const named = options.findLast(({ code }) => code === 'n' || code === 'N')
    this.#name = name
    const cat = /^.cat|^gzcat/.test(name)
    this.list = has('l')
    this.#test = has('t')
    this.#decompress = has('d') || this.list || this.#test || cat || /^(un|gun)/.test(name)
    this.#stdout = has('c') || cat
    this.#force = has('f')
    this.#quiet = has('q')
    this.#verbose = has('v') && !has('q')
    this.#recursive = has('r')
    this.#noName = named && named.code === 'n'
    this.#suffix = options.findLast(({ code }) => code === 'S')?.value ?? '.gz'
    this.#level = Number(options.findLast(({ code }) => /[1-9]/.test(code))?.code ?? 6)
    this.status = OK
    this.#listed = 0
    this.#listedIn = 0
    this.#listedOut = 0
  }

  *#warn(text: string): Sys<void> {
    if (!this.#quiet) yield* eprint(`${this.#name}: ${text}\n`)
    if (this.status === OK) this.status = WARNING
  }

  *#error(text: string): Sys<void> {
    yield* eprint(`${this.#name}: ${text}\n`)
    this.status = ERROR
  }

  /** Work on one file: what fails ends this file only. */
  *guarded(name: string, work: Sys<void>): Sys<void> {
    try {
      yield* work
    } catch (error) {
      if (error instanceof FormatError) yield* eprint(`\n${this.#name}: ${name}: ${error.message}\n`)
      else if (error instanceof OsError)
        yield* eprint(`${this.#name}: ${error.call === 'write' ? 'stdout' : name}: ${strerror(error.errno)}\n`)
      else throw error
      this.status = ERROR
    }
  }

  *standardInput(): Sys<void> {
    const terminal = this.#decompress ? STDIN : STDOUT
    if (!this.#force && !this.list && (yield* isatty(terminal))) {
      const [way, kind] = this.#decompress ? ['read from', 'de'] : ['written to', '']
      yield* eprint(
        `${this.#name}: compressed data not ${way} a terminal. Use -f to force ${kind}compression.\n` +
          `For help, type: ${this.#name} -h\n`,
      )
      this.status = ERROR
      return
    }
    if (!this.#decompress) {
      const { mode, mtime } = yield* fstat(STDIN)
      const sums = yield* deflateMember(STDIN, STDOUT, this.#level, {
        name: '',
        mtime: isRegular(mode) && !this.#noName ? mtime : 0,
      })
      if (this.#verbose) yield* eprint(`${ratio(sums.bytesIn - (sums.bytesOut - sums.headerBytes), sums.bytesIn)}\n`)
      return
    }
    if (this.list) return yield* this.#listFile(STDIN, 'stdout', undefined)
    const sums = yield* this.#inflate(STDIN, 'stdin', this.#test ? undefined : STDOUT)
    if (sums && this.#verbose) yield* eprint(this.#test ? ' OK\n' : `${inflateRatio(sums)}\n`)
  }

  /** treat_file(). */
  *path(path: string): Sys<void> {
    if (path === '-') return yield* this.guarded('stdin', this.standardInput())
    yield* this.guarded(path, this.#path(path))
  }

  *#path(path: string): Sys<void> {
    const found = yield* this.#find(path)
    if (!found) return
    const { name, info } = found
    if (isDir(info.mode)) {
      if (this.#recursive) yield* this.#tree(name)
      else yield* this.#warn(`${name} is a directory -- ignored`)
      return
    }
    const inPlace = !this.#stdout && !this.list && !this.#test
    if (!isRegular(info.mode) && inPlace) {
      yield* this.#warn(`${name} is not a directory or a regular file - ignored`)
      return
    }
    if (info.nlink > 1 && inPlace && !this.#force) {
      const others = info.nlink - 1
      yield* this.#warn(`${name} has ${others} other link${others > 1 ? 's' : ' '} -- unchanged`)
      return
    }
    const suffix = DECOMPRESS_SUFFIXES.concat(this.#suffix).find(
      (one) => name.length > one.length && name.endsWith(one),
    )
    if (this.#decompress) {
      if (suffix === undefined && inPlace) {
        // What -r meets, it passes by in silence.
        if (!this.#recursive || !this.#quiet) yield* this.#warn(`${name}: unknown suffix -- ignored`)
        return
      }
    } else if (inPlace || !this.#stdout) {
      if (SUFFIXES.concat(this.#suffix).some((one) => name.length > one.length && name.endsWith(one))) {
        if (this.#verbose || (!this.#recursive && !this.#quiet))
          yield* eprint(`${this.#name}: ${name} already has ${suffix ?? this.#suffix} suffix -- unchanged\n`)
        if (this.status === OK) this.status = WARNING
        return
      }
    }
    const fd = yield* open(name, O_RDONLY, 0)
    try {
      if (this.list) yield* this.#listFile(fd, outputName(name, suffix), info)
      else if (this.#decompress) yield* this.#unpack(fd, name, info, suffix)
      else yield* this.#pack(fd, name, info)
    } finally {
      yield* close(fd)
    }
  }

  /** get_istat(): the name, or for decompression the name with a suffix. */
  *#find(path: string): Sys<{ name: string; info: Stat } | undefined> {
    // A link is followed only where the file stays: else it would be the link that is replaced.
    const follow = this.#force || this.#stdout || this.list || this.#test
    let failure: unknown
    const names =
      this.#decompress && !DECOMPRESS_SUFFIXES.some((one) => path.endsWith(one))
        ? [path, ...[this.#suffix, '.gz', '.z', '-z'].map((one) => path + one)]
        : [path]
    for (const name of names) {
      try {
        return { name, info: yield* follow ? stat(name) : lstat(name) }
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        failure ??= error
      }
    }
    const missing = names.length > 1 ? `${path}.gz` : path
    yield* this.#error(`${missing}: ${strerror((failure as OsError).errno)}`)
    return undefined
  }

  *#tree(dir: string): Sys<void> {
    const fd = yield* open(dir, O_RDONLY, 0)
    const names: string[] = []
    try {
      for (let part = yield* getdents(fd); part.length > 0; part = yield* getdents(fd))
        for (const { name } of part) if (name !== '.' && name !== '..') names.push(name)
    } finally {
      yield* close(fd)
    }
    for (const name of names) yield* this.path(join(dir, name))
  }

  *#pack(fd: number, name: string, info: Stat): Sys<void> {
    const member: Member = this.#noName ? { name: '', mtime: 0 } : { name: basename(name), mtime: info.mtime }
    if (this.#verbose) yield* eprint(`${name}:\t`)
    if (this.#stdout && !this.#force && (yield* isatty(STDOUT))) return yield* this.standardInput()
    let sums: Totals | undefined
    const work = function* (this: Job, out: number): Sys<boolean> {
      sums = yield* deflateMember(fd, out, this.#level, member)
      return true
    }
    const target = name + this.#suffix
    if (this.#stdout) yield* work.call(this, STDOUT)
    else if (!(yield* this.#replace(name, target, info, info.mtime, (out) => work.call(this, out)))) return
    if (this.#verbose && sums) {
      const packed = ratio(sums.bytesIn - (sums.bytesOut - sums.headerBytes), sums.bytesIn)
      yield* eprint(`${packed}${this.#stdout ? '' : ` -- replaced with ${target}`}\n`)
    }
  }

  *#unpack(fd: number, name: string, info: Stat, suffix: string | undefined): Sys<void> {
    if (this.#verbose) yield* eprint(`${name}:\t`)
    let sums: Totals | undefined
    if (this.#stdout || this.#test) sums = yield* this.#inflate(fd, name, this.#test ? undefined : STDOUT)
    else {
      const target = outputName(name, suffix)
      const done = yield* this.#replace(
        name,
        target,
        info,
        info.mtime,
        function* (this: Job, out: number): Sys<boolean> {
          sums = yield* this.#inflate(fd, name, out)
          return sums !== undefined
        }.bind(this),
      )
      if (done && sums && this.#verbose) yield* eprint(`${inflateRatio(sums)} -- replaced with ${target}\n`)
      return
    }
    if (sums && this.#verbose) yield* eprint(this.#test ? ' OK\n' : `${inflateRatio(sums)}\n`)
  }

  /** Make `target` by `work`, with the owner, mode and time of `name`, which goes. */
  *#replace(
    name: string,
    target: string,
    info: Stat,
    mtime: number,
    work: (out: number) => Sys<boolean>,
  ): Sys<boolean> {
    const out = yield* this.#create(target)
    if (out === undefined) return false
    let good = false
    try {
      good = yield* work(out)
    } finally {
      yield* close(out)
      if (!good) yield* unlink(target)
    }
    if (!good) return false
    yield* utime(target, info.atime, mtime)
    yield* chmod(target, info.mode & 0o7777)
    try {
      yield* chown(target, info.uid, info.gid)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
    yield* unlink(name)
    return true
  }

  /** create_outfile(), check_ofname(). */
  *#create(target: string): Sys<number | undefined> {
    for (;;) {
      try {
        return yield* open(target, O_WRONLY | O_CREAT | O_EXCL, 0o600)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        if (error.errno !== EEXIST) {
          yield* this.#error(`${target}: ${strerror(error.errno)}`)
          return undefined
        }
      }
      if (!this.#force) {
        yield* eprint(`${this.#name}: ${target} already exists;`)
        let yes = false
        if (yield* isatty(STDIN)) {
          yield* eprint(' do you wish to overwrite (y or n)? ')
          yes = /^[yY]/.test((yield* readLineUnbuffered(STDIN)) ?? '')
        }
        if (!yes) {
          yield* eprint('\tnot overwritten\n')
          if (this.status === OK) this.status = WARNING
          return undefined
        }
      }
      yield* unlink(target)
    }
  }

  /** All members of a file; undefined after a complaint. With -c and -f, what is no gzip file goes through as it is. */
  *#inflate(fd: number, name: string, out: number | undefined): Sys<Totals | undefined> {
    const source = new Source(fd)
    const sums = totals()
    for (let members = 0; ; members++) {
      const magic = yield* peekMagic(source)
      if (members > 0 && magic.length === 0) break
      if (!isMagic(magic)) {
        if (members > 0) {
          // Tapes are padded with zeros: those are no garbage.
          if (!(yield* onlyZeros(source))) yield* this.#warnLine(`${name}: decompression OK, trailing garbage ignored`)
          break
        }
        if (this.#stdout && this.#force && out !== undefined) {
          for (let part = yield* source.some(); part.length > 0; part = yield* source.some()) yield* writeAll(out, part)
          return undefined
        }
        throw new FormatError(magic.length === 0 ? 'unexpected end of file' : 'not in gzip format')
      }
      yield* source.little(2)
      yield* readHeader(source)
      if (members === 0) sums.headerBytes = source.count - (source.bytes.length - source.at) + 8
      yield* inflateMember(source, out, sums)
    }
    sums.bytesIn = source.count
    return sums
  }

  *#warnLine(text: string): Sys<void> {
    if (!this.#quiet) yield* eprint(`\n${this.#name}: ${text}\n`)
    if (this.status === OK) this.status = WARNING
  }

  /** do_list(): by the header and the last eight bytes. */
  *#listFile(fd: number, name: string, info: Stat | undefined): Sys<void> {
    const source = new Source(fd)
    if (!isMagic(yield* peekMagic(source))) throw new FormatError('not in gzip format')
    yield* source.little(2)
    const member = yield* readHeader(source)
    const header = source.count - (source.bytes.length - source.at) + 8
    let size = -1
    let tail = { crc: 0xffffffff, length: -1 }
    if (info) {
      size = yield* lseek(fd, 0, SEEK_END)
      yield* lseek(fd, Math.max(0, size - 8), SEEK_SET)
      tail = trailerOf(yield* read(fd, CHUNK))
    }
    const verbose = this.#verbose ? 'method  crc     date  time  ' : ''
    if (this.#listed++ === 0 && !this.#quiet)
      yield* writeAll(
        STDOUT,
        bytesOfString(
          `${verbose}${'compressed'.padStart(19)} ${'uncompressed'.padStart(19)}  ratio uncompressed_name\n`,
        ),
      )
    const when = this.#noName === false && member.mtime ? member.mtime : (info?.mtime ?? member.mtime)
    const row = this.#verbose ? `defla ${tail.crc.toString(16).padStart(8, '0')} ${strftime('%b %e %H:%M', when)} ` : ''
    const shown = this.#noName === false && member.name ? member.name : name
    const good = tail.length >= 0
    this.#listedIn += good ? size : 0
    this.#listedOut += good ? tail.length : 0
    const share = ratio(good ? tail.length - (size - header) : 0, good ? tail.length : 0)
    yield* writeAll(STDOUT, bytesOfString(`${row}${columns(size, tail.length)} ${share} ${shown}\n`))
  }

  *listTotals(): Sys<void> {
    if (this.#quiet || this.#listed < 2) return
    const row = this.#verbose ? `${' '.repeat(5)} ${' '.repeat(8)} ${' '.repeat(12)} ` : ''
    const share = ratio(this.#listedOut - this.#listedIn, this.#listedOut)
    yield* writeAll(STDOUT, bytesOfString(`${row}${columns(this.#listedIn, this.#listedOut)} ${share} (totals)\n`))
  }
}

function* onlyZeros(source: Source): Sys<boolean> {
  for (let part = yield* source.some(); part.length > 0; part = yield* source.some())
    for (let i = 0; i < part.length; i++) if (part[i] !== 0) return false
  return true
}

const columns = (packed: number, raw: number): string => `${String(packed).padStart(19)} ${String(raw).padStart(19)}`

/** display_ratio(). */
const ratio = (saved: number, of: number): string => `${(of === 0 ? 0 : (100 * saved) / of).toFixed(1).padStart(5)}%`

const inflateRatio = ({ bytesIn, bytesOut, headerBytes }: Totals): string =>
  ratio(bytesOut - (bytesIn - headerBytes), bytesOut)

/** make_ofname(): without the suffix; .tgz is a .tar. */
function outputName(name: string, suffix: string | undefined): string {
  if (suffix === undefined) return name
  const bare = name.slice(0, -suffix.length)
  return suffix === '.tgz' || suffix === '.taz' ? `${bare}.tar` : bare
}
