/** The rig's files: one tree of inodes in memory. */
import { EACCES, EEXIST, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from '#abi/posix/errno.ts'
import { R_OK, W_OK, X_OK } from '#abi/posix/fcntl.ts'
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_ISGID,
  S_ISVTX,
  type Stat,
} from '#abi/posix/stat.ts'
import type { ProgramEntry } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { Pipe } from './pipe.ts'

/** A negative errno on its way to the program. */
export class Errno extends Error {
  readonly errno: number
  constructor(errno: number) {
    super(`errno ${errno}`)
    this.errno = errno
  }
}
export function fail(errno: number): never {
  throw new Errno(errno)
}

export interface Inode {
  readonly ino: number
  mode: number
  uid: number
  gid: number
  nlink: number
  rdev: number
  atime: number
  mtime: number
  ctime: number
  data: Uint8Array
  size: number
  /** Of a directory; `.` and `..` are not in it. */
  readonly entries: Map<string, Inode>
  parent: Inode | undefined
  /** A symbolic link's. */
  target: string
  pipe: Pipe | undefined
  /** Contents made when it is opened. */
  generate: (() => string) | undefined
  entry: ProgramEntry | undefined
  /** Somebody holds flock: its owner, or a count of shared ones. */
  readonly locks: Map<object, number>
}

export interface Who {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}
export const ROOT: Who = { uid: 0, gid: 0, groups: [0] }

export const isDir = (node: Inode): boolean => (node.mode & S_IFMT) === S_IFDIR
export const isLink = (node: Inode): boolean => (node.mode & S_IFMT) === S_IFLNK
export const isRegular = (node: Inode): boolean => (node.mode & S_IFMT) === S_IFREG

/** Does `who` have these of R_OK, W_OK, X_OK? */
export function permitted(node: Inode, who: Who, want: number): boolean {
  if (who.uid === 0) return (want & X_OK) === 0 || isDir(node) || (node.mode & 0o111) !== 0
  const shift = who.uid === node.uid ? 6 : who.gid === node.gid || who.groups.includes(node.gid) ? 3 : 0
  return ((node.mode >> shift) & 7 & want) === want
}

export interface Found {
  readonly dir: Inode
  readonly name: string
  readonly node: Inode | undefined
  /** The path ended with a slash. */
  readonly slash: boolean
}

export class Tree {
  readonly root: Inode
  #lastIno = 1
  readonly #seconds: () => number

  constructor(seconds: () => number) {
    this.#seconds = seconds
    this.root = this.make(S_IFDIR | 0o755, ROOT)
    this.root.parent = this.root
    this.root.nlink = 2
  }

  now(): number {
    return this.#seconds()
  }

  make(mode: number, who: Who, rdev = 0): Inode {
    const time = this.#seconds()
    return {
      ino: ++this.#lastIno,
      mode,
      uid: who.uid,
      gid: who.gid,
      nlink: 0,
      rdev,
      atime: time,
      mtime: time,
      ctime: time,
      data: new Uint8Array(0),
      size: 0,
      entries: new Map(),
      parent: undefined,
      target: '',
      pipe: (mode & S_IFMT) === S_IFIFO ? new Pipe() : undefined,
      generate: undefined,
      entry: undefined,
      locks: new Map(),
    }
  }

  /** Walk to the last component. It is not followed unless `follow`. */
  lookup(path: string, cwd: Inode, who: Who, follow: boolean, depth = 0): Found {
    if (path === '') fail(ENOENT)
    if (path.length >= 4096) fail(ENAMETOOLONG)
    if (depth > 8) fail(ELOOP)
    let dir = path.startsWith('/') ? this.root : cwd
    const parts = path.split('/').filter((part) => part !== '')
    const slash = path.endsWith('/')
    if (parts.length === 0) return { dir, name: '.', node: dir, slash }
    for (const [i, part] of parts.entries()) {
      if (!isDir(dir)) fail(ENOTDIR)
      if (!permitted(dir, who, X_OK)) fail(EACCES)
      if (part.length > 255) fail(ENAMETOOLONG)
      const last = i === parts.length - 1
      const node = part === '.' ? dir : part === '..' ? dir.parent! : dir.entries.get(part)
      if (last) {
        if (node && isLink(node) && (follow || slash)) {
          const rest = this.lookup(node.target, dir, who, true, depth + 1)
          return { ...rest, slash: slash || rest.slash }
        }
        if (slash && node && !isDir(node)) fail(ENOTDIR)
        return { dir, name: part, node, slash }
      }
      if (!node) fail(ENOENT)
      if (isLink(node)) {
        const found = this.lookup(node.target, dir, who, true, depth + 1)
        if (!found.node) fail(ENOENT)
        dir = found.node
      } else dir = node
    }
    return fail(ENOENT)
  }

