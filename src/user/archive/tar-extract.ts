/** tar -x and -t: what an archive holds, shown or made. GNU tar: list.c, extract.c. */
import { EEXIST, EISDIR, ENOENT, ENOTEMPTY } from '#abi/posix/errno.ts'
import { O_CREAT, O_EXCL, O_WRONLY } from '#abi/posix/fcntl.ts'
import { makedev, S_IFBLK, S_IFCHR, S_IFIFO } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { currentUmask } from '../coreutils/files.ts'
import { OsError } from '../libc/errno.ts'
import { fnmatch } from '../libc/fnmatch.ts'
import { Heap } from '../libc/heap.ts'
import { isDir } from '../libc/mode.ts'
import { dirname } from '../libc/path.ts'
import { getgrents, getpwents } from '../libc/pwd.ts'
import { STDOUT, writeAll } from '../libc/stdio.ts'
import {
  chmod,
  chown,
  close,
  lchown,
  link,
  lstat,
  mkdir,
  mknod,
  open,
  rmdir,
  symlink,
  unlink,
  utime,
} from '../libc/syscall.ts'
import { time } from '../libc/time.ts'
import {
  BLKTYPE,
  BLOCK,
  CHRTYPE,
  DIRTYPE,
  decodeHeader,
  FIFOTYPE,
  GNU_LONGLINK,
  GNU_LONGNAME,
  type Header,
  isZero,
  LNKTYPE,
  REGTYPE,
  SYMTYPE,
  XGLTYPE,
  XHDTYPE,
} from './tar-header.ts'
import type { TarJob } from './tar-job.ts'
import { type BlockReader, Fatal } from './tar-stream.ts'

/** Longer names than any path are no names. */
const LONG_NAME_MAX = 65536
const DELAYED_BYTES = 160

interface Member {
  readonly header: Header
  readonly blocks: number
}

export class Extractor {
  readonly #job: TarJob
  readonly #in: BlockReader
  readonly #wanted: readonly string[]
  readonly #found: Set<string>
  readonly #heap: Heap
  /** Directories get their modes and times last; links that lead out are made last. */
  readonly #directories: Header[]
  readonly #links: Header[]
  #umask: number
  #users: ReadonlyMap<string, number>
  #groups: ReadonlyMap<string, number>

  constructor(job: TarJob, input: BlockReader, wanted: readonly string[]) {
    this.#job = job
    this.#in = input
    this.#wanted = wanted.map((name) => name.replace(/(.)\/+$/, '$1'))
    this.#found = new Set()
    this.#heap = new Heap()
    this.#directories = []
    this.#links = []
    this.#umask = 0
    this.#users = new Map()
    this.#groups = new Map()
  }

