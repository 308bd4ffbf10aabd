/** Escapes in sed's regular expressions, and the right side of its `s` command (GNU sed, "Escapes" and "The s Command"). */
import type { Replacement } from './script.ts'

export const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9'

export const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
])

/** GNU's escapes for single bytes, before the expression is parsed. */
export function regexEscapes(text: string): string {
  let result = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    const next = text[i + 1]
    if (char !== '\\' || next === undefined) {
      result += char
      continue
    }
    i++
    const plain = ESCAPES.get(next)
    const numeric = numericEscape(text, i)
    if (plain !== undefined) result += plain
    else if (numeric) {
      // A special character that is spelled by number is no operator.
      result += '*.[]\\^$+?(){}|/'.includes(numeric[0]) ? `\\${numeric[0]}` : numeric[0]
      i = numeric[1]
    } else result += char + next
  }
  return result
}

/** `\xHH`, `\dNNN`, `\oNNN`, `\cX`: the byte, and the index of its last character. */
function numericEscape(text: string, at: number): readonly [string, number] | undefined {
  const kind = text[at]
  if (kind === 'c')
    return at + 1 < text.length ? [String.fromCharCode(text.charCodeAt(at + 1) & 0x1f), at + 1] : undefined
  const [pattern, base] =
    kind === 'x' ? [/^[0-9a-fA-F]{1,2}/, 16] : kind === 'd' ? [/^[0-9]{1,3}/, 10] : [/^[0-7]{1,3}/, 8]
  if (kind !== 'x' && kind !== 'd' && kind !== 'o') return undefined
  const digits = pattern.exec(text.slice(at + 1))?.[0]
  return digits === undefined
    ? undefined
    : [String.fromCharCode(Number.parseInt(digits, base) & 0xff), at + digits.length]
}

export function replacementOf(text: string): readonly Replacement[] {
  const parts: Replacement[] = []
  let plain = ''
  const piece = (part: Replacement): void => {
    if (plain !== '') parts.push(plain)
    plain = ''
    parts.push(part)
  }
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    const next = text[i + 1]
    if (char === '&') piece(0)
    else if (char !== '\\' || next === undefined) plain += char
    else {
      i++
      const numeric = numericEscape(text, i)
      if (isDigit(next)) piece(Number(next))
      else if (next === 'U' || next === 'L' || next === 'u' || next === 'l' || next === 'E') piece({ fold: next })
      else if (numeric) {
        plain += numeric[0]
        i = numeric[1]
      } else plain += ESCAPES.get(next) ?? next
    }
  }
  if (plain !== '') parts.push(plain)
  return parts
}
