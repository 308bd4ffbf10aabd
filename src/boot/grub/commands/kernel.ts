import { Err, fail } from '../errors.ts'
import { loadKernel } from '../loader/kernel.ts'
import { NOTHING } from '../loader/loaded.ts'
import { skipTo } from '../text.ts'
import type { Command } from './command.ts'

/** Kernels that `--type=` may suggest. Only the last can be started here; a file of another type is error 13. */
const TYPES = ['netbsd', 'freebsd', 'openbsd', 'linux', 'biglinux', 'multiboot']

export const kernel: Command = {
  name: 'kernel',
  usage: 'kernel [--no-mem-option] [--type=TYPE] FILE [ARG ...]',
  help:
    'Attempt to load the primary boot image from FILE. The rest of the' +
    ' line is passed verbatim as the "kernel command line".  Any modules' +
    ' must be reloaded after using this command. The option --type is used' +
    ' to suggest what type of kernel to be loaded. TYPE must be either of' +
    ' "netbsd", "freebsd", "openbsd", "linux", "biglinux" and' +
    ' "multiboot". The option --no-mem-option tells GRUB not to pass a' +
    " Linux's mem option automatically.",
  listed: true,
  *run(grub, arg) {
    let rest = arg
    let multiboot = true
    for (;;) {
      const type = rest.startsWith('--type=') ? rest.slice(7) : undefined
      if (type !== undefined) {
        const named = TYPES.find((name) => type.startsWith(name)) ?? fail(Err.badArgument)
        multiboot = named === 'multiboot'
      } else if (!rest.startsWith('--no-mem-option')) break
      rest = skipTo(rest)
    }
    // A failure leaves nothing to boot.
    grub.loaded = NOTHING
    const loaded = yield* loadKernel(grub, rest)
    if (!multiboot) fail(Err.execFormat)
    grub.loaded = loaded
  },
}
