/** The tree that an awk program is parsed into. */
import type { Regex } from '../../regex/regex.ts'

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
