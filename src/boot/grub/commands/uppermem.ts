import { parseNumber } from '../text.ts'
import type { Command } from './command.ts'

export const uppermem: Command = {
  name: 'uppermem',
  usage: 'uppermem KBYTES',
  help:
    'Force GRUB to assume that only KBYTES kilobytes of upper memory are' +
    ' installed.  Any system address range maps are discarded.',
  listed: true,
  run({ memory }, arg) {
    memory.upperKib = parseNumber(arg).value
    memory.mapValid = false
  },
}
