/** fold(1). */
import { eachInput } from '../coreutils/inputs.ts'
import { quote } from '../libc/quote.ts'
import { In } from '../libc/stdio.ts'
import { Exit, utility } from '../libc/utility.ts'

export const fold = utility({
  name: 'fold',
  usage: 'fold [OPTION]... [FILE]...',
  help: `Wrap input lines in each FILE (standard input by default), writing to
standard output.

  -b, --bytes         count bytes rather than columns
  -s, --spaces        break at spaces
  -w, --width=WIDTH   use WIDTH columns instead of 80
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'bsw:',
  long: { bytes: 'b', spaces: 's', 'width:': 'w' },
  prepare: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `-w${arg.slice(1)}` : arg)),
  *main(run) {
    const text = run.value('w') ?? '80'
    if (!/^\d+$/.test(text) || Number(text) === 0) throw new Exit(1, `invalid number of columns: ${quote(text)}`)
    const width = Number(text)
    const bytes = run.has('b')
    const spaces = run.has('s')
    yield* eachInput(run, function* (fd) {
      const input = new In(fd)
      for (let line = yield* input.line(); line !== undefined; line = yield* input.line()) {
        const folded = wrap(line, width, bytes, spaces)
        yield* run.out.print(input.complete ? `${folded}\n` : folded)
      }
    })
    return run.status
  },
})

function advance(column: number, c: string, bytes: boolean): number {
  if (bytes) return column + 1
  if (c === '\b') return Math.max(0, column - 1)
  if (c === '\r') return 0
  return c === '\t' ? column + 8 - (column % 8) : column + 1
}

function wrap(line: string, width: number, bytes: boolean, spaces: boolean): string {
  let result = ''
  let start = 0
  let column = 0
  for (let i = 0; i < line.length; i++) {
    const next = advance(column, line[i]!, bytes)
    if (next <= width || i === start) {
      column = next
      continue
    }
    let end = i
    if (spaces) {
      const blank = Math.max(line.lastIndexOf(' ', i - 1), line.lastIndexOf('\t', i - 1))
      if (blank >= start) end = blank + 1
    }
    result += `${line.slice(start, end)}\n`
    start = end
    column = 0
    for (let k = start; k < i; k++) column = advance(column, line[k]!, bytes)
    i--
  }
  return result + line.slice(start)
}
