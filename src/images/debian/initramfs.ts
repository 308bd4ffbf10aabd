/**
 * The first and only root of a Debian guest: busybox, its applets by their names, the modules that a Xen guest needs, and an init that loads them and
 * gives a shell on hvc0.
 */
import { byteString, utf8Encode } from '#lib/utf8.ts'
import { type CpioEntry, cpioArchive } from './cpio.ts'
import { loadOrder, type Module } from './modules.ts'

export interface InitramfsParts {
  /** Of the kernel, as `uname -r` says it. */
  readonly version: string
  readonly busybox: Uint8Array
  /** To be loaded, in this order: `guestModules`. */
  readonly modules: readonly Module[]
  /** Every time in the archive, seconds since 1970. */
  readonly epochSeconds: number
}

/** Disk and network of a Xen guest, and Debian's usual file system, which mounts ext2, too. */
const WANTED = ['xen_blkfront', 'xen_netfront', 'ext4']
/** ext4 asks for the checksum by its name in the crypto interface, when it is initialised. */
const BEFORE = { libcrc32c: ['crc32c_generic'], ext4: ['crc32c_generic'] }

/** What a guest loads, in order. `find` gives the module of a name; undefined: it is part of the kernel. */
export const guestModules = (find: (name: string) => Module | undefined): Module[] => loadOrder(WANTED, find, BEFORE)

/** Not gzipped. */
export function initramfs({ version, busybox, modules, epochSeconds }: InitramfsParts): Uint8Array {
  const root = `lib/modules/${version}`
  const file = (path: string, text: string, mode = 0o644): CpioEntry => ({
    path,
    kind: 'file',
    mode,
    bytes: utf8Encode(text),
  })
  const entries: CpioEntry[] = [
    ...['bin', 'dev', 'etc', 'mnt', 'proc', 'root', 'run', 'sys', 'tmp', 'usr', 'var'].map(directory),
    { path: 'dev/console', kind: 'char', mode: 0o600, major: 5, minor: 1 },
    { path: 'dev/null', kind: 'char', mode: 0o666, major: 1, minor: 3 },
    // One place for programs, by all of its names.
    ...['sbin', 'usr/bin', 'usr/sbin'].map((path): CpioEntry => ({ path, kind: 'link', target: '/bin' })),
    { path: 'bin/busybox', kind: 'file', mode: 0o755, bytes: busybox },
    ...appletsOf(busybox).map((name): CpioEntry => ({ path: `bin/${name}`, kind: 'link', target: 'busybox' })),
    { path: 'init', kind: 'link', target: 'bin/busybox' },
    ...parents(modules.map(({ path }) => `${root}/${path}`)).map(directory),
    ...modules.map(({ path, bytes }): CpioEntry => ({ path: `${root}/${path}`, kind: 'file', mode: 0o644, bytes })),
    file('etc/modules', modules.map(({ path }) => `${path}\n`).join('')),
    file('etc/hostname', 'debian\n'),
    file('etc/passwd', 'root::0:0:root:/root:/bin/sh\n'),
    file('etc/group', 'root:x:0:\n'),
    file('etc/profile', PROFILE),
    file('etc/inittab', INITTAB),
    file('etc/rc', RC, 0o755),
    file('etc/motd', MOTD),
  ]
  return cpioArchive(entries, epochSeconds)
}

const directory = (path: string): CpioEntry => ({ path, kind: 'dir', mode: path === 'tmp' ? 0o1777 : 0o755 })

/** The folders of `paths`, each after its own. */
function parents(paths: readonly string[]): string[] {
  const found = new Set<string>()
  for (const path of paths)
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) found.add(path.slice(0, at))
  return [...found]
}

/** What busybox can be called by: it carries the list as NUL-ended texts in alphabetical order, "[" first. Error for what is no busybox. */
export function appletsOf(busybox: Uint8Array): string[] {
  const text = byteString(busybox)
  const start = text.indexOf('\0[\0[[\0')
  const end = text.indexOf('\0\0', start + 1)
  if (start < 0 || end < 0) throw new Error('this busybox has no list of applets')
  const names = text.slice(start + 1, end).split('\0')
  return names.filter((name) => name !== 'busybox')
}

/** busybox's init: `-` makes a login shell, whose terminal is hvc0. */
const INITTAB = `::sysinit:/etc/rc
hvc0::respawn:-/bin/sh
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
`

const RC = `#!/bin/sh
# Runs once, before the shell.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
hostname -F /etc/hostname
while read -r module; do
    insmod "/lib/modules/$(uname -r)/$module"
done < /etc/modules
cat /etc/motd
`

/** A statically linked busybox finds no user's name; a console without a size would be asked for it before each line. */
const PROFILE = `export PATH=/bin HOME=/root PS1='root@\\h:\\w\\$ '
stty rows 24 cols 80
cd
`

const MOTD = `
This is Debian's own kernel, with busybox, as a guest of Xen.
A disk, if there is one, is /dev/xvda:  mount /dev/xvda /mnt
To leave this console press Ctrl-]; to end the guest say poweroff.

`
