/**
 * The default disk's files: who they belong to, what they may, where their bytes come from. A CentOS 5 tree, of which there is only
 * what is real. Owner is root throughout.
 */

/** Images that `compile.ts` makes, by the name that a row gives as its source. */
export type ImageName = 'stage1' | 'stage2' | 'xen.gz' | 'xen-syms' | 'idle-dom0.gz'

export type ManifestRow = { readonly path: string } & (
  | { readonly kind: 'dir'; readonly mode: number }
  /** Bytes from files/ at the same path. */
  | { readonly kind: 'file'; readonly mode: number }
  | { readonly kind: 'image'; readonly mode: number; readonly image: ImageName }
  | { readonly kind: 'link'; readonly target: string }
)

const dir = (path: string, mode = 0o755): ManifestRow => ({ kind: 'dir', path, mode })
const file = (path: string, mode = 0o644): ManifestRow => ({ kind: 'file', path, mode })
const image = (path: string, name: ImageName, mode = 0o644): ManifestRow => ({ kind: 'image', path, image: name, mode })
const link = (path: string, target: string): ManifestRow => ({ kind: 'link', path, target })

/** Parents before children. */
export const MANIFEST: readonly ManifestRow[] = [
  dir('/bin'),
  dir('/boot'),
  dir('/dev'),
  dir('/etc'),
  dir('/home'),
  dir('/lib'),
  dir('/mnt'),
  dir('/proc', 0o555),
  dir('/root', 0o750),
  dir('/sbin'),
  dir('/sys'),
  dir('/tmp', 0o1777),
  dir('/usr'),
  dir('/var'),

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
  image('/boot/xen-syms-3.3.0', 'xen-syms'),
  file('/boot/vmlinuz-2.6.18.8-xen'),
  image('/boot/idle-dom0.gz', 'idle-dom0.gz'),
]

/** The part of menu.lst that is there only when /boot/idle-dom0.gz is; a file of files/ without a row. */
export const IDLE_DOM0_ENTRY = '/boot/grub/menu.lst.idle-dom0'
