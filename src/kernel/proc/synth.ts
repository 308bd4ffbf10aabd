/**
 * File systems whose files are made up as they are read: what procfs, sysfs and devpts have in common (Linux: fs/libfs.c, fs/proc/generic.c, fs/sysfs).
 * A tree of nodes; inodes are made of them when somebody looks.
 */
import { EIO, EISDIR, EPERM } from '#abi/posix/errno.ts'
import {
  type Dirent,
  DT_CHR,
  DT_DIR,
  DT_LNK,
  DT_REG,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type StatFs,
} from '#abi/posix/stat.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { File, FileOps, Path } from '../vfs/file.ts'
import { type Attributes, type FileSystemType, Inode, type SuperBlock } from '../vfs/inode.ts'

interface NodeCommon {
  /** Permission bits. */
  readonly mode: number
  /** Otherwise it gets the next one. */
  readonly ino?: number
  owner?(): readonly [uid: number, gid: number]
  /** Seconds since 1970, where it is not the mount's time. */
  readonly time?: number
}

export interface DirNode extends NodeCommon {
  readonly kind: 'dir'
  find(name: string): SynthNode | undefined
  list(): Iterable<readonly [name: string, node: SynthNode]>
}

export interface FileNode extends NodeCommon {
  readonly kind: 'file'
  readonly size?: number
  read?(): string
  write?(text: string): void
  /** In place of `read`: what an open file does. */
  ops?(): FileOps
}

export interface LinkNode extends NodeCommon {
  readonly kind: 'link'
  /** Fails where the link leads nowhere. */
  target(): string
  jump?(): Sleeping<Path | undefined>
}

export interface DeviceNode extends NodeCommon {
  readonly kind: 'device'
  readonly rdev: number
  readonly uid: number
  readonly gid: number
}

export type SynthNode = DirNode | FileNode | LinkNode | DeviceNode

const TYPES = { dir: S_IFDIR, file: S_IFREG, link: S_IFLNK, device: S_IFCHR } as const
const DT_OF = { dir: DT_DIR, file: DT_REG, link: DT_LNK, device: DT_CHR } as const

/** A directory whose entries come and go by `set` and `delete`. */
export class StaticDir implements DirNode {
  readonly kind = 'dir'
  readonly mode: number
  readonly nodes = new Map<string, SynthNode>()
  constructor(mode = 0o555, nodes: readonly (readonly [string, SynthNode])[] = []) {
    this.mode = mode
    for (const [name, node] of nodes) this.nodes.set(name, node)
  }
  find(name: string): SynthNode | undefined {
    return this.nodes.get(name)
  }
  list(): Iterable<readonly [string, SynthNode]> {
    return this.nodes
  }
  /** The directory `name` in it, made if need be. */
  dir(name: string, mode = 0o555): StaticDir {
    const found = this.nodes.get(name)
    if (found instanceof StaticDir) return found
    const made = new StaticDir(mode)
    this.nodes.set(name, made)
    return made
  }
}

export const fileOf = (read: () => string, mode = 0o444): FileNode => ({ kind: 'file', mode, read })
export const linkTo = (target: string): LinkNode => ({ kind: 'link', mode: 0o777, target: () => target })

class SynthInode extends Inode {
  readonly sb: SynthFs
  readonly node: SynthNode

  constructor(sb: SynthFs, node: SynthNode, ino: number) {
    super(ino, TYPES[node.kind] | node.mode)
    this.sb = sb
    this.node = node
    const time = node.time ?? sb.time
    this.atime = time
    this.mtime = time
    this.ctime = time
    if (node.kind === 'dir') this.nlink = 2
    if (node.kind === 'file') this.size = node.size ?? sb.fileBytes
    if (node.kind === 'link') this.size = 64
    if (node.kind === 'device') {
      this.rdev = node.rdev
      this.uid = node.uid
      this.gid = node.gid
    }
    this.refresh()
  }

  /** Whose it is may change as long as nobody looks. */
  refresh(): void {
    const owner = this.node.owner?.()
    if (owner) [this.uid, this.gid] = owner
  }

  override *lookup(name: string): Sleeping<Inode | undefined> {
    const found = this.node.kind === 'dir' ? this.node.find(name) : undefined
    return found && this.sb.inodeOf(found)
  }

  override *readlink(): Sleeping<string> {
    return this.node.kind === 'link' ? this.node.target() : fail(EIO)
  }

  override *jump(): Sleeping<Path | undefined> {
    return this.node.kind === 'link' && this.node.jump ? yield* this.node.jump() : undefined
  }

