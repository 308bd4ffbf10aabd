/** e2fsprogs 1.39. */
import { e2fsck } from '../bin/e2fsck.ts'
import { fsck } from '../bin/fsck.ts'
import { e2label, mke2fs, mkfsExt2 } from '../bin/mke2fs.ts'
import { dumpe2fs, tune2fs } from '../bin/tune2fs.ts'
import { multicall, type Package } from '../libc/program.ts'

export const e2fsprogs: Package = {
  name: 'e2fsprogs',
  programs: [
    ['/sbin/e2fsck', () => e2fsck],
    ['/sbin/fsck.ext2', () => ({ ...e2fsck, name: 'fsck.ext2' })],
    ['/sbin/fsck', () => fsck],
    ['/sbin/tune2fs', () => tune2fs],
    ['/sbin/dumpe2fs', () => dumpe2fs],
    ['/sbin/mke2fs', () => mke2fs],
    ['/sbin/mkfs.ext2', () => mkfsExt2],
    ['/sbin/e2label', () => e2label],
  ],
}

export const main = multicall(e2fsprogs)
