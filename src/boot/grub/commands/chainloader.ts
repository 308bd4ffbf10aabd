import { SECTOR_BYTES } from '#abi/pc/bios.ts'
import { BOOT_SECTOR_ADDRESS, BOOT_SIGNATURE, BOOT_SIGNATURE_OFFSET } from '#abi/pc/grub.ts'
import { Err, fail } from '../errors.ts'
import { open } from '../grub.ts'
import { NOTHING } from '../loader/loaded.ts'
import { skipTo } from '../text.ts'
import type { Command } from './command.ts'

export const chainloader: Command = {
  name: 'chainloader',
  usage: 'chainloader [--force] FILE',
  help:
    'Load the chain-loader FILE. If --force is specified, then load it' +
    ' forcibly, whether the boot loader signature is present or not.',
  listed: true,
  run(grub, arg) {
    const force = arg.startsWith('--force')
    grub.loaded = NOTHING
    const sector = open(grub, force ? skipTo(arg) : arg).read(0, SECTOR_BYTES)
    if (sector.length < SECTOR_BYTES) fail(Err.execFormat)
    const signature = sector[BOOT_SIGNATURE_OFFSET]! | (sector[BOOT_SIGNATURE_OFFSET + 1]! << 8)
    if (!force && signature !== BOOT_SIGNATURE) fail(Err.execFormat)
    grub.metal.mem.copyIn(BOOT_SECTOR_ADDRESS, sector)
    grub.loaded = { kind: 'chainloader' }
  },
}
