/**
 * Which declaration each name means (ECMA-262 ch. 8 and 14, strict mode only). One walk serves both cc, which rewrites
 * references to imports, and verify, which must find every name that is *not* declared: so wherever this is coarser than the
 * language it calls a name free, never bound.
 */
import { type Ast, CHILDREN } from './ast.ts'

export interface Reference {
  readonly node: Ast
  readonly name: string
  /** Assigned, counted up or down, or the target of a destructuring or of a for-in/of head. */
  readonly write: boolean
  /** How the name is used where the text matters: `{ name }`, `name(...)`, or anything else. */
  readonly role: 'shorthand' | 'callee' | 'plain'
}

export interface Visitor {
  /** Before a node's children. `functionOf` is the innermost function or static block (undefined: module level). */
  enter?(node: Ast, parent: Ast | undefined, functionOf: Ast | undefined): void
  leave?(node: Ast): void
  /** A name declared anywhere, `id` its identifier node. */
  declare?(name: string, id: Ast): void
  /** A scope with all that is known of it, after those within it. */
  scope?(scope: Scope): void
  /** A node type that no image may contain, or one nested more than DEPTH_MAX deep. Its children are not walked. */
  unknown(node: Ast): void
}

export interface Scope {
  readonly names: ReadonlySet<string>
  /** Where `names` are declared: `write` is true. A class's name within the class and `arguments` are declared nowhere. */
  readonly declarations: readonly Reference[]
  /** Of its own names, and of others further out. */
  readonly references: readonly Reference[]
  readonly parent: Scope | undefined
  /** The body of what declares the parent's names, which it must not declare again: parameters, or a catch clause's. */
  readonly isBody: boolean
}

interface OpenScope extends Scope {
  readonly names: Set<string>
  readonly declarations: Reference[]
  readonly references: Reference[]
  readonly parent: OpenScope | undefined
  /** Where `var` goes. */
  readonly variables: OpenScope
}

/** What is left over at module level: references to module-level names, and to names that nobody declares. */
export interface ModuleScope {
  readonly names: ReadonlySet<string>
  readonly references: readonly Reference[]
  readonly free: readonly Reference[]
}

/** How deep a syntax tree may be: the walk recurses. */
export const DEPTH_MAX = 500