  get(path: string, cwd: Inode, who: Who, follow = true): Inode {
    return this.lookup(path, cwd, who, follow).node ?? fail(ENOENT)
  }

  /** Put `node` into `dir`, as the kernel asks before it does so. */
  enter(dir: Inode, name: string, node: Inode, who: Who): void {
    if (dir.entries.has(name) || name === '.' || name === '..') fail(EEXIST)
    if (dir.nlink === 0) fail(ENOENT)
    if (!permitted(dir, who, W_OK | X_OK)) fail(EACCES)
    dir.entries.set(name, node)
    node.nlink++
    if (isDir(node)) {
      node.nlink++
      node.parent = dir
      dir.nlink++
    }
    if (dir.mode & S_ISGID) node.gid = dir.gid
    dir.mtime = dir.ctime = node.ctime = this.#seconds()
  }

  remove(dir: Inode, name: string, who: Who): void {
    const node = dir.entries.get(name) ?? fail(ENOENT)
    if (!permitted(dir, who, W_OK | X_OK)) fail(EACCES)
    if (dir.mode & S_ISVTX && who.uid !== 0 && who.uid !== node.uid && who.uid !== dir.uid) fail(1)
    dir.entries.delete(name)
    node.nlink--
    if (isDir(node)) {
      node.nlink--
      dir.nlink--
    }
    dir.mtime = dir.ctime = node.ctime = this.#seconds()
  }

  pathOf(dir: Inode): string {
    const parts: string[] = []
    let node = dir
    while (node !== this.root) {
      const parent = node.parent!
      const name = [...parent.entries].find(([, entry]) => entry === node)?.[0]
      if (name === undefined) fail(ENOENT)
      parts.unshift(name)
      node = parent
    }
    return '/' + parts.join('/')
  }

  /** For the tests: make a file with all directories above it. */
  put(path: string, node: Inode): void {
    let dir = this.root
    const parts = path.split('/').filter((part) => part !== '')
    const name = parts.pop()!
    for (const part of parts) {
      let next = dir.entries.get(part)
      if (!next) {
        next = this.make(S_IFDIR | 0o755, ROOT)
        this.enter(dir, part, next, ROOT)
      }
      dir = isLink(next) ? this.get(next.target, dir, ROOT) : next
    }
    if (dir.entries.has(name)) this.remove(dir, name, ROOT)
    this.enter(dir, name, node, ROOT)
  }
}

export function readAt(node: Inode, at: number, count: number): Uint8Array {
  return node.data.slice(Math.min(at, node.size), Math.min(at + count, node.size))
}

export function resize(node: Inode, size: number): void {
  if (size > node.data.length) {
    const grown = new Uint8Array(Math.max(size, node.data.length * 2, 64))
    grown.set(node.data.subarray(0, node.size))
    node.data = grown
  } else if (size < node.size) node.data.fill(0, size, node.size)
  node.size = size
}

export function writeAt(node: Inode, at: number, bytes: Uint8Array): void {
  if (at + bytes.length > node.size) resize(node, at + bytes.length)
  node.data.set(bytes, at)
}

export function setContents(node: Inode, contents: string | Uint8Array): void {
  resize(node, 0)
  writeAt(node, 0, typeof contents === 'string' ? bytesOfString(contents) : contents)
}

export const contents = (node: Inode): string => byteString(node.data.subarray(0, node.size))

export function statOf(node: Inode): Stat {
  const kind = node.mode & S_IFMT
  const size = isLink(node) ? node.target.length : isDir(node) ? 4096 : node.size
  return {
    dev: 0x803,
    ino: node.ino,
    mode: node.mode,
    nlink: node.nlink,
    uid: node.uid,
    gid: node.gid,
    rdev: kind === S_IFCHR || kind === S_IFBLK ? node.rdev : 0,
    size,
    blksize: 4096,
    blocks: isLink(node) ? 0 : Math.ceil(size / 4096) * 8,
    atime: node.atime,
    mtime: node.mtime,
    ctime: node.ctime,
  }
}

export { R_OK, W_OK, X_OK }
