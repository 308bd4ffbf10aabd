/** module-init-tools 3.3. */
import { depmod, insmod, lsmod, modinfo, rmmod } from '../bin/modules/insmod.ts'
import { modprobe } from '../bin/modules/modprobe.ts'
import { multicall, type Package } from '../libc/program.ts'

export const moduleInitTools: Package = {
  name: 'module-init-tools',
  programs: [
    ['/sbin/modprobe', () => modprobe],
    ['/sbin/insmod', () => insmod],
    ['/sbin/rmmod', () => rmmod],
    ['/sbin/lsmod', () => lsmod],
    ['/sbin/modinfo', () => modinfo],
    ['/sbin/depmod', () => depmod],
  ],
}

export const main = multicall(moduleInitTools)
