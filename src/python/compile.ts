/** Trees to instructions. The machine they are for is a stack of values and a stack of blocks for each frame (vm.ts). */
import type { Args, Comp, Expr, Program, Stmt } from './ast.ts'
import type { Code } from './code.ts'
import { SyntaxProblem } from './errors.ts'
import { PyLong, type Value } from './objects.ts'
import { OPCODES, type OpName } from './opcodes.ts'
import { depthOf, functionScope, openScope, type Scope } from './scope.ts'

/** A file's code. `scope` says what a bare name is: that of a module. */
export function compileProgram(program: Program, file: string, interactive = false): Code {
  const unit = new Unit('?', file, openScope('module', program.body, undefined), program.lines)
  unit.interactive = interactive
  const doc = unit.docstring(program.body)
  if (doc !== null) {
    unit.emit('CONST', unit.constant(doc))
    unit.emit('SNAME', unit.name('__doc__'))
  }
  unit.statements(program.body)
  return unit.finish(doc)
}

type Loop = { readonly start: number }

class Unit {
  readonly #title: string
  readonly #file: string
  readonly #scope: Scope
  readonly #source: readonly string[]
  readonly #ops: number[] = []
  readonly #lines: number[] = []
  readonly #consts: (Value | Code)[] = []
  readonly #names: string[] = []
  /** Numbers of strings and ints among the constants. */
  readonly #known = new Map<string | number, number>()
  readonly #nameAt = new Map<string, number>()
  #line = 1
  readonly #loops: (Loop | 'try' | 'finally')[] = []
  #temps = 0
  #insideTryFinally = 0
  interactive = false

  constructor(title: string, file: string, scope: Scope, source: readonly string[]) {
    this.#title = title
    this.#file = file
    this.#scope = scope
    this.#source = source
  }

  finish(doc: Value = null, args?: Args): Code {
    this.emit('CONST', this.constant(null))
    this.emit('RET')
    const params = args?.params ?? []
    return {
      name: this.#title,
      file: this.#file,
      ops: Int32Array.from(this.#ops),
      lines: Int32Array.from(this.#lines),
      consts: this.#consts,
      names: this.#names,
      doc,
      params: params.map((one, i) => (one.t === 'name' ? one.id : `.${i}`)),
      star: args?.star,
      dstar: args?.dstar,
      generator: this.#scope.kind === 'function' && this.#scope.yields,
      optimized: this.#scope.kind === 'function',
    }
  }

  emit(op: OpName, arg = 0): number {
    this.#lines.push(this.#line)
    return this.#ops.push(OPCODES[op], arg) - 2
  }

  /** Let the jump at `at` lead here. */
  #land(...jumps: number[]): void {
    for (const at of jumps) this.#ops[at + 1] = this.#ops.length
  }

  get #here(): number {
    return this.#ops.length
  }

  constant(value: Value | Code): number {
    const simple = typeof value === 'string' || (typeof value === 'number' && !Object.is(value, -0))
    const known = simple ? this.#known.get(value) : undefined
    if (known !== undefined) return known
    const at = this.#consts.push(value) - 1
    if (simple) this.#known.set(value, at)
    return at
  }

  name(name: string): number {
    const known = this.#nameAt.get(name)
    if (known !== undefined) return known
    const at = this.#names.push(name) - 1
    this.#nameAt.set(name, at)
    return at
  }

  docstring(body: readonly Stmt[]): Value {
    const first = body[0]
    return first?.t === 'expr' && first.e.t === 'str' ? first.e.v : null
  }

  #refuse(message: string, line = this.#line): never {
    throw new SyntaxProblem(message, line, undefined, this.#source[line - 1] ?? '')
  }

  statements(body: readonly Stmt[]): void {
    for (const s of body) {
      this.#line = s.line
      this.#statement(s)
    }
  }

  // Names

