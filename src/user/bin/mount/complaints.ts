/** What mount says when the system call fails: try_mount_one() of util-linux 2.13. */
import {
  EACCES,
  EBUSY,
  EINVAL,
  EIO,
  EMFILE,
  ENODEV,
  ENOENT,
  ENOTBLK,
  ENOTDIR,
  ENXIO,
  EPERM,
  EROFS,
} from '#abi/posix/errno.ts'
import { MS_RDONLY, MS_REMOUNT } from '#abi/posix/mount.ts'
import { S_IFBLK, S_IFDIR, S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { geteuid, lstat, stat } from '../../libc/syscall.ts'
import { MTAB, readTable } from './fstab.ts'

export interface Attempt {
  readonly spec: string
  readonly dir: string
  readonly type: string
  readonly flags: number
}

/** The file's type bits; undefined where it is not. */
function* kindOf(path: string, follow = true): Sys<number | undefined> {
  try {
    return (follow ? yield* stat(path) : yield* lstat(path)).mode & S_IFMT
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

/** The complaint, with its newline. */
export function* complaintOf(errno: number, { spec, dir, type, flags }: Attempt): Sys<string> {
  const dirKind = yield* kindOf(dir)
  const specKind = yield* kindOf(spec)
  const plain = `mount: ${strerror(errno)}\n`
  const block = specKind === S_IFBLK ? 'block device ' : ''
  switch (errno) {
    case EPERM:
      if ((yield* geteuid()) !== 0) return 'mount: must be superuser to use mount\n'
      return dirKind === S_IFDIR ? 'mount: permission denied\n' : `mount: mount point ${dir} is not a directory\n`
    case EBUSY:
      return yield* busy({ spec, dir, type, flags })
    case ENOENT:
      if ((yield* kindOf(dir, false)) === undefined) return `mount: mount point ${dir} does not exist\n`
      if (dirKind === undefined) return `mount: mount point ${dir} is a symbolic link to nowhere\n`
      return specKind === undefined ? `mount: special device ${spec} does not exist\n` : plain
    case ENOTDIR:
      if (dirKind !== S_IFDIR) return `mount: mount point ${dir} is not a directory\n`
      return specKind === undefined
        ? `mount: special device ${spec} does not exist\n       (a path prefix is not a directory)\n`
        : plain
    case EINVAL:
      if (flags & MS_REMOUNT) return `mount: ${dir} not mounted already, or bad option\n`
      return (
        `mount: wrong fs type, bad option, bad superblock on ${spec},\n       missing codepage or other error\n` +
        '       In some cases useful info is found in syslog - try\n       dmesg | tail  or so\n\n'
      )
    case EMFILE:
      return 'mount table full\n'
    case EIO:
      return `mount: ${spec}: can't read superblock\n`
    case ENODEV:
      return `mount: unknown filesystem type '${type}'\n`
    case ENOTBLK:
      if (specKind === undefined) return plain
      if (specKind === S_IFBLK)
        return `mount: the kernel does not recognize ${spec} as a block device\n       (maybe \`insmod driver'?)\n`
      return specKind === S_IFREG
        ? `mount: ${spec} is not a block device (maybe try \`-o loop'?)\n`
        : `mount: ${spec} is not a block device\n`
    case ENXIO:
      return `mount: ${spec} is not a valid block device\n`
    case EACCES:
    case EROFS:
      if (flags & MS_RDONLY) return `mount: cannot mount ${block}${spec} read-only\n`
      return `mount: cannot remount ${block}${spec} read-write, is write-protected\n`
    default:
      return plain
  }
}

function* busy({ spec, dir, flags }: Attempt): Sys<string> {
  if (flags & MS_REMOUNT) return `mount: ${dir} is busy\n`
  let text = `mount: ${spec} already mounted or ${dir} busy\n`
  for (const old of yield* readTable(MTAB)) {
    if (old.spec === spec && old.dir === dir) text += `mount: according to mtab, ${spec} is already mounted on ${dir}\n`
    else if (old.spec === spec) text += `mount: according to mtab, ${spec} is mounted on ${old.dir}\n`
    else if (old.dir === dir) text += `mount: according to mtab, ${old.spec} is already mounted on ${dir}\n`
  }
  return text
}
