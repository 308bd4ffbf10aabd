/** For tests: the whole kernel on the rig, booted to init, with a root file system in memory that holds what the test wants. */
import { makedev, S_IFCHR, S_IFDIR, S_IFREG } from '#abi/posix/stat.ts'
import type { ProgramEntry } from '#abi/posix/syscalls.ts'
import { startKernel } from '#kernel/init/start-kernel.ts'
import type { Initcall, Kernel } from '#kernel/kernel.ts'
import { PARTS } from '#kernel/main.ts'
import type { Sleeping } from '#kernel/sched/wait.ts'
import type { File } from '#kernel/vfs/file.ts'
import type { FileSystemType, Inode } from '#kernel/vfs/inode.ts'
import { fork, pause, wait4 } from '#user/libc/syscall.ts'
import { type KernelRig, kernelRig, type RigOptions } from './kernel-rig.ts'

/** Text of a file, or a program. */
export type RootFiles = Readonly<Record<string, string | Uint8Array | ProgramEntry>>

/** Adopts and reaps. */
const idleInit: ProgramEntry = function* () {
  yield* fork(function* () {
    for (;;) yield* pause()
  })
  for (;;) yield* wait4(-1, 0)
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

function* writeFile(inode: Inode, bytes: Uint8Array): Sleeping<void> {
  const file = { inode, flags: 1, offset: 0, data: undefined, path: undefined } as unknown as {
    -readonly [K in keyof File]: File[K]
  }
  file.ops = yield* inode.open(file)
  for (let at = 0; at < bytes.length; ) at += yield* file.ops.write!(file, bytes.subarray(at), at)
}

/** `files` without /sbin/init get one that waits for ever. Programs have mode 0755, scripts (`#!`) too, all else 0644. */
export function bootedRig(files: RootFiles = {}, options: RigOptions = {}): KernelRig {
  const all: RootFiles = { '/sbin/init': idleInit, ...files }
  const rig: KernelRig = kernelRig({
    cmdline: 'root=/dev/ram0 rootfstype=testfs rw console=xvc0 quiet',
    parts: { ...PARTS, initcalls: [...PARTS.initcalls, registerTestFs] },
    boot: startKernel,
    ...options,
  })

  function* populate(root: Inode): Sleeping<void> {
    const dirs = new Map<string, Inode>([['', root]])
    function* dir(path: string): Sleeping<Inode> {
      const known = dirs.get(path)
      if (known) return known
      const cut = path.lastIndexOf('/')
      const parent = yield* dir(path.slice(0, cut))
      const made = yield* parent.create(path.slice(cut + 1), { mode: S_IFDIR | 0o755, uid: 0, gid: 0 })
      dirs.set(path, made)
      return made
    }
    for (const name of ['/dev', '/proc', '/tmp']) yield* dir(name)
    const dev = yield* dir('/dev')
    const node = (name: string, rdev: number): Sleeping<Inode> =>
      dev.create(name, { mode: S_IFCHR | 0o666, uid: 0, gid: 0, rdev })
    yield* node('console', makedev(5, 1))
    yield* node('null', makedev(1, 3))
    yield* node('zero', makedev(1, 5))
    for (const [path, content] of Object.entries(all)) {
      const cut = path.lastIndexOf('/')
      const parent = yield* dir(path.slice(0, cut))
      const bytes =
        typeof content === 'function'
          ? rig.programFile(content)
          : typeof content === 'string'
            ? bytesOf(content)
            : content
      const runs = typeof content === 'function' || (bytes[0] === 0x23 && bytes[1] === 0x21)
      const mode = S_IFREG | (runs ? 0o755 : 0o644)
      yield* writeFile(yield* parent.create(path.slice(cut + 1), { mode, uid: 0, gid: 0 }), bytes)
    }
  }

  function registerTestFs(kernel: Kernel): Generator<void, void, void> {
    return (function* () {
      const tmpfs = kernel.vfs.fileSystems.find(({ name }) => name === 'tmpfs')!
      const testfs: FileSystemType = {
        name: 'testfs',
        nodev: true,
        *mount(by, source, flags) {
          const sb = yield* tmpfs.mount(by, source, flags, '')
          yield* populate(sb.root)
          return sb
        },
      }
      kernel.vfs.registerFileSystem(testfs)
    })()
  }
  registerTestFs satisfies Initcall

  rig.settle(() => rig.kernel.sched.task(1)?.comm === 'init')
  if (rig.kernel.sched.task(1)?.comm !== 'init') throw new Error(`no init; the log says:\n${rig.kernel.log.text()}`)
  rig.settle()
  rig.root = rig.kernel.vfs.rootFsContext().root
  return rig
}
