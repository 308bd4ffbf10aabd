/** tty(1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { listDirectory } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { isatty, STDIN } from '../libc/stdio.ts'
import { fstat, readlink, stat } from '../libc/syscall.ts'
import { utility } from '../libc/utility.ts'

export const tty = utility({
  name: 'tty',
  usage: 'tty [OPTION]...',
  help: `Print the file name of the terminal connected to standard input.

  -s, --silent, --quiet   print nothing, only return an exit status
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 's',
  long: { silent: 's', quiet: 's' },
  usageStatus: 2,
  *main(run) {
    const terminal = yield* isatty(STDIN)
    if (!run.has('s')) yield* run.out.line(terminal ? ((yield* ttyname(STDIN)) ?? '/dev/tty') : 'not a tty')
    return terminal ? 0 : 1
  },
})

/** ttyname(3): what /proc says, else the device of that number in /dev. */
function* ttyname(fd: number): Sys<string | undefined> {
  try {
    const path = yield* readlink(`/proc/self/fd/${fd}`)
    if (path.startsWith('/')) return path
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  const { rdev } = yield* fstat(fd)
  for (const { name } of yield* listDirectory('/dev')) {
    if (name === 'tty') continue
    try {
      if ((yield* stat(`/dev/${name}`)).rdev === rdev) return `/dev/${name}`
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  return undefined
}
