/** Searching: patterns in vim's dialect, lines one after another and around the end. */
import { compileRegex, type Regex } from '../../regex/regex.ts'
import { RegexError } from '../../regex/syntax.ts'
import type { Pos } from './buffer.ts'
import { type Editor, ViError } from './editor.ts'

/** vim's magic patterns are BREs with a few words of their own. */
export function viRegex(ed: Editor, pattern: string): Regex {
  let ignoreCase = ed.set.ignorecase
  let translated = ''
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!
    if (char !== '\\') {
      translated += char
      continue
    }
    const next = pattern[++i]
    if (next === 'c' || next === 'C') ignoreCase = next === 'c'
    else if (next === '=') translated += '\\?'
    else if (next === 't') translated += '\t'
    else if (next === 'd') translated += '[0-9]'
    else if (next === 'a') translated += '[A-Za-z]'
    else if (next === '/') translated += '/'
    // Braces may be closed without a backslash.
    else if (next === '{') {
      const end = pattern.indexOf('}', i)
      if (end < 0) throw new ViError('E554: Syntax error in \\{...}')
      translated += `\\{${pattern.slice(i + 1, end).replace(/\\$/, '') || '0,'}\\}`
      i = end
    } else translated += `\\${next ?? ''}`
  }
  try {
    return compileRegex(translated, { ignoreCase })
  } catch (error) {
    if (!(error instanceof RegexError)) throw error
    throw new ViError(`E383: Invalid search string: ${pattern}`)
  }
}

/** The match after (before) `from`; says when it went around. */
export function search(ed: Editor, pattern: string, forward: boolean, from: Pos): Pos {
  const regex = viRegex(ed, pattern)
  const lines = ed.lines
  const count = lines.length
  for (let i = 0; i <= count; i++) {
    const step = forward ? from.line + i : from.line - i
    const wrapped = step < 0 || step >= count
    if (wrapped && !ed.set.wrapscan)
      throw new ViError(
        forward
          ? `E385: search hit BOTTOM without match for: ${pattern}`
          : `E384: search hit TOP without match for: ${pattern}`,
      )
    const line = (step + count) % count
    const text = lines[line]!
    const found = forward
      ? first(regex, text, i === 0 ? from.col + 1 : 0, i === count ? from.col : text.length)
      : last(regex, text, i === 0 ? from.col - 1 : text.length, i === count ? from.col : 0)
    if (found === undefined) continue
    if (wrapped || i === count)
      ed.complain(forward ? 'search hit BOTTOM, continuing at TOP' : 'search hit TOP, continuing at BOTTOM')
    return { line, col: found }
  }
  throw new ViError(`E486: Pattern not found: ${pattern}`)
}

function first(regex: Regex, text: string, from: number, last: number): number | undefined {
  if (from > text.length) return undefined
  const match = regex.exec(text, from, false)
  return match && match[0]! <= last && (match[0]! < text.length || text === '') ? match[0]! : undefined
}

function last(regex: Regex, text: string, from: number, least: number): number | undefined {
  let found: number | undefined
  for (let at = 0; at <= text.length; ) {
    const match = regex.exec(text, at, false)
    if (!match || match[0]! > from) break
    if (match[0]! >= least && (match[0]! < text.length || text === '')) found = match[0]!
    at = match[0]! + 1
  }
  return found
}

/** Another match of the last pattern: n, N, and an empty pattern. */
export function searchAgain(ed: Editor, forward: boolean, from: Pos): Pos {
  if (!ed.lastSearch) throw new ViError('E35: No previous regular expression')
  return search(ed, ed.lastSearch.pattern, forward, from)
}
