/**
 * Local names of one or two letters: an image travels over a network, and most of it is names. Renamed are parameters, `let` and `const` at
 * any depth, catch parameters and private fields. What a stack trace may show keeps its name: functions, methods, classes, and what an
 * anonymous function takes its name from. So do properties, imports, and `var`, which may be its function's parameter.
 *
 * A name that is kept is given to nothing else in its file, so nothing new comes between it and its uses.
 */
import { type Ast, isAnonymous, namesIn } from './ast.ts'
import type { Edits } from './instrument.ts'
import type { Reference, Scope } from './scope.ts'

const FIRST = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_'
const REST = `${FIRST}0123456789`
/** Words of the language of up to three letters; some are names as well, somewhere. */
const WORDS: ReadonlySet<string> = new Set([
  'as',
  'do',
  'for',
  'get',
  'if',
  'in',
  'let',
  'new',
  'of',
  'set',
  'try',
  'var',
])

/** a, b, ... _, aa, ba, ... */
function shortName(index: number): string {
  let name = FIRST[index % FIRST.length]!
  for (let rest = Math.floor(index / FIRST.length); rest > 0; rest = Math.floor(rest / REST.length))
    name += REST[--rest % REST.length]!
  return name
}

/** Where the module's own names begin: at A, so that those inside functions are a, b, c in each. */
const MODULE_FIRST = FIRST.indexOf('A')

export class Renamer {
  /** Those inside come before those around them. */
  readonly #scopes: Scope[] = []
  /** Identifiers of declarations that stay as they are. */
  readonly #kept = new Set<Ast>()
  /** Names of `var`: whatever is called so keeps it. */
  readonly #vars = new Set<string>()
  /** Names that no other is changed to. */
  readonly #reserved = new Set<string>(WORDS)
  /** By identifier: what is declared or meant is called this from now on. */
  readonly #names = new Map<Ast, string>()
  /** Private names by their text, and those that stay. */
  readonly #privates = new Map<string, Ast[]>()
  readonly #keptPrivates = new Set<string>()

  /** Look at a node of the walk. */
  note(node: Ast): void {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ClassDeclaration':
      case 'ClassExpression':
        if (node['id']) this.#keep(node['id'])
        break
      case 'VariableDeclaration':
        for (const { id, init } of node['declarations'] as Ast[]) {
          if (node['kind'] === 'var') this.#keepVars(id)
          else if (id.type === 'Identifier' && isAnonymous(init)) this.#keep(id)
        }
        break
      case 'ImportDeclaration':
        for (const specifier of node['specifiers'] as Ast[]) this.#kept.add(specifier['local'])
        break
      case 'MethodDefinition':
      case 'PropertyDefinition': {
        const key = node['key'] as Ast
        this.#private(key)
        if (node.type === 'MethodDefinition' || isAnonymous(node['value'])) this.#keptPrivates.add(key['name'])
        break
      }
      case 'PrivateIdentifier':
        this.#private(node)
        break
      case 'MemberExpression':
        this.#private(node['property'])
        break
      default:
    }
  }

  /** Look at a scope that the walk leaves. */
  scope(scope: Scope): void {
    this.#scopes.push(scope)
  }

  /** What `id`, declared or used, is called in the code. */
  nameOf(id: Ast): string {
    return this.#names.get(id) ?? id['name']
  }

  /** After the walk: choose the names, and write them. */
  rename(edits: Edits): void {
    for (let i = this.#scopes.length - 1; i >= 0; i--) this.#renameIn(this.#scopes[i]!, edits)
    this.#renamePrivates(edits)
  }

  /** The names of a scope, once those further out have theirs: whatever is not meant inside it may be used again. */
  #renameIn(scope: Scope, edits: Edits): void {
    const bindings = new Map<string, Reference[]>()
    const stay = new Set<string>()
    for (const declaration of scope.declarations) {
      const { name, node } = declaration
      if (this.#kept.has(node) || this.#vars.has(name)) stay.add(name)
      else bindings.set(name, [...(bindings.get(name) ?? []), declaration])
    }
    for (const name of stay) bindings.delete(name)
    if (bindings.size === 0) return
    const taken = new Set<string>()
    for (const reference of scope.references) {
      const binding = bindings.get(reference.name)
      if (binding) binding.push(reference)
      else taken.add(this.nameOf(reference.node))
    }
    if (scope.isBody) for (const { node } of scope.parent!.declarations) taken.add(this.nameOf(node))
    let next = scope.parent ? 0 : MODULE_FIRST
    for (const uses of bindings.values()) {
      let name: string
      do name = shortName(next++)
      while (taken.has(name) || this.#reserved.has(name))
      for (const { node, role } of uses) {
        this.#names.set(node, name)
        edits.replace(node.start, node.end, role === 'shorthand' ? `${node['name']}:${name}` : name)
      }
    }
  }

  /** One short name for each in the whole file: classes may lie in classes. */
  #renamePrivates(edits: Edits): void {
    let next = 0
    for (const [text, uses] of this.#privates) {
      if (this.#keptPrivates.has(text)) continue
      let name = shortName(next++)
      while (this.#keptPrivates.has(name)) name = shortName(next++)
      for (const { start, end } of uses) edits.replace(start, end, `#${name}`)
    }
  }

  #keep(id: Ast): void {
    this.#kept.add(id)
    this.#reserved.add(id['name'])
  }

  #keepVars(pattern: Ast): void {
    for (const id of namesIn(pattern)) {
      this.#keep(id)
      this.#vars.add(id['name'])
    }
  }

  #private(key: Ast): void {
    if (key.type !== 'PrivateIdentifier') return
    const uses = this.#privates.get(key['name'])
    if (uses) uses.push(key)
    else this.#privates.set(key['name'], [key])
  }
}
