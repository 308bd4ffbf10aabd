/** ls's options: how the listing shall look. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { getenv } from '../libc/env.ts'
import { FNM_PERIOD, fnmatch } from '../libc/fnmatch.ts'
import { quote } from '../libc/quote.ts'
import { isatty, STDOUT } from '../libc/stdio.ts'
import { screenColumns } from '../libc/termios.ts'
import { Exit, type Run, UsageError } from '../libc/utility.ts'
import { type Colors, lsColors } from './ls-color.ts'

/** All that options and environment say. */
export interface View {
  readonly format: 'long' | 'one' | 'columns' | 'across' | 'commas'
  readonly all: boolean
  readonly almostAll: boolean
  readonly sort: 'name' | 'time' | 'size' | 'extension' | 'version' | 'none'
  readonly when: 'mtime' | 'atime' | 'ctime'
  readonly reverse: boolean
  readonly recursive: boolean
  readonly directory: boolean
  readonly indicator: 'none' | 'slash' | 'file-type' | 'classify'
  readonly human: 0 | 1000 | 1024
  readonly inode: boolean
  readonly blocks: boolean
  readonly numeric: boolean
  readonly owner: boolean
  readonly group: boolean
  readonly follow: 'all' | 'operands' | 'directories' | 'none'
  readonly shown: (name: string) => string
  readonly ignored: (name: string) => boolean
  readonly timeStyle: string
  readonly colors: Colors | undefined
  readonly width: number
}

const SORTS: Readonly<Record<string, View['sort']>> = {
  none: 'none',
  time: 'time',
  size: 'size',
  extension: 'extension',
  version: 'version',
  U: 'none',
  f: 'none',
  t: 'time',
  S: 'size',
  X: 'extension',
  v: 'version',
}
const FORMATS: Readonly<Record<string, View['format']>> = {
  l: 'long',
  g: 'long',
  o: 'long',
  n: 'long',
  '1': 'one',
  C: 'columns',
  x: 'across',
  m: 'commas',
  'full-time': 'long',
  long: 'long',
  verbose: 'long',
  'single-column': 'one',
  vertical: 'columns',
  across: 'across',
  horizontal: 'across',
}

/** From the options, and from whether the output is a terminal. */
export function* parseView(run: Run): Sys<View> {
  const terminal = yield* isatty(STDOUT)
  let format: View['format'] = terminal ? 'columns' : 'one'
  let sort: View['sort'] | undefined
  let when: View['when'] = 'mtime'
  let timeAsked = false
  let human: View['human'] = 0
  let indicator: View['indicator'] = 'none'
  let color = false
  let timeStyle = getenv(run.env, 'TIME_STYLE') ?? 'locale'
  let all = run.has('a')
  const patterns: string[] = run.has('B') ? ['*~', '.*~'] : []
  for (const { code, value } of run.options) {
    const given = code === 'format' ? FORMATS[value!] : FORMATS[code]
    // -1 does not undo -l.
    if (given && !(code === '1' && format === 'long')) format = given
    if (code in SORTS) sort = SORTS[code]
    if (code === 'sort') sort = SORTS[value!] ?? bad('--sort', value!)
    if (code === 'f') all = true
    if (code === 'f' && format === 'long') format = terminal ? 'columns' : 'one'
    if (code === 'u' || code === 'c') when = code === 'u' ? 'atime' : 'ctime'
    if (code === 'time') when = /^(atime|access|use)$/.test(value!) ? 'atime' : 'ctime'
    if (code === 'u' || code === 'c' || code === 'time') timeAsked = true
    if (code === 'h') human = 1024
    if (code === 'si') human = 1000
    if (code === 'p') indicator = 'slash'
    if (code === 'F') indicator = 'classify'
    if (code === 'file-type') indicator = 'file-type'
    if (code === 'indicator-style') indicator = value as View['indicator']
    if (code === 'full-time') timeStyle = 'full-iso'
    if (code === 'time-style') timeStyle = value!
    if (code === 'I') patterns.push(value!)
    if (code === 'color') {
      if (value !== undefined && !/^(always|yes|force|never|no|none|auto|tty|if-tty)$/.test(value))
        bad('--color', value)
      color = value === undefined || /^(always|yes|force)$/.test(value) || (/tty|auto/.test(value) && terminal)
    }
  }
  const widthText = run.value('w')
  if (widthText !== undefined && !/^\d+$/.test(widthText)) throw new Exit(2, `invalid line width: ${widthText}`)
  const long = format === 'long'
  const hide = run.options.findLast(({ code }) => code === 'q' || code === 'N' || code === 'b' || code === 'Q')?.code
  return {
    format,
    all,
    almostAll: run.has('A'),
    sort: sort ?? (timeAsked && !long ? 'time' : 'name'),
    when,
    reverse: run.has('r'),
    recursive: run.has('R'),
    directory: run.has('d'),
    indicator,
    human,
    inode: run.has('i'),
    blocks: run.has('s') && !run.has('f'),
    numeric: run.has('n'),
    owner: !run.has('g'),
    group: !run.has('G') && !run.has('o'),
    follow: run.has('L')
      ? 'all'
      : run.has('H')
        ? 'operands'
        : run.has('d') || indicator === 'classify' || long
          ? 'none'
          : 'directories',
    shown: nameStyle(hide ?? (terminal ? 'q' : 'N')),
    ignored: (name) => patterns.some((pattern) => fnmatch(pattern, name, FNM_PERIOD)),
    timeStyle,
    colors: color ? lsColors(getenv(run.env, 'LS_COLORS')) : undefined,
    width: widthText === undefined ? yield* screenColumns(STDOUT, run.env) : Number(widthText),
  }
}

/** argmatch_die() exits with 1, whatever the program's failures are. */
function bad(option: '--color' | '--sort', value: string): never {
  const valid = VALID[option].map((words) => `  - ${words.map(quote).join(', ')}\n`).join('')
  throw new UsageError(`invalid argument ${quote(value)} for \`${option}'\nValid arguments are:\n${valid.trimEnd()}`, 1)
}

const VALID = {
  '--color': [
    ['always', 'yes', 'force'],
    ['never', 'no', 'none'],
    ['auto', 'tty', 'if-tty'],
  ],
  '--sort': [['extension'], ['none'], ['size'], ['time'], ['version']],
}

function nameStyle(style: string): (name: string) => string {
  if (style === 'q') return (name) => name.replace(/[\0-\x1f\x7f-\xff]/g, '?')
  if (style === 'N') return (name) => name
  const octal = (c: string): string => {
    const at = '\x07\b\f\n\r\t\v'.indexOf(c)
    if (at >= 0) return `\\${'abfnrtv'[at]}`
    return c.charCodeAt(0) < 32 || c.charCodeAt(0) > 126
      ? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`
      : `\\${c}`
  }
  if (style === 'b') return (name) => name.replace(/[\0-\x20\\\x7f-\xff]/g, octal)
  return (name) => `"${name.replace(/[\0-\x1f"\\\x7f-\xff]/g, octal)}"`
}
