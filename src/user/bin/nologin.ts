/** nologin(8) of util-linux 2.13: the shell of those who are to have none. */
import { bytesOfString } from '#lib/utf8.ts'
import { program } from '../libc/program.ts'
import { STDOUT, writeAll } from '../libc/stdio.ts'

export const nologin = program({
  name: 'nologin',
  usage: 'nologin',
  help: 'Politely refuse a login.',
  *main() {
    yield* writeAll(STDOUT, bytesOfString('This account is currently not available.\n'))
    return 1
  },
})
