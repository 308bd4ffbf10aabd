/** The help screens of xm. */
import { ALL, COMMON, OPTIONS, SUBCOMMANDS } from './subcommands.ts'

const HEAD = 'Usage: xm <subcommand> [args]\n\nControl, list, and manipulate Xen guest instances.\n\n'
const FOOT = `<Domain> can either be the Domain Name or Id.
For more help on 'xm' see the xm(1) man page.
For more help on 'xm create' see the xmdomain.cfg(5)  man page.

`

/** xm's own word wrap: a line is full when its words and blanks reach `width`. */
export function wrap(text: string, width: number): string[] {
  if (text.length < width) return [text]
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(/\s+/).filter((one) => one !== '')) {
      if (line.length + word.length + 1 < width) line += `${word} `
      else {
        lines.push(line.trim())
        line = `${word} `
      }
    }
    if (line !== '') lines.push(line.trim())
  }
  return lines
}

function commandLines(names: readonly string[]): string {
  let text = ''
  for (const name of names) {
    const [first = '', ...more] = wrap(SUBCOMMANDS[name]?.text ?? '', 50)
    text += ` ${name.padEnd(20)} ${first.padEnd(50)}\n`
    for (const line of more) text += `${' '.repeat(22)}${line}\n`
  }
  return text
}

export const shortHelp = (): string =>
  `${HEAD}Common 'xm' commands:\n\n${commandLines(COMMON)}\n${FOOT}For a complete list of subcommands run 'xm help'.\n`

export const longHelp = (): string => `${HEAD}xm full list of subcommands:\n\n${commandLines(ALL)}\n${FOOT}`

/** Help on one command; `parsers` are the option lists of those that parse for themselves. */
export function commandHelp(name: string, parsers: Readonly<Record<string, () => string>>): string {
  const known = SUBCOMMANDS[name] ? name : Object.keys(SUBCOMMANDS).find((one) => one.startsWith(name))
  const command = known === undefined ? undefined : SUBCOMMANDS[known]
  if (known === undefined || !command) return shortHelp()
  let text = `Usage: xm ${known} ${command.args}\n\n${command.text}\n`
  const options = OPTIONS[known]
  if (!options) {
    const parser = parsers[known]
    return parser ? `${text}${parser()}\n` : text
  }
  for (const [short, long, description] of options) {
    const keys = short !== '' && long !== '' ? `${short}, ${long}` : short || long
    const [first = '', ...more] = wrap(description, 43)
    text += `  ${keys.padEnd(30)} ${first.padEnd(43)}\n`
    for (const line of more) text += `${' '.repeat(33)}${line}\n`
  }
  return `${text}\n`
}
