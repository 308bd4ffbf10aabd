/** setsid of util-linux 2.13. */
import { OsError, strerror } from '../libc/errno.ts'
import { execvp } from '../libc/process.ts'
import { program } from '../libc/program.ts'
import { eprint } from '../libc/stdio.ts'
import { fork, getpgid, getpid, setsid as setsidCall } from '../libc/syscall.ts'

export const setsid = program({
  name: 'setsid',
  usage: 'setsid PROGRAM [ARG...]',
  help: 'Run PROGRAM in a new session, without a controlling terminal.',
  *main(argv, env) {
    const [, file] = argv
    if (file === undefined) {
      yield* eprint(`usage: ${argv[0]} program [arg ...]\n`)
      return 1
    }
    const become = function* () {
      yield* setsidCall()
      try {
        return yield* execvp(file, argv.slice(1), env)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        yield* eprint(`${file}: ${strerror(error.errno)}\n`)
        return 1
      }
    }
    // A group's leader cannot leave it: its child can.
    if ((yield* getpgid(0)) !== (yield* getpid())) return yield* become()
    yield* fork(become)
    return 0
  },
})
