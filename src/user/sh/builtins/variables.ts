/** Builtins about variables and aliases: export, readonly, unset, set, local, getopts, read, alias, unalias. */
import { EINTR } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { read } from '../../libc/syscall.ts'
import { Interrupted, ShellError } from '../errors.ts'
import { OPTIONS, type OptionLetter, type Shell } from '../shell.ts'
import { type Builtin, NAME, options } from './types.ts'

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** In single quotes, as `set` and `export -p` print values. */
export function quoted(text: string): string {
  let out = ''
  for (const piece of text.split(/('+)/)) {
    if (piece === '') continue
    out += piece.startsWith("'") ? `"${piece}"` : `'${piece}'`
  }
  return out === '' ? "''" : out
}

const alias = (name: string, value: string): string => `${name}=${quoted(value)}`

function* declare(sh: Shell, argv: readonly string[], kind: 'export' | 'readonly'): Sys<number> {
  const { set, rest } = options(sh, argv, sh.bash ? 'pnf' : 'p')
  if (rest.length === 0) {
    let text = ''
    for (const name of [...sh.vars.keys()].sort(byName)) {
      const v = sh.vars.get(name)!
      if (!(kind === 'export' ? v.exported : v.readonly)) continue
      if (sh.bash)
        text += `declare -${kind === 'export' ? 'x' : v.exported ? 'rx' : 'r'} ${name}${v.value === undefined ? '' : `="${v.value.replace(/["$`\\]/g, '\\$&')}"`}\n`
      else text += `${kind} ${name}${v.value === undefined ? '' : `=${quoted(v.value)}`}\n`
    }
    return yield* sh.out(text)
  }
  if (set.has('f')) return 0
  let status = 0
  for (const word of rest) {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    if (!NAME.test(name)) {
      if (!sh.bash) throw new ShellError(`${name}: bad variable name`)
      yield* sh.complain(`\`${word}': not a valid identifier`)
      status = 1
      continue
    }
    if (equals >= 0) sh.set(name, word.slice(equals + 1))
    if (kind === 'export') {
      if (set.has('n')) {
        const v = sh.vars.get(name)
        if (v) v.exported = false
      } else sh.export(name)
    } else {
      const v = sh.vars.get(name)
      if (v) v.readonly = true
      else sh.vars.set(name, { value: undefined, exported: false, readonly: true })
    }
  }
  return status
}

function* unset(sh: Shell, argv: readonly string[]): Sys<number> {
  const { set, rest } = options(sh, argv, 'fv')
  let status = 0
  for (const name of rest) {
    if (set.has('f')) sh.functions.delete(name)
    else if (!NAME.test(name)) {
      if (!sh.bash) throw new ShellError(`${name}: bad variable name`)
      yield* sh.complain(`\`${name}': not a valid identifier`)
      status = 1
    } else if (sh.vars.has(name)) sh.unset(name)
    else if (sh.bash) sh.functions.delete(name)
  }
  return status
}

/** `set` without operands. */
function* listVariables(sh: Shell): Sys<number> {
  let text = ''
  for (const name of [...sh.vars.keys()].sort(byName)) {
    const { value } = sh.vars.get(name)!
    if (value !== undefined)
      text += `${name}=${sh.bash && /^[A-Za-z0-9_./,:=+@%^-]*$/.test(value) ? value : quoted(value)}\n`
  }
  return yield* sh.out(text)
}

function* listOptions(sh: Shell, asCommands: boolean): Sys<number> {
  let text = asCommands || sh.bash ? '' : 'Current option settings\n'
  for (const [letter, name] of OPTIONS) {
    if (letter === 'h' && !sh.bash) continue
    const on = sh.options.has(letter)
    if (asCommands) text += `set ${on ? '-' : '+'}o ${name}\n`
    else text += sh.bash ? `${name.padEnd(15)}\t${on ? 'on' : 'off'}\n` : `${name.padEnd(16)}${on ? 'on' : 'off'}\n`
  }
  return yield* sh.out(text)
}

