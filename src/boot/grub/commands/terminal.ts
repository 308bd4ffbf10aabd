import { Err, fail } from '../errors.ts'
import type { Grub } from '../grub.ts'
import { forInputUntil, RestartCommandLine, type Run, SECOND_NS } from '../run.ts'
import type { Terminal, TerminalFlags } from '../terminal/terminal.ts'
import { firstWord, parseNumber, skipTo } from '../text.ts'
import type { Command } from './command.ts'

/** Less is no screen. */
const LINES_MIN = 4
const LINES_DEFAULT = 24

interface Options {
  flags: TerminalFlags
  /** Seconds to wait for a key; undefined: for ever. */
  timeout: number | undefined
  lines: number | undefined
  silent: boolean
}

/** The options before the names. `--timeout 10` is taken for `--timeout=10`, which GRUB does not. */
function parseOptions(arg: string): { options: Options; names: string[] } {
  const options: Options = {
    flags: { dumb: false, noEcho: false, noEdit: false },
    timeout: undefined,
    lines: undefined,
    silent: false,
  }
  let rest = arg
  for (; ; rest = skipTo(rest)) {
    if (rest.startsWith('--dumb')) options.flags = { ...options.flags, dumb: true }
    else if (rest.startsWith('--no-echo')) options.flags = { ...options.flags, noEcho: true, noEdit: true }
    else if (rest.startsWith('--no-edit')) options.flags = { ...options.flags, noEdit: true }
    else if (rest.startsWith('--timeout=')) options.timeout = parseNumber(rest.slice(10)).value
    else if (firstWord(rest) === '--timeout') {
      rest = skipTo(rest)
      options.timeout = parseNumber(rest).value
    } else if (rest.startsWith('--lines=')) {
      const { value } = parseNumber(rest.slice(8))
      options.lines = value < LINES_MIN ? fail(Err.badArgument) : value
    } else if (rest.startsWith('--silent')) options.silent = true
    else break
  }
  return { options, names: rest.split(/\s+/).filter((name) => name !== '') }
}

/** Ask on each of `terminals` until a key comes on one, or the time is up and the first named is it. */
function* chooseTerminal({ tty, metal }: Grub, named: readonly Terminal[], options: Options): Run<Terminal> {
  const before = tty.current
  const terminals = [tty.console, tty.serial].filter((terminal) => named.includes(terminal))
  tty.announce(terminals.map(({ name }) => name))
  tty.lineCount = undefined
  let left = options.timeout
  for (let shown = -1; left !== 0; ) {
    for (const terminal of terminals)
      if (terminal.hasKey()) {
        yield* terminal.key()
        return terminal
      }
    const second = Math.floor(metal.now() / SECOND_NS)
    if (second !== shown) {
      shown = second
      if (!options.silent)
        for (const terminal of terminals) {
          tty.current = terminal
          yield* tty.print('\rPress any key to continue.\n')
        }
      tty.current = before
      if (left !== undefined) left--
      continue
    }
    yield forInputUntil((second + 1) * SECOND_NS)
  }
  return named[0]!
}

export const terminal: Command = {
  name: 'terminal',
  usage: 'terminal [--dumb] [--no-echo] [--no-edit] [--timeout=SECS] [--lines=LINES] [--silent] [console] [serial]',
  help:
    'Select a terminal. When multiple terminals are specified, wait until' +
    ' you push any key to continue. If both console and serial are specified,' +
    ' the terminal to which you input a key first will be selected. If no' +
    ' argument is specified, print current setting. The option --dumb' +
    ' specifies that your terminal is dumb, otherwise, vt100-compatibility' +
    " is assumed. If you specify --no-echo, input characters won't be echoed." +
    ' If you specify --no-edit, the BASH-like editing feature will be disabled.' +
    ' If --timeout is present, this command will wait at most for SECS' +
    ' seconds. The option --lines specifies the maximum number of lines.' +
    ' The option --silent is used to suppress messages.',
  listed: true,
  *run(grub, arg, how) {
    const { tty } = grub
    const { options, names } = parseOptions(arg)
    const before = tty.current
    if (names.length === 0) {
      const { dumb, noEdit, noEcho } = before.flags
      const flags = (dumb ? ' (dumb)' : '') + (noEdit ? ' (no edit)' : '') + (noEcho ? ' (no echo)' : '')
      return yield* tty.print(before.name + flags + '\n')
    }
    const named = names.map((name) => {
      const found = tty.named(name) ?? fail(Err.badArgument)
      return found.ready ? found : fail(Err.devNeedInit)
    })
    const several = named.some((terminal) => terminal !== named[0])
    const chosen = several ? yield* chooseTerminal(grub, named, options) : named[0]!
    chosen.flags = options.flags
    tty.current = chosen
    tty.maxLines = options.lines ?? LINES_DEFAULT
    tty.announce()
    if (chosen !== before && how === 'prompt') throw new RestartCommandLine()
  },
}
