/** What has no name in the tree: pipes (Linux: fs/pipe.c, pipefs). */
import { O_NONBLOCK, O_RDONLY, O_WRONLY } from '#abi/posix/fcntl.ts'
import { S_IFIFO } from '#abi/posix/stat.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { VfsCore } from './core.ts'
import { tableOf } from './file-table.ts'
import { type Attributes, Inode, type SuperBlock } from './inode.ts'
import { OpenFile } from './open-file.ts'
import { Pipe, pipeOps } from './pipe.ts'
import { Dentry, MountedAt, Place } from './place.ts'

class PipeInode extends Inode {
  readonly sb: SuperBlock

  constructor(sb: SuperBlock, ino: number) {
    super(ino, S_IFIFO | 0o600)
    this.sb = sb
  }

  override *setattr(changes: Attributes): Sleeping<void> {
    Object.assign(this, changes)
  }
}

/** pipefs: mounted by the kernel alone. */
export class Pipefs {
  readonly #vfs: VfsCore
  readonly #mount: MountedAt

  constructor(vfs: VfsCore) {
    this.#vfs = vfs
    const sb = {
      type: { name: 'pipefs', nodev: true, mount: () => noMount() },
      dev: vfs.anonymousDev(),
      source: 'pipefs',
      flags: 0,
      blockBytes: 4096,
      optionText: '',
      *statfs() {
        return { type: 0x50495045, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, namelen: 255 }
      },
      *sync() {},
      *remount() {},
      *unmount() {},
    } as unknown as { -readonly [K in keyof SuperBlock]: SuperBlock[K] }
    sb.root = new PipeInode(sb, vfs.anonymousIno())
    this.#mount = new MountedAt(sb, new Dentry(sb, undefined, '', sb.root), undefined, 0, 'none')
  }

  /** pipe(2). */
  make(task: Task): readonly [number, number] {
    const vfs = this.#vfs
    const inode = new PipeInode(this.#mount.sb, vfs.anonymousIno())
    inode.uid = task.cred.fsuid
    inode.gid = task.cred.fsgid
    inode.atime = inode.mtime = inode.ctime = vfs.kernel.time.seconds()
    const pipe = new Pipe(vfs.kernel)
    pipe.charge(1)
    // What /proc/PID/fd opens again.
    inode.pipe = pipe
    pipe.anonymous = true
    pipe.readers = pipe.writers = pipe.writerOpens = 1
    const dentry = new Dentry(inode.sb, undefined, `pipe:[${inode.ino}]`, inode)
    const place = new Place(this.#mount, dentry)
    const ends = [O_RDONLY, O_WRONLY].map(
      (access) =>
        new OpenFile(
          place,
          inode,
          pipeOps(pipe, access, () => {}),
          access & ~O_NONBLOCK,
        ),
    )
    const table = tableOf(task)
    const taken: number[] = []
    const opened: OpenFile[] = []
    try {
      for (const end of ends) {
        vfs.open.add(end)
        opened.push(end)
        taken.push(table.install(task, end, 0, false))
      }
    } catch (error) {
      for (const fd of taken) table.take(fd)
      for (const end of opened) vfs.open.remove(end)
      pipe.closeEnd(true, true)
      throw error
    }
    return [taken[0]!, taken[1]!]
  }
}

function* noMount(): Sleeping<never> {
  throw new Error('pipefs is mounted by nobody')
}
