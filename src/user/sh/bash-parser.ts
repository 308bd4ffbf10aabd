/** What bash adds to the grammar: `[[ expression ]]` and `((expression))`. */
import { makeWord, type Node, type TestExpr } from './ast.ts'
import { SyntaxFault } from './errors.ts'
import { SimpleParser } from './simple-parser.ts'

const UNARY = /^-[a-hknoprstuwxzGLOSN]$/
const BINARY = new Set(['=', '==', '!=', '<', '>', '=~', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef'])

export abstract class BashParser extends SimpleParser {
  /** `((expression))`: undefined if it is two parentheses. */
  protected arithCommand(line: number): Node | undefined {
    const { at } = this
    this.at++
    try {
      const parts = this.parts('arith')
      return { t: 'arith', word: makeWord([this.arithPart(parts, true)]), line }
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error
      this.at = at
      return undefined
    }
  }

  protected testOr(): TestExpr {
    this.deeper()
    let left = this.#testAnd()
    for (this.newlines(); this.isOp('||'); this.newlines()) {
      this.take()
      this.newlines()
      left = { t: 'or', left, right: this.#testAnd() }
    }
    this.depth--
    return left
  }

  #testAnd(): TestExpr {
    let left = this.#testPrimary()
    for (this.newlines(); this.isOp('&&'); this.newlines()) {
      this.take()
      this.newlines()
      left = { t: 'and', left, right: this.#testPrimary() }
    }
    return left
  }

  #testPrimary(): TestExpr {
    this.newlines()
    const token = this.take()
    if (token.t === 'op' && token.op === '(') {
      const inner = this.testOr()
      const close = this.take()
      if (close.t !== 'op' || close.op !== ')') this.unexpected(close, '")"')
      return inner
    }
    if (token.t !== 'word' || token.raw === ']]') this.unexpected(token)
    if (token.raw === '!') {
      this.deeper()
      const expr = this.#testPrimary()
      this.depth--
      return { t: 'not', expr }
    }
    const next = this.peek()
    if (UNARY.test(token.raw) && next.t === 'word' && next.raw !== ']]') {
      this.take()
      return { t: 'unary', op: token.raw, word: next.word }
    }
    const op = next.t === 'op' ? next.op : next.t === 'word' ? next.raw : ''
    if (!BINARY.has(op)) return { t: 'unary', op: '-n', word: token.word }
    this.take()
    if (op === '=~') this.fault("'=~' is not supported")
    const right = this.take()
    if (right.t !== 'word') this.unexpected(right)
    return { t: 'binary', op, left: token.word, right: right.word }
  }
}
