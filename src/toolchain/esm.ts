/**
 * ESM to a CommonJS body with ESM's meaning: imports stay live (each use reads the other module's exports), functions are
 * exported before anything runs, so cycles work. All that is added stands on the first line or behind a declaration: no line moves.
 */
import { type Ast, isAnonymous, isFunction, namesIn } from './ast.ts'
import type { FaultList } from './diagnostics.ts'
import { COUNT, type Edits } from './instrument.ts'
import type { ObjectFile, ObjectImport } from './object-file.ts'
import type { ModuleScope, Reference } from './scope.ts'

/** What the walk notes for this file: where a parenthesis must not be taken for a call of the line before. */
export class Places {
  /** Starts of expression statements in statement lists. */
  readonly statements = new Set<number>()
  /** Names used as the tag of a template: called, like callees. */
  readonly tags = new Set<Ast>()
  /** Functions at module level: what stands in them runs later, or never. */
  readonly functions: Ast[] = []
  note(node: Ast, parent: Ast | undefined, functionOf: Ast | undefined): void {
    if (!functionOf && isFunction(node)) this.functions.push(node)
    if (node.type === 'ExpressionStatement' && parent && LISTS.has(parent.type)) this.statements.add(node.start)
    else if (node.type === 'TaggedTemplateExpression') this.tags.add(node['tag'])
  }
}

const LISTS = new Set(['Program', 'BlockStatement', 'StaticBlock', 'SwitchCase'])

/** Where an imported name is found: `$1.name`, or the namespace `$1` itself. */
interface Binding {
  /** `$1`; `($1??=require(0))` where the other module waits for its first use. */
  readonly module: string
  readonly name: string | undefined
}

