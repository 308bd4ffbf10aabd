/** sort(1). */
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { mergeSort } from '../coreutils/merge-sort.ts'
import { applyLetter, compareKeys, isPlain, type Key, keyText, plainOptions, prepared } from '../coreutils/sort-keys.ts'
import { Heap, stringCost } from '../libc/heap.ts'
import { quote } from '../libc/quote.ts'
import { In, Out, STDIN } from '../libc/stdio.ts'
import { close, open } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const sort = utility({
  name: 'sort',
  usage: 'sort [OPTION]... [FILE]...',
  help: `Write sorted concatenation of all FILE(s) to standard output.

Mandatory arguments to long options are mandatory for short options too.
Ordering options:

  -b, --ignore-leading-blanks ignore leading blanks
  -d, --dictionary-order      consider only blanks and alphanumeric characters
  -f, --ignore-case           fold lower case to upper case characters
  -g, --general-numeric-sort  compare according to general numerical value
  -i, --ignore-nonprinting    consider only printable characters
  -M, --month-sort            compare (unknown) < \`JAN' < ... < \`DEC'
  -n, --numeric-sort          compare according to string numerical value
  -r, --reverse               reverse the result of comparisons

Other options:

  -c, --check               check whether input is sorted; do not sort
  -k, --key=POS1[,POS2]     start a key at POS1, end it at POS2 (origin 1)
  -m, --merge               merge already sorted files; do not sort
  -o, --output=FILE         write result to FILE instead of standard output
  -s, --stable              stabilize sort by disabling last-resort comparison
  -S, --buffer-size=SIZE    use SIZE for main memory buffer
  -t, --field-separator=SEP use SEP instead of non-blank to blank transition
  -T, --temporary-directory=DIR  use DIR for temporaries, not $TMPDIR or /tmp;
                              multiple options specify multiple directories
  -u, --unique              with -c, check for strict ordering;
                              without -c, output only the first of an equal run
  -z, --zero-terminated     end lines with 0 byte, not newline
      --help     display this help and exit
      --version  output version information and exit

POS is F[.C][OPTS], where F is the field number and C the character position
in the field.  OPTS is one or more single-letter ordering options, which
override global ordering options for that key.  If no key is given, use the
entire line as the key.

With no FILE, or when FILE is -, read standard input.

*** WARNING ***
The locale specified by the environment affects sort order.
Set LC_ALL=C to get the traditional sort order that uses
native byte values.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'bdfgiMnrck:mo:sS:t:T:uz',
  long: {
    'ignore-leading-blanks': 'b',
    'dictionary-order': 'd',
    'ignore-case': 'f',
    'general-numeric-sort': 'g',
    'ignore-nonprinting': 'i',
    'month-sort': 'M',
    'numeric-sort': 'n',
    reverse: 'r',
    check: 'c',
    'key:': 'k',
    merge: 'm',
    'output:': 'o',
    stable: 's',
    'buffer-size:': 'S',
    'field-separator:': 't',
    'temporary-directory:': 'T',
    unique: 'u',
    'zero-terminated': 'z',
  },
  usageStatus: 2,
  main: sorted,
})

/** A line, and what of it is compared. */
interface Item {
  readonly line: string
  readonly keys: readonly (string | number)[]
}

function* sorted(run: Run): Sys<number> {
  const end = run.has('z') ? '\0' : '\n'
  const tab = separator(run)
  const globals = plainOptions()
  for (const { code } of run.options) if (code.length === 1) applyGlobal(globals, code)
  const keys = run.options.filter(({ code }) => code === 'k').map(({ value }) => parseKey(value!))
  // Keys without options of their own have the global ones.
  for (const key of keys) if (isPlain(key)) Object.assign(key, globals)
  const whole: Key = { ...globals, startField: 0, startChar: 0, endField: -1, endChar: 0 }
  if (keys.length === 0 && !isPlain({ ...globals, reverse: false })) keys.push(whole)
  for (const key of keys) {
    const kinds = [key.numeric, key.general, key.month, key.ignore !== undefined].filter(Boolean).length
    if (kinds > 1) throw new Exit(2, `options \`-${letters(key)}' are incompatible`)
  }
  const unique = run.has('u')
  const lastResort = !unique && !run.has('s')
  const sign = globals.reverse ? -1 : 1
  const itemOf = (line: string): Item => ({
    line,
    keys: keys.length === 0 ? [] : keys.map((key) => prepared(keyText(line, key, tab), key)),
  })
  const compare = (a: Item, b: Item): number => {
    for (let i = 0; i < keys.length; i++) {
      const order = compareKeys(a.keys[i]!, b.keys[i]!, keys[i]!)
      if (order !== 0) return order
    }
    if (keys.length > 0 && !lastResort) return 0
    return a.line < b.line ? -sign : a.line > b.line ? sign : 0
  }
  if (run.has('c')) return yield* check(run, itemOf, compare, unique, end)

  const heap = new Heap()
  const items: Item[] = []
  for (const name of run.operands.length > 0 ? run.operands : ['-']) {
    const input = yield* openInput(run, name)
    for (;;) {
      const line = end === '\n' ? (input.next() ?? (yield* input.line())) : yield* input.delimited(end)
      if (line === undefined) break
      const cost = 32 + stringCost(line.length)
      if (heap.room < cost) yield* heap.keep(cost)
      else heap.free(-cost)
      items.push(itemOf(line))
    }
    if (input.fd !== STDIN) yield* close(input.fd)
  }
  const result = yield* mergeSort(items, compare)
  const out = yield* openOutput(run)
  let last: Item | undefined
  for (const item of result) {
    if (unique && last !== undefined && compare(last, item) === 0) continue
    last = item
    yield* out.print(item.line + end)
  }
  yield* out.flush()
  return 0
}

