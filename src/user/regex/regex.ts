/**
 * Regular expressions over byte strings: leftmost-longest, in time linear in the text unless there are back-references. The engine's own RegExp has
 * another syntax, prefers the first alternative to the longest, and nobody can stop it.
 */
import { backtrack } from './backtrack.ts'
import { Dfa } from './dfa.ts'
import { parseRegex } from './parse.ts'
import { generate, Op, type RegexProgram } from './program.ts'
import type { Node, RegexSyntax } from './syntax.ts'

export class Regex {
  /** How many groups it has. */
  readonly groups: number
  readonly #program: RegexProgram
  readonly #floating: Dfa
  readonly #anchored: Dfa
  readonly #ignoreCase: boolean
  readonly #backrefs: boolean
  /** The text it stands for, if it is nothing but one. */
  readonly #literal: string | undefined
  /** It can match only at the beginning of a line. */
  readonly #atBegin: boolean

  constructor(node: Node, groups: number, backrefs: boolean, syntax: RegexSyntax) {
    this.groups = groups
    this.#ignoreCase = syntax.ignoreCase === true
    this.#backrefs = backrefs
    this.#program = generate(node, syntax.multiline === true)
    this.#floating = new Dfa(this.#program, true)
    this.#anchored = new Dfa(this.#program, false)
    this.#literal = literalOf(this.#program)
    this.#atBegin = this.#program.op[0] === Op.assert && this.#program.x[0] === 0 && syntax.multiline !== true
  }

  /** Whether it matches anywhere. */
  test(text: string): boolean {
    if (this.#literal !== undefined) return text.includes(this.#literal)
    if (this.#backrefs) return this.exec(text, 0) !== undefined
    return (this.#atBegin ? this.#anchored : this.#floating).run(text, 0) >= 0
  }

  /**
   * The leftmost match that begins at `from` or later, the longest there: start and end, then those of each group, -1 for those that took no part.
   * Without `groups` only the first two are sure to be there.
   */
  exec(text: string, from = 0, groups = true): Int32Array | undefined {
    if (this.#literal !== undefined) {
      const at = text.indexOf(this.#literal, from)
      return at < 0 ? undefined : Int32Array.of(at, at + this.#literal.length)
    }
    const slots = 2 * (this.groups + 1)
    const ignoreCase = this.#ignoreCase
    if (this.#backrefs) {
      for (let start = from; start <= text.length; start++) {
        const found = backtrack(this.#program, slots, text, start, { end: -1, ignoreCase, memo: false })
        if (found || this.#atBegin) return found
      }
      return undefined
    }
    const firstEnd = this.#atBegin ? from : this.#floating.run(text, from)
    for (let start = from; start <= firstEnd; start++) {
      const end = this.#anchored.run(text, start)
      if (end < 0) continue
      if (!groups || this.groups === 0) return Int32Array.of(start, end)
      return backtrack(this.#program, slots, text, start, { end, ignoreCase, memo: true })
    }
    return undefined
  }

  /** End of the longest match that begins just at `from`, or -1. */
  matchAt(text: string, from: number): number {
    if (!this.#backrefs) return this.#anchored.run(text, from)
    const options = { end: -1, ignoreCase: this.#ignoreCase, memo: false }
    return backtrack(this.#program, 2 * (this.groups + 1), text, from, options)?.[1] ?? -1
  }
}

/** regcomp; RegexError has glibc's words. Several patterns are alternatives. */
export function compileRegex(patterns: string | readonly string[], syntax: RegexSyntax = {}): Regex {
  const nodes: Node[] = []
  let groups = 0
  let backrefs = false
  for (const pattern of typeof patterns === 'string' ? [patterns] : patterns) {
    const parsed = parseRegex(pattern, syntax, groups)
    nodes.push(parsed.node)
    groups = parsed.groups
    backrefs ||= parsed.backrefs
  }
  let node: Node = nodes.length === 1 ? nodes[0]! : { kind: 'alt', nodes }
  if (syntax.whole) {
    const word = syntax.whole === 'word'
    const before: Node = { kind: 'assert', what: word ? 'no-word-before' : 'bol' }
    const after: Node = { kind: 'assert', what: word ? 'no-word-after' : 'eol' }
    node = { kind: 'cat', nodes: [before, node, after] }
  }
  return new Regex(node, groups, backrefs, syntax)
}

function literalOf({ op, x, sets }: RegexProgram): string | undefined {
  let text = ''
  for (let pc = 0; pc < op.length - 1; pc++) {
    if (op[pc] !== Op.set) return undefined
    const set = sets[x[pc]!]!
    const code = set.indexOf(1)
    if (code < 0 || set.indexOf(1, code + 1) >= 0) return undefined
    text += String.fromCharCode(code)
  }
  return text
}
