/** Builtins that print, and those about the working directory: echo, printf, pwd, cd, history. */
import { ENOENT } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { C_ESCAPES } from '../../coreutils/escapes.ts'
import { isDirectory } from '../../coreutils/files.ts'
import { type Conversion, formatFloat, formatInteger, pad, parseFormat } from '../../coreutils/printf-format.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { chdir, getcwd, stat } from '../../libc/syscall.ts'
import { ShellError } from '../errors.ts'
import type { Shell } from '../shell.ts'
import { type Builtin, options } from './types.ts'

/** Escapes of echo and of printf's %b (`\0nnn`), or of a format (`\nnn`). `stop`: `\c` ended it. */
function unescaped(text: string, kind: 'echo' | 'format' | 'bash'): { readonly text: string; readonly stop: boolean } {
  if (!text.includes('\\')) return { text, stop: false }
  const pattern =
    kind === 'format'
      ? /\\([0-7]{1,3}|[abfnrtv\\"c])/g
      : kind === 'echo'
        ? /\\(0[0-7]{0,3}|[1-7][0-7]{0,2}|[abfnrtv\\c])/g
        : /\\(0[0-7]{0,3}|x[0-9a-fA-F]{1,2}|[abefnrtv\\cE])/g
  let out = ''
  let at = 0
  for (const match of text.matchAll(pattern)) {
    out += text.slice(at, match.index)
    at = match.index + match[0].length
    const what = match[1]!
    if (what === 'c') {
      if (kind !== 'format') return { text: out, stop: true }
      out += '\\c'
    } else if (/^[0-7]/.test(what)) out += String.fromCharCode(Number.parseInt(what, 8) & 255)
    else if (what[0] === 'x') out += String.fromCharCode(Number.parseInt(what.slice(1), 16))
    else out += what === 'e' || what === 'E' ? '\x1b' : what === '"' ? '"' : C_ESCAPES[what]!
  }
  return { text: out + text.slice(at), stop: false }
}

function echo(sh: Shell, argv: readonly string[]): Sys<number> {
  let first = 1
  let newline = true
  let escapes = !sh.bash
  if (sh.bash)
    for (; first < argv.length && /^-[neE]+$/.test(argv[first]!); first++)
      for (const letter of argv[first]!.slice(1)) {
        if (letter === 'n') newline = false
        else escapes = letter === 'e'
      }
  else if (argv[1] === '-n') {
    newline = false
    first = 2
  }
  const text = first === argv.length - 1 ? argv[first]! : argv.slice(first).join(' ')
  if (!escapes || !text.includes('\\')) return sh.out(newline ? text + '\n' : text)
  const { text: plain, stop } = unescaped(text, sh.bash ? 'bash' : 'echo')
  return sh.out(newline && !stop ? plain + '\n' : plain)
}

interface Printing {
  readonly sh: Shell
  out: string
  readonly faults: string[]
  status: number
}

function numberOf(state: Printing, text: string | undefined): bigint {
  if (text === undefined || text === '') return 0n
  if (text[0] === '"' || text[0] === "'") return BigInt(text.charCodeAt(1) || 0)
  const match = /^[ \t\n\v\f\r]*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text)
  const bad = (what: string): void => {
    state.faults.push(`${text}: ${what}`)
    state.status = 1
  }
  if (!match) {
    bad(state.sh.bash ? 'invalid number' : 'expected numeric value')
    return 0n
  }
  const digits = match[2]!
  let value = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
  if (match[1] === '-') value = -value
  if (match[0].length < text.length) bad(state.sh.bash ? 'invalid number' : 'not completely converted')
  else if (value > (1n << 64n) - 1n || value < -(1n << 63n))
    bad(state.sh.bash ? 'Numerical result out of range' : 'Numerical result out of range')
  return value > (1n << 63n) - 1n
    ? value > (1n << 64n) - 1n
      ? (1n << 63n) - 1n
      : value
    : value < -(1n << 63n)
      ? -(1n << 63n)
      : value
}

function doubleOf(state: Printing, text: string | undefined): number {
  if (text === undefined || text === '') return 0
  if (text[0] === '"' || text[0] === "'") return text.charCodeAt(1) || 0
  const match =
    /^[ \t\n]*[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)/.exec(text)
  if (!match || match[0].length < text.length) {
    state.faults.push(
      `${text}: ${state.sh.bash ? 'invalid number' : match ? 'not completely converted' : 'expected numeric value'}`,
    )
    state.status = 1
  }
  return match ? Number(match[0]) : 0
}

/** One conversion. True: `\c` ended everything. */
function convert(state: Printing, conversion: Conversion, args: readonly string[], at: { next: number }): boolean {
  let { flags } = conversion
  const star = (): number => Number(numberOf(state, args[at.next++]))
  let width = conversion.width === '*' ? star() : conversion.width
  if (width < 0) {
    flags += '-'
    width = -width
  }
  if (width > 1 << 24) width = 1 << 24
  const given = conversion.precision === '*' ? star() : conversion.precision
  const precision = given !== undefined && given < 0 ? undefined : given
  const arg = args[at.next]
  at.next++
  switch (conversion.letter) {
    case 's':
      state.out += pad((arg ?? '').slice(0, precision), flags, width, false)
      return false
    case 'c':
      state.out += pad((arg ?? '').slice(0, 1), flags, width, false)
      return false
    case 'b': {
      const { text, stop } = unescaped(arg ?? '', 'echo')
      state.out += pad(text.slice(0, precision), flags, width, false)
      return stop
    }
    case 'd':
    case 'i':
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      state.out += formatInteger(conversion.letter, numberOf(state, arg), flags, width, precision)
      return false
    default:
      state.out += formatFloat(conversion.letter, doubleOf(state, arg), flags, width, precision ?? 6)
      return false
  }
}

function* printf(sh: Shell, argv: readonly string[]): Sys<number> {
  const args = argv.slice(argv[1] === '--' ? 2 : 1)
  const format = args.shift()
  if (format === undefined)
    throw new ShellError(sh.bash ? 'usage: printf [-v var] format [arguments]' : 'usage: printf format [arg ...]')
  const state: Printing = { sh, out: '', faults: [], status: 0 }
  const parts = parseFormat(format)
  const at = { next: 0 }
  let stop = false
  do {
    const before = at.next
    for (const part of parts) {
      if (typeof part === 'string') state.out += unescaped(part, 'format').text
      else if (part.letter === '' || !'diouxXfFeEgGcsb'.includes(part.letter)) {
        yield* sh.out(state.out)
        const text = `%${part.flags}${part.width || ''}${part.letter}`
        throw new ShellError(
          sh.bash ? `\`${part.letter}': invalid format character` : `${text}: invalid directive`,
          sh.bash ? 1 : 2,
        )
      } else stop = convert(state, part, args, at)
      if (stop) break
    }
    if (at.next === before || stop) break
    if (state.out.length > 65536) {
      yield* sh.out(state.out)
      state.out = ''
    }
  } while (at.next < args.length)
  for (const fault of state.faults) yield* sh.complain(fault)
  const written = yield* sh.out(state.out)
  return written || state.status
}

/** The working directory by the name it was reached by. */
function* logical(sh: Shell): Sys<string> {
  if (sh.cwd !== '') return sh.cwd
  return yield* getcwd()
}

function* same(path: string): Sys<boolean> {
  try {
    const a = yield* stat(path)
    const b = yield* stat('.')
    return a.dev === b.dev && a.ino === b.ino
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}

/** PWD, if it is true; the kernel's word otherwise. */
export function* initialDirectory(sh: Shell): Sys<void> {
  const pwd = sh.get('PWD')
  if (pwd !== undefined && /^\//.test(pwd) && !/\/\.{1,2}(?:\/|$)/.test(pwd) && (yield* same(pwd))) sh.cwd = pwd
  else {
    try {
      sh.cwd = yield* getcwd()
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      sh.cwd = ''
    }
  }
  sh.set('PWD', sh.cwd)
}

function normalized(base: string, path: string): string {
  const parts: string[] = []
  for (const part of `${path.startsWith('/') ? '' : base}/${path}`.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return '/' + parts.join('/')
}

function* cd(sh: Shell, argv: readonly string[]): Sys<number> {
  const { set, rest } = options(sh, argv, 'LP')
  let target = rest[0]
  let show = false
  if (target === undefined) {
    target = sh.get('HOME')
    if (target === undefined) {
      if (sh.bash) throw new ShellError('HOME not set', 1)
      return 0
    }
  } else if (target === '-') {
    target = sh.get('OLDPWD')
    if (target === undefined) {
      if (sh.bash) throw new ShellError('OLDPWD not set', 1)
      target = sh.get('PWD') ?? ''
    }
    show = true
  }
  const fault = (errno: number): never => {
    throw new ShellError(sh.bash ? `${target}: ${strerror(errno)}` : `can't cd to ${target}`, sh.bash ? 1 : 2)
  }
  const before = yield* logicalOrNone(sh)
  let path = target
  const cdpath = sh.get('CDPATH')
  if (cdpath !== undefined && !/^\.{0,2}(?:\/|$)/.test(target)) {
    for (const dir of cdpath.split(':')) {
      const full = dir === '' ? target : `${dir}/${target}`
      if (!(yield* isDirectory(full))) continue
      path = full
      show ||= dir !== '' && dir !== '.'
      break
    }
  }
  if (path === '') path = sh.bash ? '.' : sh.cwd
  const name = normalized(before, path)
  try {
    yield* chdir(set.has('P') || before === '' ? path : name)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    fault(error.errno)
  }
  sh.cwd = set.has('P') ? yield* getcwd() : name
  sh.set('OLDPWD', before)
  sh.set('PWD', sh.cwd)
  if (show) return yield* sh.out(`${sh.cwd}\n`)
  return 0
}

function* logicalOrNone(sh: Shell): Sys<string> {
  try {
    return yield* logical(sh)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return ''
  }
}

export const ioBuiltins: readonly Builtin[] = [
  { name: 'echo', run: echo },
  { name: 'printf', run: printf },
  {
    name: 'pwd',
    *run(sh, argv) {
      const { set } = options(sh, argv, 'LP')
      try {
        return yield* sh.out(`${set.has('P') ? yield* getcwd() : yield* logical(sh)}\n`)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        throw new ShellError(`getcwd() failed: ${strerror(error.errno || ENOENT)}`)
      }
    },
  },
  { name: 'cd', run: cd },
  {
    name: 'history',
    bashOnly: true,
    *run(sh, argv) {
      if (argv[1] === '-c') {
        sh.history = []
        return 0
      }
      if (argv[1] !== undefined && !/^[0-9]+$/.test(argv[1]))
        throw new ShellError(`${argv[1]}: numeric argument required`, 1)
      const from = argv[1] === undefined ? 0 : Math.max(0, sh.history.length - Number(argv[1]))
      let text = ''
      for (let i = from; i < sh.history.length; i++) text += `${String(i + 1).padStart(5)}  ${sh.history[i]}\n`
      return yield* sh.out(text)
    },
  },
]
