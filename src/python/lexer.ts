/** Python 2.4's tokens (Language Reference, chapter 2; complaints as Parser/tokenizer.c words them). */
import { bytesOfString, utf8Decode } from '#lib/utf8.ts'
import { SyntaxProblem } from './errors.ts'
import { PyFloat, PyLong, PyUnicode, type Value } from './objects.ts'

export interface Token {
  readonly kind: 'name' | 'value' | 'op' | 'newline' | 'indent' | 'dedent' | 'end' | 'error'
  readonly text: string
  readonly value?: Value
  readonly line: number
  /** Column behind it: what an error points at. */
  readonly end: number
  readonly problem?: SyntaxProblem
}

const OPERATORS = [
  '**=',
  '//=',
  '>>=',
  '<<=',
  '<>',
  '!=',
  '==',
  '<=',
  '>=',
  '**',
  '//',
  '>>',
  '<<',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '&',
  '|',
  '^',
  '~',
  '<',
  '>',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '.',
  '`',
  '=',
  ';',
  '@',
] as const

/** All tokens; the last is `end` or, where the text is wrong, `error`, to be thrown by whoever gets there. */
export function tokenize(source: string): { tokens: Token[]; lines: string[] } {
  const text = source.replaceAll('\r\n', '\n')
  const lines = text.split('\n').map((line) => `${line}\n`)
  if (text.endsWith('\n') || text === '') lines.pop()
  const utf8 = /coding[:=]\s*utf-?8/i.test((lines[0] ?? '') + (lines[1] ?? ''))
  const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
  const NUMBER = /(0[xX][0-9a-fA-F]+|(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\d+)([lLjJ]?)/y
  const QUOTE = /([uU]?[rR]?)('''|"""|'|")/y
  const tokens: Token[] = []
  const indents = [0]
  let depth = 0
  let continued = false

  const fail = (message: string, line: number, end: number, exception?: string): void => {
    const problem = new SyntaxProblem(message, line, end, lines[line - 1] ?? '', exception)
    tokens.push({ kind: 'error', text: '', line, end, problem })
  }
  const add = (kind: Token['kind'], word: string, line: number, end: number, value?: Value): void => {
    tokens.push(value === undefined ? { kind, text: word, line, end } : { kind, text: word, line, end, value })
  }

  let number = 0
  while (number < lines.length) {
    number++
    let line = lines[number - 1]!
    let at = 0
    if (depth === 0 && !continued) {
      let column = 0
      for (; at < line.length; at++) {
        const c = line[at]
        if (c === ' ') column++
        else if (c === '\t') column = (Math.floor(column / 8) + 1) * 8
        else if (c === '\f') column = 0
        else break
      }
      if (line[at] === '#' || line[at] === '\n') continue
      if (column > indents.at(-1)!) {
        indents.push(column)
        add('indent', '', number, at)
      }
      while (column < indents.at(-1)!) {
        indents.pop()
        if (column > indents.at(-1)!) {
          fail('unindent does not match any outer indentation level', number, line.length, 'IndentationError')
          return { tokens, lines }
        }
        add('dedent', '', number, at)
      }
    }
    continued = false
    while (at < line.length) {
      const c = line[at]!
      if (c === ' ' || c === '\t' || c === '\f') {
        at++
        continue
      }
      if (c === '#' || c === '\n') {
        if (depth === 0) add('newline', '', number, line.length)
        break
      }
      if (c === '\\') {
        if (line[at + 1] !== '\n') {
          fail('unexpected character after line continuation character', number, line.length - 1)
          return { tokens, lines }
        }
        continued = true
        break
      }
      QUOTE.lastIndex = at
      const quoted = QUOTE.exec(line)
      if (quoted) {
        const first = number
        const [, prefix, quote] = quoted as unknown as [string, string, string]
        at += quoted[0].length
        let body = ''
        for (;;) {
          if (line.startsWith(quote, at)) break
          const d = line[at]!
          if (d === '\\' && at + 1 < line.length) {
            body += d + line[at + 1]!
            at += 2
          } else if (d === '\n' && quote.length === 1) {
            fail('EOL while scanning single-quoted string', number, at)
            return { tokens, lines }
          } else {
            body += d
            at++
          }
          if (at >= line.length) {
            if (number >= lines.length) {
              fail(
                quote.length === 1
                  ? 'EOL while scanning single-quoted string'
                  : 'EOF while scanning triple-quoted string',
                number + 2,
                0,
              )
              return { tokens, lines }
            }
            line = lines[number++]!
            at = 0
          }
        }
        at += quote.length
        const value = literal(body, prefix.toLowerCase(), utf8)
        if (value === undefined) {
          fail('invalid string escape', number, at)
          return { tokens, lines }
        }
        tokens.push({ kind: 'value', text: 'string', line: first, end: at, value })
        continue
      }
      NAME.lastIndex = at
      const name = NAME.exec(line)
      if (name) {
        at += name[0].length
        add('name', name[0], number, at)
        continue
      }
      NUMBER.lastIndex = at
      const digits = NUMBER.exec(line)
      if (digits) {
        at += digits[0].length
        const value = numeral(digits[1]!, digits[2]!)
        if (value === undefined) {
          fail('invalid token', number, at)
          return { tokens, lines }
        }
        add('value', 'number', number, at, value)
        continue
      }
      const op = OPERATORS.find((one) => line.startsWith(one, at))
      if (!op) {
        fail('invalid syntax', number, at + 1)
        return { tokens, lines }
      }
      at += op.length
      if (op === '(' || op === '[' || op === '{') depth++
      if ((op === ')' || op === ']' || op === '}') && depth > 0) depth--
      add('op', op, number, at)
    }
  }
  const last = lines.length + 1
  // Errors at the end of the file point behind its last line.
  const behind = lines.at(-1)?.length ?? 0
  if (depth > 0 || continued) fail(continued ? 'unexpected EOF while parsing' : 'invalid syntax', last, behind)
  else {
    while (indents.pop()! > 0) add('dedent', '', last, behind)
    add('end', '', last, behind)
  }
  return { tokens, lines }
}

/** An integer or a float; undefined: 08 and imaginary numbers, which this Python has not. */
function numeral(digits: string, suffix: string): Value | undefined {
  if (suffix === 'j' || suffix === 'J') return undefined
  if (/^0[xX]/.test(digits)) return integer(BigInt(digits), suffix)
  if (/[.eE]/.test(digits)) return suffix === '' ? new PyFloat(Number(digits)) : undefined
  if (digits.length > 1 && digits.startsWith('0'))
    return /^[0-7]+$/.test(digits) ? integer(BigInt(`0o${digits.slice(1)}`), suffix) : undefined
  return integer(BigInt(digits), suffix)
}

function integer(v: bigint, suffix: string): Value {
  if (suffix !== '' || v !== BigInt.asIntN(64, v)) return new PyLong(v)
  const small = Number(v)
  return Number.isSafeInteger(small) ? small : v
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** A literal's value from what stands between the quotes; undefined for a bad \x or \u. */
function literal(body: string, prefix: string, utf8: boolean): Value | undefined {
  const unicode = prefix.startsWith('u')
  const text = unicode && utf8 ? utf8Decode(bytesOfString(body)) : body
  const value = prefix.includes('r') ? text : unescapeText(text, unicode)
  return value === undefined ? undefined : unicode ? new PyUnicode(value) : value
}

/** Backslash escapes resolved; unknown ones stay as they are. */
export function unescapeText(body: string, unicode: boolean): string | undefined {
  if (!body.includes('\\')) return body
  let result = ''
  for (let i = 0; i < body.length; i++) {
    const c = body[i]!
    if (c !== '\\') {
      result += c
      continue
    }
    const next = body[++i] ?? ''
    const plain = ESCAPES[next]
    if (plain !== undefined) result += plain
    else if (next >= '0' && next <= '7') {
      const octal = /^[0-7]{1,3}/.exec(body.slice(i, i + 3))![0]
      result += String.fromCharCode(Number.parseInt(octal, 8) & 255)
      i += octal.length - 1
    } else if (next === 'x' || (unicode && (next === 'u' || next === 'U'))) {
      const count = next === 'x' ? 2 : next === 'u' ? 4 : 8
      const hex = body.slice(i + 1, i + 1 + count)
      const code = Number.parseInt(hex, 16)
      if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length < count || code > 0x10ffff) return undefined
      result += String.fromCodePoint(code)
      i += count
    } else result += c + next
  }
  return result
}