  override *setattr(changes: Attributes): Sleeping<void> {
    if (this.node.kind === 'device' || this.sb.keepsAttributes) {
      if (changes.mode !== undefined) this.mode = (this.mode & S_IFMT) | (changes.mode & 0o7777)
      if (changes.uid !== undefined) this.uid = changes.uid
      if (changes.gid !== undefined) this.gid = changes.gid
    } else if (changes.mode !== undefined || changes.uid !== undefined || changes.gid !== undefined) fail(EPERM)
    if (changes.atime !== undefined) this.atime = changes.atime
    if (changes.mtime !== undefined) this.mtime = changes.mtime
    if (changes.ctime !== undefined) this.ctime = changes.ctime
    // O_TRUNC of what has no length changes nothing.
  }

  override *open(_file: File): Sleeping<FileOps> {
    const { node } = this
    if (node.kind === 'dir') return new SynthDirOps(this.sb, node)
    if (node.kind !== 'file') return fail(EIO)
    return node.ops?.() ?? new SynthFileOps(node)
  }
}

class SynthDirOps implements FileOps {
  readonly #sb: SynthFs
  readonly #node: DirNode
  constructor(sb: SynthFs, node: DirNode) {
    this.#sb = sb
    this.#node = node
  }
  *read(): Sleeping<Uint8Array> {
    return fail(EISDIR)
  }
  *readdir(file: File): Sleeping<readonly Dirent[]> {
    const entries: Dirent[] = []
    let at = 0
    for (const [name, node] of this.#node.list()) {
      if (at++ >= file.offset) entries.push({ ino: this.#sb.inoOf(node), type: DT_OF[node.kind], name })
    }
    file.offset = Math.max(at, file.offset)
    return entries
  }
}

/** The text is made at the first read, and anew after a seek to the beginning, so that one reader sees one state. */
class SynthFileOps implements FileOps {
  readonly #node: FileNode
  #bytes: Uint8Array | undefined
  constructor(node: FileNode) {
    this.#node = node
  }
  *read(_file: File, count: number, offset: number): Sleeping<Uint8Array> {
    if (!this.#node.read) fail(EIO)
    if (!this.#bytes || offset === 0) this.#bytes = bytesOfString(this.#node.read())
    return this.#bytes.subarray(offset, offset + count)
  }
  *write(_file: File, bytes: Uint8Array): Sleeping<number> {
    if (!this.#node.write) fail(EIO)
    this.#bytes = undefined
    this.#node.write(byteString(bytes))
    return bytes.length
  }
}

export interface SynthOptions {
  readonly dev: number
  /** statfs.f_type. */
  readonly magic: number
  readonly blockBytes: number
  readonly keepsAttributes?: boolean
  readonly rootIno?: number
  readonly optionText?: string
  /** What stat says of a file. Default 0. */
  readonly fileBytes?: number
}

export class SynthFs implements SuperBlock {
  readonly type: FileSystemType
  readonly dev: number
  readonly source: string
  readonly root: Inode
  flags: number
  readonly blockBytes: number
  readonly optionText: string
  readonly cacheNames = false
  readonly keepsAttributes: boolean
  readonly time: number
  readonly fileBytes: number
  readonly #magic: number
  #inodes = new WeakMap<SynthNode, SynthInode>()
  #numbers = new WeakMap<SynthNode, number>()
  #nextIno: number

  constructor(
    kernel: Kernel,
    type: FileSystemType,
    source: string,
    flags: number,
    root: DirNode,
    options: SynthOptions,
  ) {
    this.type = type
    this.source = source
    this.flags = flags
    this.dev = options.dev
    this.#magic = options.magic
    this.fileBytes = options.fileBytes ?? 0
    this.blockBytes = options.blockBytes
    this.keepsAttributes = options.keepsAttributes ?? false
    this.optionText = options.optionText ?? ''
    this.time = kernel.time.seconds()
    this.#nextIno = options.rootIno ?? 1
    this.root = this.inodeOf(root)
    // proc_register numbers from PROC_DYNAMIC_FIRST on, well apart from those of processes.
    this.#nextIno = 0xf0000000
  }

  inoOf(node: SynthNode): number {
    let ino = node.ino ?? this.#numbers.get(node)
    if (ino === undefined) {
      ino = this.#nextIno++
      this.#numbers.set(node, ino)
    }
    return ino
  }

  inodeOf(node: SynthNode): Inode {
    let inode = this.#inodes.get(node)
    if (!inode) {
      inode = new SynthInode(this, node, this.inoOf(node))
      this.#inodes.set(node, inode)
    } else inode.refresh()
    return inode
  }

  *statfs(): Sleeping<StatFs> {
    return {
      type: this.#magic,
      bsize: this.blockBytes,
      blocks: 0,
      bfree: 0,
      bavail: 0,
      files: 0,
      ffree: 0,
      namelen: 255,
    }
  }

  *sync(): Sleeping<void> {}

  *remount(flags: number): Sleeping<void> {
    this.flags = flags
  }

  *unmount(): Sleeping<void> {}
}
