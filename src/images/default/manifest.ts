/**
 * The default disk's files: who they belong to, what they may, where their bytes come from. A CentOS 5 tree, of which there is only
 * what is real. Programs are not here: their packages say where they are installed (../packages.ts). Owner is root unless a row says otherwise.
 */

import { S_IFBLK, S_IFCHR } from '#abi/posix/stat.ts'

/** Images that `compile.ts` makes, by the name that a row gives as its source. */
export type ImageName = 'stage1' | 'stage2' | 'xen.gz' | 'vmlinuz.gz' | 'idle-dom0.gz'

export type ManifestRow = { readonly path: string; readonly uid?: number; readonly gid?: number } & (
  | { readonly kind: 'dir'; readonly mode: number }
  /** Bytes from files/ at the same path. */
  | { readonly kind: 'file'; readonly mode: number }
  | { readonly kind: 'empty'; readonly mode: number }
  | { readonly kind: 'image'; readonly mode: number; readonly image: ImageName }
  /** A symbolic link. */
  | { readonly kind: 'link'; readonly target: string }
  /** A device: `mode` with its S_IFCHR or S_IFBLK. */
  | { readonly kind: 'node'; readonly mode: number; readonly major: number; readonly minor: number }
)

export const dir = (path: string, mode = 0o755): ManifestRow => ({ kind: 'dir', path, mode })
export const file = (path: string, mode = 0o644): ManifestRow => ({ kind: 'file', path, mode })
export const empty = (path: string, mode: number, gid = ROOT): ManifestRow => ({ kind: 'empty', path, mode, gid })
const image = (path: string, name: ImageName, mode = 0o644): ManifestRow => ({ kind: 'image', path, image: name, mode })
export const link = (path: string, target: string): ManifestRow => ({ kind: 'link', path, target })
/** Device nodes; `gid` as in files/etc/group. */
const chr = (name: string, major: number, minor: number, mode: number, gid = ROOT): ManifestRow => ({
  kind: 'node',
  path: `/dev/${name}`,
  mode: S_IFCHR | mode,
  major,
  minor,
  gid,
})
const blk = (name: string, major: number, minor: number): ManifestRow => ({
  kind: 'node',
  path: `/dev/${name}`,
  mode: S_IFBLK | 0o640,
  major,
  minor,
  gid: DISK,
})

const ROOT = 0
const TTY = 5
const DISK = 6
const KMEM = 9
const UTMP = 22

/** Linux's Documentation/devices.txt; xvc0 is the Xen console's of the 2.6.18 tree. */
const DEVICES: readonly ManifestRow[] = [
  dir('/dev'),
  chr('console', 5, 1, 0o600),
  chr('tty', 5, 0, 0o666, TTY),
  chr('ptmx', 5, 2, 0o666, TTY),
  chr('xvc0', 204, 191, 0o660, TTY),
  chr('null', 1, 3, 0o666),
  chr('zero', 1, 5, 0o666),
  chr('full', 1, 7, 0o666),
  chr('random', 1, 8, 0o666),
  chr('urandom', 1, 9, 0o444),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => blk(`loop${n}`, 7, n)),
  dir('/dev/xen'),
  chr('xen/evtchn', 10, 63, 0o600),
  chr('xen/xenbus', 10, 62, 0o600),
  chr('xen/gntdev', 254, 0, 0o600),
  dir('/dev/pts'),
  dir('/dev/shm', 0o1777),
  link('/dev/fd', '/proc/self/fd'),
  link('/dev/stdin', '/proc/self/fd/0'),
  link('/dev/stdout', '/proc/self/fd/1'),
  link('/dev/stderr', '/proc/self/fd/2'),
]

/** What the machine has and a guest has not. */
const HARDWARE: readonly ManifestRow[] = [
  ...[0, 1, 2, 3, 4, 5, 6].map((n) => chr(`tty${n}`, 4, n, n === 0 ? 0o660 : 0o620, TTY)),
  ...[0, 1, 2, 3].map((n) => chr(`ttyS${n}`, 4, 64 + n, 0o660, TTY)),
  chr('port', 1, 4, 0o640, KMEM),
  dir('/dev/cpu'),
  dir('/dev/cpu/0'),
  chr('cpu/0/cpuid', 203, 0, 0o400),
  ...[0, 1, 2, 3, 4].map((n) => blk(n === 0 ? 'hda' : `hda${n}`, 3, n)),
  ...[0, 1, 2, 3, 4].map((n) => blk(n === 0 ? 'hdc' : `hdc${n}`, 22, n)),
  chr('hostlink', 10, 240, 0o600),
  chr('hostlink-trace', 10, 241, 0o600),
]

