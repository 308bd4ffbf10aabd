/** The syntax tree of a Python 2.4 program. `line` is where a node begins. */
import type { Value } from './objects.ts'

export interface Comp {
  readonly target: Expr
  readonly iter: Expr
  readonly ifs: readonly Expr[]
}

export interface Args {
  /** Names, or tuples to unpack into. */
  readonly params: readonly Expr[]
  readonly defaults: readonly Expr[]
  readonly star: string | undefined
  readonly dstar: string | undefined
}

export type Expr = { readonly line: number } & (
  | { readonly t: 'num'; readonly v: Value }
  | { readonly t: 'str'; readonly v: Value }
  | { readonly t: 'name'; readonly id: string }
  | { readonly t: 'tuple'; readonly e: readonly Expr[] }
  | { readonly t: 'list'; readonly e: readonly Expr[] }
  | { readonly t: 'dict'; readonly k: readonly Expr[]; readonly v: readonly Expr[] }
  | { readonly t: 'listcomp'; readonly elt: Expr; readonly fors: readonly Comp[] }
  | { readonly t: 'genexp'; readonly elt: Expr; readonly fors: readonly Comp[] }
  | { readonly t: 'lambda'; readonly args: Args; readonly body: Expr }
  | { readonly t: 'bool'; readonly op: 'and' | 'or'; readonly e: readonly Expr[] }
  | { readonly t: 'not'; readonly e: Expr }
  | { readonly t: 'cmp'; readonly l: Expr; readonly ops: readonly string[]; readonly r: readonly Expr[] }
  | { readonly t: 'bin'; readonly op: string; readonly l: Expr; readonly r: Expr }
  | { readonly t: 'unary'; readonly op: string; readonly e: Expr }
  | {
      readonly t: 'call'
      readonly f: Expr
      readonly args: readonly Expr[]
      readonly kw: readonly (readonly [string, Expr])[]
      readonly star: Expr | undefined
      readonly dstar: Expr | undefined
    }
  | { readonly t: 'attr'; readonly e: Expr; readonly name: string }
  | { readonly t: 'sub'; readonly e: Expr; readonly index: Expr }
  | {
      readonly t: 'slice'
      readonly lo: Expr | undefined
      readonly hi: Expr | undefined
      readonly step: Expr | undefined
    }
  | { readonly t: 'ellipsis' }
  | { readonly t: 'repr'; readonly e: Expr }
)

export type Stmt = { readonly line: number } & (
  | { readonly t: 'expr'; readonly e: Expr }
  | { readonly t: 'assign'; readonly targets: readonly Expr[]; readonly value: Expr }
  | { readonly t: 'aug'; readonly target: Expr; readonly op: string; readonly value: Expr }
  | { readonly t: 'del'; readonly targets: readonly Expr[] }
  | { readonly t: 'print'; readonly dest: Expr | undefined; readonly e: readonly Expr[]; readonly newline: boolean }
  | { readonly t: 'pass' | 'break' | 'continue' }
  | { readonly t: 'return'; readonly e: Expr | undefined }
  | { readonly t: 'yield'; readonly e: Expr }
  | { readonly t: 'raise'; readonly e: readonly Expr[] }
  | { readonly t: 'import'; readonly names: readonly (readonly [name: string, as: string | undefined])[] }
  | {
      readonly t: 'from'
      readonly module: string
      readonly names: readonly (readonly [string, string | undefined])[] | '*'
    }
  | { readonly t: 'global'; readonly names: readonly string[] }
  | { readonly t: 'exec'; readonly e: Expr; readonly globals: Expr | undefined; readonly locals: Expr | undefined }
  | { readonly t: 'assert'; readonly e: Expr; readonly message: Expr | undefined }
  | {
      readonly t: 'if'
      readonly tests: readonly (readonly [Expr, readonly Stmt[]])[]
      readonly orelse: readonly Stmt[]
    }
  | { readonly t: 'while'; readonly test: Expr; readonly body: readonly Stmt[]; readonly orelse: readonly Stmt[] }
  | {
      readonly t: 'for'
      readonly target: Expr
      readonly iter: Expr
      readonly body: readonly Stmt[]
      readonly orelse: readonly Stmt[]
    }
  | {
      readonly t: 'try'
      readonly body: readonly Stmt[]
      readonly handlers: readonly Handler[]
      readonly orelse: readonly Stmt[]
    }
  | { readonly t: 'finally'; readonly body: readonly Stmt[]; readonly last: readonly Stmt[] }
  | {
      readonly t: 'def'
      readonly name: string
      readonly args: Args
      readonly body: readonly Stmt[]
      readonly decorators: readonly Expr[]
    }
  | { readonly t: 'class'; readonly name: string; readonly bases: readonly Expr[]; readonly body: readonly Stmt[] }
)

export interface Handler {
  readonly line: number
  readonly type: Expr | undefined
  readonly target: Expr | undefined
  readonly body: readonly Stmt[]
}

export interface Program {
  readonly body: readonly Stmt[]
  /** Lines of the source, for what the compiler complains about. */
  readonly lines: readonly string[]
}
