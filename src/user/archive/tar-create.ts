/** tar -c: files and trees into an archive. GNU tar: create.c. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import {
  major,
  minor,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type Stat,
} from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../libc/errno.ts'
import { Heap } from '../libc/heap.ts'
import { getgrents, getpwents } from '../libc/pwd.ts'
import { chdir, close, fstat, getdents, lstat, open, read, readlink, stat } from '../libc/syscall.ts'
import {
  BLKTYPE,
  CHRTYPE,
  DIRTYPE,
  encodeHeader,
  FIFOTYPE,
  type Header,
  LNKTYPE,
  RECORD,
  REGTYPE,
  SYMTYPE,
} from './tar-header.ts'
import type { TarJob } from './tar-job.ts'
import { BlockWriter } from './tar-stream.ts'

const TYPES: Readonly<Record<number, string>> = {
  [S_IFREG]: REGTYPE,
  [S_IFDIR]: DIRTYPE,
  [S_IFLNK]: SYMTYPE,
  [S_IFCHR]: CHRTYPE,
  [S_IFBLK]: BLKTYPE,
  [S_IFIFO]: FIFOTYPE,
}

/** What a remembered hard link takes. */
const LINK_BYTES = 96

export class Creator {
  readonly #job: TarJob
  readonly #out: BlockWriter
  readonly #archive: Stat
  /** The first name of files that have several, by device and inode. */
  readonly #links: Map<string, string>
  readonly #heap: Heap
  #users: ReadonlyMap<number, string>
  #groups: ReadonlyMap<number, string>

  constructor(job: TarJob, fd: number, archive: Stat) {
    this.#job = job
    this.#out = new BlockWriter(fd, job.options.archive)
    this.#archive = archive
    this.#links = new Map()
    this.#heap = new Heap()
    this.#users = new Map()
    this.#groups = new Map()
  }

  /** `names`: files, and `-C DIR` between them as ['C', dir]. */
  *run(names: readonly (string | readonly ['C', string])[]): Sys<void> {
    this.#users = new Map((yield* getpwents()).map(({ uid, name }) => [uid, name]))
    this.#groups = new Map((yield* getgrents()).map(({ gid, name }) => [gid, name]))
    for (const name of names) {
      if (typeof name === 'string') yield* this.#dump(name.replace(/(.)\/+$/, '$1'))
      else yield* chdir(name[1])
    }
    yield* this.#out.finish()
  }

  *#dump(path: string): Sys<void> {
    const job = this.#job
    if (job.excluded(path)) return
    let info: Stat
    try {
      info = yield* job.options.dereference ? stat(path) : lstat(path)
    } catch (error) {
      return yield* job.cannot('stat', path, error)
    }
    if (info.dev === this.#archive.dev && info.ino === this.#archive.ino && (this.#archive.mode & S_IFMT) === S_IFREG)
      return yield* job.warn(`${path}: file is the archive; not dumped`)
    const type = TYPES[info.mode & S_IFMT]
    if (type === undefined) return yield* job.warn(`${path}: socket ignored`)
    if (type === DIRTYPE) return yield* this.#directory(path, info)
    const name = yield* job.safe(path)
    const known = `${info.dev}:${info.ino}`
    if (info.nlink > 1) {
      const first = this.#links.get(known)
      if (first !== undefined)
        return yield* this.#header(info, { name, type: LNKTYPE, linkname: yield* job.safe(first, 'hard link targets') })
      yield* this.#heap.keep(LINK_BYTES + path.length)
      this.#links.set(known, path)
    }
    if (type === SYMTYPE) yield* this.#header(info, { name, type, linkname: yield* readlink(path) })
    else if (type === REGTYPE) yield* this.#file(path, name)
    else yield* this.#header(info, { name, type })
  }

  *#header(info: Stat, own: { name: string; type: string; size?: number; linkname?: string }): Sys<void> {
    const { numericOwner, verbose } = this.#job.options
    const device = own.type === CHRTYPE || own.type === BLKTYPE
    const header: Header = {
      size: 0,
      linkname: '',
      ...own,
      mode: info.mode & 0o7777,
      uid: info.uid,
      gid: info.gid,
      mtime: info.mtime,
      uname: numericOwner ? '' : (this.#users.get(info.uid) ?? ''),
      gname: numericOwner ? '' : (this.#groups.get(info.gid) ?? ''),
      major: device ? major(info.rdev) : 0,
      minor: device ? minor(info.rdev) : 0,
    }
    if (verbose > 0) yield* this.#job.show(header, verbose > 1)
    for (const block of encodeHeader(header)) yield* this.#out.put(block)
  }

  *#file(path: string, name: string): Sys<void> {
    let fd: number
    try {
      fd = yield* open(path, O_RDONLY, 0)
    } catch (error) {
      return yield* this.#job.cannot('open', path, error)
    }
    try {
      const info = yield* fstat(fd)
      yield* this.#header(info, { name, type: REGTYPE, size: info.size })
      let left = info.size
      while (left > 0) {
        const part = yield* read(fd, Math.min(left, RECORD))
        if (part.length === 0) break
        yield* this.#out.put(part)
        left -= part.length
      }
      if (left > 0) {
        yield* this.#job.complain(`${path}: File shrank by ${left} bytes; padding with zeros`)
        for (; left > 0; left -= RECORD) yield* this.#out.put(new Uint8Array(Math.min(left, RECORD)))
      } else if ((yield* fstat(fd)).mtime !== info.mtime) yield* this.#job.warn(`${path}: file changed as we read it`)
      yield* this.#out.pad()
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* this.#job.cannot('read', path, error)
    } finally {
      yield* close(fd)
    }
  }

  *#directory(path: string, info: Stat): Sys<void> {
    const name = yield* this.#job.safe(path === '/' ? path : `${path}/`)
    yield* this.#header(info, { name, type: DIRTYPE })
    if (this.#job.options.noRecursion) return
    const names: string[] = []
    try {
      const fd = yield* open(path, O_RDONLY, 0)
      for (let part = yield* getdents(fd); part.length > 0; part = yield* getdents(fd))
        for (const entry of part) if (entry.name !== '.' && entry.name !== '..') names.push(entry.name)
      yield* close(fd)
    } catch (error) {
      return yield* this.#job.cannot('open', path, error)
    }
    for (const entry of names) yield* this.#dump(path === '/' ? `/${entry}` : `${path}/${entry}`)
  }
}
