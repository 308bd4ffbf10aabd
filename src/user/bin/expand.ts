/** expand(1) and unexpand(1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { eachInput } from '../coreutils/inputs.ts'
import { quote } from '../libc/quote.ts'
import { In } from '../libc/stdio.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'

/** The next tab stop behind a column; undefined past the last of a list. */
type TabStops = (column: number) => number | undefined

function tabStops(run: Run): TabStops {
  const text = run.options.filter(({ code }) => code === 't').map(({ value }) => value)
  const list =
    text.length === 0
      ? [8]
      : text
          .join(',')
          .split(/[, \t]+/)
          .filter(Boolean)
          .map(toStop)
  for (let i = 0; i < list.length; i++) {
    if (list[i] === 0) throw new Exit(1, 'tab size cannot be 0')
    if (i > 0 && list[i]! <= list[i - 1]!) throw new Exit(1, 'tab sizes must be ascending')
  }
  const every = list.length === 1 ? list[0]! : 0
  return (column) => (every ? column + every - (column % every) : list.find((stop) => stop > column))
}

function toStop(text: string): number {
  if (!/^\d+$/.test(text)) throw new Exit(1, `tab size contains invalid character(s): ${quote(text)}`)
  return Number(text)
}

/** `-4` and `-4,8` for -t. */
const oldTabs = (args: readonly string[]): readonly string[] =>
  args.map((arg) => (/^-\d+(,\d+)*$/.test(arg) ? `-t${arg.slice(1)}` : arg))

function* eachLine(run: Run, change: (line: string) => string): Sys<number> {
  yield* eachInput(run, function* (fd) {
    const input = new In(fd)
    for (let line = yield* input.line(); line !== undefined; line = yield* input.line()) {
      const changed = change(line)
      yield* run.out.print(input.complete ? `${changed}\n` : changed)
    }
  })
  return run.status
}

const COMMON = `      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`

export const expand = utility({
  name: 'expand',
  usage: 'expand [OPTION]... [FILE]...',
  help: `Convert tabs in each FILE to spaces, writing to standard output.
With no FILE, or when FILE is -, read standard input.

  -i, --initial       do not convert tabs after non blanks
  -t, --tabs=NUMBER   have tabs NUMBER characters apart, not 8
  -t, --tabs=LIST     use comma separated list of explicit tab positions
${COMMON}`,
  short: 'it:',
  long: { initial: 'i', 'tabs:': 't' },
  prepare: oldTabs,
  *main(run) {
    const stops = tabStops(run)
    const initial = run.has('i')
    return yield* eachLine(run, (line) => {
      if (!line.includes('\t')) return line
      let result = ''
      let column = 0
      let blank = true
      for (const c of line) {
        if (c === '\t' && (blank || !initial)) {
          const stop = stops(column) ?? column + 1
          result += ' '.repeat(stop - column)
          column = stop
          continue
        }
        column = c === '\b' ? Math.max(0, column - 1) : column + 1
        if (c !== ' ' && c !== '\t') blank = false
        result += c
      }
      return result
    })
  },
})

export const unexpand = utility({
  name: 'unexpand',
  usage: 'unexpand [OPTION]... [FILE]...',
  help: `Convert blanks in each FILE to tabs, writing to standard output.
With no FILE, or when FILE is -, read standard input.

  -a, --all        convert all blanks, instead of just initial blanks
      --first-only convert only leading sequences of blanks (overrides -a)
  -t, --tabs=N     have tabs N characters apart instead of 8 (enables -a)
  -t, --tabs=LIST  use comma separated LIST of tab positions (enables -a)
${COMMON}`,
  short: 'at:',
  long: { all: 'a', 'first-only': 'first', 'tabs:': 't' },
  prepare: oldTabs,
  *main(run) {
    const stops = tabStops(run)
    const all = (run.has('a') || run.has('t')) && !run.has('first')
    return yield* eachLine(run, (line) => tabbed(line, stops, all))
  },
})

function tabbed(line: string, stops: TabStops, all: boolean): string {
  let result = ''
  let column = 0
  for (let i = 0; i < line.length; ) {
    const c = line[i]!
    if (c !== ' ' && c !== '\t') {
      result += c
      column = c === '\b' ? Math.max(0, column - 1) : column + 1
      i++
      if (!all) return result + line.slice(i)
      continue
    }
    // A run of blanks: as many tabs as reach stops, then the blanks that are left. One blank before a stop stays what it is.
    let pending = ''
    while (i < line.length && (line[i] === ' ' || line[i] === '\t')) {
      const stop = stops(column)
      if (stop === undefined) {
        pending += line[i]!
        column++
        i++
        continue
      }
      if (line[i] === '\t') {
        column = stop
        result += '\t'
        pending = ''
      } else {
        column++
        pending += ' '
        if (column === stop && (pending.length > 1 || line[i + 1] === ' ' || line[i + 1] === '\t')) {
          result += '\t'
          pending = ''
        }
      }
      i++
    }
    result += pending
  }
  return result
}
