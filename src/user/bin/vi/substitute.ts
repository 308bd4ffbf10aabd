/** :s */
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Editor, ViError } from './editor.ts'
import type { ExCall } from './ex.ts'
import { firstNonBlank } from './motions.ts'
import { viRegex } from './search.ts'

export function* substitute(ed: Editor, call: ExCall): Sys<void> {
  const { pattern, replacement, flags } = parse(ed, call.argument)
  ed.lastSubstitute = { pattern, replacement, flags }
  ed.lastSearch = { pattern, forward: true }
  const everywhere = flags.includes('g')
  const regex = viRegex(ed, (flags.includes('i') ? '\\c' : flags.includes('I') ? '\\C' : '') + pattern)
  const count = /[0-9]+$/.exec(flags)?.[0]
  let { from, to } = call
  if (count !== undefined) {
    from = to
    to = Math.min(ed.lines.length - 1, to + Number(count) - 1)
  }
  let substitutions = 0
  let changedLines = 0
  let confirm = flags.includes('c')
  let quit = false
  let found = 0
  for (let line = Math.max(0, from); line <= to && !quit; line++) {
    const text = ed.lines[line]!
    let result = ''
    let done = 0
    let here = 0
    for (let at = 0; at <= text.length && !quit; ) {
      const match = regex.exec(text, at)
      if (!match || (match[0] === text.length && text !== '' && match[0] === match[1] && here > 0)) break
      found++
      at = match[1]! > match[0]! ? match[1]! : match[1]! + 1
      let wanted = true
      if (confirm && !flags.includes('n')) {
        const answer = yield* ask(ed, { line, col: match[0]! }, replacement)
        if (answer === 'q') quit = true
        if (answer === 'l') quit = true
        if (answer === 'a') confirm = false
        wanted = answer === 'y' || answer === 'a' || answer === 'l'
      }
      if (wanted) {
        result += text.slice(done, match[0]!) + filled(replacement, text, match)
        done = match[1]!
        here++
      }
      if (!everywhere) break
    }
    if (here === 0) continue
    substitutions += here
    changedLines++
    if (flags.includes('n')) continue
    const now = (result + text.slice(done)).split('\r')
    ed.buffer.replace(line, 1, now)
    line += now.length - 1
    to += now.length - 1
    ed.moveTo({ line, col: firstNonBlank(ed.lines[line]!) })
  }
  if (found === 0 && !flags.includes('e')) throw new ViError(`E486: Pattern not found: ${pattern}`)
  ed.message = ''
  const lines = `on ${changedLines} line${changedLines === 1 ? '' : 's'}`
  if (flags.includes('n')) ed.say(`${substitutions} match${substitutions === 1 ? '' : 'es'} ${lines}`)
  else if (substitutions > 2) ed.say(`${substitutions} substitutions ${lines}`)
}

function* ask(ed: Editor, at: { line: number; col: number }, replacement: string): Sys<string> {
  for (;;) {
    ed.moveTo(at)
    const question = `replace with ${replacement} (y/n/a/q/l/^E/^Y)?`
    ed.commandLine = { text: question, cursor: question.length }
    const key = yield* ed.key()
    ed.commandLine = undefined
    if ('ynaql'.includes(key) && key.length === 1) return key
    if (key === '\x1b' || key === '\x03') return 'q'
  }
}

function parse(ed: Editor, argument: string): { pattern: string; replacement: string; flags: string } {
  const delimiter = argument[0]
  if (delimiter === undefined || /[A-Za-z0-9&]/.test(delimiter)) {
    const last = ed.lastSubstitute
    if (!last) throw new ViError('E35: No previous regular expression')
    return { ...last, flags: argument.startsWith('&') ? last.flags + argument.slice(1) : argument }
  }
  if (/["|\\]/.test(delimiter)) throw new ViError("E146: Regular expressions can't be delimited by letters")
  const parts: string[] = []
  let at = 1
  for (let i = 0; i < 2; i++) {
    let part = ''
    while (at < argument.length && argument[at] !== delimiter) {
      // An escaped delimiter is the character.
      if (argument[at] === '\\' && argument[at + 1] === delimiter && delimiter !== '&') at++
      else if (argument[at] === '\\') part += argument[at++]
      part += argument[at++] ?? ''
    }
    at++
    parts.push(part)
  }
  const flags = argument.slice(at).trim()
  if (!/^[&cegiIn]*\s*[0-9]*$/.test(flags)) throw new ViError('E488: Trailing characters')
  const pattern = parts[0]! || ed.lastSearch?.pattern
  if (pattern === undefined) throw new ViError('E35: No previous regular expression')
  const replacement = parts[1] === '~' ? (ed.lastSubstitute?.replacement ?? '') : parts[1]!
  return { pattern, replacement, flags }
}

/** A line break is \r in vim, typed or escaped. */
function filled(replacement: string, text: string, match: Int32Array): string {
  let result = ''
  const group = (n: number): string =>
    n * 2 < match.length && match[n * 2]! >= 0 ? text.slice(match[n * 2], match[n * 2 + 1]) : ''
  let fold = ''
  const add = (part: string): void => {
    const one = fold === 'u' || fold === 'l'
    const up = fold === 'u' || fold === 'U'
    if (fold === '' || part === '') result += part
    else if (one) {
      result += (up ? part[0]!.toUpperCase() : part[0]!.toLowerCase()) + part.slice(1)
      fold = ''
    } else result += up ? part.toUpperCase() : part.toLowerCase()
  }
  for (let i = 0; i < replacement.length; i++) {
    const char = replacement[i]!
    if (char === '&') add(group(0))
    else if (char !== '\\') add(char)
    else {
      const next = replacement[++i] ?? ''
      if (next >= '0' && next <= '9' && next !== '') add(group(Number(next)))
      else if (next === 'r') add('\r')
      else if (next === 'n') add('\0')
      else if (next === 't') add('\t')
      else if ('uUlL'.includes(next) && next !== '') fold = next
      else if (next === 'e' || next === 'E') fold = ''
      else add(next)
    }
  }
  return result
}
