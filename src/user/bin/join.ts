/** join(1). */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { quote } from '../libc/quote.ts'
import { In, STDIN } from '../libc/stdio.ts'
import { open } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const join = utility({
  name: 'join',
  usage: 'join [OPTION]... FILE1 FILE2',
  help: `For each pair of input lines with identical join fields, write a line to
standard output.  The default join field is the first, delimited
by whitespace.  When FILE1 or FILE2 (not both) is -, read standard input.

  -a FILENUM        print unpairable lines coming from file FILENUM, where
                      FILENUM is 1 or 2, corresponding to FILE1 or FILE2
  -e EMPTY          replace missing input fields with EMPTY
  -i, --ignore-case ignore differences in case when comparing fields
  -j FIELD          equivalent to \`-1 FIELD -2 FIELD'
  -o FORMAT         obey FORMAT while constructing output line
  -t CHAR           use CHAR as input and output field separator
  -v FILENUM        like -a FILENUM, but suppress joined output lines
  -1 FIELD          join on this FIELD of file 1
  -2 FIELD          join on this FIELD of file 2
      --help     display this help and exit
      --version  output version information and exit

Important: FILE1 and FILE2 must be sorted on the join fields.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'a:e:i1:2:j:o:t:v:',
  long: { 'ignore-case': 'i' },
  *main(run) {
    const [name1, name2, extra] = run.operands
    if (name1 === undefined) throw new UsageError('missing operand')
    if (name2 === undefined) throw new UsageError(`missing operand after ${quote(name1)}`)
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    if (name1 === '-' && name2 === '-') throw new Exit(1, 'both files cannot be standard input')
    const plan = parsePlan(run)
    const one = new Side(plan, yield* input(name1), plan.field1)
    const two = new Side(plan, yield* input(name2), plan.field2)
    yield* one.advance()
    yield* two.advance()
    while (one.group.length > 0 && two.group.length > 0) {
      const order = compare(one.key, two.key, plan.fold)
      if (order < 0) {
        if (plan.unpaired1) yield* showAll(run, plan, one.group, 1)
        yield* one.advance()
      } else if (order > 0) {
        if (plan.unpaired2) yield* showAll(run, plan, two.group, 2)
        yield* two.advance()
      } else {
        if (plan.joined) for (const a of one.group) for (const b of two.group) yield* run.out.line(shown(plan, a, b))
        yield* one.advance()
        yield* two.advance()
      }
    }
    for (; one.group.length > 0; yield* one.advance()) if (plan.unpaired1) yield* showAll(run, plan, one.group, 1)
    for (; two.group.length > 0; yield* two.advance()) if (plan.unpaired2) yield* showAll(run, plan, two.group, 2)
    return 0
  },
})

interface Plan {
  readonly field1: number
  readonly field2: number
  readonly tab: string | undefined
  readonly empty: string
  readonly fold: boolean
  readonly joined: boolean
  readonly unpaired1: boolean
  readonly unpaired2: boolean
  /** File (0: the join field) and field, from 0. */
  readonly output: readonly (readonly [file: number, field: number])[] | undefined
}

function parsePlan(run: Run): Plan {
  const field = (code: string): number => {
    const text = run.value(code) ?? run.value('j')
    if (text === undefined) return 0
    if (!/^\d+$/.test(text) || Number(text) === 0) throw new Exit(1, `invalid field number: ${quote(text)}`)
    return Number(text) - 1
  }
  const files = (code: string): readonly string[] => {
    const values = run.options.filter((option) => option.code === code).map(({ value }) => value!)
    for (const value of values)
      if (value !== '1' && value !== '2') throw new Exit(1, `invalid file number: ${quote(value)}`)
    return values
  }
  const tab = run.value('t')
  if (tab !== undefined && tab.length > 1 && tab !== '\\0') throw new Exit(1, `multi-character tab ${quote(tab)}`)
  const [also, only] = [files('a'), files('v')]
  const formats = run.options.filter(({ code }) => code === 'o').flatMap(({ value }) => value!.split(/[, \t]+/))
  return {
    field1: field('1'),
    field2: field('2'),
    tab,
    empty: run.value('e') ?? '',
    fold: run.has('i'),
    joined: only.length === 0,
    unpaired1: also.includes('1') || only.includes('1'),
    unpaired2: also.includes('2') || only.includes('2'),
    output: formats.length === 0 ? undefined : formats.map(parseOutput),
  }
}

function parseOutput(text: string): readonly [number, number] {
  if (text === '0') return [0, 0]
  const match = /^([12])\.(\d+)$/.exec(text)
  if (!match)
    throw new Exit(
      1,
      /^[12]/.test(text)
        ? `invalid field specifier: ${quote(text)}`
        : `invalid file number in field spec: ${quote(text)}`,
    )
  if (Number(match[2]) === 0) throw new Exit(1, `invalid field number: ${quote(match[2]!)}`)
  return [Number(match[1]), Number(match[2]) - 1]
}

function* input(name: string): Sys<In> {
  return new In(name === '-' ? STDIN : yield* open(name, O_RDONLY, 0))
}

interface Row {
  readonly fields: readonly string[]
  readonly key: string
  readonly rest: readonly string[]
}

/** One file: the run of lines with the same key that is next. */
class Side {
  readonly #plan: Plan
  readonly #input: In
  readonly #field: number
  #ahead: Row | undefined
  #begun: boolean
  group: readonly Row[]
  key: string

  constructor(plan: Plan, file: In, field: number) {
    this.#plan = plan
    this.#input = file
    this.#field = field
    this.#begun = false
    this.group = []
    this.key = ''
  }

  *advance(): Sys<void> {
    if (!this.#begun) this.#ahead = yield* this.#read()
    this.#begun = true
    const first = this.#ahead
    const group: Row[] = []
    while (this.#ahead && compare(this.#ahead.key, first!.key, this.#plan.fold) === 0) {
      group.push(this.#ahead)
      this.#ahead = yield* this.#read()
    }
    this.group = group
    this.key = first?.key ?? ''
  }

  *#read(): Sys<Row | undefined> {
    const line = yield* this.#input.line()
    if (line === undefined) return undefined
    const { tab } = this.#plan
    const fields =
      tab === undefined ? line.split(/[ \t]+/).filter((field, i) => i > 0 || field !== '') : line.split(tab)
    return { fields, key: fields[this.#field] ?? '', rest: fields.filter((_, i) => i !== this.#field) }
  }
}

function compare(a: string, b: string, fold: boolean): number {
  const [x, y] = fold ? [a.toLowerCase(), b.toLowerCase()] : [a, b]
  return x < y ? -1 : x > y ? 1 : 0
}

function* showAll(run: Run, plan: Plan, rows: readonly Row[], file: number): Sys<void> {
  for (const row of rows) yield* run.out.line(file === 1 ? shown(plan, row, undefined) : shown(plan, undefined, row))
}

function shown(plan: Plan, one: Row | undefined, two: Row | undefined): string {
  const key = (one ?? two)!.key
  const cells = plan.output
    ? plan.output.map(([file, field]) => (file === 0 ? key : ((file === 1 ? one : two)?.fields[field] ?? '')))
    : [key, ...(one?.rest ?? []), ...(two?.rest ?? [])]
  return cells.map((cell) => (cell === '' ? plan.empty : cell)).join(plan.tab ?? ' ')
}
