/** awk's grammar (POSIX). */
import { lex, regexOf, type Token } from './lex.ts'
import { AwkError, type Expr, type Func, type Program, type Rule, type Stmt } from './tree.ts'

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
