/**
 * Fuel counts, preemption yields and catch guards (design D5): text put into compiled code without moving a line. There is
 * one form for each place, and verify.ts accepts these and no others:
 *
 *   loop and function bodies            --$f[0]<0&&$x();
 *   loops of preemptible generators     if(--$f[0]<$f[1])yield $x();
 *   expression bodies, field values     (--$f[0]<0&&$x(),EXPR)
 *   catch clauses                       catch (e) {$k(e);
 *
 * Functions with nothing in them and initialisers that call nothing (ast.ts, `isInert`) need no count.
 *
 * `$f[0]` is the fuel left and `$f[1]`, never negative, what should be left at the end of the time slice. `$x` throws below
 * zero and otherwise answers undefined, so a preempted generator yields `undefined` to whoever runs it.
 */
import { type Ast, isEmptyFunction, isFunction, isInert, isLoop } from './ast.ts'

const COUNT_IN_EXPRESSION = '--$f[0]<0&&$x()'
export const COUNT = `${COUNT_IN_EXPRESSION};`
export const COUNT_AND_YIELD = 'if(--$f[0]<$f[1])yield $x();'
/** The name that a catch clause without one is given. */
export const CATCH_NAME = '$e'
/** First statement of a generator that is an iterator rather than a process: cc puts no yields into it. */
export const NO_PREEMPT = 'no preempt'

/** Changes to one text, applied together. At one position, insertions come before replacements, in the order they were made; the outer of two nested replacements counts. */
export class Edits {
  readonly #edits: { start: number; end: number; text: string | (() => string) }[] = []
  /** `text` may be a function where it is not known before all edits are. */
  insert(at: number, text: string | (() => string)): void {
    this.#edits.push({ start: at, end: at, text })
  }
  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text })
  }
  /** Take out a range; its line ends stay. */
  blank(start: number, end: number, original: string): void {
    this.replace(start, end, original.slice(start, end).replace(/[^\n\r\u2028\u2029]/g, ''))
  }
  apply(text: string): string {
    const edits = this.#edits
      .map((edit, order) => ({ ...edit, order }))
      .sort((a, b) => a.start - b.start || a.end - a.start - (b.end - b.start) || a.order - b.order)
    let result = ''
    let at = 0
    for (const { start, end, text: piece } of edits) {
      // Inside of what has been replaced already: a comment of an import that went as a whole.
      if (start < at) continue
      result += text.slice(at, start) + (typeof piece === 'string' ? piece : piece())
      at = end
    }
    return result + text.slice(at)
  }
}

/** What to insert on entering and on leaving `node`. Insertions around a node are made outermost first, then innermost first. */
export function instrumenter(edits: Edits, preempt: boolean, nameOf: (id: Ast) => string) {
  /** The node around which a bracket was opened on entering, and what closes it. */
  const closings = new Map<Ast, string>()

  const wrapExpression = (node: Ast): void => {
    edits.insert(node.start, `(${COUNT_IN_EXPRESSION},`)
    closings.set(node, ')')
  }

  return {
    enter(node: Ast, parent: Ast | undefined, functionOf: Ast | undefined): void {
      if (!parent) return
      if (isFunction(parent) && parent['body'] === node) {
        if (node.type !== 'BlockStatement') wrapExpression(node)
        else if (!isEmptyFunction(parent)) edits.insert(node.start + 1, COUNT)
      } else if (isLoop(parent) && parent['body'] === node) {
        const count = preempt && functionOf && isPreemptible(functionOf) ? COUNT_AND_YIELD : COUNT
        if (node.type === 'BlockStatement') edits.insert(node.start + 1, count)
        else {
          edits.insert(node.start, `{${count}`)
          closings.set(node, '}')
        }
      } else if (parent.type === 'PropertyDefinition' && parent['value'] === node) {
        if (!parent['static'] && !isInert(node)) wrapExpression(node)
      } else if (parent.type === 'CatchClause' && parent['body'] === node) {
        const param = parent['param'] as Ast | null
        if (!param) edits.insert(node.start, `(${CATCH_NAME})`)
        edits.insert(node.start + 1, () => `$k(${param ? nameOf(param) : CATCH_NAME});`)
      }
    },
    leave(node: Ast): void {
      const closing = closings.get(node)
      if (closing) edits.insert(node.end, closing)
    },
  }
}

const isPreemptible = (node: Ast): boolean =>
  node['generator'] && !(node['body'].body as Ast[]).some((statement) => statement['directive'] === NO_PREEMPT)
