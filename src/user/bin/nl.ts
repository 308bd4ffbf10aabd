/** nl(1). */
import { eachInput } from '../coreutils/inputs.ts'
import { quote } from '../libc/quote.ts'
import { In } from '../libc/stdio.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'
import { compileRegex } from '../regex/regex.ts'
import { RegexError } from '../regex/syntax.ts'

export const nl = utility({
  name: 'nl',
  usage: 'nl [OPTION]... [FILE]...',
  help: `Write each FILE to standard output, with line numbers added.
With no FILE, or when FILE is -, read standard input.

  -b, --body-numbering=STYLE      use STYLE for numbering body lines
  -d, --section-delimiter=CC      use CC for separating logical pages
  -f, --footer-numbering=STYLE    use STYLE for numbering footer lines
  -h, --header-numbering=STYLE    use STYLE for numbering header lines
  -i, --page-increment=NUMBER     line number increment at each line
  -l, --join-blank-lines=NUMBER   group of NUMBER empty lines counted as one
  -n, --number-format=FORMAT      insert line numbers according to FORMAT
  -p, --no-renumber               do not reset line numbers at logical pages
  -s, --number-separator=STRING   add STRING after (possible) line number
  -v, --first-page=NUMBER         first line number on each logical page
  -w, --number-width=NUMBER       use NUMBER columns for line numbers
      --help     display this help and exit
      --version  output version information and exit

STYLE is one of:

  a         number all lines
  t         number only nonempty lines
  n         number no lines
  pBRE      number only lines that contain a match for the basic regular
            expression, BRE

FORMAT is one of:

  ln   left justified, no leading zeros
  rn   right justified, no leading zeros
  rz   right justified, leading zeros

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'h:b:f:v:i:pl:s:w:n:d:',
  long: {
    'header-numbering:': 'h',
    'body-numbering:': 'b',
    'footer-numbering:': 'f',
    'first-page:': 'v',
    'page-increment:': 'i',
    'no-renumber': 'p',
    'join-blank-lines:': 'l',
    'number-separator:': 's',
    'number-width:': 'w',
    'number-format:': 'n',
    'section-delimiter:': 'd',
  },
  *main(run) {
    const first = number(run, 'v', 1, 'starting line number')
    const step = number(run, 'i', 1, 'line number increment')
    const join = number(run, 'l', 1, 'number of blank lines')
    const width = number(run, 'w', 6, 'line number field width')
    const between = run.value('s') ?? '\t'
    const delimiter = (run.value('d') ?? '\\:').padEnd(2, ':')
    const format = run.value('n') ?? 'rn'
    if (!/^(ln|rn|rz)$/.test(format)) throw new UsageError(`invalid line numbering format: ${quote(format)}`)
    const styles = {
      h: style(run.value('h') ?? 'n', 'header'),
      b: style(run.value('b') ?? 't', 'body'),
      f: style(run.value('f') ?? 'n', 'footer'),
    }
    let section: keyof typeof styles = 'b'
    let line = first
    let blanks = 0
    const empty = ' '.repeat(width + between.length)
    yield* eachInput(run, function* (fd) {
      const input = new In(fd)
      for (let text = yield* input.line(); text !== undefined; text = yield* input.line()) {
        const times = sectionMark(text, delimiter)
        if (times > 0) {
          section = times === 3 ? 'h' : times === 2 ? 'b' : 'f'
          if (times === 3 && !run.has('p')) line = first
          blanks = 0
          yield* run.out.line('')
          continue
        }
        let wanted = styles[section](text)
        if (wanted && text === '' && join > 1) {
          wanted = ++blanks >= join
          if (wanted) blanks = 0
        } else if (text !== '') blanks = 0
        if (!wanted) {
          yield* run.out.line(empty + text)
          continue
        }
        const digits = String(line)
        const shown =
          format === 'ln'
            ? digits.padEnd(width)
            : format === 'rz'
              ? digits.padStart(width, '0')
              : digits.padStart(width)
        yield* run.out.line(shown + between + text)
        line += step
      }
    })
    return run.status
  },
})

/** How often the delimiter stands there and nothing else: 3 header, 2 body, 1 footer. */
const sectionMark = (text: string, delimiter: string): number =>
  [1, 2, 3].find((times) => text === delimiter.repeat(times)) ?? 0

function number(run: Run, code: string, otherwise: number, what: string): number {
  const text = run.value(code)
  if (text === undefined) return otherwise
  if (!/^-?\d+$/.test(text) || (code === 'w' && Number(text) < 1)) throw new Exit(1, `invalid ${what}: ${quote(text)}`)
  return Number(text)
}

function style(text: string, where: string): (line: string) => boolean {
  if (text === 'a') return () => true
  if (text === 't') return (line) => line !== ''
  if (text === 'n') return () => false
  if (!text.startsWith('p')) throw new UsageError(`invalid ${where} numbering style: ${quote(text)}`)
  try {
    const regex = compileRegex(text.slice(1))
    return (line) => regex.test(line)
  } catch (error) {
    if (error instanceof RegexError) throw new Exit(1, error.message)
    throw error
  }
}