export function esmToCommonJs(
  program: Ast,
  text: string,
  scope: ModuleScope,
  places: Places,
  edits: Edits,
  faults: FaultList,
  nameInCode: (id: Ast) => string,
  lazy: boolean,
): Pick<ObjectFile, 'imports' | 'exports'> {
  const imports: ObjectImport[] = []
  const modules = new Map<string, string>()
  /** Modules of `export ... from`. */
  const passedOn: string[] = []
  const bindings = new Map<string, Binding>()
  /** Exported names of each local one. */
  const exported = new Map<string, string[]>()
  const getters: string[] = []
  /** Functions at module level, by what they are exported as. */
  const hoisted: [name: string, local: string][] = []
  const exportNames: string[] = []

  const moduleFor = (node: Ast, names: readonly { name: string; line: number }[]): string => {
    const specifier = node['source'].value as string
    imports.push({ specifier, ...faults.inSource(node['source'].start), names })
    let module = modules.get(specifier)
    if (!module) {
      module = `$${modules.size + 1}`
      modules.set(specifier, module)
    }
    return module
  }
  const nameOf = (node: Ast): string => (node.type === 'Literal' ? (node['value'] as string) : node['name'])
  const lineOf = (node: Ast): number => faults.inSource(node.start).line
  const getter = (name: string, value: string): void => {
    getters.push(
      `Object.defineProperty(exports,${JSON.stringify(name)},{enumerable:true,get(){${COUNT}return ${value}}});`,
    )
  }
  const publish = (local: string, name: string): void => {
    exported.set(local, [...(exported.get(local) ?? []), name])
    exportNames.push(name)
  }

  // First what is imported and exported, then what that means for each declaration.
  for (const item of program['body'] as Ast[]) {
    switch (item.type) {
      case 'ImportDeclaration': {
        const specifiers = item['specifiers'] as Ast[]
        edits.blank(item.start, item.end, text)
        // `import {} from` is what remains of imported types; `import './x.ts'` wants the module itself.
        if (specifiers.length === 0 && /^import\s*\{/.test(text.slice(item.start, item.end))) break
        const names = specifiers
          .filter((s) => s.type !== 'ImportNamespaceSpecifier')
          .map((s) => ({
            name: s.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(s['imported']),
            line: lineOf(s),
          }))
        const module = moduleFor(item, names)
        let at = 0
        for (const specifier of specifiers) {
          const name = specifier.type === 'ImportNamespaceSpecifier' ? undefined : names[at++]!.name
          bindings.set(specifier['local'].name, { module, name })
        }
        break
      }
      case 'ExportNamedDeclaration': {
        const declaration = item['declaration'] as Ast | null
        if (declaration) {
          edits.blank(item.start, declaration.start, text)
          for (const id of declaredBy(declaration)) publish(id['name'], id['name'])
          break
        }
        edits.blank(item.start, item.end, text)
        const specifiers = item['specifiers'] as Ast[]
        if (item['source']) {
          if (specifiers.length === 0) break
          const module = moduleFor(
            item,
            specifiers.map((s) => ({ name: nameOf(s['local']), line: lineOf(s) })),
          )
          passedOn.push(module)
          for (const specifier of specifiers) {
            const name = nameOf(specifier['exported'])
            getter(name, property(module, nameOf(specifier['local'])))
            exportNames.push(name)
          }
        } else for (const specifier of specifiers) publish(nameOf(specifier['local']), nameOf(specifier['exported']))
        break
      }
      case 'ExportAllDeclaration':
        if (item['exported']) {
          edits.blank(item.start, item.end, text)
          const module = moduleFor(item, [])
          passedOn.push(module)
          getter(nameOf(item['exported']), module)
          exportNames.push(nameOf(item['exported']))
        } else faults.at(item.start, "'export *' is not supported: name what is exported")
        break
      case 'ExportDefaultDeclaration': {
        const declaration = item['declaration'] as Ast
        if (/^(?:Function|Class)Declaration$/.test(declaration.type) && declaration['id']) {
          edits.blank(item.start, declaration.start, text)
          publish(declaration['id'].name, 'default')
        } else {
          edits.replace(item.start, declaration.start, 'exports.default=')
          exportNames.push('default')
        }
        break
      }
      default:
    }
  }

  const waiting = lazy ? modulesInFunctions() : new Set<string>()
  const requires: string[] = []
  for (const [index, module] of [...modules.values()].entries()) {
    const call = `require(${index})`
    if (!waiting.has(module)) {
      requires.push(`${module}=${call}`)
      continue
    }
    for (const [local, binding] of bindings)
      if (binding.module === module) bindings.set(local, { ...binding, module: `(${module}??=${call})` })
  }

  /** Those of which nothing is used but in functions. */
  function modulesInFunctions(): Set<string> {
    const found = new Set([...bindings.values()].map(({ module }) => module))
    for (const module of passedOn) found.delete(module)
    for (const { name, node } of scope.references)
      if (!places.functions.some(({ start, end }) => start <= node.start && node.end <= end))
        found.delete(bindings.get(name)?.module ?? '')
    return found
  }

  const assigned = new Set<string>()
  const used = new Set(scope.references.map(({ name }) => name))
  for (const reference of scope.references) {
    const binding = bindings.get(reference.name)
    if (reference.write) {
      if (binding) faults.at(reference.node.start, `assignment of read-only variable '${reference.name}'`)
      else assigned.add(reference.name)
    } else if (binding) rewrite(reference, binding)
  }

  /** `name` becomes `$1.name`; a call must not hand the module over as `this`. */
  function rewrite({ node, role }: Reference, binding: Binding): void {
    const value = exportOf(binding)
    if (role === 'shorthand') {
      edits.insert(node.end, `:${value}`)
      return
    }
    const called = binding.name !== undefined && (role === 'callee' || places.tags.has(node))
    const use = called ? `(0,${value})` : value
    edits.replace(node.start, node.end, use.startsWith('(') && places.statements.has(node.start) ? `;${use}` : use)
  }

  const published = new Set<string>()
  /** What exported variables that change are called in the code. */
  const changing = new Map<string, string>()
  for (const item of program['body'] as Ast[]) {
    const declaration: Ast = item['declaration'] ?? item
    const set: string[] = []
    for (const id of declaredBy(declaration)) {
      const local = id['name'] as string
      if (assigned.has(local)) {
        changing.set(local, nameInCode(id))
        continue
      }
      published.add(local)
      if (declaration.type === 'FunctionDeclaration') {
        for (const name of exported.get(local) ?? []) hoisted.push([name, local])
        continue
      }
      const targets = (exported.get(local) ?? []).map((name) => property('exports', name))
      if (targets.length === 0) continue
      if (!isPlainConstant(declaration, id)) for (const target of targets) set.push(`${target}=${nameInCode(id)}`)
      else if (used.has(local) || declaration['declarations'].length > 1) edits.insert(id.end, `=${targets.join('=')}`)
      else {
        const lineEnds = text.slice(declaration.start, id.end).replace(/[^\n]/g, '')
        edits.replace(declaration.start, id.end, lineEnds + targets.join('='))
      }
    }
    if (set.length > 0) edits.insert(declaration.end, `;${set.join(';')};`)
  }
  // Imports passed on, variables that change, and those declared in a block inside: read when asked for.
  for (const [local, names] of exported) {
    if (published.has(local)) continue
    const binding = bindings.get(local)
    for (const name of names) getter(name, binding ? exportOf(binding) : (changing.get(local) ?? local))
  }
  if (waiting.size > 0) getters.push(`let ${[...waiting].join()};`)
  if (requires.length > 0) getters.push(`const ${requires.join()};`)
  edits.insert(0, publication(hoisted, scope.names) + getters.join(''))
  return { imports, exports: exportNames }
}

const exportOf = ({ module, name }: Binding): string => (name === undefined ? module : property(module, name))

const isWord = (name: string): boolean => /^[A-Za-z_$][\w$]*$/.test(name)

const property = (object: string, name: string): string =>
  isWord(name) ? `${object}.${name}` : `${object}[${JSON.stringify(name)}]`

/** The identifiers that a declaration at module level declares. */
function declaredBy(node: Ast): Ast[] {
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') return node['id'] ? [node['id']] : []
  if (node.type !== 'VariableDeclaration') return []
  return (node['declarations'] as Ast[]).flatMap((declarator) => namesIn(declarator['id']))
}

/** Whether `id` is all that a declarator of constants declares, and its value no function, which would take its name from it. */
const isPlainConstant = (declaration: Ast, id: Ast): boolean =>
  declaration['kind'] === 'const' &&
  (declaration['declarations'] as Ast[]).some((one) => one['id'] === id && !isAnonymous(one['init']))

/** What exports functions before anything runs. */
function publication(
  functions: readonly (readonly [name: string, local: string])[],
  declared: ReadonlySet<string>,
): string {
  const isShort = functions.length > 1 && !declared.has('Object') && functions.every(([name]) => isWord(name))
  if (!isShort) return functions.map(([name, local]) => `${property('exports', name)}=${local};`).join('')
  return `Object.assign(exports,{${functions.map(([name, local]) => (name === local ? name : `${name}:${local}`)).join()}});`
}
