/** sed's scripts (POSIX; GNU sed 4.1.5's compile.c, whose complaints these are). */
import { compileRegex, type Regex } from '../../regex/regex.ts'
import { RegexError } from '../../regex/syntax.ts'
import { ESCAPES, isDigit, regexEscapes, replacementOf } from './escapes.ts'
import type { Address, Command, Script, SubstituteFlags } from './script.ts'

export class SedError extends Error {}
/** A panic rather than a usage error: another exit status. */
export class SedLabelError extends Error {}

/** A piece of script from -e, the first operand or -f. */
export interface Piece {
  readonly text: string
  /** How complaints name it, for a position in it. */
  readonly where: (at: number) => string
}

const isSpace = (char: string | undefined): boolean => char !== undefined && char !== '' && ' \t\v\f\r'.includes(char)
const NO_ADDRESS = ':}#'
const ONE_ADDRESS = '=aiqQr'

export function compileScript(pieces: readonly Piece[], extended: boolean): Script {
  const source = pieces.map(({ text }) => text).join('\n')
  const commands: Command[] = []
  const blocks: number[] = []
  const labels = new Map<string, number>()
  let at = 0

  function bad(message: string): never {
    let offset = at
    for (const piece of pieces) {
      if (offset <= piece.text.length || piece === pieces.at(-1))
        throw new SedError(`${piece.where(offset)}: ${message}`)
      offset -= piece.text.length + 1
    }
    throw new SedError(message)
  }

  const skipSpaces = (): void => {
    while (isSpace(source[at])) at++
  }
  const number = (): number => {
    const from = at
    while (isDigit(source[at])) at++
    return Number(source.slice(from, at))
  }

  function regexOf(text: string, flags: { ignoreCase?: boolean; multiline?: boolean } = {}): Regex | undefined {
    // An empty one is the last one used.
    if (text === '') return undefined
    try {
      return compileRegex(text, { extended, strict: true, ...flags })
    } catch (error) {
      if (error instanceof RegexError) return bad(error.message)
      throw error
    }
  }

  /** Up to an unescaped `delimiter`, which is skipped; undefined if there is none in this line. An escaped newline is one. */
  function delimited(delimiter: string, regex: boolean): string | undefined {
    let text = ''
    while (at < source.length && source[at] !== '\n') {
      const char = source[at++]!
      if (char === delimiter) return text
      const end = char === '[' && regex ? bracketEnd(at) : -1
      if (end >= 0) {
        text += source.slice(at - 1, end)
        at = end
      } else if (char !== '\\') text += char
      else {
        const next = source[at++]
        if (next === undefined) return undefined
        if (next === 'n' && regex) text += '\n'
        else text += next === '\n' || (next === delimiter && (regex || next !== '&')) ? next : `\\${next}`
      }
    }
    return undefined
  }

  /** Where the bracket expression ends whose `[` was before `from`; -1: not in this line. */
  function bracketEnd(from: number): number {
    let i = source[from] === '^' ? from + 1 : from
    if (source[i] === ']') i++
    while (i < source.length && source[i] !== '\n') {
      if (source[i] === ']') return i + 1
      const close =
        source[i] === '[' && ':.='.includes(source[i + 1] ?? ' ') ? source.indexOf(source[i + 1] + ']', i + 2) : -1
      i = close < 0 ? i + 1 : close + 2
    }
    return -1
  }

  function address(): Address | undefined {
    const char = source[at]
    if (char === '/' || char === '\\') {
      if (char === '\\') at++
      const delimiter = source[at++]
      const text = delimiter === undefined ? undefined : delimited(delimiter, true)
      if (text === undefined) return bad('unterminated address regex')
      let ignoreCase = false
      let multiline = false
      for (; source[at] === 'I' || source[at] === 'M'; at++) {
        if (source[at] === 'I') ignoreCase = true
        else multiline = true
      }
      return { kind: 'regex', regex: regexOf(regexEscapes(text), { ignoreCase, multiline }) }
    }
    if (char === '$') {
      at++
      return { kind: 'last' }
    }
    if (!isDigit(char)) return undefined
    const first = number()
    skipSpaces()
    if (source[at] === '~') {
      at++
      return { kind: 'step', first, step: number() }
    }
    return first === 0 ? { kind: 'zero' } : { kind: 'line', line: first }
  }

  function secondAddress(): Address {
    skipSpaces()
    if ((source[at] === '+' || source[at] === '~') && isDigit(source[at + 1])) {
      const more = source[at++] === '+'
      const lines = number()
      return more ? { kind: 'more', lines } : { kind: 'multiple', of: lines }
    }
    const second = address() ?? bad("unexpected `,'")
    return second.kind === 'zero' ? { kind: 'line', line: 0 } : second
  }

  /** Spaces, then the end of the command. */
  function endOfCommand(): void {
    skipSpaces()
    const char = source[at]
    if (char === undefined || char === '\n' || char === ';') at++
    else if (char !== '}' && char !== '#') bad('extra characters after command')
  }

  const restOfLine = (): string => {
    const end = source.indexOf('\n', at)
    const text = source.slice(at, end < 0 ? source.length : end)
    at = end < 0 ? source.length : end + 1
    return text
  }

  function label(): string {
    skipSpaces()
    const from = at
    while (at < source.length && source[at] !== '\n' && source[at] !== ';') at++
    const text = source.slice(from, at).trimEnd()
    at++
    return text
  }

  /** The text of a, i and c. */
  function text(): string {
    skipSpaces()
    if (at >= source.length) bad("expected \\ after `a', `c' or `i'")
    if (source[at] === '\\') {
      at++
      const from = at
      skipSpaces()
      if (source[at] === '\n') at++
      else at = from
    }
    let result = ''
    while (at < source.length && source[at] !== '\n') {
      if (source[at] === '\\') at++
      if (at < source.length) result += source[at++]
    }
    const ended = at < source.length || result !== ''
    at++
    return ended ? result + '\n' : ''
  }

  function fileName(): string {
    skipSpaces()
    const name = restOfLine()
    return name === '' ? bad('missing filename in r/R/w/W commands') : name
  }

  function substitution(): Pick<Command, 'regex' | 'replacement' | 'flags'> {
    const delimiter = source[at++]
    const unterminated = "unterminated `s' command"
    if (delimiter === undefined || delimiter === '\n' || delimiter === '\\') return bad(unterminated)
    const pattern = delimited(delimiter, true) ?? bad(unterminated)
    const right = delimited(delimiter, false) ?? bad(unterminated)
    let [global, print, nth, file] = [false, false, 0, undefined as string | undefined]
    let ignoreCase = false
    let multiline = false
    for (let more = true; more; ) {
      const char = source[at]
      if (char === 'g') {
        if (global) bad("multiple `g' options to `s' command")
        global = true
      } else if (char === 'p') {
        if (print) bad("multiple `p' options to `s' command")
        print = true
      } else if (char === 'i' || char === 'I') ignoreCase = true
      else if (char === 'm' || char === 'M') multiline = true
      else if (isDigit(char)) {
        if (nth > 0) bad("multiple number options to `s' command")
        nth = number()
        if (nth === 0) bad("number option to `s' command may not be zero")
        continue
      } else if (char === 'w') {
        at++
        file = fileName()
        break
      } else more = false
      if (more) at++
      else if (char !== undefined && char !== '\n' && char !== ';' && char !== '}' && char !== '#' && !isSpace(char))
        bad("unknown option to `s'")
    }
    if (file === undefined) endOfCommand()
    const flags: SubstituteFlags = { global, print, nth: nth || 1, file }
    const regex = regexOf(regexEscapes(pattern), { ignoreCase, multiline })
    const replacement = replacementOf(right)
    for (const part of replacement) {
      if (typeof part === 'number' && regex && part > regex.groups)
        bad(`invalid reference \\${part} on \`s' command's RHS`)
    }
    return { regex, replacement, flags }
  }

  function transliteration(): readonly string[] {
    const delimiter = source[at++]
    const part = (): string => {
      const spelled =
        (delimiter === undefined ? undefined : delimited(delimiter, false)) ?? bad("unterminated `y' command")
      let plain = ''
      for (let i = 0; i < spelled.length; i++) {
        const char = spelled[i]!
        const next = spelled[i + 1]
        if (char !== '\\' || next === undefined) plain += char
        else {
          i++
          plain += next === '\\' || next === delimiter ? next : (ESCAPES.get(next) ?? `\\${next}`)
        }
      }
      return plain
    }
    const from = part()
    const to = part()
    if (from.length !== to.length) bad("strings for `y' command are different lengths")
    endOfCommand()
    return Array.from({ length: 256 }, (_, code) => {
      const index = from.indexOf(String.fromCharCode(code))
      return index < 0 ? String.fromCharCode(code) : to[index]!
    })
  }

  function command(): void {
    while (at < source.length && (isSpace(source[at]) || source[at] === ';' || source[at] === '\n')) at++
    if (at >= source.length) return
    const from = address()
    let to: Address | undefined
    skipSpaces()
    if (from && source[at] === ',') {
      at++
      to = secondAddress()
    }
    if (from?.kind === 'zero' && to?.kind !== 'regex') bad('invalid usage of line address 0')
    skipSpaces()
    let negated = false
    while (source[at] === '!') {
      if (negated) bad("multiple `!'s")
      negated = true
      at++
      skipSpaces()
    }
    const name = source[at++]
    if (name === undefined || name === '\n' || name === ';') {
      at--
      bad('missing command')
    }
    if (from && NO_ADDRESS.includes(name))
      bad(
        name === ':'
          ? ": doesn't want any addresses"
          : name === '#'
            ? "comments don't accept any addresses"
            : "unexpected `}'",
      )
    if (to && ONE_ADDRESS.includes(name) && (name === 'q' || name === 'Q')) bad('command only uses one address')
    const base = { name, from, to, negated, index: commands.length, target: -1, text: '', number: undefined }
    switch (name) {
      case '#':
        restOfLine()
        return
      case '{':
        blocks.push(commands.length)
        commands.push(base)
        return
      case '}': {
        const block = blocks.pop()
        if (block === undefined) bad("unexpected `}'")
        commands[block!]!.target = commands.length
        endOfCommand()
        return
      }
      case ':': {
        const name = label()
        if (name === '') bad('":" lacks a label')
        labels.set(name, commands.length)
        return
      }
      case 'b':
      case 't':
      case 'T':
        // A closing brace may follow at once.
        commands.push({ ...base, text: branchLabel() })
        return
      case 'a':
      case 'i':
      case 'c':
        commands.push({ ...base, text: text() })
        return
      case 'r':
      case 'w':
        commands.push({ ...base, text: fileName() })
        return
      case 's':
        commands.push({ ...base, ...substitution() })
        return
      case 'y':
        commands.push({ ...base, map: transliteration() })
        return
      case 'q':
      case 'Q':
      case 'l': {
        skipSpaces()
        const value = isDigit(source[at]) ? number() : undefined
        endOfCommand()
        commands.push({ ...base, number: value })
        return
      }
      case '=':
      case 'd':
      case 'D':
      case 'g':
      case 'G':
      case 'h':
      case 'H':
      case 'n':
      case 'N':
      case 'p':
      case 'P':
      case 'x':
        endOfCommand()
        commands.push(base)
        return
      default:
        bad(`unknown command: \`${name}'`)
    }
  }

  function branchLabel(): string {
    skipSpaces()
    const from = at
    while (
      at < source.length &&
      source[at] !== '\n' &&
      source[at] !== ';' &&
      source[at] !== '}' &&
      !isSpace(source[at])
    )
      at++
    const name = source.slice(from, at)
    endOfCommand()
    return name
  }

  const quiet = source.startsWith('#n\n') || source === '#n'
  while (at < source.length) command()
  if (blocks.length > 0) {
    at = 0
    bad("unmatched `{'")
  }
  for (const row of commands) {
    if (row.name !== 'b' && row.name !== 't' && row.name !== 'T') continue
    const target = row.text === '' ? commands.length : labels.get(row.text)
    if (target === undefined) throw new SedLabelError(`can't find label for jump to \`${row.text}'`)
    row.target = target
  }
  return { commands, quiet }
}
