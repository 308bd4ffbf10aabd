import { Err, fail } from '../errors.ts'
import type { Command } from './command.ts'

export const lock: Command = {
  name: 'lock',
  usage: 'lock',
  help: 'Break a command execution unless the user is authenticated.',
  run({ password, authorised }) {
    if (password && !authorised) fail(Err.privileged)
  },
}
