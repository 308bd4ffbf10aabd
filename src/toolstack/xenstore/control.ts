/** xenstore_control.c */
import { OsError } from '#user/libc/errno.ts'
import { program } from '#user/libc/program.ts'
import { eprint } from '#user/libc/stdio.ts'
import { type XsHandle, xsDaemonClose, xsDaemonOpen, xsDebugCommand } from '../libxs/xs.ts'

export const xenstoreControl = program({
  name: 'xenstore-control',
  usage: 'xenstore-control check',
  help: "Have xenstored check its database. What it finds is in the daemon's trace file.",
  *main(argv, env) {
    if (argv[1] !== 'check') {
      yield* eprint(`Usage:\n\n       ${argv[0]} check\n\n`)
      return 2
    }
    let h: XsHandle
    try {
      h = yield* xsDaemonOpen(env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint('Failed to contact Xenstored.\n')
      return 1
    }
    try {
      yield* xsDebugCommand(h, 'check')
    } catch (error) {
      // As the real tool: the answer does not matter.
      if (!(error instanceof OsError)) throw error
    }
    yield* xsDaemonClose(h)
    return 0
  },
})
