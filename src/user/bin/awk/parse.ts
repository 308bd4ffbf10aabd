/** awk's grammar (POSIX). */
import { compileRegex, type Regex } from '../../regex/regex.ts'
import { RegexError } from '../../regex/syntax.ts'

export class AwkError extends Error {}

export type Expr =
  | { readonly k: 'num'; readonly n: number }
  | { readonly k: 'str'; readonly s: string }
  | { readonly k: 're'; readonly re: Regex }
  | { readonly k: 'name'; readonly name: string }
  | { readonly k: 'index'; readonly name: string; readonly subs: readonly Expr[] }
  | { readonly k: 'field'; readonly e: Expr }
  | { readonly k: 'assign'; readonly op: string; readonly to: Expr; readonly e: Expr }
  | { readonly k: 'cond'; readonly c: Expr; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'bin'; readonly op: string; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'unary'; readonly op: string; readonly e: Expr }
  | { readonly k: 'step'; readonly by: 1 | -1; readonly before: boolean; readonly e: Expr }
  | { readonly k: 'in'; readonly subs: readonly Expr[]; readonly name: string }
  | { readonly k: 'group'; readonly list: readonly Expr[] }
  | { readonly k: 'call'; readonly name: string; readonly args: readonly Expr[]; readonly builtin: boolean }
  | {
      readonly k: 'getline'
      readonly from: 'main' | 'file' | 'pipe'
      readonly e?: Expr | undefined
      readonly to?: Expr | undefined
    }

export type Stmt =
  | { readonly k: 'block'; readonly list: readonly Stmt[] }
  | { readonly k: 'expr'; readonly e: Expr }
  | {
      readonly k: 'print'
      readonly args: readonly Expr[]
      readonly printf: boolean
      readonly to?: readonly [string, Expr] | undefined
    }
  | { readonly k: 'if'; readonly c: Expr; readonly a: Stmt; readonly b?: Stmt | undefined }
  | { readonly k: 'while'; readonly c: Expr; readonly body: Stmt; readonly first: boolean }
  | {
      readonly k: 'for'
      readonly init?: Stmt | undefined
      readonly c?: Expr | undefined
      readonly step?: Stmt | undefined
      readonly body: Stmt
    }
  | { readonly k: 'forin'; readonly name: string; readonly array: string; readonly body: Stmt }
  | { readonly k: 'jump'; readonly how: 'break' | 'continue' | 'next' }
  | { readonly k: 'exit' | 'return'; readonly e?: Expr | undefined }
  | { readonly k: 'delete'; readonly name: string; readonly subs?: readonly Expr[] | undefined }

export interface Rule {
  readonly when: 'BEGIN' | 'END' | 'main'
  readonly from?: Expr | undefined
  readonly to?: Expr | undefined
  readonly body?: Stmt | undefined
}

export interface Func {
  readonly params: readonly string[]
  readonly body: Stmt
}

export interface Program {
  readonly rules: readonly Rule[]
  readonly functions: ReadonlyMap<string, Func>
}

interface Token {
  /** num str re name call (a name right before a parenthesis) word op nl end */
  readonly t: string
  readonly v: string
}

