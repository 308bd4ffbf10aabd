import { Err, fail } from '../errors.ts'
import type { Grub } from '../grub.ts'
import { loadModule } from '../loader/kernel.ts'
import type { Run } from '../run.ts'
import type { Command } from './command.ts'

function* load(grub: Grub, arg: string, decompress: boolean): Run {
  if (grub.loaded.kind !== 'multiboot') return fail(Err.needMultibootKernel)
  yield* loadModule(grub, grub.loaded, arg, decompress)
}

export const module: Command = {
  name: 'module',
  usage: 'module FILE [ARG ...]',
  help:
    'Load a boot module FILE for a Multiboot format boot image (no' +
    ' interpretation of the file contents is made, so users of this' +
    ' command must know what the kernel in question expects). The' +
    ' rest of the line is passed as the "module command line", like' +
    " the `kernel' command.",
  listed: true,
  run: (grub, arg) => load(grub, arg, true),
}

export const modulenounzip: Command = {
  name: 'modulenounzip',
  usage: 'modulenounzip FILE [ARG ...]',
  help: "The same as `module', except that automatic decompression is disabled.",
  listed: true,
  run: (grub, arg) => load(grub, arg, false),
}
