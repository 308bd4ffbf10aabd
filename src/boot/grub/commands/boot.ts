import { BOOT_SECTOR_ADDRESS } from '#abi/pc/grub.ts'
import { MULTIBOOT_LOADER_MAGIC } from '#abi/pc/multiboot.ts'
import { Err, fail } from '../errors.ts'
import { writeMultibootInfo } from '../loader/multiboot-info.ts'
import type { Command } from './command.ts'

export const boot: Command = {
  name: 'boot',
  usage: 'boot',
  help: 'Boot the OS/chain-loader which has been loaded.',
  listed: true,
  *run(grub) {
    const { loaded } = grub
    switch (loaded.kind) {
      case 'none':
        return fail(Err.bootCommand)
      case 'chainloader':
        yield { kind: 'jump', to: BOOT_SECTOR_ADDRESS, regs: { edx: grub.root.drive } }
        break
      case 'multiboot':
        yield {
          kind: 'jump',
          to: loaded.entry,
          regs: { eax: MULTIBOOT_LOADER_MAGIC, ebx: writeMultibootInfo(grub, loaded) },
        }
    }
    // Nobody comes back from a jump.
    fail(Err.bootFailure)
  },
}
