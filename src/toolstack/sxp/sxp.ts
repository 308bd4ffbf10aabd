/** S-expressions as xend writes and reads them (tools/python/xen/xend/sxp.py): atoms are byte strings, lists are arrays. */
import { Float } from '#lib/xmlrpc/float.ts'
import { pyRepr, pyStr } from './python-text.ts'

/** What may stand in a list. Parsed text holds strings and lists only; numbers, floats, booleans and None come from programs. */
export type Sxp = string | number | bigint | boolean | null | undefined | Float | readonly Sxp[]

/** A text that is no S-expression; the message is the real parser's. */
export class SxpError extends Error {}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
}
const SPACE = ' \t\n\v\f\r'
/** End an atom that has begun. */
const SEPARATORS = '{}()<>[]!;'
/** Deeper lists are refused: the text may be anybody's. */
const DEPTH_MAX = 200

/** All values of `text`, in order. */
export function parseSxp(text: string): Sxp[] {
  const top: Sxp[] = []
  const open: Sxp[][] = [top]
  let at = 0
  while (at < text.length) {
    const c = text[at]!
    const list = open[open.length - 1]!
    if (SPACE.includes(c)) at++
    else if (c === '#') {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end + 1
    } else if (c === '(') {
      if (open.length > DEPTH_MAX) throw new SxpError('maximum recursion depth exceeded')
      const inner: Sxp[] = []
      list.push(inner)
      open.push(inner)
      at++
    } else if (c === ')') {
      if (open.length === 1) throw new SxpError('syntax error: )')
      open.pop()
      at++
    } else if (c === '"' || c === "'") {
      const { value, end } = quoted(text, at)
      list.push(value)
      at = end
    } else if (c < '\x7f' && c >= ' ') {
      const from = at++
      while (at < text.length && !ends(text[at]!)) at++
      list.push(text.slice(from, at))
    } else if (c === '\x04') break
    else throw new SxpError(`invalid character: code ${c.charCodeAt(0)}`)
  }
  if (open.length > 1) throw new SxpError('unexpected EOF')
  return top
}

const ends = (c: string): boolean => c === '#' || SEPARATORS.includes(c) || SPACE.includes(c)

/** The string whose opening quote is at `from`, and where the text goes on. */
function quoted(text: string, from: number): { value: string; end: number } {
  const quote = text[from]!
  let value = ''
  for (let at = from + 1; at < text.length; at++) {
    const c = text[at]!
    if (c === quote) return { value, end: at + 1 }
    if (c !== '\\') value += c
    else {
      const next = text[++at]
      if (next === undefined) break
      const digits =
        next === 'x' ? /^[0-9a-fA-F]{1,2}/.exec(text.slice(at + 1, at + 3)) : /^[0-7]{1,3}/.exec(text.slice(at, at + 3))
      if (digits) {
        const code = Number.parseInt(digits[0], next === 'x' ? 16 : 8)
        if (code > 255) throw new SxpError(`invalid octal escape: out of range ${digits[0]}`)
        value += String.fromCharCode(code)
        at += digits[0].length - (next === 'x' ? 0 : 1)
      } else value += ESCAPES[next] ?? '\\' // the real parser, too, loses a character that it cannot escape
    }
  }
  throw new SxpError('unexpected EOF')
}

/** The first value of `text`; an empty list for an empty text. */
export const fromString = (text: string): Sxp => (text === '' ? [] : parseSxp(text)[0])

/** Whether a string needs no quotes. The empty one does not, and so prints as nothing. */
export const isAtom = (text: string): boolean => text === '@' || /^[A-Za-z0-9._:/~-]*$/.test(text)

/** On one line. */
export function toSxpString(value: Sxp): string {
  if (isList(value)) return `(${value.map(toSxpString).join(' ')})`
  if (typeof value === 'string') return isAtom(value) ? value : pyRepr(value)
  if (typeof value === 'number' || typeof value === 'boolean' || value instanceof Float) return pyStr(value)
  return pyRepr(pyStr(value))
}

export const isList = (value: unknown): value is readonly Sxp[] => Array.isArray(value)

/** A list of at least one member: an element. With a name: an element of that name. */
export const isElement = (value: Sxp, name?: string): value is readonly [Sxp, ...Sxp[]] =>
  isList(value) && value.length > 0 && (name === undefined || value[0] === name)

/** Name of an element, or the atom itself. */
export const nameOf = (value: Sxp): Sxp => (isList(value) ? value[0] : value)

/** What follows the name (and the `(@ ...)` attributes), those of one name if it is given. */
export function children(value: Sxp, name?: string): readonly Sxp[] {
  if (!isElement(value)) return []
  const all = value.slice(isElement(value[1], '@') ? 2 : 1)
  return name === undefined ? all : all.filter((child) => isElement(child, name))
}

/** The first child of that name. */
export const child = (value: Sxp, name: string): Sxp => children(value).find((one) => isElement(one, name))

/** The value of the first child of that name: `child_value(sxpr, 'name')`. */
export function childValue(value: Sxp, name: string): Sxp {
  const found = child(value, name)
  return found === undefined ? undefined : children(found)[0]
}

/** The same, as text; undefined where it is missing. */
export function childText(value: Sxp, name: string): string | undefined {
  const found = childValue(value, name)
  return found === undefined || found === null ? undefined : isList(found) ? toSxpString(found) : pyStr(found)
}
