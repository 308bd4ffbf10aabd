/** pwd(1). */
import { getcwd } from '../libc/syscall.ts'
import { utility } from '../libc/utility.ts'

export const pwd = utility({
  name: 'pwd',
  usage: 'pwd [OPTION]',
  help: `Print the full filename of the current working directory.

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    if (run.operands.length > 0) yield* run.complain('ignoring non-option arguments', 0)
    yield* run.out.line(yield* getcwd())
    return 0
  },
})
