/** A command in a child, as find and xargs start it: if there is no such command, the child says so. */
import { ENOENT } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { execvp, waitpid } from '../../libc/process.ts'
import { eprint } from '../../libc/stdio.ts'
import { fork } from '../../libc/syscall.ts'

/** The wait status. */
export function* execute(
  name: string,
  argv: readonly string[],
  env: readonly string[],
  setup?: () => Sys<void>,
): Sys<number> {
  const pid = yield* fork(function* () {
    if (setup) yield* setup()
    try {
      return yield* execvp(argv[0]!, argv, env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`${name}: ${argv[0]}: ${strerror(error.errno)}\n`)
      return error.errno === ENOENT ? 127 : 126
    }
  })
  return (yield* waitpid(pid)).status
}
