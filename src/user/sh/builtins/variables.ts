/** Builtins about variables and aliases: export, readonly, unset, local, alias, unalias; with the rows of set, getopts and read. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { ShellError } from '../errors.ts'
import type { Shell } from '../shell.ts'
import { getopts, OptionFault } from './getopts.ts'
import { byName, quoted } from './quoted.ts'
import { readLine } from './read.ts'
import { set } from './set.ts'
import { type Builtin, NAME, options } from './types.ts'

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
