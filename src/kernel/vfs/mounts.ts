/** Mounting (Linux: fs/namespace.c, fs/super.c). */
import { EBUSY, EINVAL, ENODEV, ENOTDIR, EPERM } from '#abi/posix/errno.ts'
import {
  MNT_DETACH,
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REMOUNT,
  MS_SYNCHRONOUS,
} from '#abi/posix/mount.ts'
import { Errno, fail, quietly } from '../errno.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { VfsCore } from './core.ts'
import type { FileSystemType, SuperBlock } from './inode.ts'
import { isRoot } from './permission.ts'
import { Dentry, MountedAt, mountedOn, Place } from './place.ts'
import { pathOf, walkTo } from './walk.ts'

/** Flags of a mount; the others are the super block's. */
const MOUNT_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME
const SB_FLAGS = MS_RDONLY | MS_SYNCHRONOUS
/** Of 2.6.18: flags no longer looked at. */
const MAGIC = 0xc0ed0000

function typeNamed(vfs: VfsCore, name: string): FileSystemType {
  return vfs.types.find((type) => type.name === name) ?? fail(ENODEV)
}

/** One super block of a device or of a file system that there is once is mounted a second time: the tree of names is the same. */
function attach(vfs: VfsCore, sb: SuperBlock, at: Place | undefined, flags: number, source: string): MountedAt {
  const same = vfs.mounts.find((mount) => mount.sb === sb)
  const root = same?.root ?? new Dentry(sb, undefined, '', sb.root)
  const mount = new MountedAt(sb, root, at, flags & MOUNT_FLAGS, source)
  vfs.mounts.push(mount)
  if (at) {
    at.dentry.mounts ??= []
    at.dentry.mounts.push(mount)
  }
  return mount
}

/** mount_root: the first type that knows what is on it. */
export function* mountRoot(vfs: VfsCore, source: string, types: readonly string[], flags: number): Sleeping<MountedAt> {
  let error = ENODEV
  for (const name of types) {
    const type = vfs.types.find((each) => each.name === name)
    if (!type) continue
    try {
      const sb = yield* type.mount(vfs.kernel, source, flags & SB_FLAGS, '')
      const readOnly = (sb.flags & MS_RDONLY) !== 0
      vfs.kernel.log.printk(`VFS: Mounted root (${name} filesystem)${readOnly ? ' readonly' : ''}.\n`)
      // init's rootfs, which nobody sees any more, lies below it in the real one.
      return attach(vfs, sb, undefined, flags, '/dev/root')
    } catch (caught) {
      if (!(caught instanceof Errno)) throw caught
      error = caught.errno
    }
  }
  return fail(error)
}

export function* mount(
  vfs: VfsCore,
  task: Task,
  source: string,
  target: string,
  typeName: string,
  givenFlags: number,
  data: string,
): Sleeping<void> {
  if (!isRoot(task)) fail(EPERM)
  const flags = (givenFlags & 0xffff0000) === MAGIC ? givenFlags & 0xffff : givenFlags
  const place = yield* walkTo(vfs, task, target, true)
  if (flags & MS_REMOUNT) {
    yield* remount(vfs, place, flags, data)
    return
  }
  if (flags & MS_BIND) fail(EINVAL)
  const type = typeNamed(vfs, typeName)
  if (!place.inode.isDir) fail(ENOTDIR)
  place.inode.opens++
  try {
    const sb = yield* type.mount(vfs.kernel, source, flags & SB_FLAGS, data)
    // graft_tree: the same on the same spot.
    if (vfs.mounts.some((each) => each.sb === sb && each.root === place.dentry && each === place.mount)) fail(EBUSY)
    attach(vfs, sb, place, flags, source)
  } finally {
    place.inode.opens--
  }
}

