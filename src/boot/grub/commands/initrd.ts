import { Err, fail } from '../errors.ts'
import type { Command } from './command.ts'

/** A Linux kernel is never loaded here (loader/kernel.ts), so this is what GRUB says to whoever uses it with Xen. */
export const initrd: Command = {
  name: 'initrd',
  usage: 'initrd FILE [ARG ...]',
  help:
    'Load an initial ramdisk FILE for a Linux format boot image and set the' +
    ' appropriate parameters in the Linux setup area in memory.',
  listed: true,
  run() {
    fail(Err.needLinuxKernel)
  },
}