/** Disks as a guest's blkfront calls them. */
export const GUEST_DISKS: readonly ManifestRow[] = [
  ...[0, 1, 2, 3, 4].map((n) => blk(n === 0 ? 'sda' : `sda${n}`, 8, n)),
  ...[0, 1, 2, 3, 4].map((n) => blk(n === 0 ? 'xvda' : `xvda${n}`, 202, n)),
]

/** Enough for init and a login. */
export const MINIMAL_DEVICES: readonly ManifestRow[] = DEVICES.filter(({ path }) =>
  ['console', 'tty', 'null', 'xvc0', 'urandom', 'zero', 'xen', 'xen/xenbus'].some((name) => path === `/dev/${name}`),
)

/** initscripts 8.45: what init starts, and what that starts by runlevel. */
const INITSCRIPTS: readonly ManifestRow[] = [
  file('/etc/inittab'),
  dir('/etc/rc.d'),
  dir('/etc/rc.d/init.d'),
  file('/etc/rc.d/init.d/functions'),
  ...['halt', 'killall', 'single'].map((name) => file(`/etc/rc.d/init.d/${name}`, 0o755)),
  ...['rc', 'rc.local', 'rc.sysinit'].flatMap((name) => [
    file(`/etc/rc.d/${name}`, 0o755),
    link(`/etc/${name}`, `rc.d/${name}`),
  ]),
  link('/etc/init.d', 'rc.d/init.d'),
  ...[0, 1, 2, 3, 4, 5, 6].flatMap((n) => [dir(`/etc/rc.d/rc${n}.d`), link(`/etc/rc${n}.d`, `rc.d/rc${n}.d`)]),
  ...[0, 6].map((n) => link(`/etc/rc.d/rc${n}.d/S00killall`, '../init.d/killall')),
  link('/etc/rc.d/rc0.d/S01halt', '../init.d/halt'),
  link('/etc/rc.d/rc6.d/S01reboot', '../init.d/halt'),
  link('/etc/rc.d/rc1.d/S99single', '../init.d/single'),
  ...[2, 3, 4, 5].map((n) => link(`/etc/rc.d/rc${n}.d/S99local`, '../rc.local')),
  dir('/etc/sysconfig'),
  ...['autofsck', 'clock', 'i18n', 'init', 'network'].map((name) => file(`/etc/sysconfig/${name}`)),
]

/** The rest of /etc. */
const CONFIGURATION: readonly ManifestRow[] = [
  ...['bashrc', 'fstab', 'group', 'hosts', 'issue', 'modprobe.conf', 'motd', 'passwd', 'profile', 'sysctl.conf'].map(
    (name) => file(`/etc/${name}`),
  ),
  file('/etc/redhat-release'),
  file('/etc/securetty', 0o600),
  file('/etc/shadow', 0o400),
  file('/etc/shells'),
  empty('/etc/mtab', 0o644),
  dir('/etc/profile.d'),
  dir('/etc/skel'),
  file('/etc/skel/.bash_profile'),
  file('/etc/skel/.bashrc'),
  file('/root/.bash_profile'),
  file('/root/.bashrc'),
]

/** The tree's first levels. */
const SKELETON: readonly ManifestRow[] = [
  dir('/bin'),
  dir('/boot'),
  dir('/etc'),
  dir('/home'),
  dir('/lib'),
  dir('/lib/modules'),
  dir('/lib/modules/2.6.18.8-xen'),
  dir('/mnt'),
  dir('/opt'),
  dir('/proc', 0o555),
  dir('/root', 0o750),
  dir('/sbin'),
  dir('/sys'),
  dir('/tmp', 0o1777),
  dir('/usr'),
  ...['bin', 'lib', 'libexec', 'sbin', 'share', 'src'].map((name) => dir(`/usr/${name}`)),
  dir('/usr/local'),
  ...['bin', 'etc', 'lib', 'sbin', 'share'].map((name) => dir(`/usr/local/${name}`)),
  dir('/var'),
  ...['cache', 'lib', 'lock', 'lock/subsys', 'log', 'run', 'spool'].map((name) => dir(`/var/${name}`)),
  dir('/var/spool/mail', 0o775),
  dir('/var/tmp', 0o1777),
]

/** Logins and logouts are recorded here. */
const RECORDS: readonly ManifestRow[] = [
  empty('/var/run/utmp', 0o664, UTMP),
  empty('/var/log/wtmp', 0o664, UTMP),
  empty('/var/log/btmp', 0o600),
  empty('/var/log/lastlog', 0o644),
]