  #variable(name: string, how: 'L' | 'S' | 'D'): void {
    const scope = this.#scope
    const at = this.name(name)
    if (scope.globals.has(name)) this.emit(`${how}GLOB`, at)
    else if (scope.kind === 'function') {
      if (scope.bound.has(name)) this.emit(`${how}FAST`, at)
      else if (how !== 'L') this.emit(`${how}FAST`, at)
      else {
        const depth = depthOf(name, scope)
        if (scope.dynamic) this.emit('LDYN', at)
        else if (depth === undefined) this.emit('LGLOB', at)
        else this.emit('LDEREF', at * 256 + depth)
      }
    } else {
      const depth = how === 'L' && scope.kind === 'class' ? depthOf(name, scope) : undefined
      if (depth === undefined) this.emit(`${how}NAME`, at)
      else this.emit('LCLASSDEREF', at * 256 + depth)
    }
  }

  #store(e: Expr): void {
    switch (e.t) {
      case 'name':
        this.#variable(e.id, 'S')
        return
      case 'attr':
        this.expr(e.e)
        this.emit('SATTR', this.name(e.name))
        return
      case 'sub':
        this.expr(e.e)
        this.expr(e.index)
        this.emit('SSUB')
        return
      case 'tuple':
      case 'list':
        this.emit('UNPACK', e.e.length)
        for (const one of e.e) this.#store(one)
    }
  }

  #delete(e: Expr): void {
    switch (e.t) {
      case 'name':
        this.#variable(e.id, 'D')
        return
      case 'attr':
        this.expr(e.e)
        this.emit('DATTR', this.name(e.name))
        return
      case 'sub':
        this.expr(e.e)
        this.expr(e.index)
        this.emit('DSUB')
        return
      case 'tuple':
      case 'list':
        for (const one of e.e) this.#delete(one)
    }
  }

  // Statements

  #statement(s: Stmt): void {
    switch (s.t) {
      case 'expr':
        // A string alone is a comment.
        if (s.e.t === 'str' && !this.interactive) return
        this.expr(s.e)
        this.emit(this.interactive && this.#scope.kind === 'module' ? 'SHOW' : 'POP')
        return
      case 'assign':
        this.expr(s.value)
        for (const [i, target] of s.targets.entries()) {
          if (i < s.targets.length - 1) this.emit('DUP')
          this.#store(target)
        }
        return
      case 'aug':
        this.#augmented(s.target, s.op, s.value)
        return
      case 'del':
        for (const target of s.targets) this.#delete(target)
        return
      case 'print':
        for (const e of s.e) {
          if (s.dest) this.expr(s.dest)
          this.expr(e)
          this.emit('PRINT', s.dest ? 1 : 0)
        }
        if (s.newline) {
          if (s.dest) this.expr(s.dest)
          this.emit('PRINTNL', s.dest ? 1 : 0)
        }
        return
      case 'pass':
      case 'global':
        return
      case 'break':
        if (!this.#loops.some((one) => typeof one === 'object')) this.#refuse("'break' outside loop")
        this.emit('BREAK')
        return
      case 'continue':
        this.#continue()
        return
      case 'return':
        if (this.#scope.kind !== 'function') this.#refuse("'return' outside function")
        if (s.e && this.#scope.yields) this.#refuse("'return' with argument inside generator")
        if (s.e) this.expr(s.e)
        else this.emit('CONST', this.constant(null))
        this.emit('RET')
        return
      case 'yield':
        if (this.#scope.kind !== 'function') this.#refuse("'yield' outside function")
        if (this.#loops.includes('finally') || this.#insideTryFinally > 0)
          this.#refuse("'yield' not allowed in a 'try' block with a 'finally' clause")
        this.expr(s.e)
        this.emit('YIELD')
        return
      case 'raise':
        for (const e of s.e) this.expr(e)
        this.emit('RAISE', s.e.length)
        return
      case 'import':
        for (const [name, as] of s.names) {
          this.emit('IMPORT', this.name(name) * 2 + (as === undefined ? 0 : 1))
          this.#variable(as ?? name.split('.')[0]!, 'S')
        }
        return
      case 'from': {
        if (s.module === '__future__') {
          this.#future(s.names)
          return
        }
        this.emit('IMPORT', this.name(s.module) * 2 + 1)
        if (s.names === '*') {
          if (this.#scope.kind === 'function' && this.#scope.outer?.kind === 'function')
            this.#refuse("import * is not allowed in function '" + this.#title + "' because it is a nested function")
          this.emit('IMPORTSTAR')
          return
        }
        for (const [name, as] of s.names) {
          this.emit('IMPORTFROM', this.name(name))
          this.#variable(as ?? name, 'S')
        }
        this.emit('POP')
        return
      }
      case 'exec':
        this.expr(s.e)
        if (s.globals) this.expr(s.globals)
        if (s.locals) this.expr(s.locals)
        this.emit('EXEC', s.locals ? 2 : s.globals ? 1 : 0)
        return
      case 'assert': {
        this.expr(s.e)
        const ok = this.emit('JT')
        this.emit('LGLOB', this.name('AssertionError'))
        if (s.message) this.expr(s.message)
        this.emit('RAISE', s.message ? 2 : 1)
        this.#land(ok)
        return
      }
      case 'if': {
        const ends: number[] = []
        for (const [i, [test, body]] of s.tests.entries()) {
          this.#line = test.line
          this.expr(test)
          const skip = this.emit('JF')
          this.statements(body)
          if (i < s.tests.length - 1 || s.orelse.length > 0) ends.push(this.emit('JMP'))
          this.#land(skip)
        }
        this.statements(s.orelse)
        this.#land(...ends)
        return
      }
      case 'while': {
        const loop = this.emit('SETUPLOOP')
        const start = this.#here
        this.expr(s.test)
        const out = this.emit('JF')
        this.#body(start, s.body)
        this.emit('JMP', start)
        this.#land(out)
        this.emit('POPBLOCK')
        this.statements(s.orelse)
        this.#land(loop)
        return
      }
      case 'for': {
        const loop = this.emit('SETUPLOOP')
        this.expr(s.iter)
        this.emit('GETITER')
        const start = this.#here
        const out = this.emit('FORITER')
        this.#store(s.target)
        this.#body(start, s.body)
        this.emit('JMP', start)
        this.#land(out)
        this.emit('POPBLOCK')
        this.statements(s.orelse)
        this.#land(loop)
        return
      }
      case 'try':
        this.#try(s)
        return
      case 'finally': {
        const handler = this.emit('SETUPFIN')
        this.#loops.push('try')
        this.#insideTryFinally++
        this.statements(s.body)
        this.#insideTryFinally--
        this.#loops.pop()
        this.emit('POPBLOCK')
        this.emit('NORMAL')
        this.#land(handler)
        this.#loops.push('finally')
        this.statements(s.last)
        this.#loops.pop()
        this.emit('ENDFIN')
        return
      }
      case 'def': {
        for (const e of s.decorators) this.expr(e)
        this.#function(s.name, s.args, s.body)
        for (let i = 0; i < s.decorators.length; i++) this.emit('CALL', 1)
        this.#variable(s.name, 'S')
        return
      }
      case 'class':
        this.emit('CONST', this.constant(s.name))
        for (const base of s.bases) this.expr(base)
        this.emit('BTUPLE', s.bases.length)
        this.#classBody(s.name, s.body)
        this.emit('MKCLASS')
        this.#variable(s.name, 'S')
    }
  }

  #future(names: readonly (readonly [string, string | undefined])[] | '*'): void {
    for (const [name] of names === '*' ? [] : names)
      if (!['division', 'generators', 'nested_scopes'].includes(name))
        this.#refuse(`future feature ${name} is not defined`)
  }

  #body(start: number, body: readonly Stmt[]): void {
    this.#loops.push({ start })
    this.statements(body)
    this.#loops.pop()
  }

  #continue(): void {
    for (let i = this.#loops.length - 1; i >= 0; i--) {
      const one = this.#loops[i]!
      if (one === 'finally') this.#refuse("'continue' not supported inside 'finally' clause")
      if (typeof one === 'object') {
        this.emit('CONTINUE', one.start)
        return
      }
    }
    this.#refuse("'continue' not properly in loop")
  }

  #augmented(target: Expr, op: string, value: Expr): void {
    const operator = this.constant(op)
    if (target.t === 'attr') {
      this.expr(target.e)
      this.emit('DUP')
      this.emit('LATTR', this.name(target.name))
      this.expr(value)
      this.emit('INPLACE', operator)
      this.emit('ROT2')
      this.emit('SATTR', this.name(target.name))
    } else if (target.t === 'sub') {
      this.expr(target.e)
      this.expr(target.index)
      this.emit('DUP2')
      this.emit('LSUB')
      this.expr(value)
      this.emit('INPLACE', operator)
      this.emit('ROT3')
      this.emit('SSUB')
    } else {
      this.expr(target)
      this.expr(value)
      this.emit('INPLACE', operator)
      this.#store(target)
    }
  }

  #try(s: Extract<Stmt, { t: 'try' }>): void {
    const setup = this.emit('SETUPEXC')
    this.#loops.push('try')
    this.statements(s.body)
    this.#loops.pop()
    this.emit('POPBLOCK')
    const toElse = this.emit('JMP')
    this.#land(setup)
    const ends: number[] = []
    for (const handler of s.handlers) {
      this.#line = handler.line
      let skip: number | undefined
      if (handler.type) {
        this.expr(handler.type)
        this.emit('MATCH')
        skip = this.emit('JF')
      }
      if (handler.target) {
        this.emit('CAUGHT')
        this.#store(handler.target)
      } else this.emit('POP')
      this.statements(handler.body)
      ends.push(this.emit('JMP'))
      if (skip !== undefined) this.#land(skip)
    }
    this.emit('ENDFIN')
    this.#land(toElse)
    this.statements(s.orelse)
    this.#land(...ends)
  }

  /** Push a function. */
  #function(name: string, args: Args, body: readonly Stmt[]): void {
    for (const e of args.defaults) this.expr(e)
    const unit = new Unit(name, this.#file, functionScope(args, body, this.#scope), this.#source)
    unit.#line = this.#line
    for (const [i, pattern] of args.params.entries())
      if (pattern.t !== 'name') {
        unit.emit('LFAST', unit.name(`.${i}`))
        unit.#store(pattern)
      }
    const doc = unit.docstring(body)
    unit.statements(body)
    this.emit('CONST', this.constant(unit.finish(doc, args)))
    this.emit('MKFUN', args.defaults.length)
  }

  #lambda(args: Args, body: Expr): void {
    this.#function('<lambda>', args, [{ t: 'return', line: body.line, e: body }])
  }

  /** Push the dict that a class statement's body leaves. */
  #classBody(name: string, body: readonly Stmt[]): void {
    const unit = new Unit(name, this.#file, openScope('class', body, this.#scope), this.#source)
    unit.#line = this.#line
    const doc = unit.docstring(body)
    unit.emit('LGLOB', unit.name('__name__'))
    unit.emit('SNAME', unit.name('__module__'))
    if (doc !== null) {
      unit.emit('CONST', unit.constant(doc))
      unit.emit('SNAME', unit.name('__doc__'))
    }
    unit.statements(body)
    unit.emit('LOCALS')
    unit.emit('RET')
    this.emit('CONST', this.constant(unit.finish(doc)))
    this.emit('RUNCLASS')
  }

  // Expressions

  expr(e: Expr): void {
    switch (e.t) {
      case 'num':
      case 'str':
        this.emit('CONST', this.constant(e.v))
        return
      case 'name':
        if (e.id === 'None') this.emit('CONST', this.constant(null))
        else this.#variable(e.id, 'L')
        return
      case 'tuple':
      case 'list':
        for (const one of e.e) this.expr(one)
        this.emit(e.t === 'tuple' ? 'BTUPLE' : 'BLIST', e.e.length)
        return
      case 'dict':
        this.emit('BMAP')
        for (const [i, key] of e.k.entries()) {
          this.expr(e.v[i]!)
          this.expr(key)
          this.emit('MAPADD')
        }
        return
      case 'listcomp': {
        const temp = `_[${++this.#temps}]`
        this.emit('BLIST', 0)
        this.emit('DUP')
        this.#temporary('S', temp)
        this.#comprehension(e.fors, 0, () => {
          this.#temporary('L', temp)
          this.expr(e.elt)
          this.emit('APPEND')
        })
        this.#temporary('D', temp)
        this.#temps--
        return
      }
      case 'genexp':
        this.#genexp(e)
        return
      case 'lambda':
        this.#lambda(e.args, e.body)
        return
      case 'bool': {
        const ends: number[] = []
        for (const [i, one] of e.e.entries()) {
          this.expr(one)
          if (i < e.e.length - 1) ends.push(this.emit(e.op === 'and' ? 'JFKEEP' : 'JTKEEP'))
        }
        this.#land(...ends)
        return
      }
      case 'not':
        this.expr(e.e)
        this.emit('NOT')
        return
      case 'cmp':
        this.#comparison(e)
        return
      case 'bin':
        this.expr(e.l)
        this.expr(e.r)
        this.emit('BINARY', this.constant(e.op))
        return
      case 'unary':
        if (e.op === '-' && e.e.t === 'num' && typeof e.e.v === 'number' && e.e.v !== 0)
          this.emit('CONST', this.constant(-e.e.v))
        else if (e.op === '-' && e.e.t === 'num' && e.e.v instanceof PyLong && e.e.v.v === 1n << 63n)
          this.emit('CONST', this.constant(-(1n << 63n)))
        else {
          this.expr(e.e)
          this.emit('UNARY', this.constant(e.op))
        }
        return
      case 'call': {
        this.expr(e.f)
        for (const one of e.args) this.expr(one)
        for (const [name, value] of e.kw) {
          this.emit('CONST', this.constant(name))
          this.expr(value)
        }
        if (e.star) this.expr(e.star)
        if (e.dstar) this.expr(e.dstar)
        this.#line = e.line
        if (e.args.length > 255 || e.kw.length > 255) this.#refuse('more than 255 arguments')
        this.emit('CALL', e.args.length + e.kw.length * 256 + (e.star ? 65536 : 0) + (e.dstar ? 131072 : 0))
        return
      }
      case 'attr':
        this.expr(e.e)
        this.emit('LATTR', this.name(e.name))
        return
      case 'sub':
        this.expr(e.e)
        this.expr(e.index)
        this.emit('LSUB')
        return
      case 'slice': {
        const none = this.constant(null)
        for (const part of [e.lo, e.hi]) {
          if (part) this.expr(part)
          else this.emit('CONST', none)
        }
        if (e.step) this.expr(e.step)
        this.emit('BSLICE', e.step ? 3 : 2)
        return
      }
      case 'ellipsis':
        this.emit('LGLOB', this.name('Ellipsis'))
        return
      case 'repr':
        this.expr(e.e)
        this.emit('REPR')
    }
  }

  #temporary(how: 'L' | 'S' | 'D', name: string): void {
    this.emit(`${how}${this.#scope.kind === 'function' ? 'FAST' : 'NAME'}`, this.name(name))
  }

  #comprehension(fors: readonly Comp[], i: number, body: () => void, first?: () => void): void {
    const comp = fors[i]
    if (!comp) {
      body()
      return
    }
    if (first) first()
    else {
      this.expr(comp.iter)
      this.emit('GETITER')
    }
    const start = this.#here
    const out = this.emit('FORITER')
    this.#store(comp.target)
    const skips: number[] = []
    for (const test of comp.ifs) {
      this.expr(test)
      skips.push(this.emit('JF'))
    }
    this.#comprehension(fors, i + 1, body)
    this.#land(...skips)
    this.emit('JMP', start)
    this.#land(out)
  }

  /** A generator of its own; its first iterator is made here and now. */
  #genexp(e: Extract<Expr, { t: 'genexp' }>): void {
    const args: Args = {
      params: [{ t: 'name', line: e.line, id: '[outmost-iterable]' }],
      defaults: [],
      star: undefined,
      dstar: undefined,
    }
    const yields: Stmt = { t: 'yield', line: e.line, e: e.elt }
    const targets: Stmt[] = e.fors.map(({ target }) => ({ t: 'del', line: e.line, targets: [target] }))
    const unit = new Unit(
      '<generator expression>',
      this.#file,
      functionScope(args, [yields, ...targets], this.#scope),
      this.#source,
    )
    unit.#line = e.line
    unit.#comprehension(
      e.fors,
      0,
      () => unit.statements([yields]),
      () => unit.emit('LFAST', unit.name('[outmost-iterable]')),
    )
    this.emit('CONST', this.constant(unit.finish(null, args)))
    this.emit('MKFUN', 0)
    this.expr(e.fors[0]!.iter)
    this.emit('GETITER')
    this.emit('CALL', 1)
  }

  #comparison({ l, ops, r }: Extract<Expr, { t: 'cmp' }>): void {
    this.expr(l)
    const ends: number[] = []
    for (const [i, op] of ops.entries()) {
      this.expr(r[i]!)
      if (i === ops.length - 1) {
        this.emit('COMPARE', this.constant(op))
        break
      }
      this.emit('DUP')
      this.emit('ROT3')
      this.emit('COMPARE', this.constant(op))
      ends.push(this.emit('JFKEEP'))
    }
    if (ends.length === 0) return
    const end = this.emit('JMP')
    this.#land(...ends)
    this.emit('ROT2')
    this.emit('POP')
    this.#land(end)
  }
}

/** What eval() runs: the value comes back. */
export function compileEval(program: Program, file: string): Code {
  const unit = new Unit('?', file, openScope('module', program.body, undefined), program.lines)
  const [only] = program.body
  if (only?.t === 'return' && only.e) unit.expr(only.e)
  unit.emit('RET')
  return unit.finish()
}