  *run(extract: boolean): Sys<void> {
    const { verbose } = this.#job.options
    this.#umask = this.#job.options.samePermissions ? 0 : yield* currentUmask()
    if (extract && this.#job.options.sameOwner && !this.#job.options.numericOwner) {
      this.#users = new Map((yield* getpwents()).map(({ uid, name }) => [name, uid]))
      this.#groups = new Map((yield* getgrents()).map(({ gid, name }) => [name, gid]))
    }
    for (let member = yield* this.#next(); member; member = yield* this.#next()) {
      const { header, blocks } = member
      if (!this.#matches(header.name) || this.#job.excluded(header.name)) {
        yield* this.#in.skip(blocks)
        continue
      }
      if (extract ? verbose > 0 : true) yield* this.#job.show(header, extract ? verbose > 1 : verbose > 0)
      if (extract) yield* this.#extract(header, blocks)
      else yield* this.#in.skip(blocks)
    }
    yield* this.#in.drain()
    yield* this.#late()
    for (const name of this.#wanted)
      if (!this.#found.has(name)) yield* this.#job.complain(`${name}: Not found in archive`)
  }

  /** The next header with its long names; undefined at the end. */
  *#next(): Sys<Member | undefined> {
    let name: string | undefined
    let linkname: string | undefined
    for (let bad = false; ; ) {
      const block = yield* this.#in.block()
      if (!block) return undefined
      if (isZero(block)) {
        const second = yield* this.#in.block()
        if (second && isZero(second)) return undefined
        yield* this.#job.warn(`A lone zero block at ${this.#in.blocks - (second ? 1 : 0)}`)
        return undefined
      }
      const header = decodeHeader(block)
      if (!header) {
        if (!bad) {
          yield* this.#job.complain(
            this.#in.blocks === 1 ? 'This does not look like a tar archive' : 'Skipping to next header',
          )
          if (this.#in.blocks === 1) yield* this.#job.complain('Skipping to next header')
        }
        bad = true
        continue
      }
      bad = false
      const blocks = Math.ceil(header.size / BLOCK)
      if (header.type === GNU_LONGNAME) name = yield* this.#text(header.size)
      else if (header.type === GNU_LONGLINK) linkname = yield* this.#text(header.size)
      else if (header.type === XHDTYPE || header.type === XGLTYPE) {
        const said = paxRecords(yield* this.#text(header.size))
        if (header.type === XHDTYPE) {
          name = said.get('path') ?? name
          linkname = said.get('linkpath') ?? linkname
        }
      } else return { header: { ...header, name: name ?? header.name, linkname: linkname ?? header.linkname }, blocks }
    }
  }

  *#text(size: number): Sys<string> {
    if (size > LONG_NAME_MAX) throw new Fatal('Unexpected long name in archive')
    let text = ''
    for (let left = Math.ceil(size / BLOCK); left > 0; ) {
      const part = yield* this.#in.some(left)
      text += byteString(part)
      left -= part.length / BLOCK
    }
    return text.slice(0, size).replace(/\0.*$/s, '')
  }

  #matches(name: string): boolean {
    if (this.#wanted.length === 0) return true
    const bare = name.replace(/(.)\/+$/, '$1')
    const found = this.#wanted.find((one) => bare === one || bare.startsWith(`${one}/`) || fnmatch(one, bare))
    if (found !== undefined) this.#found.add(found)
    return found !== undefined
  }

  *#extract(header: Header, blocks: number): Sys<void> {
    const { options } = this.#job
    if (options.toStdout) {
      yield* this.#job.list.flush()
      if (header.type === REGTYPE) yield* this.#data(header.size, STDOUT)
      else yield* this.#in.skip(blocks)
      return
    }
    const stripped = strip(header.name, options.strip)
    const path = stripped === '' ? '' : yield* this.#job.safe(stripped)
    if (path === '') return yield* this.#in.skip(blocks)
    const own = { ...header, name: path.replace(/(.)\/+$/, '$1') }
    try {
      if (own.type === REGTYPE) return yield* this.#file(own)
      if (own.type === DIRTYPE) yield* this.#directory(own)
      else if (own.type === SYMTYPE) yield* this.#symlink(own)
      else if (own.type === LNKTYPE) {
        const target = yield* this.#job.safe(strip(own.linkname, options.strip), 'hard link targets')
        yield* this.#making(own, () => link(target, own.name), `hard link to \`${target}'`)
      } else if (own.type === CHRTYPE || own.type === BLKTYPE || own.type === FIFOTYPE) {
        const kind = own.type === CHRTYPE ? S_IFCHR : own.type === BLKTYPE ? S_IFBLK : S_IFIFO
        yield* this.#making(own, () => mknod(own.name, kind | own.mode, makedev(own.major, own.minor)), 'mknod')
        yield* this.#attributes(own)
      } else yield* this.#job.warn(`${own.name}: Unknown file type \`${own.type}', extracted as normal file`)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* this.#job.cannot(COMPLAINTS[error.call] ?? error.call, own.name, error)
    }
    yield* this.#in.skip(blocks)
  }

