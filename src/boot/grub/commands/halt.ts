import type { Command } from './command.ts'

export const halt: Command = {
  name: 'halt',
  usage: 'halt [--no-apm]',
  help:
    'Halt your system. If APM is avaiable on it, turn off the power using' +
    " the APM BIOS, unless you specify the option `--no-apm'.",
  listed: true,
  *run(grub, arg) {
    if (!arg.startsWith('--no-apm')) grub.metal.bios.powerOff()
    // stop(): HLT in a loop.
    for (;;) yield { kind: 'hlt', interrupts: false }
  },
}
