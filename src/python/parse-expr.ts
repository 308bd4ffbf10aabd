/** Expressions of Python 2.4 (its Grammar file, from `test` down), by recursive descent over tokens. */
import type { Args, Comp, Expr } from './ast.ts'
import { SyntaxProblem } from './errors.ts'
import type { Token } from './lexer.ts'
import { PyUnicode, type Value } from './objects.ts'

const KEYWORDS = new Set(
  'and assert break class continue def del elif else except exec finally for from global if import in is lambda not or pass print raise return try while yield'.split(
    ' ',
  ),
)
/** Parentheses inside each other: as many as CPython's parser stack takes, about. */
const DEPTH_MAX = 90

/** Operators by how tightly they bind, loosest first. */
const LEVELS: readonly (readonly string[])[] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '//', '%']]
const COMPARISONS = ['<', '>', '==', '>=', '<=', '<>', '!=']

export class Reader {
  readonly tokens: readonly Token[]
  readonly lines: readonly string[]
  at: number
  /** What is said where the text ends too early, if not `invalid syntax`. */
  readonly #atEnd: string | undefined
  #depth: number

  constructor(tokens: readonly Token[], lines: readonly string[], atEnd?: string) {
    this.tokens = tokens
    this.lines = lines
    this.at = 0
    this.#atEnd = atEnd
    this.#depth = 0
    this.#check()
  }

  get token(): Token {
    return this.tokens[this.at]!
  }

