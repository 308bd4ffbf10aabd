import type { Command } from './command.ts'

export const debug: Command = {
  name: 'debug',
  usage: 'debug',
  help: 'Turn on/off the debug mode.',
  *run(grub) {
    grub.debug = !grub.debug
    yield* grub.tty.print(` Debug mode is turned ${grub.debug ? 'on' : 'off'}\n`)
  },
}
