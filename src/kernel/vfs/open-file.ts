/** An open file description, and the table of all of them (Linux: fs/file_table.c). */
import { ENFILE } from '#abi/posix/errno.ts'
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '#abi/posix/fcntl.ts'
import { fail } from '../errno.ts'
import type { File, FileOps } from './file.ts'
import type { Inode } from './inode.ts'
import type { Place } from './place.ts'

export class OpenFile implements File {
  readonly path: Place
  readonly inode: Inode
  ops: FileOps
  flags: number
  offset = 0
  data: unknown = undefined
  /** Descriptors that show it. */
  users = 0
  readonly readable: boolean
  readonly writable: boolean
  /** Read-ahead: the page that a sequential reader wants next, and how many it gets. */
  nextPage = 0
  window = 0

  constructor(path: Place, inode: Inode, ops: FileOps, flags: number) {
    this.path = path
    this.inode = inode
    this.ops = ops
    this.flags = flags
    const access = flags & O_ACCMODE
    this.readable = access !== O_WRONLY
    this.writable = access !== O_RDONLY
  }
}

export class OpenFiles {
  readonly all = new Set<OpenFile>()
  max: number

  constructor(max: number) {
    this.max = max
  }

  add(file: OpenFile): void {
    if (this.all.size >= this.max) fail(ENFILE)
    this.all.add(file)
    file.inode.opens++
  }

  remove(file: OpenFile): void {
    if (this.all.delete(file)) file.inode.opens--
  }
}
