/** yes(1). */
import { bytesOfString } from '#lib/utf8.ts'
import { utility } from '../libc/utility.ts'

export const yes = utility({
  name: 'yes',
  usage: 'yes [STRING]...\nyes OPTION',
  help: `Repeatedly output a line with all specified STRING(s), or \`y'.

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    const line = `${run.operands.length > 0 ? run.operands.join(' ') : 'y'}\n`
    const many = bytesOfString(line.repeat(Math.max(1, Math.floor(8192 / line.length))))
    for (;;) {
      yield* run.out.bytes(many)
      yield* run.out.flush()
    }
  },
})
