/** Statements of Python 2.4 (its Grammar file): text to a tree. */
import type { Args, Expr, Handler, Program, Stmt } from './ast.ts'
import { tokenize } from './lexer.ts'
import { Reader } from './parse-expr.ts'

const AUGMENTED = ['+=', '-=', '*=', '/=', '//=', '%=', '**=', '&=', '|=', '^=', '<<=', '>>=']
const BLOCKS_MAX = 100

/** A whole file. */
export function parse(source: string): Program {
  const { tokens, lines } = tokenize(source)
  const reader = new Reader(tokens, lines)
  const body: Stmt[] = []
  const parser = new Statements(reader)
  if (reader.is('indent')) {
    reader.fail('unexpected indent', 'IndentationError')
  }
  while (!reader.is('end')) parser.statement(body)
  return { body, lines }
}

/** What eval() takes. */
export function parseExpression(source: string): Program {
  const { tokens, lines } = tokenize(source.replace(/^[ \t]+/, ''))
  const reader = new Reader(tokens, lines, 'unexpected EOF while parsing')
  const { line } = reader.token
  const e = reader.testlist()
  while (reader.is('newline')) reader.advance()
  if (!reader.is('end')) reader.fail()
  return { body: [{ t: 'return', line, e }], lines }
}

class Statements {
  readonly #in: Reader
  #blocks: number

  constructor(reader: Reader) {
    this.#in = reader
    this.#blocks = 0
  }

