import { readLine } from '../cmdline.ts'
import { Err, fail } from '../errors.ts'
import { checkPassword } from '../password.ts'
import { firstWord, skipTo } from '../text.ts'
import type { Command } from './command.ts'

const ENTERED_BYTES = 31
/** PASSWORD_BUFLEN. */
const BUFFER_BYTES = 0x200

export const password: Command = {
  name: 'password',
  usage: 'password [--md5] PASSWD [FILE]',
  help:
    'If used in the first section of a menu file, disable all' +
    ' interactive editing control (menu entry editor and' +
    ' command line). If the password PASSWD is entered, it loads the' +
    ' FILE as a new config file and restarts the GRUB Stage 2. If you' +
    ' omit the argument FILE, then GRUB just unlocks privileged' +
    ' instructions.  You can also use it in the script section, in' +
    ' which case it will ask for the password, before continueing.' +
    ' The option --md5 tells GRUB that PASSWD is encrypted with' +
    ' md5crypt.',
  silent: true,
  *run(grub, arg, how) {
    const md5 = arg.startsWith('--md5')
    const rest = md5 ? skipTo(arg) : arg
    const wanted = { text: firstWord(rest), md5, file: firstWord(skipTo(rest)) }
    if (how === 'menu') {
      if (rest.length + 2 > BUFFER_BYTES) fail(Err.wontFit)
      grub.password = wanted
      return
    }
    const entered = yield* readLine(grub, { prompt: 'Password: ', max: ENTERED_BYTES, mask: '*' })
    if (!checkPassword(entered ?? '', wanted)) fail(Err.privileged)
  },
}
