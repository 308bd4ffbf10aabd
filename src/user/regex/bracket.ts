/** Bracket expressions in the C locale (POSIX 9.3.5). */
import { RegexError, setOf } from './syntax.ts'

const between = (low: number, high: number) => (code: number) => code >= low && code <= high
const isUpper = between(0x41, 0x5a)
const isLower = between(0x61, 0x7a)
const isDigit = between(0x30, 0x39)
const isAlpha = (code: number): boolean => isUpper(code) || isLower(code)
const isAlnum = (code: number): boolean => isAlpha(code) || isDigit(code)

/** isalpha and its like. */
const CHARACTER_CLASSES: ReadonlyMap<string, (code: number) => boolean> = new Map([
  ['alpha', isAlpha],
  ['digit', isDigit],
  ['alnum', isAlnum],
  ['upper', isUpper],
  ['lower', isLower],
  ['space', (code: number) => code === 0x20 || (code >= 9 && code <= 13)],
  ['blank', (code: number) => code === 0x20 || code === 9],
  ['punct', (code: number) => code > 0x20 && code < 0x7f && !isAlnum(code)],
  ['print', between(0x20, 0x7e)],
  ['graph', between(0x21, 0x7e)],
  ['cntrl', (code: number) => code < 0x20 || code === 0x7f],
  ['xdigit', (code: number) => isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)],
])

const UNMATCHED = 'Unmatched [ or [^'

/** The set of the expression whose `[` is at `at`, and where it ends. */
export function bracketExpression(
  pattern: string,
  at: number,
  excludesNewline: boolean,
  escapes = false,
): readonly [set: Uint8Array, end: number] {
  const set = new Uint8Array(256)
  let i = at + 1
  const negated = pattern[i] === '^'
  if (negated) i++
  let first = true
  for (;;) {
    if (i >= pattern.length) throw new RegexError(UNMATCHED)
    if (pattern[i] === ']' && !first) break
    first = false
    if (pattern[i] === '[' && pattern[i + 1] === ':') {
      const end = pattern.indexOf(':]', i + 2)
      if (end < 0) throw new RegexError(UNMATCHED)
      const test = CHARACTER_CLASSES.get(pattern.slice(i + 2, end))
      if (!test) throw new RegexError('Invalid character class name')
      for (let code = 0; code < 256; code++) if (test(code)) set[code] = 1
      i = end + 2
    } else {
      const [low, afterLow] = element(pattern, i, escapes)
      i = afterLow
      if (pattern[i] === '-' && i + 1 < pattern.length && pattern[i + 1] !== ']') {
        const [high, afterHigh] = element(pattern, i + 1, escapes)
        if (high < low) throw new RegexError('Invalid range end')
        for (let code = low; code <= high; code++) set[code] = 1
        i = afterHigh
      } else set[low] = 1
    }
  }
  if (!negated) return [set, i + 1]
  const rest = setOf((code) => set[code] === 0)
  if (excludesNewline) rest[10] = 0
  return [rest, i + 1]
}

/** One character: itself, `[.x.]` or `[=x=]`; in awk also an escape. */
function element(pattern: string, at: number, escapes: boolean): readonly [code: number, end: number] {
  const kind = pattern[at + 1]
  if (pattern[at] === '[' && (kind === '.' || kind === '=')) {
    const end = pattern.indexOf(kind + ']', at + 2)
    if (end < 0) throw new RegexError(UNMATCHED)
    if (end !== at + 3) throw new RegexError('Invalid collation character')
    return [pattern.charCodeAt(at + 2), end + 2]
  }
  if (escapes && pattern[at] === '\\' && at + 1 < pattern.length) return [pattern.charCodeAt(at + 1), at + 2]
  return [pattern.charCodeAt(at), at + 1]
}
