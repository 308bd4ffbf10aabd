/**
 * Walking ESTree as acorn makes it. `CHILDREN` lists every node type that an image's code may contain: a type that is
 * missing here (import(), await, with, labels, whatever comes to the language next) is refused by whoever walks.
 */
import type { Node } from 'acorn'

/** A node with its type's own fields, looked at dynamically: acorn's union is too wide to be narrowed cheaply in a walk. */
// biome-ignore lint/suspicious/noExplicitAny: fields differ by node type; each use checks `type` first
export type Ast = Node & Record<string, any>

/** Child fields in source order. `id` of functions and classes, `key` and `property` that are plain names are handled by the walkers. */
export const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  __proto__: null as never,
  Program: ['body'],
  ExpressionStatement: ['expression'],
  BlockStatement: ['body'],
  StaticBlock: ['body'],
  EmptyStatement: [],
  ReturnStatement: ['argument'],
  IfStatement: ['test', 'consequent', 'alternate'],
  SwitchStatement: ['discriminant', 'cases'],
  SwitchCase: ['test', 'consequent'],
  ThrowStatement: ['argument'],
  TryStatement: ['block', 'handler', 'finalizer'],
  CatchClause: ['param', 'body'],
  WhileStatement: ['test', 'body'],
  DoWhileStatement: ['body', 'test'],
  ForStatement: ['init', 'test', 'update', 'body'],
  ForInStatement: ['left', 'right', 'body'],
  ForOfStatement: ['left', 'right', 'body'],
  BreakStatement: [],
  ContinueStatement: [],
  VariableDeclaration: ['declarations'],
  VariableDeclarator: ['id', 'init'],
  FunctionDeclaration: ['params', 'body'],
  FunctionExpression: ['params', 'body'],
  ArrowFunctionExpression: ['params', 'body'],
  ClassDeclaration: ['superClass', 'body'],
  ClassExpression: ['superClass', 'body'],
  ClassBody: ['body'],
  MethodDefinition: ['key', 'value'],
  PropertyDefinition: ['key', 'value'],
  PrivateIdentifier: [],
  ThisExpression: [],
  Super: [],
  Literal: [],
  Identifier: [],
  TemplateLiteral: ['quasis', 'expressions'],
  TemplateElement: [],
  TaggedTemplateExpression: ['tag', 'quasi'],
  ArrayExpression: ['elements'],
  ObjectExpression: ['properties'],
  Property: ['key', 'value'],
  SpreadElement: ['argument'],
  RestElement: ['argument'],
  ObjectPattern: ['properties'],
  ArrayPattern: ['elements'],
  AssignmentPattern: ['left', 'right'],
  UnaryExpression: ['argument'],
  UpdateExpression: ['argument'],
  BinaryExpression: ['left', 'right'],
  LogicalExpression: ['left', 'right'],
  AssignmentExpression: ['left', 'right'],
  ConditionalExpression: ['test', 'consequent', 'alternate'],
  SequenceExpression: ['expressions'],
  MemberExpression: ['object', 'property'],
  ChainExpression: ['expression'],
  CallExpression: ['callee', 'arguments'],
  NewExpression: ['callee', 'arguments'],
  YieldExpression: ['argument'],
  MetaProperty: [],
}

export const isLoop = (node: Ast): boolean =>
  node.type === 'ForStatement' ||
  node.type === 'WhileStatement' ||
  node.type === 'DoWhileStatement' ||
  node.type === 'ForOfStatement' ||
  node.type === 'ForInStatement'

export const isFunction = (node: Ast): boolean =>
  node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'

/** What takes its name from the variable or field that it is assigned to (ECMA-262, IsAnonymousFunctionDefinition). */
export const isAnonymous = (node: Ast | null | undefined): boolean =>
  !!node && (isFunction(node) || node.type === 'ClassExpression') && !node['id']

/** The identifiers that a pattern declares. */
export function namesIn(pattern: Ast | null): Ast[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern]
    case 'ObjectPattern':
      return (pattern['properties'] as Ast[]).flatMap((p) =>
        namesIn(p.type === 'RestElement' ? p['argument'] : p['value']),
      )
    case 'ArrayPattern':
      return (pattern['elements'] as (Ast | null)[]).flatMap(namesIn)
    case 'AssignmentPattern':
      return namesIn(pattern['left'])
    case 'RestElement':
      return namesIn(pattern['argument'])
    default:
      return []
  }
}

/** A function that does nothing, not even default its parameters: calling it costs its caller's count. */
export const isEmptyFunction = (node: Ast): boolean =>
  node['body'].type === 'BlockStatement' &&
  node['body'].body.length === 0 &&
  (node['params'] as Ast[]).every((param) => param.type === 'Identifier')

/**
 * Whether a field's initialiser can call nothing, whatever the objects around it are: then it needs no fuel count. (Any
 * `new` runs initialisers, so a class whose field makes two of its own kind would else double its work unseen. A plain name may
 * be an import, which reads another module's exports.)
 */
export function isInert(initialiser: Ast): boolean {
  switch (initialiser.type) {
    case 'Literal':
    case 'ThisExpression':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return true
    case 'UnaryExpression':
      return initialiser['argument'].type === 'Literal'
    case 'ArrayExpression':
      return initialiser['elements'].length === 0
    case 'ObjectExpression':
      return initialiser['properties'].length === 0
    case 'TemplateLiteral':
      return initialiser['expressions'].length === 0
    default:
      return false
  }
}

/** Line (from 1) and column (from 1) of positions in one text; positions need not ascend. */
export function lineIndex(text: string): (at: number) => { line: number; column: number } {
  let starts: number[] | undefined
  return (at) => {
    if (!starts) {
      starts = [0]
      for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
    }
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: at - starts[low]! + 1 }
  }
}