export function setOption(sh: Shell, letter: string, on: boolean): void {
  if (!OPTIONS.some(([known]) => known === letter))
    throw new ShellError(
      sh.bash ? `${on ? '-' : '+'}${letter}: invalid option` : `Illegal option ${on ? '-' : '+'}${letter}`,
    )
  if (letter === 'n' && on) sh.attention = true
  if (on) sh.options.add(letter as OptionLetter)
  else sh.options.delete(letter as OptionLetter)
}

export function setOptionByName(sh: Shell, name: string, on: boolean): void {
  const row = OPTIONS.find(([, known]) => known === name)
  if (row) setOption(sh, row[0], on)
  else if (!(sh.bash && (name === 'posix' || name === 'pipefail' || name === 'history')))
    throw new ShellError(sh.bash ? `${name}: invalid option name` : `Illegal option ${on ? '-' : '+'}o ${name}`)
}

function* set(sh: Shell, argv: readonly string[]): Sys<number> {
  if (argv.length === 1) return yield* listVariables(sh)
  let i = 1
  for (; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') {
      sh.params = argv.slice(i + 1)
      return 0
    }
    if (word === '-') {
      sh.options.delete('x')
      sh.options.delete('v')
      i++
      break
    }
    if (word.length < 2 || (word[0] !== '-' && word[0] !== '+')) break
    const on = word[0] === '-'
    for (let at = 1; at < word.length; at++) {
      if (word[at] !== 'o') {
        setOption(sh, word[at]!, on)
        continue
      }
      const name = argv[i + 1]
      if (name === undefined) return yield* listOptions(sh, !on)
      setOptionByName(sh, name, on)
      i++
    }
  }
  if (i < argv.length) sh.params = argv.slice(i)
  return 0
}

