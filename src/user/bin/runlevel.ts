/** runlevel of sysvinit: the level before and the one now, from utmp. */

import { bytesOfString } from '#lib/utf8.ts'
import { program } from '../libc/program.ts'
import { STDOUT, writeAll } from '../libc/stdio.ts'
import { currentRunlevel } from './halt.ts'

export const runlevel = program({
  name: 'runlevel',
  usage: 'runlevel',
  help: 'Print the previous runlevel (N: none) and the current one, or `unknown`.',
  *main() {
    const now = yield* currentRunlevel()
    yield* writeAll(STDOUT, bytesOfString(now ? `${now.previous} ${now.level}\n` : 'unknown\n'))
    return now ? 0 : 1
  },
})
