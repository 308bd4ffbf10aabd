import type { Command } from './command.ts'

export const reboot: Command = {
  name: 'reboot',
  usage: 'reboot',
  help: 'Reboot your system.',
  listed: true,
  *run(grub) {
    grub.metal.bios.reboot()
    for (;;) yield { kind: 'hlt', interrupts: false }
  },
}