  statement(into: Stmt[]): void {
    const { token } = this.#in
    if (token.kind === 'indent') this.#in.fail('unexpected indent', 'IndentationError')
    const compound =
      token.kind === 'name' ? this.#compound(token.text) : this.#in.isOp('@') ? this.#decorated() : undefined
    if (compound) {
      into.push(compound)
      return
    }
    do {
      if (this.#in.is('newline')) break
      into.push(this.#simple())
    } while (this.#in.op(';'))
    if (!this.#in.is('newline')) this.#in.fail()
    this.#in.advance()
  }

  #suite(): Stmt[] {
    const body: Stmt[] = []
    this.#in.expectOp(':')
    if (!this.#in.is('newline')) {
      do {
        if (this.#in.is('newline') && body.length > 0) break
        body.push(this.#simple())
      } while (this.#in.op(';'))
      if (!this.#in.is('newline')) this.#in.fail()
      this.#in.advance()
      return body
    }
    this.#in.advance()
    if (!this.#in.is('indent')) this.#in.fail('expected an indented block', 'IndentationError')
    if (++this.#blocks > BLOCKS_MAX) this.#in.fail('too many levels of indentation', 'IndentationError')
    this.#in.advance()
    while (!this.#in.is('dedent')) this.statement(body)
    this.#in.advance()
    this.#blocks--
    return body
  }

  #compound(word: string): Stmt | undefined {
    const r = this.#in
    const { line } = r.token
    switch (word) {
      case 'if': {
        const tests: [Expr, Stmt[]][] = []
        r.advance()
        do tests.push([r.test(), this.#suite()])
        while (r.word('elif'))
        return { t: 'if', line, tests, orelse: this.#orelse() }
      }
      case 'while':
        r.advance()
        return { t: 'while', line, test: r.test(), body: this.#suite(), orelse: this.#orelse() }
      case 'for': {
        r.advance()
        const target = r.exprlist()
        r.assignable(target)
        r.expectWord('in')
        return { t: 'for', line, target, iter: r.testlist(), body: this.#suite(), orelse: this.#orelse() }
      }
      case 'try':
        return this.#try()
      case 'def':
        return this.#def([])
      case 'class': {
        r.advance()
        const name = r.name()
        let bases: Expr[] = []
        if (r.op('(')) {
          const list = r.testlist()
          bases = list.t === 'tuple' ? [...list.e] : [list]
          r.expectOp(')')
        }
        return { t: 'class', line, name, bases, body: this.#suite() }
      }
    }
    return undefined
  }

  #orelse(): Stmt[] {
    return this.#in.word('else') ? this.#suite() : []
  }

  #try(): Stmt {
    const r = this.#in
    const { line } = r.advance()
    const body = this.#suite()
    if (r.word('finally')) return { t: 'finally', line, body, last: this.#suite() }
    if (!r.isWord('except')) r.fail()
    const handlers: Handler[] = []
    while (r.isWord('except')) {
      const at = r.advance().line
      if (handlers.some(({ type }) => !type)) r.refuse("default 'except:' must be last", line)
      let type: Expr | undefined
      let target: Expr | undefined
      if (!r.isOp(':')) {
        type = r.test()
        if (r.op(',')) {
          target = r.test()
          r.assignable(target)
        }
      }
      handlers.push({ line: at, type, target, body: this.#suite() })
    }
    return { t: 'try', line, body, handlers, orelse: this.#orelse() }
  }

  #decorated(): Stmt {
    const r = this.#in
    const decorators: Expr[] = []
    while (r.isOp('@')) {
      const { line } = r.advance()
      let e: Expr = { t: 'name', line, id: r.name() }
      while (r.op('.')) e = { t: 'attr', line, e, name: r.name() }
      if (r.op('(')) e = r.call(e, line)
      decorators.push(e)
      if (!r.is('newline')) r.fail()
      r.advance()
    }
    if (!r.isWord('def')) r.fail()
    return this.#def(decorators)
  }

  #def(decorators: readonly Expr[]): Stmt {
    const r = this.#in
    const { line } = r.advance()
    const name = r.name()
    r.expectOp('(')
    const args: Args = r.args(')')
    r.expectOp(')')
    return { t: 'def', line, name, args, body: this.#suite(), decorators }
  }

  #simple(): Stmt {
    const r = this.#in
    const { line, kind, text } = r.token
    if (kind !== 'name') return this.#expression()
    switch (text) {
      case 'pass':
      case 'break':
      case 'continue':
        r.advance()
        return { t: text, line }
      case 'print':
        return this.#print()
      case 'del': {
        r.advance()
        const list = r.exprlist()
        r.assignable(list, 'delete')
        return { t: 'del', line, targets: [list] }
      }
      case 'return':
        r.advance()
        return { t: 'return', line, e: r.startsExpr() ? r.testlist() : undefined }
      case 'yield':
        r.advance()
        return { t: 'yield', line, e: r.testlist() }
      case 'raise': {
        r.advance()
        const e: Expr[] = []
        if (r.startsExpr()) {
          e.push(r.test())
          while (e.length < 3 && r.op(',')) e.push(r.test())
        }
        return { t: 'raise', line, e }
      }
      case 'global': {
        r.advance()
        const names = [r.name()]
        while (r.op(',')) names.push(r.name())
        return { t: 'global', line, names }
      }
      case 'exec': {
        r.advance()
        const e = r.expr()
        const globals = r.word('in') ? r.test() : undefined
        return { t: 'exec', line, e, globals, locals: globals && r.op(',') ? r.test() : undefined }
      }
      case 'assert': {
        r.advance()
        const e = r.test()
        return { t: 'assert', line, e, message: r.op(',') ? r.test() : undefined }
      }
      case 'import': {
        r.advance()
        const names = [this.#dottedAs()]
        while (r.op(',')) names.push(this.#dottedAs())
        return { t: 'import', line, names }
      }
      case 'from':
        return this.#from()
    }
    return this.#expression()
  }

  #dotted(): string {
    let name = this.#in.name()
    while (this.#in.op('.')) name += `.${this.#in.name()}`
    return name
  }

  #dottedAs(): [string, string | undefined] {
    return [this.#dotted(), this.#in.word('as') ? this.#in.name() : undefined]
  }

  #from(): Stmt {
    const r = this.#in
    const { line } = r.advance()
    const module = this.#dotted()
    r.expectWord('import')
    if (r.op('*')) return { t: 'from', line, module, names: '*' }
    const names: [string, string | undefined][] = []
    const parenthesis = r.op('(')
    do {
      if (parenthesis && r.isOp(')')) break
      const name = r.name()
      names.push([name, r.word('as') ? r.name() : undefined])
    } while (r.op(','))
    if (parenthesis) r.expectOp(')')
    return { t: 'from', line, module, names }
  }

  #print(): Stmt {
    const r = this.#in
    const { line } = r.advance()
    let dest: Expr | undefined
    const e: Expr[] = []
    let newline = true
    if (r.op('>>')) {
      dest = r.test()
      if (!r.op(',')) return { t: 'print', line, dest, e, newline }
      if (!r.startsExpr()) r.fail()
    }
    while (r.startsExpr()) {
      e.push(r.test())
      newline = true
      if (!r.op(',')) break
      newline = false
    }
    return { t: 'print', line, dest, e, newline }
  }

  #expression(): Stmt {
    const r = this.#in
    const { line } = r.token
    const first = r.testlist()
    if (r.is('op') && AUGMENTED.includes(r.token.text)) {
      const op = r.advance().text.slice(0, -1)
      const value = r.testlist()
      if (first.t === 'tuple' || first.t === 'list') r.refuse(`augmented assign to ${first.t} not possible`, line)
      r.assignable(first)
      return { t: 'aug', line, target: first, op, value }
    }
    if (!r.isOp('=')) return { t: 'expr', line, e: first }
    const chain = [first]
    while (r.op('=')) chain.push(r.testlist())
    const value = chain.pop()!
    for (const target of chain) r.assignable(target)
    return { t: 'assign', line, targets: chain, value }
  }
}
