/** What is installed on the default disk as code: packages of programs (each one image, each program a hard link of it) and kernel modules. */
import { hostlink } from '#toolstack/packages/hostlink.ts'
import { xenTools } from '#toolstack/packages/xen-tools.ts'
import { xend } from '#toolstack/packages/xend.ts'
import { xenstore } from '#toolstack/packages/xenstore.ts'
import { xenstored } from '#toolstack/packages/xenstored.ts'
import { xmPackage } from '#toolstack/packages/xm.ts'
import { xsh } from '#toolstack/packages/xsh.ts'
import type { Package } from '#user/libc/program.ts'
import { accounts } from '#user/packages/accounts.ts'
import { admin } from '#user/packages/admin.ts'
import { archive } from '#user/packages/archive.ts'
import { coreutils } from '#user/packages/coreutils.ts'
import { coreutilsUsr } from '#user/packages/coreutils-usr.ts'
import { e2fsprogs } from '#user/packages/e2fsprogs.ts'
import { editors } from '#user/packages/editors.ts'
import { moduleInitTools } from '#user/packages/module-init-tools.ts'
import { procps } from '#user/packages/procps.ts'
import { sh } from '#user/packages/sh.ts'
import { sysvinit } from '#user/packages/sysvinit.ts'
import { textutils } from '#user/packages/textutils.ts'
import { textutilsUsr } from '#user/packages/textutils-usr.ts'
import { utilLinux } from '#user/packages/util-linux.ts'

export interface InstalledPackage {
  readonly pkg: Package
  /** The file that exports `main`. */
  readonly entry: string
  /** Only these of its programs. */
  readonly paths?: readonly string[]
}

const installed = (pkg: Package): InstalledPackage => ({ pkg, entry: `user/packages/${pkg.name}.ts` })
const toolstack = (pkg: Package): InstalledPackage => ({ pkg, entry: `toolstack/packages/${pkg.name}.ts` })

export const PACKAGES: readonly InstalledPackage[] = [
  installed(sh),
  installed(coreutils),
  installed(coreutilsUsr),
  installed(editors),
  installed(procps),
  installed(sysvinit),
  installed(utilLinux),
  installed(e2fsprogs),
  installed(accounts),
  installed(moduleInitTools),
  installed(textutils),
  installed(textutilsUsr),
  installed(archive),
  installed(admin),
  toolstack(hostlink),
  toolstack(xenTools),
  toolstack(xend),
  toolstack(xenstored),
  toolstack(xenstore),
  toolstack(xsh),
  toolstack(xmPackage),
]

/** What a guest has: no tools that only dom0's privileges make useful. */
export const GUEST_PACKAGES: readonly InstalledPackage[] = PACKAGES.flatMap((row): InstalledPackage[] => {
  if (row.entry.startsWith('user/')) return [row]
  if (row.pkg.name !== 'xenstore' && row.pkg.name !== 'xsh') return []
  return [{ ...row, paths: row.pkg.programs.map(([path]) => path).filter((path) => path.startsWith('/usr/bin/')) }]
})

export interface InstalledModule {
  /** As lsmod shows it. */
  readonly name: string
  /** The file that exports `module`. */
  readonly entry: string
  /** Below /lib/modules/RELEASE/kernel. */
  readonly folder: string
}

export const MODULES: readonly InstalledModule[] = [
  { name: 'loop', entry: 'kernel/drivers/loop/loop.ts', folder: 'drivers/block' },
  { name: 'softdog', entry: 'kernel/drivers/softdog/softdog.ts', folder: 'drivers/char/watchdog' },
]

export const KERNEL_RELEASE = '2.6.18.8-xen'

export const modulePath = ({ name, folder }: InstalledModule): string =>
  `/lib/modules/${KERNEL_RELEASE}/kernel/${folder}/${name}.ko`
