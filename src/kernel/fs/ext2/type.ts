/** ext2 as a file system type: from a device's name to a super block (Linux: fs/super.c, get_sb_bdev). */
import { EBUSY, ENOENT, ENOTBLK, ENXIO } from '#abi/posix/errno.ts'
import { MS_RDONLY } from '#abi/posix/mount.ts'
import { S_IFBLK, S_IFMT } from '#abi/posix/stat.ts'
import type { BlockDevice } from '../../block/device.ts'
import { fail } from '../../errno.ts'
import type { Kernel } from '../../kernel.ts'
import type { Sleeping } from '../../sched/wait.ts'
import type { FileSystemType } from '../../vfs/inode.ts'
import { Ext2Super } from './super.ts'

/** A node's path; before the root is mounted `/dev/NAME`, or major and minor in hex (name_to_dev_t). */
function* deviceOf(kernel: Kernel, source: string): Sleeping<BlockDevice> {
  if (kernel.vfs.mounts.length > 0) {
    if (source === '') fail(ENOENT)
    const { inode } = yield* kernel.vfs.walk(kernel.sched.current, source, true)
    if ((inode.mode & S_IFMT) !== S_IFBLK) fail(ENOTBLK)
    return kernel.blocks.device(inode.rdev) ?? fail(ENXIO)
  }
  const named = kernel.blocks.named(source.replace(/^\/dev\//, ''))
  if (named) return named
  if (!/^[0-9a-f]{3,4}$/.test(source)) fail(ENXIO)
  return kernel.blocks.device(Number.parseInt(source, 16)) ?? fail(ENXIO)
}

export function ext2(): FileSystemType {
  const type: FileSystemType = {
    name: 'ext2',
    nodev: false,
    *mount(kernel, source, flags, data) {
      const device = yield* deviceOf(kernel, source)
      const { holder } = device
      if (holder instanceof Ext2Super) {
        // The same disk a second time is the same super block, if they agree about writing.
        if ((holder.flags ^ flags) & MS_RDONLY) fail(EBUSY)
        return holder
      }
      if (holder !== undefined) fail(EBUSY)
      yield* device.get()
      device.holder = type
      try {
        const sb = yield* Ext2Super.mount(type, kernel, device, source, flags, data)
        device.holder = sb
        return sb
      } catch (error) {
        device.holder = undefined
        yield* device.put()
        throw error
      }
    },
  }
  return type
}