  #check(): void {
    const { problem } = this.token
    if (problem) throw problem
  }

  advance(): Token {
    const { token } = this
    this.at++
    this.#check()
    return token
  }

  /** The parser cannot go on with this token. */
  fail(message = 'invalid syntax', exception = 'SyntaxError'): never {
    const { kind, line, end } = this.token
    const over = kind === 'end' || (kind === 'newline' && line === this.lines.length)
    if (over && this.#atEnd !== undefined) throw new SyntaxProblem(this.#atEnd, line, end, this.lines[line - 1] ?? '')
    throw new SyntaxProblem(message, line, end, this.lines[line - 1] ?? '', exception)
  }

  /** What only the compiler would see: no column. */
  refuse(message: string, line: number): never {
    throw new SyntaxProblem(message, line, undefined, this.lines[line - 1] ?? '')
  }

  /** A method, so that types do not remember what it said. */
  is(kind: Token['kind']): boolean {
    return this.token.kind === kind
  }

  isOp(text: string): boolean {
    return this.token.kind === 'op' && this.token.text === text
  }

  isWord(text: string): boolean {
    return this.token.kind === 'name' && this.token.text === text
  }

  op(text: string): boolean {
    if (!this.isOp(text)) return false
    this.advance()
    return true
  }

  word(text: string): boolean {
    if (!this.isWord(text)) return false
    this.advance()
    return true
  }

  expectOp(text: string): void {
    if (!this.op(text)) this.fail()
  }

  expectWord(text: string): void {
    if (!this.word(text)) this.fail()
  }

  name(): string {
    if (this.token.kind !== 'name' || KEYWORDS.has(this.token.text)) this.fail()
    return this.advance().text
  }

  /** Does an expression begin here? */
  startsExpr(): boolean {
    const { kind, text } = this.token
    if (kind === 'name') return !KEYWORDS.has(text) || text === 'not' || text === 'lambda'
    return kind === 'value' || (kind === 'op' && '([{`+-~'.includes(text))
  }

  /** testlist: one expression, or a tuple without parentheses. */
  testlist(): Expr {
    return this.#list(() => this.test())
  }

  exprlist(): Expr {
    return this.#list(() => this.expr())
  }

  #list(one: () => Expr): Expr {
    const { line } = this.token
    const first = one()
    if (!this.isOp(',')) return first
    const e = [first]
    while (this.op(',')) {
      if (!this.startsExpr()) break
      e.push(one())
    }
    return { t: 'tuple', line, e }
  }

  test(): Expr {
    if (++this.#depth > DEPTH_MAX)
      throw new SyntaxProblem('s_push: parser stack overflow', 0, undefined, '', 'MemoryError')
    try {
      if (this.isWord('lambda')) return this.#lambda()
      const { line } = this.token
      const e = [this.#and()]
      while (this.word('or')) e.push(this.#and())
      return e.length === 1 ? e[0]! : { t: 'bool', line, op: 'or', e }
    } finally {
      this.#depth--
    }
  }

  #lambda(): Expr {
    const { line } = this.advance()
    const args = this.args(':')
    this.expectOp(':')
    return { t: 'lambda', line, args, body: this.test() }
  }

  #and(): Expr {
    const { line } = this.token
    const e = [this.#not()]
    while (this.word('and')) e.push(this.#not())
    return e.length === 1 ? e[0]! : { t: 'bool', line, op: 'and', e }
  }

  #not(): Expr {
    const { line } = this.token
    return this.word('not') ? { t: 'not', line, e: this.#not() } : this.#comparison()
  }

  #comparison(): Expr {
    const { line } = this.token
    const l = this.expr()
    const ops: string[] = []
    const r: Expr[] = []
    for (;;) {
      const op = this.#comparisonOp()
      if (op === undefined) break
      ops.push(op)
      r.push(this.expr())
    }
    return ops.length === 0 ? l : { t: 'cmp', line, l, ops, r }
  }

  #comparisonOp(): string | undefined {
    const { kind, text } = this.token
    if (kind === 'op' && COMPARISONS.includes(text)) {
      this.advance()
      return text === '<>' ? '!=' : text
    }
    if (this.word('in')) return 'in'
    if (this.word('is')) return this.word('not') ? 'is not' : 'is'
    if (!this.word('not')) return undefined
    this.expectWord('in')
    return 'not in'
  }

  expr(): Expr {
    return this.#binary(0)
  }

  #binary(level: number): Expr {
    const ops = LEVELS[level]
    if (!ops) return this.#factor()
    const { line } = this.token
    let l = this.#binary(level + 1)
    while (this.token.kind === 'op' && ops.includes(this.token.text)) {
      const op = this.advance().text
      l = { t: 'bin', line, op, l, r: this.#binary(level + 1) }
    }
    return l
  }

  #factor(): Expr {
    const { kind, text, line } = this.token
    if (kind === 'op' && (text === '+' || text === '-' || text === '~')) {
      this.advance()
      if (++this.#depth > DEPTH_MAX)
        throw new SyntaxProblem('s_push: parser stack overflow', 0, undefined, '', 'MemoryError')
      const e = this.#factor()
      this.#depth--
      return { t: 'unary', line, op: text, e }
    }
    const base = this.#trailers(this.#atom())
    return this.op('**') ? { t: 'bin', line, op: '**', l: base, r: this.#factor() } : base
  }

  #atom(): Expr {
    const { kind, text, line, value } = this.token
    if (kind === 'value') {
      this.advance()
      if (text === 'number') return { t: 'num', line, v: value! }
      let v: Value = value!
      while (this.token.kind === 'value' && this.token.text === 'string') v = joined(v, this.advance().value!)
      return { t: 'str', line, v }
    }
    if (kind === 'name' && !KEYWORDS.has(text)) {
      this.advance()
      return { t: 'name', line, id: text }
    }
    if (this.op('(')) return this.#parenthesis(line)
    if (this.op('[')) return this.#listDisplay(line)
    if (this.op('{')) {
      const k: Expr[] = []
      const v: Expr[] = []
      while (!this.op('}')) {
        if (k.length > 0) {
          this.expectOp(',')
          if (this.op('}')) break
        }
        k.push(this.test())
        this.expectOp(':')
        v.push(this.test())
      }
      return { t: 'dict', line, k, v }
    }
    if (this.op('`')) {
      const e = this.testlist()
      this.expectOp('`')
      return { t: 'repr', line, e }
    }
    return this.fail()
  }

  #parenthesis(line: number): Expr {
    if (this.op(')')) return { t: 'tuple', line, e: [] }
    const first = this.test()
    if (this.isWord('for')) {
      const fors = this.#fors(false)
      this.expectOp(')')
      return { t: 'genexp', line, elt: first, fors }
    }
    if (!this.isOp(',')) {
      this.expectOp(')')
      return first
    }
    const e = [first]
    while (this.op(',')) {
      if (!this.startsExpr()) break
      e.push(this.test())
    }
    this.expectOp(')')
    return { t: 'tuple', line, e }
  }

  #listDisplay(line: number): Expr {
    if (this.op(']')) return { t: 'list', line, e: [] }
    const first = this.test()
    if (this.isWord('for')) {
      const fors = this.#fors(true)
      this.expectOp(']')
      return { t: 'listcomp', line, elt: first, fors }
    }
    const e = [first]
    while (this.op(',')) {
      if (!this.startsExpr()) break
      e.push(this.test())
    }
    this.expectOp(']')
    return { t: 'list', line, e }
  }

  /** `for x in y if z`, nested. A list's may run over `1, 2, 3` without parentheses. */
  #fors(list: boolean): Comp[] {
    const fors: Comp[] = []
    while (this.word('for')) {
      const target = this.exprlist()
      this.assignable(target)
      this.expectWord('in')
      const iter = list ? this.testlist() : this.test()
      const ifs: Expr[] = []
      while (this.word('if')) ifs.push(this.test())
      fors.push({ target, iter, ifs })
    }
    return fors
  }

  #trailers(atom: Expr): Expr {
    let e = atom
    for (;;) {
      const { line } = this.token
      if (this.op('(')) e = this.call(e, line)
      else if (this.op('[')) e = { t: 'sub', line, e, index: this.#subscripts(line) }
      else if (this.op('.')) e = { t: 'attr', line, e, name: this.name() }
      else return e
    }
  }

  call(f: Expr, line: number): Expr {
    const args: Expr[] = []
    const kw: [string, Expr][] = []
    let star: Expr | undefined
    let dstar: Expr | undefined
    while (!this.op(')')) {
      if (args.length + kw.length > 0) {
        this.expectOp(',')
        if (this.op(')')) break
      }
      if (this.op('*')) {
        star = this.test()
        if (this.op(',')) {
          this.expectOp('**')
          dstar = this.test()
        }
        this.expectOp(')')
        break
      }
      if (this.op('**')) {
        dstar = this.test()
        this.expectOp(')')
        break
      }
      const one = this.test()
      if (this.isWord('for')) {
        args.push({ t: 'genexp', line: one.line, elt: one, fors: this.#fors(false) })
        if (args.length + kw.length > 1)
          this.refuse('Generator expression must be parenthesized if not sole argument', line)
      } else if (this.op('=')) {
        if (one.t === 'lambda') this.refuse('lambda cannot contain assignment', line)
        if (one.t !== 'name') this.refuse("keyword can't be an expression", line)
        const name = (one as { id: string }).id
        if (kw.some(([other]) => other === name)) this.refuse('duplicate keyword argument', line)
        kw.push([name, this.test()])
      } else {
        if (kw.length > 0) this.refuse('non-keyword arg after keyword arg', line)
        args.push(one)
      }
    }
    return { t: 'call', line, f, args, kw, star, dstar }
  }

  #subscripts(line: number): Expr {
    const first = this.#subscript()
    if (this.op(']')) return first
    const e = [first]
    while (this.op(',')) {
      if (this.isOp(']')) break
      e.push(this.#subscript())
    }
    this.expectOp(']')
    return { t: 'tuple', line, e }
  }

  #subscript(): Expr {
    const { line } = this.token
    if (this.op('.')) {
      this.expectOp('.')
      this.expectOp('.')
      return { t: 'ellipsis', line }
    }
    const lo = this.isOp(':') ? undefined : this.test()
    if (!this.op(':')) return lo!
    const hi = this.startsExpr() ? this.test() : undefined
    let step: Expr | undefined
    if (this.op(':')) step = this.startsExpr() ? this.test() : { t: 'name', line, id: 'None' }
    return { t: 'slice', line, lo, hi, step }
  }

  /** Parameters of def or lambda, up to `close`. */
  args(close: string): Args {
    const params: Expr[] = []
    const defaults: Expr[] = []
    let star: string | undefined
    let dstar: string | undefined
    const { line } = this.token
    while (!this.isOp(close)) {
      if (params.length > 0) {
        this.expectOp(',')
        if (this.isOp(close)) break
      }
      if (this.op('*')) {
        star = this.name()
        if (this.op(',')) {
          this.expectOp('**')
          dstar = this.name()
        }
        break
      }
      if (this.op('**')) {
        dstar = this.name()
        break
      }
      params.push(this.#param())
      if (this.op('=')) defaults.push(this.test())
      else if (defaults.length > 0) this.refuse('non-default argument follows default argument', line)
    }
    const names = [...params.flatMap(namesOf), ...[star, dstar].filter((one) => one !== undefined)]
    for (const [i, name] of names.entries()) {
      if (names.indexOf(name) < i) this.refuse(`duplicate argument '${name}' in function definition`, line)
      if (name === 'None') this.refuse('assignment to None', line)
    }
    return { params, defaults, star, dstar }
  }

  #param(): Expr {
    const { line } = this.token
    if (!this.op('(')) return { t: 'name', line, id: this.name() }
    const e = [this.#param()]
    let tuple = false
    while (this.op(',')) {
      tuple = true
      if (this.isOp(')')) break
      e.push(this.#param())
    }
    this.expectOp(')')
    return tuple ? { t: 'tuple', line, e } : e[0]!
  }

  /** Refuse what nothing can be assigned to, in the compiler's words. */
  assignable(e: Expr, verb = 'assign to'): void {
    const cannot = (what: string): never => this.refuse(`can't ${verb} ${what}`, e.line)
    if (e.t === 'attr' || e.t === 'sub') return
    if (e.t === 'name') {
      if (e.id === 'None' && verb === 'assign to') this.refuse('assignment to None', e.line)
    } else if (e.t === 'tuple' || e.t === 'list') {
      if (e.t === 'tuple' && e.e.length === 0) cannot('()')
      for (const one of e.e) this.assignable(one, verb)
    } else if (e.t === 'call') cannot('function call')
    else if (e.t === 'num' || e.t === 'str' || e.t === 'dict' || e.t === 'repr')
      cannot(e.t === 'repr' ? 'repr' : 'literal')
    else if (e.t === 'listcomp') cannot('list comprehension')
    else if (e.t === 'genexp') cannot('generator expression')
    else if (e.t === 'lambda') cannot('lambda')
    else if (e.t === 'cmp') cannot('comparison')
    else cannot('operator')
  }
}

export const namesOf = (e: Expr): string[] =>
  e.t === 'name' ? [e.id] : e.t === 'tuple' || e.t === 'list' ? e.e.flatMap(namesOf) : []

function joined(a: Value, b: Value): Value {
  if (typeof a === 'string' && typeof b === 'string') return a + b
  const text = (v: Value): string => (v instanceof PyUnicode ? v.s : String(v))
  return new PyUnicode(text(a) + text(b))
}
