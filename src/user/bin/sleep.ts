/** sleep(1). */
import { quote } from '../libc/quote.ts'
import { nanosleep } from '../libc/syscall.ts'
import { UsageError, utility } from '../libc/utility.ts'

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86400 }

export const sleep = utility({
  name: 'sleep',
  usage: 'sleep NUMBER[SUFFIX]...\nsleep OPTION',
  help: `Pause for NUMBER seconds.  SUFFIX may be \`s' for seconds (the default),
\`m' for minutes, \`h' for hours or \`d' for days.  Unlike most implementations
that require NUMBER be an integer, here NUMBER may be an arbitrary floating
point number.

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('missing operand')
    let seconds = 0
    for (const text of run.operands) {
      const match = /^\+?(\d+\.?\d*(?:e[-+]?\d+)?|\.\d+)([smhd]?)$/i.exec(text)
      if (!match) yield* run.complain(`invalid time interval ${quote(text)}`)
      else seconds += Number(match[1]) * SECONDS[match[2]!]!
    }
    if (run.status !== 0) throw new UsageError()
    // A hundred years are as good as for ever, and a number of ns.
    yield* nanosleep(Math.round(Math.min(seconds, 3e9) * 1e9))
    return 0
  },
})
