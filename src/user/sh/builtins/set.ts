/** `set`: options and positional parameters (POSIX.1-2004, XCU 2.14). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { ShellError } from '../errors.ts'
import { OPTIONS, type OptionLetter, type Shell } from '../shell.ts'
import { byName, quoted } from './quoted.ts'

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

export function* set(sh: Shell, argv: readonly string[]): Sys<number> {
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