  *#file(header: Header): Sys<void> {
    let fd = -1
    try {
      yield* this.#making(header, function* () {
        fd = yield* open(header.name, O_WRONLY | O_CREAT | O_EXCL, header.mode & 0o777 & ~0o077)
        return fd
      })
    } catch (error) {
      yield* this.#job.cannot('open', header.name, error)
    }
    if (fd < 0) return yield* this.#in.skip(Math.ceil(header.size / BLOCK))
    const done = yield* this.#data(header.size, fd, header.name)
    yield* close(fd)
    if (done) yield* this.#attributes(header)
  }

  /** The data of a member, to `fd`. False after a complaint; the data is read in any case. */
  *#data(size: number, fd: number, name = 'stdout'): Sys<boolean> {
    let good = true
    for (let left = size; left > 0; ) {
      const part = yield* this.#in.some(Math.ceil(left / BLOCK))
      try {
        if (good) yield* writeAll(fd, part.subarray(0, Math.min(left, part.length)))
      } catch (error) {
        yield* this.#job.cannot('write', name, error)
        good = false
      }
      left -= part.length
    }
    return good
  }

  /** Make something; what is in the way goes, missing directories come. */
  *#making(header: Header, make: () => Sys<number>, what?: string): Sys<void> {
    for (let tries = 0; ; tries++) {
      try {
        yield* make()
        return
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        const again =
          tries < 2 &&
          (error.errno === EEXIST
            ? !this.#job.options.keepOld && (yield* remove(header.name))
            : error.errno === ENOENT && (yield* this.#parents(header.name)))
        if (again) continue
        if (what === undefined) throw error
        throw new OsError(error.errno, what, header.name)
      }
    }
  }

  *#parents(path: string): Sys<boolean> {
    const dir = dirname(path)
    if (dir === '.' || dir === '/') return false
    try {
      yield* mkdir(dir, 0o777)
      return true
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno !== ENOENT || !(yield* this.#parents(dir))) return false
    }
    yield* mkdir(dir, 0o777)
    return true
  }

  *#directory(header: Header): Sys<void> {
    try {
      yield* this.#making(header, () => this.#mkdir(header.name))
    } catch (error) {
      return yield* this.#job.cannot('mkdir', header.name, error)
    }
    yield* this.#heap.keep(DELAYED_BYTES + header.name.length)
    this.#directories.push(header)
  }

  *#mkdir(path: string): Sys<number> {
    try {
      return yield* mkdir(path, 0o700)
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== EEXIST) throw error
      if (isDir((yield* lstat(path)).mode)) return 0
      throw error
    }
  }

  /** A link that leads out of the tree would let later members follow it: until the end an empty file stands for it. */
  *#symlink(header: Header): Sys<void> {
    const target = header.linkname
    if (!this.#job.options.absolute && (target.startsWith('/') || target.split('/').includes('..'))) {
      yield* this.#making(header, function* () {
        yield* close(yield* open(header.name, O_WRONLY | O_CREAT | O_EXCL, 0))
        return 0
      })
      yield* this.#heap.keep(DELAYED_BYTES + header.name.length + target.length)
      this.#links.push(header)
      return
    }
    yield* this.#making(header, () => symlink(target, header.name), `create symlink to \`${target}'`)
    yield* this.#attributes(header)
  }

  #ownerOf({ uname, gname, uid, gid }: Header): readonly [number, number] {
    return [this.#users.get(uname) ?? uid, this.#groups.get(gname) ?? gid]
  }

  *#attributes(header: Header): Sys<void> {
    const { sameOwner, samePermissions, touch } = this.#job.options
    const { name } = header
    try {
      if (sameOwner) yield* (header.type === SYMTYPE ? lchown : chown)(name, ...this.#ownerOf(header))
      if (header.type === SYMTYPE) return
      yield* chmod(name, samePermissions ? header.mode : header.mode & 0o777 & ~this.#umask)
      if (!touch) yield* utime(name, yield* time(), header.mtime)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* this.#job.cannot(COMPLAINTS[error.call] ?? error.call, name, error)
    }
  }

  *#late(): Sys<void> {
    for (const header of this.#links) {
      try {
        yield* unlink(header.name)
        yield* symlink(header.linkname, header.name)
        yield* this.#attributes(header)
      } catch (error) {
        yield* this.#job.cannot(`create symlink to \`${header.linkname}'`, header.name, error)
      }
    }
    for (const header of this.#directories.toReversed()) yield* this.#attributes(header)
  }
}

const COMPLAINTS: Readonly<Record<string, string>> = {
  utime: 'utime',
  chmod: 'change mode',
  chown: 'change ownership',
  lchown: 'change ownership',
}

/** remove_any_file(): a file, or an empty directory. */
function* remove(path: string): Sys<boolean> {
  try {
    if (isDir((yield* lstat(path)).mode)) yield* rmdir(path)
    else yield* unlink(path)
    return true
  } catch (error) {
    if (error instanceof OsError && [ENOENT, ENOTEMPTY, EEXIST, EISDIR].includes(error.errno)) return false
    throw error
  }
}

/** --strip-components. */
function strip(name: string, count: number): string {
  if (count === 0) return name
  return name
    .split('/')
    .filter((part, i) => part !== '' || i === 0)
    .slice(count)
    .join('/')
}

/** `LENGTH KEY=VALUE\n`, again and again. */
function paxRecords(text: string): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < text.length; ) {
    const match = /^(\d{1,6}) ([^=]+)=/.exec(text.slice(at, at + 300))
    if (!match) break
    const end = at + Number(match[1])
    if (end <= at) break
    records.set(match[2]!, text.slice(at + match[0].length, end - 1))
    at = end
  }
  return records
}
