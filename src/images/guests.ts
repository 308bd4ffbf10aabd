/** The disks of the guests that are ready to be started: sebastian's in a file, prospero's and the small ones' in partitions of the host. */
import { S_IFIFO } from '#abi/posix/stat.ts'
import { utf8Encode } from '#lib/utf8.ts'
import { dir, empty, file, GUEST_MANIFEST, link, MINIMAL_DEVICES } from './default/manifest.ts'
import type { FileSystemRecipe } from './filesystem.ts'
import { GUEST_PACKAGES, type InstalledPackage } from './packages.ts'

type Files = ReadonlyMap<string, Uint8Array>

/** As the host, but for what only a host has. `files`: the host's; `own`: what a guest has instead. */
export const guest = (hostname: string, files: Files, own: Files): FileSystemRecipe => ({
  manifest: GUEST_MANIFEST,
  files: new Map([...files, ...own, ['/etc/sysconfig/network', utf8Encode(`NETWORKING=no\nHOSTNAME=${hostname}\n`)]]),
  packages: GUEST_PACKAGES,
  complete: true,
})

/** Init, a login and a shell; the file system is never written. */
export const minimalGuest = (files: Files, own: Files): FileSystemRecipe => ({
  manifest: [
    ...['bin', 'dev', 'etc', 'lib', 'proc', 'root', 'sbin', 'sys', 'tmp', 'usr', 'var', 'var/log', 'var/run'].map(
      (name) => dir(`/${name}`),
    ),
    ...MINIMAL_DEVICES,
    // init cannot make it where the root is read-only.
    { kind: 'node', path: '/dev/initctl', mode: S_IFIFO | 0o600, major: 0, minor: 0 },
    ...['group', 'inittab', 'issue', 'passwd', 'securetty', 'shadow', 'shells'].map((name) => file(`/etc/${name}`)),
    file('/etc/rc.sysinit', 0o755),
    link('/etc/mtab', '/proc/mounts'),
    empty('/var/run/utmp', 0o644),
  ],
  files: new Map([...files, ...own]),
  packages: GUEST_PACKAGES.flatMap((row): InstalledPackage[] => {
    const paths = MINIMAL[row.pkg.name]
    return paths ? [{ ...row, paths }] : []
  }),
  complete: false,
})

const MINIMAL: Readonly<Record<string, readonly string[]>> = {
  sh: ['/bin/sh', '/bin/bash'],
  coreutils: ['/bin/cat', '/bin/ls', '/bin/hostname', '/bin/echo', '/bin/true', '/bin/false', '/bin/uname'],
  sysvinit: ['/sbin/init', '/sbin/halt', '/sbin/reboot', '/sbin/poweroff', '/sbin/shutdown', '/sbin/telinit'],
  'util-linux': ['/bin/mount', '/bin/umount', '/sbin/agetty', '/bin/login', '/bin/dmesg'],
  accounts: ['/bin/login'],
  procps: ['/bin/ps', '/usr/bin/free'],
  xenstore: ['/usr/bin/xenstore-read', '/usr/bin/xenstore-write', '/usr/bin/xenstore-ls', '/usr/bin/xenstore-list'],
}
