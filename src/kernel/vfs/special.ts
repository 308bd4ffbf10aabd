/** What has no name in the tree: pipes (Linux: fs/pipe.c, pipefs), and what else is a file all the same (fs/libfs.c, get_sb_pseudo). */
import { O_NONBLOCK, O_RDONLY, O_WRONLY } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFIFO } from '#abi/posix/stat.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { VfsCore } from './core.ts'
import { tableOf } from './file-table.ts'
import { type Attributes, Inode, type SuperBlock } from './inode.ts'
import { OpenFile } from './open-file.ts'
import { Pipe, pipeOps } from './pipe.ts'
import { Dentry, MountedAt, Place } from './place.ts'

/** What it is, and whose; nothing on any disk. */
export class AnonymousInode extends Inode {
  readonly sb: SuperBlock

  constructor(sb: SuperBlock, ino: number, mode: number) {
    super(ino, mode)
    this.sb = sb
  }

  override *setattr(changes: Attributes): Sleeping<void> {
    Object.assign(this, changes)
  }
}

/** A file system that the kernel alone mounts, and nowhere (kern_mount). */
export class PseudoFs {
  readonly #vfs: VfsCore
  readonly #mount: MountedAt

  constructor(vfs: VfsCore, name: string, magic: number) {
    this.#vfs = vfs
    const sb = {
      type: { name, nodev: true, mount: () => noMount() },
      dev: vfs.anonymousDev(),
      source: name,
      flags: 0,
      blockBytes: 4096,
      optionText: '',
      *statfs() {
        return { type: magic, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, namelen: 255 }
      },
      *sync() {},
      *remount() {},
      *unmount() {},
    } as unknown as { -readonly [K in keyof SuperBlock]: SuperBlock[K] }
    sb.root = new AnonymousInode(sb, vfs.anonymousIno(), S_IFDIR | 0o600)
    this.#mount = new MountedAt(sb, new Dentry(sb, undefined, '', sb.root), undefined, 0, 'none')
  }

  /** A new inode of `task`'s, in its only place: `kind:[number]`. */
  place(task: Task, kind: string, mode: number): Place {
    const inode = new AnonymousInode(this.#mount.sb, this.#vfs.anonymousIno(), mode)
    inode.uid = task.cred.fsuid
    inode.gid = task.cred.fsgid
    inode.atime = inode.mtime = inode.ctime = this.#vfs.kernel.time.seconds()
    return new Place(this.#mount, new Dentry(inode.sb, undefined, `${kind}:[${inode.ino}]`, inode))
  }
}

const PIPEFS_MAGIC = 0x50495045

/** pipefs. */
export class Pipefs {
  readonly #vfs: VfsCore
  readonly #fs: PseudoFs

  constructor(vfs: VfsCore) {
    this.#vfs = vfs
    this.#fs = new PseudoFs(vfs, 'pipefs', PIPEFS_MAGIC)
  }

  /** pipe(2). */
  make(task: Task): readonly [number, number] {
    const vfs = this.#vfs
    const place = this.#fs.place(task, 'pipe', S_IFIFO | 0o600)
    const { inode } = place
    const pipe = new Pipe(vfs.kernel)
    pipe.charge(1)
    // What /proc/PID/fd opens again.
    inode.pipe = pipe
    pipe.anonymous = true
    pipe.readers = pipe.writers = pipe.writerOpens = 1
    const ends = [O_RDONLY, O_WRONLY].map(
      (access) =>
        new OpenFile(
          place,
          inode,
          pipeOps(pipe, access, () => {}),
          access & ~O_NONBLOCK,
        ),
    )
    try {
      return installBoth(vfs, task, ends[0]!, ends[1]!)
    } catch (error) {
      pipe.closeEnd(true, true)
      throw error
    }
  }
}

/** Descriptors for two new files; both or none. */
export function installBoth(vfs: VfsCore, task: Task, first: OpenFile, second: OpenFile): readonly [number, number] {
  const table = tableOf(task)
  const taken: number[] = []
  const opened: OpenFile[] = []
  try {
    for (const end of [first, second]) {
      vfs.open.add(end)
      opened.push(end)
      taken.push(table.install(task, end, 0, false))
    }
  } catch (error) {
    for (const fd of taken) table.take(fd)
    for (const end of opened) vfs.open.remove(end)
    throw error
  }
  return [taken[0]!, taken[1]!]
}

function* noMount(): Sleeping<never> {
  throw new Error('mounted by nobody')
}
