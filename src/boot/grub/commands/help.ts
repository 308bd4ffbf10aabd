import { firstWord, skipTo } from '../text.ts'
import type { Command } from './command.ts'

const COLUMN_WIDTH = 39
const LINE_WIDTH = 66

/** Lines of at most 66 characters, folded behind a blank. */
function fold(text: string): string[] {
  const lines: string[] = []
  let rest = text
  while (rest !== '') {
    let length = Math.min(rest.length, LINE_WIDTH)
    if (rest.length > LINE_WIDTH) {
      const blank = rest.lastIndexOf(' ', LINE_WIDTH - 1)
      if (blank >= 0) length = blank + 1
    }
    lines.push(rest.slice(0, length))
    rest = rest.slice(length)
  }
  return lines
}

export const help: Command = {
  name: 'help',
  usage: 'help [--all] [PATTERN ...]',
  help:
    'Display helpful information about builtin commands. Not all commands' +
    " aren't shown without the option `--all'.",
  listed: true,
  *run({ tty, commands }, arg) {
    const all = arg.startsWith('--all')
    let patterns = all ? skipTo(arg) : arg
    const known = commands.filter(({ run }) => run)
    if (patterns === '') {
      const shown = known.filter(({ listed }) => all || listed)
      for (const [index, { usage }] of shown.entries()) {
        const last = index % 2 === 1 || index === shown.length - 1
        yield* tty.print(usage.slice(0, COLUMN_WIDTH - 1).padEnd(COLUMN_WIDTH) + (last ? '\n' : ''))
      }
      return
    }
    for (; patterns !== ''; patterns = skipTo(patterns)) {
      const pattern = firstWord(patterns)
      for (const { name, usage, help } of known)
        if (name.startsWith(pattern)) {
          yield* tty.print(`${name}: ${usage}\n`)
          for (const line of fold(help)) yield* tty.print(`    ${line}\n`)
        }
    }
  },
}
