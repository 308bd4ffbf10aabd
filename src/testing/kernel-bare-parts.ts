/** For tests: parts of a kernel that are hardly there, for those that are not under test. A flat VFS of program files, descriptors 0 to 2 on a console, no devices. */
import { EBADF, EINVAL, EMFILE, ENOENT } from '#abi/posix/errno.ts'
import { S_IFREG } from '#abi/posix/stat.ts'
import { __HYPERVISOR_console_io, CONSOLEIO_write } from '#abi/xen/xen.ts'
import type { Blocks } from '#kernel/block/block.ts'
import { fail } from '#kernel/errno.ts'
import type { KernelParts, ProcFile } from '#kernel/kernel.ts'
import { sleeping } from '#kernel/syscalls/row.ts'
import type { File, FileTable } from '#kernel/vfs/file.ts'
import { Inode, type SuperBlock } from '#kernel/vfs/inode.ts'
import type { Mount, Vfs } from '#kernel/vfs/vfs.ts'

class FlatInode extends Inode {
  override readonly sb = undefined as unknown as SuperBlock
  readonly bytes: Uint8Array
  constructor(ino: number, bytes: Uint8Array) {
    super(ino, S_IFREG | 0o755)
    this.bytes = bytes
    this.size = bytes.length
  }
}

const MOUNT: Mount = { sb: undefined as unknown as SuperBlock, at: undefined, flags: 0 }
const NO_FILES: FileTable = { get: () => undefined, entries: () => [] }

/** As much of makeVfs's as exec needs: absolute paths of `files`. */
function bareVfs(files: ReadonlyMap<string, Uint8Array>): Vfs {
  const inodes = new Map<string, FlatInode>()
  for (const [path, bytes] of files) inodes.set(path, new FlatInode(inodes.size + 2, bytes))
  const none = (): never => fail(EINVAL)
  return {
    registerFileSystem() {},
    fileSystems: [],
    registerCharDevice() {},
    unregisterCharDevice() {},
    charDevices: new Map(),
    mounts: [],
    mountRoot: none,
    mount: none,
    umount: none,
    *syncAll() {},
    newFileTable: () => NO_FILES,
    copyFileTable: (table) => table,
    copyFsContext: (fs) => ({ ...fs }),
    *closeOnExec() {},
    *closeAll() {},
    *walk(_task, path) {
      const inode = inodes.get(path)
      return inode ? { mount: MOUNT, inode, parent: undefined, name: path } : fail(ENOENT)
    },
    *open() {
      return fail(ENOENT) as unknown as File
    },
    install: () => fail(EMFILE),
    *close() {},
    *readAll(inode) {
      return (inode as FlatInode).bytes
    },
    permission() {},
    pathText: (_task, path) => path.name,
    newAnonymousIno: () => 1,
  } as Partial<Vfs> as Vfs
}

export function bareParts(files: ReadonlyMap<string, Uint8Array>): KernelParts {
  return {
    makeVfs: () => bareVfs(files),
    makeBlocks: () =>
      ({
        *addDisk() {},
        *removeDisk() {},
        disks: [],
        registerBlockDevice() {},
        majors: new Map(),
      }) as Partial<Blocks> as Blocks,
    makeProc: () => {
      const all = new Map<string, ProcFile>()
      return {
        files: all,
        add: (path: string, file: ProcFile) => void all.set(path, file),
        remove: (path: string) => void all.delete(path),
      }
    },
    consoleInits: [
      (kernel) =>
        kernel.log.registerConsole({
          name: 'rig',
          index: 0,
          device: 0,
          write(text) {
            for (let at = 0; at < text.length; at += 2048) write(kernel, text.slice(at, at + 2048))
          },
        }),
    ],
    initcalls: [],
    // Standard output is the console.
    syscalls: {
      write: sleeping(['int', 'bytes'], function* (kernel, _task, fd, bytes) {
        if (fd !== 1 && fd !== 2) fail(EBADF)
        write(kernel, String.fromCharCode(...bytes))
        return bytes.length
      }),
    },
  }
}

function write({ mem, bounce, vcpu }: Parameters<KernelParts['makeVfs']>[0], text: string): void {
  mem.copyIn(
    bounce,
    Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
  )
  vcpu.hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, text.length, bounce)
}
