/** mesg of sysvinit: whether others may write on this terminal. */
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { program } from '../libc/program.ts'
import { eprint, isatty, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { fchmod, fstat } from '../libc/syscall.ts'

export const mesg = program({
  name: 'mesg',
  usage: 'mesg [y|n]',
  help: 'Allow (y) or refuse (n) messages from other users on this terminal, or say which it is.',
  *main(argv) {
    const [, asked] = argv
    if (!(yield* isatty(STDIN))) return 1
    const { mode } = yield* fstat(STDIN)
    if (asked === undefined) {
      yield* writeAll(STDOUT, bytesOfString(mode & 0o020 ? 'is y\n' : 'is n\n'))
      return 0
    }
    if (argv.length > 2 || !/^[yn]/.test(asked)) {
      yield* eprint('Usage: mesg [y|n]\n')
      return 1
    }
    try {
      yield* fchmod(STDIN, asked.startsWith('y') ? mode | 0o020 : mode & ~0o022)
      return 0
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`mesg: ${strerror(error.errno)}\n`)
      return 1
    }
  },
})
