/** util-linux 2.13, with mingetty and initscripts' consoletype. */
import { agetty } from '../bin/agetty.ts'
import { consoletype } from '../bin/consoletype.ts'
import { dmesg } from '../bin/dmesg.ts'
import { fdisk } from '../bin/fdisk.ts'
import { login } from '../bin/login.ts'
import { losetup } from '../bin/losetup.ts'
import { mingetty } from '../bin/mingetty.ts'
import { mkfsProgram } from '../bin/mke2fs.ts'
import { mount } from '../bin/mount/mount.ts'
import { umount } from '../bin/mount/umount.ts'
import { nologin } from '../bin/nologin.ts'
import { setsid } from '../bin/setsid.ts'
import { multicall, type Package } from '../libc/program.ts'

export const utilLinux: Package = {
  name: 'util-linux',
  programs: [
    ['/bin/mount', () => mount],
    ['/bin/umount', () => umount],
    ['/bin/dmesg', () => dmesg],
    ['/bin/login', () => login],
    ['/sbin/agetty', () => agetty],
    ['/sbin/mingetty', () => mingetty],
    ['/sbin/consoletype', () => consoletype],
    ['/usr/bin/setsid', () => setsid],
    ['/sbin/nologin', () => nologin],
    ['/sbin/fdisk', () => fdisk],
    ['/sbin/losetup', () => losetup],
    ['/sbin/mkfs', () => mkfsProgram],
  ],
}

export const main = multicall(utilLinux)
