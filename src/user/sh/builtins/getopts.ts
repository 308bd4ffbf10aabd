/** `getopts` (POSIX.1-2004, XCU 4). */
import { ShellError } from '../errors.ts'
import type { Shell } from '../shell.ts'

export function getopts(sh: Shell, argv: readonly string[]): number {
  if (argv.length < 3)
    throw new ShellError(sh.bash ? 'usage: getopts optstring name [arg]' : 'Usage: getopts optstring var [arg...]')
  const spec = argv[1]!
  const target = argv[2]!
  const args = argv.length > 3 ? argv.slice(3) : sh.params
  let index = Math.max(1, Number(sh.get('OPTIND') ?? '1') || 1)
  let offset = sh.optOffset
  const silent = spec.startsWith(':')
  const done = (letter: string, status: number): number => {
    sh.set('OPTIND', String(index))
    sh.optOffset = offset
    sh.set(target, letter)
    return status
  }
  let word = args[index - 1]
  if (offset === 0 || word === undefined || offset >= word.length) {
    offset = 0
    if (word === undefined || word.length < 2 || !word.startsWith('-')) {
      sh.unset('OPTARG')
      return done('?', 1)
    }
    if (word === '--') {
      index++
      sh.unset('OPTARG')
      return done('?', 1)
    }
    offset = 1
  }
  word = args[index - 1]!
  const letter = word[offset]!
  offset++
  const at = letter === ':' ? -1 : spec.indexOf(letter, silent ? 1 : 0)
  const rest = word.slice(offset)
  const next = (): void => {
    index++
    offset = 0
  }
  if (at < 0) {
    if (rest === '') next()
    if (silent) sh.set('OPTARG', letter)
    else sh.unset('OPTARG')
    const status = done('?', 0)
    if (!silent) throw new OptionFault(sh.bash ? `illegal option -- ${letter}` : `Illegal option -${letter}`, status)
    return status
  }
  if (spec[at + 1] !== ':') {
    if (rest === '') next()
    sh.unset('OPTARG')
    return done(letter, 0)
  }
  if (rest !== '') {
    next()
    sh.set('OPTARG', rest)
    return done(letter, 0)
  }
  const value = args[index]
  next()
  if (value === undefined) {
    if (silent) {
      sh.set('OPTARG', letter)
      return done(':', 0)
    }
    sh.unset('OPTARG')
    throw new OptionFault(
      sh.bash ? `option requires an argument -- ${letter}` : `No arg for -${letter} option`,
      done('?', 0),
    )
  }
  index++
  sh.set('OPTARG', value)
  return done(letter, 0)
}

/** getopts goes on after it has complained. */
export class OptionFault extends Error {
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}
