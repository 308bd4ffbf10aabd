/** factor(1). */

import type { Sys } from '#abi/posix/syscalls.ts'
import { UINT64_MAX } from '../libc/number.ts'
import { quote } from '../libc/quote.ts'
import { In, STDIN } from '../libc/stdio.ts'
import { type Run, utility } from '../libc/utility.ts'

export const factor = utility({
  name: 'factor',
  usage: 'factor [NUMBER]...\nfactor OPTION',
  help: `Print the prime factors of each NUMBER.

      --help     display this help and exit
      --version  output version information and exit

Print the prime factors of all specified integer NUMBERs.  If no arguments
are specified on the command line, they are read from standard input.

Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    for (const text of run.operands) yield* show(run, text)
    if (run.operands.length > 0) return run.status
    const input = new In(STDIN)
    for (let line = yield* input.line(); line !== undefined; line = yield* input.line()) {
      for (const text of line.split(/[ \t]+/).filter(Boolean)) {
        yield* show(run, text)
        yield* run.out.flush()
      }
    }
    return run.status
  },
})

function* show(run: Run, text: string): Sys<void> {
  if (!/^\+?\d+$/.test(text)) return yield* run.complain(`${quote(text)} is not a valid positive integer`)
  let left = BigInt(text.replace('+', ''))
  if (left > UINT64_MAX) return yield* run.complain(`${quote(text)} is too large`)
  let line = `${left}:`
  let divisor = 2
  // Numbers above 2^53 are divided as bigints until what is left is small.
  while (left > BigInt(Number.MAX_SAFE_INTEGER)) {
    const big = BigInt(divisor)
    if (left % big === 0n) {
      line += ` ${divisor}`
      left /= big
    } else if (big * big > left) break
    else divisor += divisor === 2 ? 1 : 2
  }
  if (left <= BigInt(Number.MAX_SAFE_INTEGER)) {
    let small = Number(left)
    while (divisor * divisor <= small) {
      if (small % divisor === 0) {
        line += ` ${divisor}`
        small /= divisor
      } else divisor += divisor === 2 ? 1 : 2
    }
    left = BigInt(small)
  }
  yield* run.out.line(left > 1n ? `${line} ${left}` : line)
}