/** Domains that speak to each other through XenStore: scripts to be read, run and changed. */
const EXAMPLES: readonly ManifestRow[] = [
  ...['', '/xen', '/xen/examples'].map((path) => dir(`/usr/share/doc${path}`)),
  file('/usr/share/doc/xen/examples/README'),
  ...['announce', 'announced', 'talk'].map((name) => file(`/usr/share/doc/xen/examples/${name}`, 0o755)),
]

/** A system without hardware and boot loader of its own. */
export const GUEST_MANIFEST: readonly ManifestRow[] = [
  ...SKELETON,
  ...DEVICES,
  ...GUEST_DISKS,
  ...INITSCRIPTS,
  ...CONFIGURATION,
  ...RECORDS,
  ...EXAMPLES,
]

/** Xen's tools, and the guests that are ready to be started. */
const XEN: readonly ManifestRow[] = [
  dir('/etc/xen'),
  dir('/etc/xen/auto'),
  ...['sebastian', 'prospero', 'minimal'].map((name) => file(`/etc/xen/${name}`)),
  file('/etc/xen/xend-config.sxp'),
  file('/etc/rc.d/init.d/xend', 0o755),
  ...[2, 3, 4, 5].map((n) => link(`/etc/rc.d/rc${n}.d/S98xend`, '../init.d/xend')),
  dir('/var/log/xen'),
  dir('/var/log/xen/console'),
  dir('/var/lib/xen'),
  ...['images', 'save', 'dump'].map((name) => dir(`/var/lib/xen/${name}`)),
  dir('/var/lib/xend'),
  dir('/var/lib/xend/domains'),
  dir('/var/lib/xend/state'),
  dir('/var/lib/xenstored'),
  dir('/var/run/xend', 0o700),
  dir('/var/run/xenstored'),
]

/** What the kernel starts for devices that come and go, and what that starts for Xen's. */
const HOTPLUG: readonly ManifestRow[] = [
  file('/sbin/hotplug', 0o755),
  dir('/etc/hotplug'),
  file('/etc/hotplug/xen-backend.agent', 0o755),
  dir('/etc/xen/scripts'),
  ...['block', 'xen-hotplug-cleanup'].map((name) => file(`/etc/xen/scripts/${name}`, 0o755)),
  ...['block-common.sh', 'xen-hotplug-common.sh'].map((name) => file(`/etc/xen/scripts/${name}`)),
]

/** The inner end of links from outside the machine. */
const HOSTLINK: readonly ManifestRow[] = [
  file('/etc/rc.d/init.d/hostlinkd', 0o755),
  ...[2, 3, 4, 5].map((n) => link(`/etc/rc.d/rc${n}.d/S97hostlinkd`, '../init.d/hostlinkd')),
]

/** Parents before children. */
export const MANIFEST: readonly ManifestRow[] = [
  ...SKELETON,

  // stage2 early, while its blocks are sure to lie together.
  dir('/boot/grub'),
  image('/boot/grub/stage1', 'stage1'),
  image('/boot/grub/stage2', 'stage2'),
  file('/boot/grub/device.map', 0o600),
  file('/boot/grub/default'),
  file('/boot/grub/menu.lst', 0o600),
  link('/boot/grub/grub.conf', './menu.lst'),
  link('/etc/grub.conf', '../boot/grub/grub.conf'),

  // As Xen's `make install-xen` leaves them.
  image('/boot/xen-3.3.0.gz', 'xen.gz'),
  link('/boot/xen-3.3.gz', 'xen-3.3.0.gz'),
  link('/boot/xen-3.gz', 'xen-3.3.0.gz'),
  link('/boot/xen.gz', 'xen-3.3.0.gz'),
  image('/boot/vmlinuz-2.6.18.8-xen', 'vmlinuz.gz'),
  image('/boot/vmlinuz-2.6.18.8-xen.old', 'vmlinuz.gz'),
  image('/boot/idle-dom0.gz', 'idle-dom0.gz'),

  ...DEVICES,
  ...HARDWARE,
  ...INITSCRIPTS,
  ...CONFIGURATION,
  ...RECORDS,
  ...XEN,
  ...HOTPLUG,
  ...HOSTLINK,
  ...EXAMPLES,
]

/** The part of menu.lst that is there only when /boot/idle-dom0.gz is; a file of files/ without a row. */
export const IDLE_DOM0_ENTRY = '/boot/grub/menu.lst.idle-dom0'
