import type { Command } from './command.ts'

export const pause: Command = {
  name: 'pause',
  usage: 'pause [MESSAGE ...]',
  help: 'Print MESSAGE, then wait until a key is pressed.',
  silent: true,
  *run({ tty }, arg) {
    yield* tty.print(arg + '\n')
    yield* tty.key()
  },
}
