/** seq(1). Numbers are shown by %g, as this version does: above 999999 that is 1e+06. */
import { formatFloat, parseFormat } from '../coreutils/printf-format.ts'
import { quote } from '../libc/quote.ts'
import { UsageError, utility } from '../libc/utility.ts'

const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i

export const seq = utility({
  name: 'seq',
  usage: 'seq [OPTION]... LAST\nseq [OPTION]... FIRST LAST\nseq [OPTION]... FIRST INCREMENT LAST',
  help: `Print numbers from FIRST to LAST, in steps of INCREMENT.

  -f, --format=FORMAT      use printf style floating-point FORMAT (default: %g)
  -s, --separator=STRING   use STRING to separate numbers (default: \\n)
  -w, --equal-width        equalize width by padding with leading zeroes
      --help     display this help and exit
      --version  output version information and exit

If FIRST or INCREMENT is omitted, it defaults to 1.
FIRST, INCREMENT, and LAST are interpreted as floating point values.
INCREMENT should be positive if FIRST is smaller than LAST, and negative
otherwise.  When given, the FORMAT argument must contain exactly one of
the printf-style, floating point output formats %e, %f, %g

Report bugs to <bug-coreutils@gnu.org>.`,
  short: '+f:s:w',
  long: { 'format:': 'f', 'separator:': 's', 'equal-width': 'w' },
  prepare(args) {
    // A negative number is no option.
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!
      if (/^-[\d.]/.test(arg)) return [...args.slice(0, i), '--', ...args.slice(i)]
      if (!arg.startsWith('-') || arg === '--') return args
      if (/^(-w*[fs]|--(format|separator))$/.test(arg)) i++
    }
    return args
  },
  *main(run) {
    const { operands } = run
    if (operands.length === 0) throw new UsageError('missing operand')
    if (operands.length > 3) throw new UsageError(`extra operand ${quote(operands[3]!)}`)
    for (const text of operands)
      if (!NUMBER.test(text)) throw new UsageError(`invalid floating point argument: ${text}`)
    const format = run.value('f')
    if (format !== undefined && run.has('w'))
      throw new UsageError('format string may not be specified when printing equal width strings')
    const values = operands.map(Number)
    const first = values.length > 1 ? values[0]! : 1
    const step = values.length > 2 ? values[1]! : 1
    const last = values.at(-1)!
    if (step === 0 && values.length > 2 && first !== last)
      throw new UsageError(`invalid increment: ${quote(operands[1]!)}`)

    const shown = format === undefined ? plain : customFormat(format)
    const show = run.has('w') ? equalWidth(operands, first, step, last) : shown
    const separator = run.value('s') ?? '\n'
    let any = false
    for (let i = 0; ; i++) {
      const value = first + i * step
      if (step < 0 ? value < last : value > last) break
      yield* run.out.print(any ? separator + show(value) : show(value))
      any = true
      if (step === 0) break
    }
    if (any) run.out.put('\n')
    return 0
  },
})

const plain = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value === 0 ? 0 : value) : formatFloat('g', value, '', 0, 6)

/** Exactly one %e, %f or %g. */
function customFormat(format: string): (value: number) => string {
  const parts = parseFormat(format)
  const conversions = parts.filter((part) => typeof part !== 'string')
  if (conversions.length !== 1 || !/[efgEFG]/.test(conversions[0]!.letter))
    throw new UsageError(`invalid format string: ${quote(format)}`)
  return (value) =>
    parts
      .map((part) =>
        typeof part === 'string'
          ? part
          : formatFloat(
              part.letter,
              value,
              part.flags,
              part.width === '*' ? 0 : part.width,
              precisionOf(part.precision),
            ),
      )
      .join('')
}

const precisionOf = (precision: number | '*' | undefined): number => (typeof precision === 'number' ? precision : 6)

function equalWidth(operands: readonly string[], first: number, step: number, last: number): (value: number) => string {
  const decimals = Math.max(...operands.map((text) => (/\.(\d+)/.exec(text)?.[1] ?? '').length))
  const count = Math.floor((last - first) / (step || 1) + 1e-9)
  const final = first + Math.max(0, count) * step
  const width = Math.max(first.toFixed(decimals).length, final.toFixed(decimals).length)
  return (value) => {
    const text = Math.abs(value).toFixed(decimals)
    return value < 0 ? `-${text.padStart(width - 1, '0')}` : text.padStart(width, '0')
  }
}