const WORDS = new Set(
  'BEGIN END function func if else while for do break continue next exit return delete in getline print printf'.split(
    ' ',
  ),
)
export const BUILTINS = new Set(
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

function lex(source: string): Token[] {
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

/** Nesting of expressions and blocks. */
const DEPTH_MAX = 400

export function parseAwk(source: string): Program {
  const tokens = lex(source)
  let at = 0
  let depth = 0
  const peek = (): Token => tokens[at]!
  const is = (v: string): boolean => peek().v === v && (peek().t === 'op' || peek().t === 'word' || peek().t === 'nl')
  const accept = (v: string): boolean => is(v) && ++at > 0
  const bad = (): never => {
    const { v, t } = peek()
    throw new AwkError(
      t === 'end'
        ? 'syntax error: unexpected end of program'
        : `syntax error at or near ${v === '\n' ? 'end of line' : v}`,
    )
  }
  const expect = (v: string): void => void (accept(v) || bad())
  const newlines = (): void => {
    while (accept('\n'));
  }
  const terminators = (): void => {
    while (accept('\n') || accept(';'));
  }
  const name = (): string => (peek().t === 'name' ? tokens[at++]!.v : bad())

  function list(noGt: boolean): Expr[] {
    const items = [expr(noGt)]
    while (accept(',')) {
      newlines()
      items.push(expr(noGt))
    }
    return items
  }

  function expr(noGt = false, noIn = false): Expr {
    if (++depth > DEPTH_MAX) throw new AwkError('expression too deep')
    const left = ternary(noGt, noIn)
    const op = peek()
    depth--
    if (
      op.t === 'op' &&
      /^(?:[-+*/%^]?=)$/.test(op.v) &&
      (left.k === 'name' || left.k === 'index' || left.k === 'field')
    ) {
      at++
      newlines()
      return { k: 'assign', op: op.v.slice(0, -1), to: left, e: expr(noGt, noIn) }
    }
    return left
  }
  function ternary(noGt: boolean, noIn: boolean): Expr {
    const c = binary(0, noGt, noIn)
    if (!accept('?')) return c
    newlines()
    const a = expr(noGt, noIn)
    newlines()
    expect(':')
    newlines()
    return { k: 'cond', c, a, b: expr(noGt, noIn) }
  }
  /** Levels: || && in ~ compare concat add multiply. */
  function binary(level: number, noGt: boolean, noIn: boolean): Expr {
    if (level === 8) return unary(noGt)
    let a = binary(level + 1, noGt, noIn)
    for (;;) {
      const { t, v } = peek()
      const op = t === 'op' || t === 'word' ? v : ''
      if (level === 0 && op === '||') at++
      else if (level === 1 && op === '&&') at++
      else if (level === 2 && op === 'in' && !noIn) {
        at++
        a = { k: 'in', subs: a.k === 'group' ? a.list : [a], name: name() }
        continue
      } else if (level === 3 && (op === '~' || op === '!~')) at++
      else if (level === 4 && (/^(?:<|<=|==|!=|>=)$/.test(op) || (op === '>' && !noGt))) at++
      else if (level === 4 && op === '|' && tokens[at + 1]!.v === 'getline') {
        at += 2
        a = { k: 'getline', from: 'pipe', e: a, to: target() }
        continue
      } else if (
        level === 5 &&
        (t === 'num' ||
          t === 'str' ||
          t === 're' ||
          t === 'name' ||
          t === 'call' ||
          t === 'builtin' ||
          ['$', '!', '(', '++', '--'].includes(op))
      ) {
        a = { k: 'bin', op: ' ', a, b: binary(6, noGt, noIn) }
        continue
      } else if (level === 6 && (op === '+' || op === '-')) at++
      else if (level === 7 && (op === '*' || op === '/' || op === '%')) at++
      else return a
      if (level < 2) newlines()
      const b = binary(level + 1, noGt, noIn)
      a = { k: 'bin', op, a, b }
    }
  }
  function unary(noGt: boolean): Expr {
    const { t, v } = peek()
    if (t === 'op' && (v === '!' || v === '-' || v === '+')) {
      at++
      return { k: 'unary', op: v, e: unary(noGt) }
    }
    return power()
  }
  function power(): Expr {
    const a = postfix()
    if (!accept('^')) return a
    return { k: 'bin', op: '^', a, b: is('-') || is('+') || is('!') ? unary(false) : power() }
  }
  function postfix(): Expr {
    const e = primary()
    if (e.k === 'name' || e.k === 'index' || e.k === 'field') {
      if (accept('++')) return { k: 'step', by: 1, before: false, e }
      if (accept('--')) return { k: 'step', by: -1, before: false, e }
    }
    return e
  }
  function target(): Expr | undefined {
    return peek().t === 'name' || is('$') ? primary() : undefined
  }
  function args(): Expr[] {
    expect('(')
    newlines()
    if (accept(')')) return []
    const items = list(false)
    newlines()
    expect(')')
    return items
  }
  function primary(): Expr {
    const { t, v } = tokens[at++]!
    if (t === 'num') return { k: 'num', n: Number(v) }
    if (t === 'str') return { k: 'str', s: v }
    if (t === 're') return { k: 're', re: regexOf(v) }
    if (t === 'call') return { k: 'call', name: v, args: args(), builtin: false }
    if (t === 'builtin')
      return { k: 'call', name: v, args: is('(') ? args() : v === 'length' ? [] : bad(), builtin: true }
    if (t === 'name') {
      if (!accept('[')) return { k: 'name', name: v }
      const subs = list(false)
      expect(']')
      return { k: 'index', name: v, subs }
    }
    if (v === '$') return { k: 'field', e: is('++') || is('--') || is('-') ? unary(false) : primary() }
    if (v === '++' || v === '--') return { k: 'step', by: v === '++' ? 1 : -1, before: true, e: primary() }
    if (v === '(') {
      const items = list(false)
      newlines()
      expect(')')
      return { k: 'group', list: items }
    }
    if (v === 'getline') {
      const to = target()
      return accept('<') ? { k: 'getline', from: 'file', e: primary(), to } : { k: 'getline', from: 'main', to }
    }
    at--
    return bad()
  }

  function simple(noIn = false): Stmt {
    const { v, t } = peek()
    if (t === 'word' && (v === 'print' || v === 'printf')) {
      at++
      const ends = (): boolean => peek().t === 'end' || [';', '\n', '}', '>', '>>', '|'].includes(peek().v)
      let items = ends() ? [] : list(true)
      if (items.length === 1 && items[0]!.k === 'group') items = [...items[0]!.list]
      const op = peek().v
      let to: readonly [string, Expr] | undefined
      if (peek().t === 'op' && (op === '>' || op === '>>' || op === '|')) {
        at++
        to = [op, binary(5, true, false)]
      }
      return { k: 'print', args: items, printf: v === 'printf', to }
    }
    if (accept('delete')) {
      const array = name()
      if (!accept('[')) return { k: 'delete', name: array }
      const subs = list(false)
      expect(']')
      return { k: 'delete', name: array, subs }
    }
    return { k: 'expr', e: expr(false, noIn) }
  }
  function ended(): void {
    if (is('}') || peek().t === 'end') return
    if (!accept(';') && !accept('\n')) bad()
    terminators()
  }
  function block(): Stmt {
    expect('{')
    terminators()
    const items: Stmt[] = []
    while (!accept('}')) {
      items.push(statement())
      terminators()
    }
    return { k: 'block', list: items }
  }
  function body(): Stmt {
    newlines()
    if (accept(';')) return { k: 'block', list: [] }
    return statement()
  }
  function statement(): Stmt {
    if (++depth > DEPTH_MAX) throw new AwkError('program too deep')
    const made = statementHere()
    depth--
    return made
  }
  function statementHere(): Stmt {
    if (is('{')) return block()
    if (accept('if')) {
      expect('(')
      const c = expr()
      expect(')')
      const a = body()
      const here = at
      terminators()
      if (accept('else')) return { k: 'if', c, a, b: body() }
      at = here
      return { k: 'if', c, a }
    }
    if (accept('while')) {
      expect('(')
      const c = expr()
      expect(')')
      return { k: 'while', c, body: body(), first: false }
    }
    if (accept('do')) {
      const inner = body()
      terminators()
      expect('while')
      expect('(')
      const c = expr()
      expect(')')
      ended()
      return { k: 'while', c, body: inner, first: true }
    }
    if (accept('for')) {
      expect('(')
      const [one, two] = [tokens[at + 1]!, tokens[at + 3]!]
      if (peek().t === 'name' && one.v === 'in' && two.v === ')') {
        const variable = name()
        at++
        const array = name()
        expect(')')
        return { k: 'forin', name: variable, array, body: body() }
      }
      const init = is(';') ? undefined : simple()
      expect(';')
      newlines()
      const c = is(';') ? undefined : expr()
      expect(';')
      newlines()
      const step = is(')') ? undefined : simple()
      expect(')')
      return { k: 'for', init, c, step, body: body() }
    }
    const { v, t } = peek()
    let made: Stmt
    if (t === 'word' && (v === 'break' || v === 'continue' || v === 'next')) {
      at++
      made = { k: 'jump', how: v }
    } else if (t === 'word' && (v === 'exit' || v === 'return')) {
      at++
      const none = is(';') || is('\n') || is('}') || peek().t === 'end'
      made = { k: v, e: none ? undefined : expr() }
    } else made = simple()
    ended()
    return made
  }

  const rules: Rule[] = []
  const functions = new Map<string, Func>()
  terminators()
  while (peek().t !== 'end') {
    if (accept('function') || accept('func')) {
      const { v, t } = tokens[at++]!
      if (t !== 'name' && t !== 'call') bad()
      expect('(')
      const params: string[] = []
      while (!accept(')')) {
        params.push(name())
        if (!is(')')) expect(',')
        newlines()
      }
      newlines()
      functions.set(v, { params, body: block() })
    } else if (is('BEGIN') || is('END')) {
      const when = tokens[at++]!.v as 'BEGIN' | 'END'
      newlines()
      rules.push({ when, body: block() })
    } else {
      const from = is('{') ? undefined : expr()
      let to: Expr | undefined
      if (from && accept(',')) {
        newlines()
        to = expr()
      }
      rules.push({ when: 'main', from, to, body: is('{') ? block() : undefined })
    }
    terminators()
  }
  return { rules, functions }
}
