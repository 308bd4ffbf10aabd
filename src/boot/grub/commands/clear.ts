import type { Command } from './command.ts'

export const clear: Command = {
  name: 'clear',
  usage: 'clear',
  help: 'Clear the screen',
  listed: true,
  *run(grub) {
    yield* grub.tty.current.clear()
  },
}
