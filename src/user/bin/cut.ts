/** cut(1). */
import { eachInput } from '../coreutils/inputs.ts'
import { complement, parseRanges, type Ranges } from '../coreutils/ranges.ts'
import { In } from '../libc/stdio.ts'
import { UsageError, utility } from '../libc/utility.ts'

export const cut = utility({
  name: 'cut',
  usage: 'cut [OPTION]... [FILE]...',
  help: `Print selected parts of lines from each FILE to standard output.

  -b, --bytes=LIST        select only these bytes
  -c, --characters=LIST   select only these characters
  -d, --delimiter=DELIM   use DELIM instead of TAB for field delimiter
  -f, --fields=LIST       select only these fields;  also print any line
                            that contains no delimiter character, unless
                            the -s option is specified
  -n                      (ignored)
      --complement        complement the set of selected bytes, characters
                            or fields.
  -s, --only-delimited    do not print lines not containing delimiters
      --output-delimiter=STRING  use STRING as the output delimiter
                            the default is to use the input delimiter
      --help     display this help and exit
      --version  output version information and exit

Use one, and only one of -b, -c or -f.  Each LIST is made up of one
range, or many ranges separated by commas.  Each range is one of:

  N     N'th byte, character or field, counted from 1
  N-    from N'th byte, character or field, to end of line
  N-M   from N'th to M'th (included) byte, character or field
  -M    from first to M'th (included) byte, character or field

With no FILE, or when FILE is -, read standard input.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'b:c:d:f:ns',
  long: {
    'bytes:': 'b',
    'characters:': 'c',
    'delimiter:': 'd',
    'fields:': 'f',
    'only-delimited': 's',
    'output-delimiter:': 'output-delimiter',
    complement: 'complement',
  },
  *main(run) {
    const lists = run.options.filter(({ code }) => code === 'b' || code === 'c' || code === 'f')
    if (lists.length > 1) throw new UsageError('only one type of list may be specified')
    if (lists.length === 0) throw new UsageError('you must specify a list of bytes, characters, or fields')
    const byFields = lists[0]!.code === 'f'
    if (!byFields && run.has('d'))
      throw new UsageError('an input delimiter may be specified only when operating on fields')
    if (!byFields && run.has('s'))
      throw new UsageError('suppressing non-delimited lines makes sense\n\tonly when operating on fields')
    const delimiter = run.value('d') ?? '\t'
    if (delimiter.length > 1) throw new UsageError('the delimiter must be a single character')
    const parsed = parseRanges(lists[0]!.value!)
    if (!parsed) throw new UsageError(`invalid byte or field list`)
    const ranges = run.has('complement') ? complement(parsed) : parsed
    const between = run.value('output-delimiter')

    const select = byFields
      ? (line: string) => fields(line, ranges, delimiter || '\0', between ?? delimiter, run.has('s'))
      : (line: string) =>
          ranges
            .map(([from, to]) => line.slice(from - 1, to))
            .filter(Boolean)
            .join(between ?? '')
    yield* eachInput(run, function* (fd) {
      const input = new In(fd)
      for (;;) {
        const line = input.next() ?? (yield* input.line())
        if (line === undefined) return
        const selected = select(line)
        if (selected !== undefined) yield* run.out.line(selected)
      }
    })
    return run.status
  },
})

/** The fields of a line; the line itself if it has no delimiter, or nothing with -s. */
function fields(line: string, ranges: Ranges, delimiter: string, between: string, only: boolean): string | undefined {
  if (!line.includes(delimiter)) return only ? undefined : line
  const all = line.split(delimiter)
  const chosen: string[] = []
  for (const [from, to] of ranges) for (let i = from; i <= to && i <= all.length; i++) chosen.push(all[i - 1]!)
  return chosen.join(between)
}
