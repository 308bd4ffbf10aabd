/** pathchk(1). */
import { ENAMETOOLONG, ENOENT } from '#abi/posix/errno.ts'
import { NAME_MAX, PATH_MAX } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../libc/errno.ts'
import { quote } from '../libc/quote.ts'
import { lstat } from '../libc/syscall.ts'
import { type Run, UsageError, utility } from '../libc/utility.ts'

const POSIX_PATH_MAX = 256
const POSIX_NAME_MAX = 14

export const pathchk = utility({
  name: 'pathchk',
  usage: 'pathchk [OPTION]... NAME...',
  help: `Diagnose unportable constructs in NAME.

  -p                  check for most POSIX systems
  -P                  check for empty names and leading "-"
      --portability   check for all POSIX systems (equivalent to -p -P)
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: '+pP',
  long: { portability: 'portability' },
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('missing operand')
    for (const name of run.operands) yield* check(run, name)
    return run.status
  },
})

function* check(run: Run, name: string): Sys<void> {
  const portable = run.has('p') || run.has('portability')
  if ((run.has('P') || run.has('portability')) && /(^|\/)-/.test(name))
    return yield* run.complain(`leading \`-' in a component of file name ${quote(name)}`)
  if (name === '' && (portable || run.has('P'))) return yield* run.complain('empty file name')
  if (portable) {
    const bad = /[^A-Za-z0-9._/-]/.exec(name)
    if (bad) return yield* run.complain(`nonportable character ${quote(bad[0])} in file name ${quote(name)}`)
  } else {
    try {
      yield* lstat(name)
      return
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if ((error.errno !== ENOENT && error.errno !== ENAMETOOLONG) || name === '') return yield* run.warn(error, name)
    }
  }
  const pathMax = portable ? POSIX_PATH_MAX : PATH_MAX
  if (name.length >= pathMax)
    return yield* run.complain(`limit ${pathMax - 1} exceeded by length ${name.length} of file name ${quote(name)}`)
  const nameMax = portable ? POSIX_NAME_MAX : NAME_MAX
  for (const part of name.split('/')) {
    if (part.length > nameMax)
      return yield* run.complain(
        `limit ${nameMax} exceeded by length ${part.length} of file name component ${quote(part)}`,
      )
  }
}