function* remount(vfs: VfsCore, place: Place, flags: number, data: string): Sleeping<void> {
  const { mount, dentry } = place
  if (dentry !== mount.root) fail(EINVAL)
  const { sb } = mount
  if (flags & MS_RDONLY && !(sb.flags & MS_RDONLY)) {
    for (const { inode, writable } of vfs.open.all)
      if (inode.sb === sb && writable && isContent(inode.mode)) fail(EBUSY)
    for (const inode of vfs.orphans) if (inode.sb === sb) fail(EBUSY)
    yield* sb.sync()
  }
  yield* sb.remount(flags & SB_FLAGS, data)
  mount.flags = flags & MOUNT_FLAGS
}

/** Regular files: what fs_may_remount_ro looks for. */
const isContent = (mode: number): boolean => (mode & 0o170000) === 0o100000

/** Something of the mount is open, somebody's directory, or mounted on. */
function busy(vfs: VfsCore, mount: MountedAt): boolean {
  for (const file of vfs.open.all) if (file.path.mount === mount) return true
  for (const { fs } of vfs.kernel.sched.tasks) {
    if ((fs.cwd as Place | undefined)?.mount === mount || (fs.root as Place | undefined)?.mount === mount) return true
  }
  return vfs.mounts.some(({ at }) => at?.mount === mount)
}

export function* umount(vfs: VfsCore, task: Task, target: string, flags: number): Sleeping<void> {
  if (!isRoot(task)) fail(EPERM)
  const { mount, dentry } = yield* walkTo(vfs, task, target, true)
  if (dentry !== mount.root) fail(EINVAL)
  if (!mount.at) {
    // The root is never unmounted, only made read-only (do_umount).
    if (!(mount.sb.flags & MS_RDONLY)) yield* remount(vfs, new Place(mount, mount.root), MS_RDONLY, '')
    return
  }
  yield* vfs.dropOrphans()
  if (busy(vfs, mount)) {
    if (!(flags & MNT_DETACH)) fail(EBUSY)
    // A lazy unmount leaves it to whoever still has it open; nothing can be reached by name.
  }
  detach(vfs, mount)
  if (vfs.mounts.some(({ sb }) => sb === mount.sb)) return
  yield* forgetTree(vfs, mount.root)
  // It is detached already: what a disk that is gone does not take is lost.
  yield* quietly(mount.sb.sync())
  yield* mount.sb.unmount()
}

function detach(vfs: VfsCore, mount: MountedAt): void {
  const index = vfs.mounts.indexOf(mount)
  if (index >= 0) vfs.mounts.splice(index, 1)
  const on = mount.at?.dentry.mounts
  const place = on?.indexOf(mount) ?? -1
  if (place >= 0) on?.splice(place, 1)
}

/** shrink_dcache_for_umount. */
function* forgetTree(vfs: VfsCore, dir: Dentry): Sleeping<void> {
  for (const child of [...(dir.children?.values() ?? [])]) {
    yield* forgetTree(vfs, child)
    const { inode } = child
    vfs.unlinkDentry(child)
    if (inode && inode.names === 0 && inode.opens === 0) yield* inode.evict()
  }
}

const FLAG_TEXTS: readonly (readonly [number, string])[] = [
  [MS_NOSUID, ',nosuid'],
  [MS_NODEV, ',nodev'],
  [MS_NOEXEC, ',noexec'],
  [MS_NOATIME, ',noatime'],
]

/** /proc/mounts: what lies below the task's root. */
export function mountsText(vfs: VfsCore, task: Task): string {
  let text = ''
  for (const mount of vfs.mounts) {
    const path = mount.at ? pathOf(task, mount.at) : '/'
    if (path === undefined || (mount.at && mountedOn(mount.at.mount, mount.at.dentry) === undefined)) continue
    const { sb } = mount
    let options = sb.flags & MS_RDONLY ? 'ro' : 'rw'
    if (sb.flags & MS_SYNCHRONOUS) options += ',sync'
    for (const [flag, word] of FLAG_TEXTS) if (mount.flags & flag) options += word
    text += `${mangle(mount.source)} ${mangle(path)} ${sb.type.name} ${options}${sb.optionText} 0 0\n`
  }
  return text
}

/** seq_path's escapes. */
const mangle = (text: string): string =>
  text.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
