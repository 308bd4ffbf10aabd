/** uniq(1). */
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { parseInteger } from '../libc/number.ts'
import { quote } from '../libc/quote.ts'
import { In, Out, STDIN } from '../libc/stdio.ts'
import { open } from '../libc/syscall.ts'
import { Exit, UsageError, utility } from '../libc/utility.ts'

export const uniq = utility({
  name: 'uniq',
  usage: 'uniq [OPTION]... [INPUT [OUTPUT]]',
  help: `Discard all but one of successive identical lines from INPUT (or
standard input), writing to OUTPUT (or standard output).

  -c, --count           prefix lines by the number of occurrences
  -d, --repeated        only print duplicate lines
  -D, --all-repeated[=delimit-method] print all duplicate lines
                        delimit-method={none(default),prepend,separate}
                        Delimiting is done with blank lines.
  -f, --skip-fields=N   avoid comparing the first N fields
  -i, --ignore-case     ignore differences in case when comparing
  -s, --skip-chars=N    avoid comparing the first N characters
  -u, --unique          only print unique lines
  -w, --check-chars=N   compare no more than N characters in lines
      --help     display this help and exit
      --version  output version information and exit

A field is a run of whitespace, then non-whitespace characters.
Fields are skipped before chars.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'cdDf:is:uw:',
  long: {
    count: 'c',
    repeated: 'd',
    'all-repeated::': 'D',
    'skip-fields:': 'f',
    'ignore-case': 'i',
    'skip-chars:': 's',
    unique: 'u',
    'check-chars:': 'w',
  },
  prepare: (args) => args.flatMap((arg) => (/^-\d+$/.test(arg) ? ['-f', arg.slice(1)] : [arg])),
  *main(run) {
    const number = (code: string, what: string, otherwise: number): number => {
      const text = run.value(code)
      const value = text === undefined ? otherwise : parseInteger(text)
      if (value === undefined || value < 0) throw new Exit(1, `${text}: invalid number of ${what}`)
      return value
    }
    const skipFields = number('f', 'fields to skip', 0)
    const skipChars = number('s', 'bytes to skip', 0)
    const width = number('w', 'bytes to compare', Number.POSITIVE_INFINITY)
    const [from = '-', to = '-', extra] = run.operands
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    const method = run.value('D') ?? 'none'
    if (!/^(none|prepend|separate)$/.test(method))
      throw new UsageError(
        `invalid argument ${quote(method)} for \`--all-repeated'\nValid arguments are:\n  - \`none'\n  - \`prepend'\n  - \`separate'`,
      )
    if (run.has('D') && run.has('c'))
      throw new UsageError('printing all duplicated lines and repeat counts is meaningless')

    const skipped = new RegExp(`^(?:[ \\t\\n]*[^ \\t\\n]+){0,${skipFields}}`)
    const key = (line: string): string => {
      let text = skipFields === 0 ? line : line.slice(skipped.exec(line)![0].length)
      if (skipChars > 0) text = text.slice(skipChars)
      if (width < text.length) text = text.slice(0, width)
      return run.has('i') ? text.toLowerCase() : text
    }
    const input = new In(from === '-' ? STDIN : yield* open(from, O_RDONLY, 0))
    const out = to === '-' ? run.out : new Out(yield* open(to, O_WRONLY | O_CREAT | O_TRUNC, 0o666))
    const showUnique = !run.has('d') && !run.has('D')
    const showRepeated = !run.has('u')
    const counted = run.has('c')

    let line = yield* input.line()
    let groups = 0
    while (line !== undefined) {
      const first: string = line
      const mine = key(first)
      let count = 1
      for (line = yield* input.line(); line !== undefined && key(line) === mine; line = yield* input.line()) {
        count++
        if (!run.has('D')) continue
        if (count === 2) {
          if (method === 'prepend' || (method === 'separate' && groups > 0)) out.put('\n')
          groups++
          out.put(`${first}\n`)
        }
        yield* out.line(line)
      }
      if (run.has('D')) continue
      if (count === 1 ? showUnique : showRepeated)
        yield* out.line(counted ? `${String(count).padStart(7)} ${first}` : first)
    }
    yield* out.flush()
    return 0
  },
})
