import { Err, fail } from '../errors.ts'
import type { Command } from './command.ts'

export const pager: Command = {
  name: 'pager',
  usage: 'pager [FLAG]',
  help:
    'Toggle pager mode with no argument. If FLAG is given and its value' +
    " is `on', turn on the mode. If FLAG is `off', turn off the mode.",
  listed: true,
  *run({ tty }, arg) {
    if (arg === '') tty.usePager = !tty.usePager
    else if (arg.startsWith('on')) tty.usePager = true
    else if (arg.startsWith('off')) tty.usePager = false
    else fail(Err.badArgument)
    yield* tty.print(` Internal pager is now ${tty.usePager ? 'on' : 'off'}\n`)
  },
}
