/**
 * The verifier: does a module's code keep the rules that containment rests on (docs/adr/0002)? It believes nothing about who
 * compiled it; it runs in `ld`, and again in the loader, because a disk from elsewhere was not linked by our `ld`.
 *
 * The code is one strict function body with the parameters `require, exports, $f, $x, $k`. It may use the intrinsics of
 * globals.ts and nothing else that is free; every function, loop, field initialiser and catch clause begins with the form that
 * instrument.ts writes, and the three `$` names occur nowhere else.
 */
import { type Node, parse } from 'acorn'
import { type Ast, CHILDREN, isEmptyFunction, isFunction, isInert, isLoop, lineIndex } from './ast.ts'
import { ALLOWED_GLOBALS } from './globals.ts'
import { isSourcePath } from './object-file.ts'
import { resolve } from './scope.ts'

/** Parameters of the function whose body a module's code is. */
export const MODULE_PARAMETERS = ['require', 'exports', '$f', '$x', '$k'] as const
/** Stands before the code, on its first line, when it is parsed and when it is evaluated. */
export const STRICT = '"use strict";'

export interface Refusal {
  readonly path: string
  readonly line: number
  readonly text: string
}

/** Larger modules are refused: one module is verified and compiled in one go (no slice may pass 50 ms). */
export const MODULE_CHARS_MAX = 1 << 20
const REFUSALS_MAX = 20

