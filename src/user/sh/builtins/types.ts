/** What a builtin is. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { ShellError } from '../errors.ts'
import type { Shell } from '../shell.ts'

export interface Builtin {
  readonly name: string
  /** POSIX's special builtins: assignments before them last, and their errors end a script. */
  readonly special?: boolean
  readonly bashOnly?: boolean
  /** Without system calls. Undefined: this time it needs `run`. */
  quick?(sh: Shell, argv: readonly string[]): number | undefined
  run(sh: Shell, argv: readonly string[]): number | Sys<number>
}

/** A builtin that never makes a system call. */
export const pure = (
  name: string,
  quick: (sh: Shell, argv: readonly string[]) => number,
  special = false,
): Builtin => ({
  name,
  special,
  // What it throws must name it: `run` has the name set.
  quick(sh, argv) {
    const outer = sh.command
    sh.command = argv[0]!
    const status = quick(sh, argv)
    sh.command = outer
    return status
  },
  run: quick,
})

/** A number as dash reads one. */
export function numberArg(sh: Shell, text: string): number {
  if (!/^[0-9]+$/.test(text))
    throw new ShellError(sh.bash ? `${text}: numeric argument required` : `Illegal number: ${text}`)
  return Number(text)
}

/** Options of one letter each, as dash's nextopt; `takes`: those with an argument. */
export function options(
  sh: Shell,
  argv: readonly string[],
  letters: string,
): { readonly set: ReadonlyMap<string, string>; readonly rest: string[] } {
  const set = new Map<string, string>()
  let i = 1
  for (; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') {
      i++
      break
    }
    if (word.length < 2 || !word.startsWith('-')) break
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      const known = letters.indexOf(letter)
      if (known < 0 || letter === ':')
        throw new ShellError(sh.bash ? `-${letter}: invalid option` : `Illegal option -${letter}`)
      if (letters[known + 1] === ':') {
        const rest = word.slice(at + 1)
        const value = rest !== '' ? rest : argv[++i]
        if (value === undefined)
          throw new ShellError(sh.bash ? `-${letter}: option requires an argument` : `No arg for -${letter} option`)
        set.set(letter, value)
        break
      }
      set.set(letter, '')
    }
  }
  return { set, rest: argv.slice(i) }
}

export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