/** Walk `program` in source order. */
export function resolve(program: Ast, visitor: Visitor): ModuleScope {
  const module: Reference[] = []
  const free: Reference[] = []
  let scope = makeScope(undefined, true)
  const top = scope
  let functionOf: Ast | undefined
  let depth = 0

  function makeScope(parent: OpenScope | undefined, takesVar: boolean, isBody = false): OpenScope {
    const made = { names: new Set<string>(), declarations: [], references: [], parent, isBody }
    const open = made as unknown as OpenScope & { variables: OpenScope }
    open.variables = takesVar || !parent ? open : parent.variables
    return open
  }

  function leaveScope(): void {
    const { names, references, parent } = scope
    for (const reference of references) {
      if (names.has(reference.name)) {
        if (!parent) module.push(reference)
      } else if (parent) parent.references.push(reference)
      else free.push(reference)
    }
    visitor.scope?.(scope)
    if (parent) scope = parent
  }

  function inScope(takesVar: boolean, body: () => void, isBody = false): void {
    scope = makeScope(scope, takesVar, isBody)
    body()
    leaveScope()
  }

  function declareName(id: Ast, where: OpenScope, role: Reference['role'] = 'plain'): void {
    where.names.add(id['name'])
    where.declarations.push({ node: id, name: id['name'], write: true, role })
    visitor.declare?.(id['name'], id)
  }

  const refer = (node: Ast, write: boolean, role: Reference['role']): void => {
    scope.references.push({ node, name: node['name'], write, role })
  }

  /** A pattern whose names are declared in `where`, or, without, assigned. Defaults and computed keys are expressions. */
  function pattern(node: Ast, parent: Ast, where: OpenScope | undefined, role: Reference['role'] = 'plain'): void {
    if (depth >= DEPTH_MAX) {
      visitor.unknown(node)
      return
    }
    depth++
    patternAt(node, parent, where, role)
    depth--
  }

  function patternAt(node: Ast, parent: Ast, where: OpenScope | undefined, role: Reference['role']): void {
    switch (node.type) {
      case 'Identifier':
        visitor.enter?.(node, parent, functionOf)
        if (where) declareName(node, where, role)
        else refer(node, true, role)
        return
      case 'ObjectPattern':
        visitor.enter?.(node, parent, functionOf)
        for (const property of node['properties'] as Ast[]) {
          if (property.type === 'RestElement') pattern(property, node, where)
          else {
            visitor.enter?.(property, node, functionOf)
            if (property['computed']) walk(property['key'], property)
            const target = property['value'] as Ast
            pattern(target, property, where, property['shorthand'] ? 'shorthand' : 'plain')
          }
        }
        return
      case 'ArrayPattern':
        visitor.enter?.(node, parent, functionOf)
        for (const element of node['elements'] as (Ast | null)[]) if (element) pattern(element, node, where)
        return
      case 'AssignmentPattern':
        visitor.enter?.(node, parent, functionOf)
        pattern(node['left'], node, where, role)
        walk(node['right'], node)
        return
      case 'RestElement':
        visitor.enter?.(node, parent, functionOf)
        pattern(node['argument'], node, where)
        return
      default:
        // A member expression as target of an assignment: `[a.b] = c`.
        walk(node, parent)
    }
  }

  function walkList(nodes: readonly (Ast | null)[], parent: Ast): void {
    for (const node of nodes) if (node) walk(node, parent)
  }

  /** Names of a statement list that are known before it runs: functions, classes, let and const. */
  function predeclare(statements: readonly Ast[]): void {
    for (const statement of statements) {
      const inner: Ast =
        statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
          ? (statement['declaration'] ?? statement)
          : statement
      if (inner.type === 'FunctionDeclaration' || inner.type === 'ClassDeclaration') {
        if (inner['id']) declareName(inner['id'], scope)
      }
    }
  }

  function walkFunction(node: Ast): void {
    const outer = functionOf
    functionOf = node
    const isArrow = node.type === 'ArrowFunctionExpression'
    const whole = (): void => {
      if (!isArrow) scope.names.add('arguments')
      for (const param of node['params'] as Ast[]) pattern(param, node, scope)
      const body = node['body'] as Ast
      // Names of the body are invisible to the parameters' defaults, hence a scope of its own.
      if (body.type === 'BlockStatement') {
        inScope(
          true,
          () => {
            visitor.enter?.(body, node, functionOf)
            predeclare(body['body'])
            walkList(body['body'], body)
            visitor.leave?.(body)
          },
          true,
        )
      } else walk(body, node)
    }
    if (node.type === 'FunctionExpression' && node['id']) {
      inScope(true, () => {
        declareName(node['id'], scope)
        inScope(true, whole)
      })
    } else inScope(true, whole)
    functionOf = outer
  }

  function walkClass(node: Ast): void {
    inScope(false, () => {
      if (node['id']) scope.names.add(node['id'].name)
      if (node.type === 'ClassExpression' && node['id']) visitor.declare?.(node['id'].name, node['id'])
      if (node['superClass']) walk(node['superClass'], node)
      const body = node['body'] as Ast
      visitor.enter?.(body, node, functionOf)
      for (const member of body['body'] as Ast[]) {
        visitor.enter?.(member, body, functionOf)
        if (member.type === 'StaticBlock') {
          const outer = functionOf
          functionOf = member
          inScope(true, () => {
            predeclare(member['body'])
            walkList(member['body'], member)
          })
          functionOf = outer
        } else if (member.type === 'MethodDefinition' || member.type === 'PropertyDefinition') {
          if (member['computed']) walk(member['key'], member)
          if (member['value']) walk(member['value'], member)
        } else visitor.unknown(member)
        visitor.leave?.(member)
      }
      visitor.leave?.(body)
    })
  }

  function walk(node: Ast, parent: Ast): void {
    const fields = CHILDREN[node.type] ?? MODULE_ITEMS[node.type]
    if (!fields || depth >= DEPTH_MAX) {
      visitor.unknown(node)
      return
    }
    depth++
    visitor.enter?.(node, parent, functionOf)
    switch (node.type) {
      case 'Identifier':
        refer(node, false, parent.type === 'CallExpression' && parent['callee'] === node ? 'callee' : 'plain')
        break
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        walkFunction(node)
        break
      case 'ClassDeclaration':
      case 'ClassExpression':
        walkClass(node)
        break
      case 'VariableDeclaration': {
        const where = node['kind'] === 'var' ? scope.variables : scope
        for (const declarator of node['declarations'] as Ast[]) {
          visitor.enter?.(declarator, node, functionOf)
          pattern(declarator['id'], declarator, where)
          if (declarator['init']) walk(declarator['init'], declarator)
        }
        break
      }
      case 'BlockStatement':
        inScope(
          false,
          () => {
            predeclare(node['body'])
            walkList(node['body'], node)
          },
          parent.type === 'CatchClause',
        )
        break
      case 'SwitchStatement':
        walk(node['discriminant'], node)
        inScope(false, () => {
          for (const part of node['cases'] as Ast[]) predeclare(part['consequent'])
          walkList(node['cases'], node)
        })
        break
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        inScope(false, () => {
          if (node.type === 'ForStatement') {
            for (const part of [node['init'], node['test'], node['update']]) if (part) walk(part, node)
          } else {
            const left = node['left'] as Ast
            if (left.type === 'VariableDeclaration') walk(left, node)
            else pattern(left, node, undefined)
            walk(node['right'], node)
          }
          walk(node['body'], node)
        })
        break
      case 'CatchClause':
        inScope(false, () => {
          if (node['param']) pattern(node['param'], node, scope)
          walk(node['body'], node)
        })
        break
      case 'AssignmentExpression':
        pattern(node['left'], node, undefined)
        walk(node['right'], node)
        break
      case 'UpdateExpression':
        pattern(node['argument'], node, undefined)
        break
      case 'MemberExpression':
        walk(node['object'], node)
        if (node['computed']) walk(node['property'], node)
        break
      case 'Property': {
        if (node['computed']) walk(node['key'], node)
        const value = node['value'] as Ast
        if (node['shorthand'] && value.type === 'Identifier') {
          visitor.enter?.(value, node, functionOf)
          refer(value, false, 'shorthand')
        } else walk(value, node)
        break
      }
      case 'ExportNamedDeclaration':
        if (node['declaration']) walk(node['declaration'], node)
        break
      case 'ImportDeclaration':
        for (const specifier of node['specifiers'] as Ast[]) declareName(specifier['local'], scope)
        break
      default:
        for (const field of fields) {
          const child = node[field] as Ast | (Ast | null)[] | null | undefined
          if (Array.isArray(child)) walkList(child, node)
          else if (child) walk(child, node)
        }
    }
    depth--
    visitor.leave?.(node)
  }

  visitor.enter?.(program, undefined, undefined)
  predeclare(program['body'])
  walkList(program['body'], program)
  visitor.leave?.(program)
  leaveScope()
  return { names: top.names, references: module, free }
}

/** Only cc meets these; in an image's code acorn refuses them before any walk. */
const MODULE_ITEMS: Readonly<Record<string, readonly string[]>> = {
  __proto__: null as never,
  ImportDeclaration: [],
  ExportNamedDeclaration: ['declaration'],
  ExportDefaultDeclaration: ['declaration'],
  ExportAllDeclaration: [],
}
