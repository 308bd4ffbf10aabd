import { open } from '../grub.ts'
import { Restart } from '../run.ts'
import type { Command } from './command.ts'

export const configfile: Command = {
  name: 'configfile',
  usage: 'configfile FILE',
  help: 'Load FILE as the configuration file.',
  listed: true,
  run(grub, arg) {
    open(grub, arg)
    grub.configFile = arg
    grub.authorised = false
    throw new Restart()
  },
}
