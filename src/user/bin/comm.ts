/** comm(1). */

import { withInput } from '../coreutils/inputs.ts'
import { quote } from '../libc/quote.ts'
import { In } from '../libc/stdio.ts'
import { UsageError, utility } from '../libc/utility.ts'

export const comm = utility({
  name: 'comm',
  usage: 'comm [OPTION]... FILE1 FILE2',
  help: `Compare sorted files FILE1 and FILE2 line by line.

With no options, produce three-column output.  Column one contains
lines unique to FILE1, column two contains lines unique to FILE2,
and column three contains lines common to both files.

  -1              suppress lines unique to FILE1
  -2              suppress lines unique to FILE2
  -3              suppress lines that appear in both files
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: '123',
  *main(run) {
    const [name1, name2, extra] = run.operands
    if (name1 === undefined) throw new UsageError('missing operand')
    if (name2 === undefined) throw new UsageError(`missing operand after ${quote(name1)}`)
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    const show = ['1', '2', '3'].map((code) => !run.has(code))
    const indent2 = show[0] ? '\t' : ''
    const indent3 = indent2 + (show[1] ? '\t' : '')
    return yield* withInput(name1, (fd1) =>
      withInput(name2, function* (fd2) {
        const one = new In(fd1)
        const two = new In(fd2)
        let a = yield* one.line()
        let b = yield* two.line()
        while (a !== undefined || b !== undefined) {
          if (b === undefined || (a !== undefined && a < b)) {
            if (show[0]) yield* run.out.line(a!)
            a = yield* one.line()
          } else if (a === undefined || b < a) {
            if (show[1]) yield* run.out.line(indent2 + b)
            b = yield* two.line()
          } else {
            if (show[2]) yield* run.out.line(indent3 + a)
            a = yield* one.line()
            b = yield* two.line()
          }
        }
        return 0
      }),
    )
  },
})