/** What is wrong with `code`; empty where nothing is. `parameters` are the body's own names. */
export function verify(code: string, path: string, parameters: readonly string[] = MODULE_PARAMETERS): Refusal[] {
  if (!isSourcePath(path))
    return [{ path: path.replace(/[^\w./-]/g, '?').slice(0, 200), line: 1, text: 'not a source path' }]
  if (code.length > MODULE_CHARS_MAX) return [{ path, line: 1, text: 'module too large' }]
  const text = STRICT + code
  const positionOf = lineIndex(text)
  const refusals: Refusal[] = []
  const refuse = (node: { start: number }, why: string): void => {
    if (refusals.length < REFUSALS_MAX) refusals.push({ path, line: positionOf(node.start).line, text: why })
  }

  const comments: { start: number; text: string }[] = []
  let program: Ast
  try {
    program = parse(text, {
      ecmaVersion: 2023,
      sourceType: 'script',
      allowReturnOutsideFunction: true,
      allowHashBang: false,
      onComment: (_block, comment, start) => {
        comments.push({ start, text: comment })
      },
    }) as Node as Ast
  } catch (error) {
    const { message, pos } = error as { message: string; pos?: number }
    // Not a syntax error but the parser out of stack.
    if (pos === undefined || message.startsWith('Not enough stack'))
      return [{ path, line: 1, text: 'nested too deeply' }]
    return [{ path, line: positionOf(pos).line, text: message.replace(/ \(\d+:\d+\)$/, '') }]
  }
  for (const comment of comments) {
    const opening = text.slice(comment.start, comment.start + 4)
    if (opening.startsWith('<!--') || opening.startsWith('-->')) refuse(comment, 'HTML-like comment')
    // Debuggers fetch what `sourceMappingURL` names, and `sourceURL` would forge file names in stack traces.
    else if (/^[#@]\s*source/i.test(comment.text)) refuse(comment, 'source annotation')
  }

  /** Uses of `$f`, `$x`, `$k` inside canonical forms: the only ones allowed. */
  const canonical = new Set<Ast>()
  const form = new Forms(canonical)
  const scope = resolve(program, {
    enter(node, parent, functionOf) {
      if (node['async'] || node['await']) refuse(node, 'asynchronous code')
      else if (node.type === 'MetaProperty' && node['meta'].name !== 'new') refuse(node, 'import.meta')
      else if (node.type === 'CatchClause' && node['param']?.type !== 'Identifier')
        refuse(node, 'catch clause without a plain name')
      if (!parent) return
      if (isFunction(parent) && parent['body'] === node) {
        const counted = node.type === 'BlockStatement' ? form.count(node['body'][0]) : form.expression(node)
        if (!counted && !isEmptyFunction(parent)) refuse(node, 'function without a fuel count')
      } else if (isLoop(parent) && parent['body'] === node) {
        const first = node.type === 'BlockStatement' ? (node['body'][0] as Ast | undefined) : undefined
        if (!form.count(first) && !(functionOf?.['generator'] && form.countAndYield(first)))
          refuse(node, 'loop without a fuel count')
      } else if (parent.type === 'PropertyDefinition' && parent['value'] === node) {
        if (!parent['static'] && !isInert(node) && !form.expression(node)) refuse(node, 'field without a fuel count')
      } else if (parent.type === 'CatchClause' && parent['body'] === node) {
        if (!form.guard(node['body'][0], parent['param']?.name)) refuse(node, 'catch clause without its guard')
      }
    },
    declare(name, id) {
      if (RESERVED.has(name)) refuse(id, `'${name}' declared`)
    },
    unknown(node) {
      refuse(node, node.type in CHILDREN ? 'nested too deeply' : `${node.type} not allowed`)
    },
  })
  const mine = new Set(parameters)
  for (const { name, node, write, role } of scope.free) {
    if (RESERVED.has(name) && mine.has(name)) {
      if (write) refuse(node, `'${name}' assigned`)
      else if (FUEL_NAMES.has(name) ? !canonical.has(node) : name === 'require' && role !== 'callee')
        refuse(node, `'${name}' used other than by the compiler`)
    } else if (mine.has(name)) {
      if (write) refuse(node, `'${name}' assigned`)
    } else if (!ALLOWED_GLOBALS.has(name)) refuse(node, `'${name}' undeclared`)
    else if (write) refuse(node, `'${name}' assigned`)
  }
  return refusals
}

const RESERVED = new Set<string>(MODULE_PARAMETERS)
const FUEL_NAMES = new Set(['$f', '$x', '$k'])

/** Recognises instrument.ts's forms, exactly, and remembers the names inside them. */
class Forms {
  readonly #canonical: Set<Ast>
  constructor(canonical: Set<Ast>) {
    this.#canonical = canonical
  }

  /** `--$f[0]<0&&$x();` */
  count(node: Ast | undefined): boolean {
    return node?.type === 'ExpressionStatement' && this.#counting(node['expression'])
  }

  /** `if(--$f[0]<$f[1])yield $x();` */
  countAndYield(node: Ast | undefined): boolean {
    if (node?.type !== 'IfStatement' || node['alternate'] || node['consequent'].type !== 'ExpressionStatement')
      return false
    const expression = node['consequent'].expression as Ast
    if (expression.type !== 'YieldExpression' || expression['delegate'] || !expression['argument']) return false
    let mark: Ast | undefined
    const left = this.#below(node['test'], (right) => {
      mark = cellOf(right, 1)
      return mark !== undefined
    })
    return this.#accept(left, mark, this.#trap(expression['argument']))
  }

  /** `(--$f[0]<0&&$x(),EXPR)` */
  expression(node: Ast): boolean {
    return node.type === 'SequenceExpression' && this.#counting(node['expressions'][0])
  }

  #counting(node: Ast): boolean {
    if (node.type !== 'LogicalExpression' || node['operator'] !== '&&') return false
    return this.#accept(this.#below(node['left'], isZero), this.#trap(node['right']))
  }

  /** `$k(name);` */
  guard(node: Ast | undefined, name: string | undefined): boolean {
    if (node?.type !== 'ExpressionStatement') return false
    const call = node['expression'] as Ast
    if (call.type !== 'CallExpression' || call['optional'] || call['arguments'].length !== 1) return false
    const argument = call['arguments'][0] as Ast
    if (argument.type !== 'Identifier' || argument['name'] !== name) return false
    return this.#accept(named(call['callee'], '$k'))
  }

  /** `--$f[0]<RIGHT`: the name `$f` in it. */
  #below(node: Ast, right: (node: Ast) => boolean): Ast | undefined {
    if (node.type !== 'BinaryExpression' || node['operator'] !== '<' || !right(node['right'])) return undefined
    const left = node['left'] as Ast
    if (left.type !== 'UpdateExpression' || left['operator'] !== '--' || !left['prefix']) return undefined
    return cellOf(left['argument'], 0)
  }

  #trap(node: Ast): Ast | undefined {
    if (node.type !== 'CallExpression' || node['optional'] || node['arguments'].length !== 0) return undefined
    return named(node['callee'], '$x')
  }

  #accept(...names: (Ast | undefined)[]): boolean {
    for (const name of names) if (!name) return false
    for (const name of names) this.#canonical.add(name!)
    return true
  }
}

const named = (node: Ast, name: string): Ast | undefined =>
  node.type === 'Identifier' && node['name'] === name ? node : undefined

const isZero = (node: Ast): boolean => node.type === 'Literal' && node['value'] === 0

/** `$f[index]`: the name `$f` in it. */
const cellOf = (node: Ast, index: number): Ast | undefined => {
  if (node.type !== 'MemberExpression' || !node['computed'] || node['optional']) return undefined
  const property = node['property'] as Ast
  if (property.type !== 'Literal' || property['value'] !== index) return undefined
  return named(node['object'], '$f')
}
