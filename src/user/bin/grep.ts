/** grep(1), egrep(1) and fgrep(1): GNU grep 2.5.1. */
import { utility } from '../libc/utility.ts'
import { grepMain } from './grep/search.ts'

const record = {
  help: `Search for PATTERN in each FILE or standard input.

Regexp selection and interpretation:
  -E, --extended-regexp     PATTERN is an extended regular expression
  -F, --fixed-strings       PATTERN is a set of newline-separated strings
  -G, --basic-regexp        PATTERN is a basic regular expression
  -e, --regexp=PATTERN      use PATTERN as a regular expression
  -f, --file=FILE           obtain PATTERN from FILE
  -i, --ignore-case         ignore case distinctions
  -w, --word-regexp         force PATTERN to match only whole words
  -x, --line-regexp         force PATTERN to match only whole lines

Miscellaneous:
  -s, --no-messages         suppress error messages
  -v, --invert-match        select non-matching lines

Output control:
  -m, --max-count=NUM       stop after NUM matches
  -b, --byte-offset         print the byte offset with output lines
  -n, --line-number         print line number with output lines
  -H, --with-filename       print the filename for each match
  -h, --no-filename         suppress the prefixing filename on output
  -o, --only-matching       show only the part of a line matching PATTERN
  -q, --quiet, --silent     suppress all normal output
  -a, --text                process binary files as if they were text
  -R, -r, --recursive       search directories recursively
      --include=PATTERN     files that match PATTERN will be examined
      --exclude=PATTERN     files that match PATTERN will be skipped
  -L, --files-without-match only print FILE names containing no match
  -l, --files-with-matches  only print FILE names containing matches
  -c, --count               only print a count of matching lines per FILE

Context control:
  -B, --before-context=NUM  print NUM lines of leading context
  -A, --after-context=NUM   print NUM lines of trailing context
  -C, --context=NUM         print NUM lines of output context
  -NUM                      same as --context=NUM
      --color[=WHEN]        WHEN may be \`always', \`never' or \`auto'

With no FILE, or when FILE is -, read standard input. If less than two FILEs given, assume -h.
Exit status is 0 if match, 1 if no match, and 2 if trouble.
`,
  version: '(GNU grep) 2.5.1',
  short: 'EFGe:f:iwxsvm:bnHhoqaRrLlcB:A:C:',
  long: {
    'extended-regexp': 'E',
    'fixed-strings': 'F',
    'basic-regexp': 'G',
    'regexp:': 'e',
    'file:': 'f',
    'ignore-case': 'i',
    'word-regexp': 'w',
    'line-regexp': 'x',
    'no-messages': 's',
    'invert-match': 'v',
    'max-count:': 'm',
    'byte-offset': 'b',
    'line-number': 'n',
    'with-filename': 'H',
    'no-filename': 'h',
    'only-matching': 'o',
    quiet: 'q',
    silent: 'q',
    text: 'a',
    recursive: 'r',
    'include:': 'include',
    'exclude:': 'exclude',
    'files-without-match': 'L',
    'files-with-matches': 'l',
    count: 'c',
    'before-context:': 'B',
    'after-context:': 'A',
    'context:': 'C',
    'color::': 'color',
    'colour::': 'color',
  },
  usageStatus: 2,
  prepare: (args: readonly string[]) => args.map((arg) => (/^-[0-9]+$/.test(arg) ? `-C${arg.slice(1)}` : arg)),
}

export const grep = utility({
  ...record,
  name: 'grep',
  usage: 'grep [OPTION]... PATTERN [FILE]...',
  main: grepMain('G'),
})
export const egrep = utility({
  ...record,
  name: 'egrep',
  usage: 'egrep [OPTION]... PATTERN [FILE]...',
  main: grepMain('E'),
})
export const fgrep = utility({
  ...record,
  name: 'fgrep',
  usage: 'fgrep [OPTION]... PATTERN [FILE]...',
  main: grepMain('F'),
})
