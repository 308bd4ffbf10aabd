/** Which names a function binds: what is assigned in it is its own, unless `global` says otherwise (Language Reference 4.1). */
import type { Args, Expr, Stmt } from './ast.ts'
import { namesOf } from './parse-expr.ts'

export interface Scope {
  readonly kind: 'module' | 'class' | 'function'
  readonly outer: Scope | undefined
  readonly bound: ReadonlySet<string>
  readonly globals: ReadonlySet<string>
  readonly yields: boolean
  /** `exec` or `import *` may bring any name. */
  readonly dynamic: boolean
}

export function functionScope(args: Args | undefined, body: readonly Stmt[], outer: Scope): Scope {
  const found = new Finder()
  for (const name of args?.params.flatMap(namesOf) ?? []) found.bound.add(name)
  for (const name of [args?.star, args?.dstar]) if (name !== undefined) found.bound.add(name)
  found.statements(body)
  for (const name of found.globals) found.bound.delete(name)
  return {
    kind: 'function',
    outer,
    bound: found.bound,
    globals: found.globals,
    yields: found.yields,
    dynamic: found.dynamic,
  }
}

/** A class or a module: its names live in a dict; only `global` matters. */
export function openScope(kind: 'module' | 'class', body: readonly Stmt[], outer: Scope | undefined): Scope {
  const found = new Finder()
  if (kind === 'class') found.statements(body)
  return { kind, outer, bound: new Set(), globals: found.globals, yields: found.yields, dynamic: false }
}

/** How many functions out `name` is bound, counting from the one `scope` itself is in as 1; undefined: it is global. */
export function depthOf(name: string, scope: Scope): number | undefined {
  let depth = 0
  for (let one = scope.outer; one; one = one.outer) {
    if (one.kind !== 'function') continue
    depth++
    if (one.bound.has(name)) return depth
    if (one.globals.has(name)) return undefined
  }
  return undefined
}

class Finder {
  readonly bound = new Set<string>()
  readonly globals = new Set<string>()
  yields = false
  dynamic = false

  target(e: Expr): void {
    for (const name of namesOf(e)) this.bound.add(name)
  }

  /** Comprehensions bind in the function around them. */
  exprs(...all: (Expr | undefined)[]): void {
    for (const e of all) {
      if (!e) continue
      switch (e.t) {
        case 'listcomp':
          this.exprs(e.elt)
          for (const { target, iter, ifs } of e.fors) {
            this.target(target)
            this.exprs(iter, ...ifs)
          }
          break
        case 'genexp':
          this.exprs(e.fors[0]!.iter)
          break
        case 'tuple':
        case 'list':
        case 'bool':
          this.exprs(...e.e)
          break
        case 'dict':
          this.exprs(...e.k, ...e.v)
          break
        case 'cmp':
          this.exprs(e.l, ...e.r)
          break
        case 'bin':
          this.exprs(e.l, e.r)
          break
        case 'not':
        case 'unary':
        case 'attr':
        case 'repr':
          this.exprs(e.e)
          break
        case 'sub':
          this.exprs(e.e, e.index)
          break
        case 'slice':
          this.exprs(e.lo, e.hi, e.step)
          break
        case 'call':
          this.exprs(e.f, ...e.args, ...e.kw.map(([, value]) => value), e.star, e.dstar)
          break
        case 'lambda':
          this.exprs(...e.args.defaults)
          break
      }
    }
  }

  statements(body: readonly Stmt[]): void {
    for (const s of body) this.#statement(s)
  }

  #statement(s: Stmt): void {
    switch (s.t) {
      case 'expr':
        this.exprs(s.e)
        return
      case 'assign':
        for (const target of s.targets) this.target(target)
        this.exprs(s.value, ...s.targets)
        return
      case 'aug':
        this.target(s.target)
        this.exprs(s.value)
        return
      case 'del':
        for (const target of s.targets) this.target(target)
        return
      case 'print':
        this.exprs(s.dest, ...s.e)
        return
      case 'return':
        this.exprs(s.e)
        return
      case 'yield':
        this.yields = true
        this.exprs(s.e)
        return
      case 'raise':
        this.exprs(...s.e)
        return
      case 'assert':
        this.exprs(s.e, s.message)
        return
      case 'import':
        for (const [name, as] of s.names) this.bound.add(as ?? name.split('.')[0]!)
        return
      case 'from':
        if (s.names === '*') this.dynamic = true
        else for (const [name, as] of s.names) this.bound.add(as ?? name)
        return
      case 'global':
        for (const name of s.names) this.globals.add(name)
        return
      case 'exec':
        if (!s.globals) this.dynamic = true
        return
      case 'if':
        for (const [test, then] of s.tests) {
          this.exprs(test)
          this.statements(then)
        }
        this.statements(s.orelse)
        return
      case 'while':
        this.exprs(s.test)
        this.statements(s.body)
        this.statements(s.orelse)
        return
      case 'for':
        this.target(s.target)
        this.exprs(s.iter)
        this.statements(s.body)
        this.statements(s.orelse)
        return
      case 'try':
        this.statements(s.body)
        for (const handler of s.handlers) {
          if (handler.target) this.target(handler.target)
          this.statements(handler.body)
        }
        this.statements(s.orelse)
        return
      case 'finally':
        this.statements(s.body)
        this.statements(s.last)
        return
      case 'def':
        this.bound.add(s.name)
        this.exprs(...s.args.defaults)
        return
      case 'class':
        this.bound.add(s.name)
        this.exprs(...s.bases)
        return
    }
  }
}
