import { SECTOR_BYTES } from '#abi/pc/bios.ts'
import { deviceName } from '../disk/device.ts'
import { open } from '../grub.ts'
import type { Command } from './command.ts'

export const blocklist: Command = {
  name: 'blocklist',
  usage: 'blocklist FILE',
  help: 'Print the blocklist notation of the file FILE.',
  listed: true,
  *run(grub, arg) {
    const file = open(grub, arg, { decompress: false })
    // Sectors that hold anything of the file: not the rest of its last block, nor holes.
    let sectors = Math.ceil(file.size / SECTOR_BYTES)
    const parts: string[] = []
    for (const { lba, count } of file.runs()) {
      const used = Math.min(count, sectors)
      if (lba !== undefined && used > 0) parts.push(`${lba}+${used}`)
      sectors -= used
    }
    yield* grub.tty.print(`${deviceName(file.extent.device)}${parts.join(',')}\n`)
  },
}
