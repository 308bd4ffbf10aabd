/** /proc (Linux 2.6.18: fs/proc): files by whoever knows the facts, a directory for each process. */
import { PROC_SUPER_MAGIC } from '#abi/posix/mount.ts'
import type { Kernel, ProcFile, ProcRegistry } from '../kernel.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { FileSystemType, SuperBlock } from '../vfs/inode.ts'
import { ProcRoot } from './root.ts'
import { StaticDir, SynthFs, type SynthNode } from './synth.ts'

/** Of anonymous devices, far from those that are counted up. */
const PROC_DEV = 0xfd
const PROC_ROOT_INO = 1

export class Proc implements ProcRegistry {
  readonly root: StaticDir
  readonly type: FileSystemType

  constructor(root: StaticDir, type: FileSystemType) {
    this.root = root
    this.type = type
  }

  add(path: string, file: ProcFile): void {
    this.addNode(path, {
      kind: 'file',
      mode: file.mode,
      ...(file.read ? { read: () => file.read!() } : {}),
      ...(file.write ? { write: (text: string) => file.write!(text) } : {}),
      ...(file.ops ? { ops: () => file.ops!() } : {}),
    })
  }

  addNode(path: string, node: SynthNode): void {
    const names = path.split('/')
    const last = names.pop()!
    let dir = this.root
    for (const name of names) dir = dir.dir(name)
    dir.nodes.set(last, node)
  }

  remove(path: string): void {
    const names = path.split('/')
    const last = names.pop()!
    let dir: StaticDir | undefined = this.root
    for (const name of names) {
      const next: SynthNode | undefined = dir.nodes.get(name)
      if (!(next instanceof StaticDir)) return
      dir = next
    }
    dir.nodes.delete(last)
  }
}

/** The registry, and the file system type `proc` that shows it. There is one proc, however often it is mounted. */
export function makeProc(kernel: Kernel): Proc {
  const files = new StaticDir()
  const root = new ProcRoot(kernel, files)
  const type: FileSystemType & { sb: SuperBlock | undefined } = {
    name: 'proc',
    nodev: true,
    sb: undefined,
    *mount(by: Kernel, source: string, flags: number): Sleeping<SuperBlock> {
      this.sb ??= new SynthFs(by, this, source, flags, root, {
        dev: PROC_DEV,
        magic: PROC_SUPER_MAGIC,
        blockBytes: 4096,
        rootIno: PROC_ROOT_INO,
      })
      return this.sb
    },
  }
  return new Proc(files, type)
}