function getopts(sh: Shell, argv: readonly string[]): number {
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
class OptionFault extends Error {
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** `read`: byte by byte, since what is behind the newline is for others. */
function* readLine(sh: Shell, argv: readonly string[]): Sys<number> {
  const { set: flags, rest } = options(sh, argv, sh.bash ? 'rp:sn:d:' : 'rp:')
  const prompt = flags.get('p')
  if (prompt !== undefined) yield* sh.err(prompt)
  if (rest.length === 0) {
    if (!sh.bash) throw new ShellError('arg count')
    rest.push('REPLY')
  }
  for (const name of rest)
    if (!NAME.test(name))
      throw new ShellError(
        sh.bash ? `\`${name}': not a valid identifier` : `${name}: bad variable name`,
        sh.bash ? 1 : 2,
      )
  const raw = flags.has('r')
  const limit = flags.has('n') ? Number(flags.get('n')) : Number.POSITIVE_INFINITY
  const end = flags.has('d') ? flags.get('d') || '\0' : '\n'
  let text = ''
  /** `1` where a backslash stood before the character. */
  let marks = ''
  let status = 0
  for (let escaped = false; text.length < limit; ) {
    let byte: Uint8Array
    try {
      byte = yield* read(0, 1)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno === EINTR) {
        if (sh.interrupted) {
          sh.interrupted = false
          throw new Interrupted()
        }
        if (sh.caught.length > 0) return 128 + sh.caught[0]!
        continue
      }
      return sh.bash ? 1 : 1
    }
    if (byte.length === 0) {
      status = 1
      break
    }
    const c = String.fromCharCode(byte[0]!)
    if (escaped) {
      escaped = false
      if (c === '\n') continue
      text += c
      marks += '1'
    } else if (c === '\\' && !raw) escaped = true
    else if (c === end) break
    else if (c !== '\0') {
      text += c
      marks += '0'
    }
    if (text.length % 65536 === 65535) {
      sh.heapBytes += 65536
      if (sh.heapBytes > sh.heapTop) yield* sh.grow()
    }
  }
  assignFields(sh, rest, text, marks)
  return status
}

/** Split what was read into the variables; the last one gets the rest. */
function assignFields(sh: Shell, names: readonly string[], text: string, marks: string): void {
  const ifs = sh.get('IFS') ?? ' \t\n'
  const blank = (i: number): boolean => marks[i] === '0' && ' \t\n'.includes(text[i]!) && ifs.includes(text[i]!)
  const separator = (i: number): boolean => marks[i] === '0' && ifs.includes(text[i]!)
  let at = 0
  while (at < text.length && blank(at)) at++
  for (const [n, name] of names.entries()) {
    if (n < names.length - 1) {
      const from = at
      while (at < text.length && !separator(at)) at++
      sh.set(name, text.slice(from, at))
      while (at < text.length && blank(at)) at++
      if (at < text.length && separator(at) && !blank(at) && !(at > 0 && from === at && false)) {
        // One separator that is no white space, with the white space around it.
        if (at > from || n >= 0) at++
        while (at < text.length && blank(at)) at++
      }
      continue
    }
    // The last: the rest without the white space at its end; a lone separator at its end goes too.
    let end = text.length
    while (end > at && blank(end - 1)) end--
    if (end > at && separator(end - 1)) {
      let inner = false
      for (let i = at; i < end - 1; i++) if (separator(i) && !blank(i)) inner = true
      let field = at
      while (field < end - 1 && !separator(field)) field++
      if (!inner && field === end - 1) end--
    }
    sh.set(name, text.slice(at, end))
  }
}

export const variableBuiltins: readonly Builtin[] = [
  { name: 'export', special: true, run: (sh, argv) => declare(sh, argv, 'export') },
  { name: 'readonly', special: true, run: (sh, argv) => declare(sh, argv, 'readonly') },
  { name: 'unset', special: true, run: unset },
  { name: 'set', special: true, run: set },
  {
    name: 'local',
    *run(sh, argv) {
      if (sh.locals.length === 0) throw new ShellError(sh.bash ? 'can only be used in a function' : 'not in a function')
      for (const word of argv.slice(1)) {
        if (word === '-') continue
        const equals = word.indexOf('=')
        const name = equals < 0 ? word : word.slice(0, equals)
        if (!NAME.test(name))
          throw new ShellError(`${name}: ${sh.bash ? 'not a valid identifier' : 'bad variable name'}`)
        sh.local(name)
        if (equals >= 0) sh.set(name, word.slice(equals + 1))
      }
      return 0
    },
  },
  {
    name: 'getopts',
    *run(sh, argv) {
      try {
        return getopts(sh, argv)
      } catch (error) {
        if (!(error instanceof OptionFault)) throw error
        if (sh.bash) yield* sh.err(`${sh.arg0}: ${error.message}\n`)
        else yield* sh.err(`${error.message}\n`)
        return error.status
      }
    },
  },
  { name: 'read', run: readLine },
  {
    name: 'alias',
    *run(sh, argv) {
      if (argv.length === 1 || (argv.length === 2 && argv[1] === '-p')) {
        let text = ''
        for (const name of [...sh.aliases.keys()].sort(byName))
          text += `${sh.bash ? 'alias ' : ''}${alias(name, sh.aliases.get(name)!)}\n`
        return yield* sh.out(text)
      }
      let status = 0
      for (const word of argv.slice(1)) {
        const equals = word.indexOf('=', 1)
        if (equals > 0) {
          sh.aliases.set(word.slice(0, equals), word.slice(equals + 1))
          continue
        }
        const value = sh.aliases.get(word)
        if (value !== undefined) yield* sh.out(`${sh.bash ? 'alias ' : ''}${alias(word, value)}\n`)
        else {
          if (sh.bash) yield* sh.complain(`${word}: not found`)
          else yield* sh.err(`alias: ${word} not found\n`)
          status = 1
        }
      }
      return status
    },
  },
  {
    name: 'unalias',
    *run(sh, argv) {
      const { set: flags, rest } = options(sh, argv, 'a')
      if (flags.has('a')) sh.aliases.clear()
      let status = 0
      for (const name of rest) {
        if (sh.aliases.delete(name)) continue
        if (sh.bash) yield* sh.complain(`${name}: not found`)
        else yield* sh.err(`unalias: ${name} not found\n`)
        status = 1
      }
      return status
    },
  },
]
