/** awk's tokens (POSIX, "Lexical Conventions"), and the escapes in its strings and regular expressions. */
import { compileRegex, type Regex } from '../../regex/regex.ts'
import { RegexError } from '../../regex/syntax.ts'
import { AwkError } from './tree.ts'

export interface Token {
  /** num str re name call (a name right before a parenthesis) word op nl end */
  readonly t: string
  readonly v: string
}

const WORDS = new Set(
  'BEGIN END function func if else while for do break continue next exit return delete in getline print printf'.split(
    ' ',
  ),
)
const BUILTINS = new Set(
  'length substr index split sub gsub match sprintf int sqrt rand srand tolower toupper system close fflush'.split(' '),
)
const OPERATORS =
  '**= ** && || ++ -- += -= *= /= %= ^= == <= >= != !~ >> { } ( ) [ ] ; , + - * % ^ ! > < | ? : ~ $ = /'.split(' ')
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  '"': '"',
  '/': '/',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
}

/** A string's escapes; unknown ones keep the character alone. */
export function unescaped(text: string): string {
  return text.replace(/\\([0-7]{1,3}|[\s\S])/g, (_, what: string) =>
    /^[0-7]/.test(what) ? String.fromCharCode(Number.parseInt(what, 8) & 255) : (ESCAPES[what] ?? `\\${what}`),
  )
}

export function regexOf(pattern: string): Regex {
  try {
    return compileRegex(
      pattern.replace(/\\(["/])/g, '$1').replace(/\\([ntrfv])/g, (_, c: string) => ESCAPES[c]!),
      { extended: true },
    )
  } catch (error) {
    if (error instanceof RegexError) throw new AwkError(`${error.message}: /${pattern}/`)
    throw error
  }
}

export function lex(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const push = (t: string, v: string): void => void tokens.push({ t, v })
  while (at < source.length) {
    const char = source[at]!
    const last = tokens.at(-1)
    if (char === '\n') {
      push('nl', char)
      at++
    } else if (char === ' ' || char === '\t' || char === '\r') at++
    else if (char === '\\' && source[at + 1] === '\n') at += 2
    else if (char === '#') while (at < source.length && source[at] !== '\n') at++
    else if (char === '"') {
      let end = at + 1
      while (end < source.length && source[end] !== '"' && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1
      if (source[end] !== '"') throw new AwkError('unterminated string')
      push('str', unescaped(source.slice(at + 1, end).replace(/\\\n/g, '')))
      at = end + 1
    } else if (
      char === '/' &&
      !(last && (['num', 'str', 'name'].includes(last.t) || last.v === ')' || last.v === ']' || last.v === '$'))
    ) {
      let end = at + 1
      for (
        let bracket = false;
        end < source.length && (bracket || source[end] !== '/') && source[end] !== '\n';
        end++
      ) {
        if (source[end] === '\\') end++
        else if (source[end] === '[') bracket = true
        else if (source[end] === ']') bracket = false
      }
      if (source[end] !== '/') throw new AwkError('unterminated regexp')
      push('re', source.slice(at + 1, end))
      at = end + 1
    } else {
      const rest = source.slice(at, at + 200)
      const number = /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/.exec(rest)?.[0]
      const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0]
      const op = OPERATORS.find((o) => rest.startsWith(o))
      if (number !== undefined) push('num', number)
      else if (name !== undefined)
        push(
          WORDS.has(name)
            ? 'word'
            : BUILTINS.has(name)
              ? 'builtin'
              : source[at + name.length] === '('
                ? 'call'
                : 'name',
          name,
        )
      else if (op !== undefined) push('op', op === '**' ? '^' : op === '**=' ? '^=' : op)
      else throw new AwkError(`syntax error at \`${char}'`)
      at += (number ?? name ?? op)!.length
    }
  }
  push('end', '')
  return tokens
}
