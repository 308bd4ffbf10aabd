/** tr's strings: what SET1 and SET2 stand for. */
import { CLASSES } from '../libc/fnmatch.ts'
import { quote } from '../libc/quote.ts'
import { Exit } from '../libc/utility.ts'

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 }

interface Element {
  readonly kind: 'codes' | 'lower' | 'upper' | 'class' | 'repeat'
  readonly codes: readonly number[]
  /** Of a repeat: 0 fills up. */
  readonly count: number
}

export interface TrSet {
  readonly elements: readonly Element[]
  /** Its length if every class counts and `[c*]` is nothing. */
  readonly length: number
  readonly hasClass: boolean
}

/** Characters, some of them escaped. */
function characters(text: string): { code: number; escaped: boolean }[] {
  const result: { code: number; escaped: boolean }[] = []
  for (const match of text.matchAll(/\\([0-3][0-7]{0,2}|[4-7][0-7]?|.)|./gs)) {
    const what = match[1]
    if (what === undefined) result.push({ code: match[0].charCodeAt(0), escaped: false })
    else if (/^[0-7]/.test(what)) result.push({ code: Number.parseInt(what, 8), escaped: true })
    else result.push({ code: ESCAPES[what] ?? what.charCodeAt(0), escaped: true })
  }
  return result
}

/** One of the two strings: escapes, ranges, classes, repeats. */
export function parseSet(text: string): TrSet {
  const chars = characters(text)
  const plain = (at: number, c: string): boolean => {
    const char = chars[at]
    return char !== undefined && !char.escaped && char.code === c.charCodeAt(0)
  }
  const elements: Element[] = []
  const push = (kind: Element['kind'], codes: readonly number[], count = 0): void => {
    elements.push({ kind, codes, count })
  }
  for (let i = 0; i < chars.length; ) {
    if (plain(i, '[') && (plain(i + 1, ':') || plain(i + 1, '='))) {
      const mark = plain(i + 1, ':') ? ':' : '='
      let close = i + 2
      while (close < chars.length && !(plain(close, mark) && plain(close + 1, ']'))) close++
      if (close + 1 < chars.length && close > i + 2 - 1) {
        const inner = chars.slice(i + 2, close)
        const name = String.fromCharCode(...inner.map(({ code }) => code))
        if (mark === ':') {
          const test = CLASSES[name]
          if (test) {
            const codes = [...Array(256).keys()].filter(test)
            push(name === 'lower' || name === 'upper' ? name : 'class', codes)
            i = close + 2
            continue
          }
          if (!name.includes('*')) throw new Exit(1, `invalid character class ${quote(name)}`)
        } else if (inner.length === 1) {
          push('codes', [inner[0]!.code])
          i = close + 2
          continue
        } else if (!name.includes('*'))
          throw new Exit(1, `${name}: equivalence class operand must be a single character`)
      }
    }
    if (plain(i, '[') && chars[i + 1] && plain(i + 2, '*')) {
      let close = i + 3
      while (close < chars.length && chars[close]!.code >= 48 && chars[close]!.code <= 57) close++
      if (plain(close, ']')) {
        const digits = String.fromCharCode(...chars.slice(i + 3, close).map(({ code }) => code))
        push('repeat', [chars[i + 1]!.code], digits === '' ? 0 : Number.parseInt(digits, digits[0] === '0' ? 8 : 10))
        i = close + 1
        continue
      }
    }
    const from = chars[i]!.code
    if (plain(i + 1, '-') && chars[i + 2]) {
      const to = chars[i + 2]!.code
      if (to < from) {
        const range = `${printable(from)}-${printable(to)}`
        throw new Exit(1, `range-endpoints of ${quote(range)} are in reverse collating sequence order`)
      }
      push(
        'codes',
        Array.from({ length: to - from + 1 }, (_, k) => from + k),
      )
      i += 3
    } else {
      push('codes', [from])
      i++
    }
  }
  return {
    elements,
    length: elements.reduce((sum, { kind, codes, count }) => sum + (kind === 'repeat' ? count : codes.length), 0),
    hasClass: elements.some(({ kind }) => kind === 'class'),
  }
}

const printable = (code: number): string => String.fromCharCode(code)

/** All characters in order; a `[c*]` fills up to `fill`. */
export function expandSet(set: TrSet, fill = 0): number[] {
  const codes: number[] = []
  for (const element of set.elements) {
    if (element.kind !== 'repeat') codes.push(...element.codes)
    else {
      const count = element.count === 0 ? Math.max(0, fill - set.length) : element.count
      for (let i = 0; i < count; i++) codes.push(element.codes[0]!)
    }
  }
  return codes
}
