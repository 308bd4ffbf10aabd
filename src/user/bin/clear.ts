/** clear(1) and reset(1): ncurses 5.5. */
import { ENOTTY } from '#abi/posix/errno.ts'
import {
  BRKINT,
  ECHO,
  ECHOE,
  ECHOK,
  ICANON,
  ICRNL,
  IEXTEN,
  IMAXBEL,
  ISIG,
  IXON,
  ONLCR,
  OPOST,
} from '#abi/posix/termios.ts'
import { getenv } from '../libc/env.ts'
import { OsError } from '../libc/errno.ts'
import { STDERR } from '../libc/stdio.ts'
import { TCSADRAIN, tcgetattr, tcsetattr } from '../libc/termios.ts'
import { Exit, utility } from '../libc/utility.ts'

export const clear = utility({
  name: 'clear',
  usage: 'clear',
  help: 'Clear the terminal screen.\n',
  version: 'ncurses 5.5.20060715',
  *main(run) {
    if (!getenv(run.env, 'TERM')) throw new Exit(1, 'TERM environment variable not set.')
    yield* run.out.print('\x1b[H\x1b[2J')
    return 0
  },
})

export const reset = utility({
  name: 'reset',
  usage: 'reset',
  help: 'Set the terminal to sane modes and its initial state: after a program that died left it otherwise.\n',
  version: 'ncurses 5.5.20060715',
  *main(run) {
    try {
      const tio = yield* tcgetattr(STDERR)
      tio.iflag |= BRKINT | ICRNL | IXON | IMAXBEL
      tio.oflag |= OPOST | ONLCR
      tio.lflag |= ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN
      yield* tcsetattr(STDERR, TCSADRAIN, tio)
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== ENOTTY) throw error
      throw new Exit(1, 'standard error: Inappropriate ioctl for device')
    }
    yield* run.out.print('\x1bc\x1b[!p\x1b[?3;4l\x1b[4l\x1b>\x1b[m\x1b[r\x1b[H\x1b[2J')
    return 0
  },
})