function applyGlobal(globals: ReturnType<typeof plainOptions>, letter: string): void {
  if ('bdfgiMnr'.includes(letter)) applyLetter(globals, letter)
  if (letter === 'b') globals.skipEndBlanks = true
}

function separator(run: Run): string | undefined {
  const text = run.value('t')
  if (text === undefined) return undefined
  if (text === '') throw new Exit(2, 'empty tab')
  if (text === '\\0') return '\0'
  if (text.length > 1) throw new Exit(2, `multi-character tab ${quote(text)}`)
  return text
}

const letters = (key: Key): string =>
  (key.ignore === 'nondictionary' ? 'd' : key.ignore ? 'i' : '') +
  (key.general ? 'g' : '') +
  (key.month ? 'M' : '') +
  (key.numeric ? 'n' : '')

/** `2.3b,4r`. */
function parseKey(text: string): Key {
  const key: Key = { ...plainOptions(), startField: 0, startChar: 0, endField: -1, endChar: 0 }
  const bad = (why: string): never => {
    throw new Exit(2, `${why}: invalid field specification ${quote(text)}`)
  }
  const match = /^(\d*)(?:\.(\d*))?([a-zA-Z]*)(?:,(\d*)(?:\.(\d*))?([a-zA-Z]*))?(.*)$/s.exec(text)!
  const [, field, char, options, endField, endChar, endOptions, rest] = match
  if (field === '') throw new Exit(2, `invalid number at field start: invalid count at start of ${quote(text)}`)
  if (Number(field) === 0) bad('field number is zero')
  if (char === '') bad("invalid number after `.'")
  if (char !== undefined && Number(char) === 0) bad('character offset is zero')
  key.startField = Number(field) - 1
  key.startChar = char === undefined ? 0 : Number(char) - 1
  for (const letter of options!) if (!applyLetter(key, letter)) bad('stray character in field spec')
  if (endField !== undefined) {
    if (endField === '') throw new Exit(2, "invalid number after `,'")
    if (Number(endField) === 0) bad('field number is zero')
    key.endField = Number(endField) - 1
    key.endChar = Number(endChar ?? 0)
    for (const letter of endOptions!) if (!applyLetter(key, letter, true)) bad('stray character in field spec')
  }
  if (rest !== '') bad('stray character in field spec')
  return key
}

function* openInput(run: Run, name: string): Sys<In> {
  if (name === '-') return new In(STDIN)
  try {
    return new In(yield* open(name, O_RDONLY, 0))
  } catch (error) {
    yield* run.warn(error, `open failed: ${name}`, 2)
    throw new Exit(2)
  }
}

/** -o's file is opened last, so that it may be one of those that are sorted. */
function* openOutput(run: Run): Sys<Out> {
  const name = run.value('o')
  if (name === undefined || name === '-') return run.out
  try {
    return new Out(yield* open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o666))
  } catch (error) {
    yield* run.warn(error, `open failed: ${name}`, 2)
    throw new Exit(2)
  }
}

function* check(
  run: Run,
  itemOf: (line: string) => Item,
  compare: (a: Item, b: Item) => number,
  unique: boolean,
  end: string,
): Sys<number> {
  if (run.operands.length > 1) throw new UsageError(`extra operand ${quote(run.operands[1]!)} not allowed with -c`)
  const name = run.operands[0] ?? '-'
  const input = yield* openInput(run, name)
  let last: Item | undefined
  for (let number = 1; ; number++) {
    const line = yield* input.delimited(end)
    if (line === undefined) return 0
    const item = itemOf(line)
    const order = last === undefined ? -1 : compare(last, item)
    if (order > 0 || (unique && order === 0)) {
      yield* run.complain(`${name}:${number}: disorder: ${line}`)
      return 1
    }
    last = item
  }
}
