/** The shell's syntax tree: what the parser makes once and the interpreter walks (POSIX.1-2004, XCU 2.10). */
import type { Arith } from './arith.ts'

/** A piece of a word. `q`: inside double quotes. */
export type Part =
  | { readonly k: 'lit'; readonly s: string }
  /** Text that was quoted: neither split nor a pattern. */
  | { readonly k: 'quoted'; readonly s: string }
  | Param
  | { readonly k: 'cmd'; readonly body: Node | undefined; readonly q: boolean }
  | {
      readonly k: 'arith'
      readonly word: Word
      readonly q: boolean
      /** Parsed already, where nothing in it must be expanded first. */
      readonly tree: Arith | undefined
      cachedText?: string
      cached?: Arith
    }
  | { readonly k: 'tilde'; readonly user: string }

/** `''`: plain; `#len`: `${#x}`; `/`, `//` and `:` (substring) are bash's; `bad` cannot be expanded. */
export type ParamOp =
  | ''
  | '-'
  | '='
  | '?'
  | '+'
  | '#'
  | '##'
  | '%'
  | '%%'
  | '#len'
  | '/'
  | '//'
  | '/#'
  | '/%'
  | ':'
  | 'bad'

export interface Param {
  readonly k: 'param'
  readonly name: string
  readonly op: ParamOp
  /** `:-` rather than `-`. */
  readonly colon: boolean
  readonly word: Word | undefined
  /** The replacement, or the length. */
  readonly word2: Word | undefined
  readonly q: boolean
}

export interface Word {
  readonly parts: readonly Part[]
  /** The word itself, where there is nothing to expand. */
  readonly lit: string | undefined
  /** Only literals, `$x` and `$((..))` that need no expansion of their own: no command is run for it. */
  readonly plain: boolean
  /** The pattern it is, where nothing in it is expanded; made when it is asked for. */
  fixedPattern?: string
}

export interface Assign {
  readonly name: string
  readonly append: boolean
  readonly word: Word
}

export type RedirOp = '<' | '>' | '>>' | '>|' | '<>' | '<&' | '>&' | '<<' | '<<<' | '&>' | '&>>'
export interface Redir {
  readonly op: RedirOp
  readonly fd: number
  /** The here-document's text, once it has been read. */
  word: Word
}

export type Node =
  | Simple
  | { readonly t: 'pipe'; readonly cmds: readonly Node[]; readonly text: string }
  | { readonly t: 'not'; readonly cmd: Node }
  | {
      readonly t: 'andor'
      readonly first: Node
      readonly rest: readonly { readonly and: boolean; readonly cmd: Node }[]
    }
  | { readonly t: 'seq'; readonly items: readonly Node[] }
  | { readonly t: 'background'; readonly cmd: Node; readonly text: string }
  | { readonly t: 'subshell'; readonly body: Node; readonly text: string }
  | { readonly t: 'redir'; readonly body: Node; readonly redirs: readonly Redir[]; readonly line: number }
  | { readonly t: 'if'; readonly cond: Node; readonly then: Node; readonly otherwise: Node | undefined }
  | { readonly t: 'while' | 'until'; readonly cond: Node; readonly body: Node }
  | {
      readonly t: 'for'
      readonly name: string
      readonly words: readonly Word[] | undefined
      readonly body: Node
      readonly line: number
    }
  | { readonly t: 'case'; readonly word: Word; readonly items: readonly CaseItem[]; readonly line: number }
  | { readonly t: 'function'; readonly name: string; readonly body: Node }
  | { readonly t: 'test'; readonly expr: TestExpr; readonly line: number }
  | { readonly t: 'arith'; readonly word: Word; readonly line: number }

export interface Simple {
  readonly t: 'simple'
  readonly line: number
  readonly assigns: readonly Assign[]
  readonly words: readonly Word[]
  readonly redirs: readonly Redir[]
  readonly text: string
}

export interface CaseItem {
  readonly patterns: readonly Word[]
  readonly body: Node | undefined
}

/** What stands between `[[` and `]]`. */
export type TestExpr =
  | { readonly t: 'and' | 'or'; readonly left: TestExpr; readonly right: TestExpr }
  | { readonly t: 'not'; readonly expr: TestExpr }
  | { readonly t: 'unary'; readonly op: string; readonly word: Word }
  | { readonly t: 'binary'; readonly op: string; readonly left: Word; readonly right: Word }

const GLOB = /[*?]/

export function makeWord(parts: readonly Part[]): Word {
  let lit: string | undefined = ''
  let plain = true
  // `[` alone is a command, no pattern.
  let bracket = false
  for (const part of parts) {
    if (part.k === 'quoted') {
      if (lit !== undefined) lit += part.s
    } else if (part.k === 'lit') {
      bracket ||= part.s.includes('[')
      if (GLOB.test(part.s) || (bracket && part.s.includes(']'))) {
        lit = undefined
        plain = false
      } else if (lit !== undefined) lit += part.s
    } else {
      lit = undefined
      if (part.k === 'param') {
        if (part.op !== '' || part.name === '@' || part.name === '*') plain = false
      } else if (part.k !== 'arith' || !part.tree) plain = false
    }
  }
  return { parts, lit: parts.length === 0 ? undefined : lit, plain: plain && parts.length > 0 }
}

export const quotedWord = (s: string): Word => makeWord([{ k: 'quoted', s }])
