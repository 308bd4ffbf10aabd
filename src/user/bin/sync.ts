/** sync(1). */
import { sync as syncCall } from '../libc/syscall.ts'
import { utility } from '../libc/utility.ts'

export const sync = utility({
  name: 'sync',
  usage: 'sync [OPTION]',
  help: `Force changed blocks to disk, update the super block.

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    if (run.operands.length > 0) yield* run.complain('ignoring all arguments', 0)
    yield* syncCall()
    return 0
  },
})
