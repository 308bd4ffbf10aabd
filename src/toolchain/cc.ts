/**
 * cc: one TypeScript file to one object file. sucrase erases the types and keeps every line, acorn finds what is wrong, and this file
 * turns ESM into a CommonJS body and puts the fuel counts in. An error reads as gcc's.
 */
import { type Node, parse, type Token } from 'acorn'
import { transform } from 'sucrase'
import { type Ast, CHILDREN, lineIndex } from './ast.ts'
import { CompileError, diagnostic, faultList } from './diagnostics.ts'
import { esmToCommonJs, Places } from './esm.ts'
import { ALLOWED_GLOBALS } from './globals.ts'
import { Edits, instrumenter } from './instrument.ts'
import { isSourcePath, type ObjectFile } from './object-file.ts'
import { Renamer } from './rename.ts'
import { resolve } from './scope.ts'
import { spacing } from './spacing.ts'

export interface CcOptions {
  /** Also put yields into the loops of generators (design D5): for user programs and the toolstack. */
  readonly preempt?: boolean
  /** Leave local names as they are: for sector programs, whose module and `start` become one scope. */
  readonly keepNames?: boolean
  /** A module of which nothing is used but in functions is evaluated at its first use: for what has many parts and wants few. Such parts must not care when. */
  readonly lazyImports?: boolean
}

/** Names that compiled code uses for itself. */
const RESERVED = /^(?:\$[fxke]|\$\d+|require|exports)$/

const REFUSED: Readonly<Record<string, string>> = {
  __proto__: null as never,
  AwaitExpression: "'await' is not supported: simulated code sleeps with 'yield*'",
  ImportExpression: "'import()' is not supported: an image is linked as a whole",
  LabeledStatement: 'labels are not supported',
  WithStatement: "'with' is not allowed in strict mode",
  DebuggerStatement: "'debugger' is not supported",
}

/** Compile `source`. `path` is relative to src/. Throws CompileError. */
export function cc(path: string, source: string, options: CcOptions = {}): ObjectFile {
  if (!isSourcePath(path)) throw new CompileError([`cc: error: ${path}: not a source path`])
  const erased = eraseTypes(path, source)
  const edits = new Edits()
  const program = parseModule(path, source, erased, edits)
  const faults = faultList(path, source, erased)
  const renamer = options.keepNames ? undefined : new Renamer()
  const nameOf = (id: Ast): string => renamer?.nameOf(id) ?? id['name']
  const instrument = instrumenter(edits, options.preempt ?? false, nameOf)
  const places = new Places()

  const scope = resolve(program, {
    enter(node, parent, functionOf) {
      const unfit = unfitFor(node)
      if (unfit) faults.at(node.start, unfit)
      places.note(node, parent, functionOf)
      renamer?.note(node)
      instrument.enter(node, parent, functionOf)
    },
    leave: instrument.leave,
    scope: (left) => renamer?.scope(left),
    declare(name, id) {
      if (RESERVED.test(name)) faults.at(id.start, `'${name}' is reserved for the compiler`)
    },
    unknown(node) {
      faults.at(
        node.start,
        REFUSED[node.type] ?? (node.type in CHILDREN ? 'nested too deeply' : `${node.type} is not supported`),
      )
    },
  })
  const told = new Set<string>()
  for (const { name, node } of scope.free) {
    if (ALLOWED_GLOBALS.has(name) || told.has(name)) continue
    told.add(name)
    faults.at(node.start, `'${name}' undeclared`)
  }
  renamer?.rename(edits)
  const linkage = esmToCommonJs(program, erased, scope, places, edits, faults, nameOf, options.lazyImports ?? false)
  faults.done()
  return { path, code: edits.apply(erased), ...linkage }
}

/** What one node must not be, though its type is known. */
function unfitFor(node: Ast): string | undefined {
  if (node['async']) return "'async' is not supported: simulated code sleeps with 'yield*'"
  if (node.type === 'ForOfStatement' && node['await']) return "'for await' is not supported"
  if (node.type === 'MetaProperty' && node['meta'].name === 'import') return "'import.meta' is not supported"
  if (node.type === 'CatchClause' && node['param'] && node['param'].type !== 'Identifier')
    return 'a catch clause takes a plain name here'
  return undefined
}

function eraseTypes(path: string, source: string): string {
  let erased: string
  try {
    erased = transform(source, { transforms: ['typescript'], disableESTransforms: true }).code
  } catch (error) {
    const { message, loc } = error as { message: string; loc?: { line: number; column: number } }
    const text = message.replace(/^Error transforming [^:]*: /, '').replace(/ \(\d+:\d+\)$/, '')
    throw new CompileError([diagnostic(path, source, loc?.line ?? 1, loc?.column ?? 1, lowerFirst(text))])
  }
  refuseUnerasable(path, source, erased)
  return erased
}

/** sucrase drops the bodies of namespaces in silence and turns enums into code: neither is erasable, so neither compiles. */
function refuseUnerasable(path: string, source: string, erased: string): void {
  const unerasable = /^[ \t]*(?:export[ \t]+)?(namespace|module|(?:const[ \t]+)?enum)[ \t]+[\w$.]+[ \t]*\{/gm
  let lines: string[] | undefined
  const positionOf = lineIndex(source)
  const messages: string[] = []
  for (const match of source.matchAll(unerasable)) {
    const word = match[1]!.replace(/^const[ \t]+/, '')
    const at = match.index + match[0].indexOf(match[1]!)
    const { line, column } = positionOf(at)
    lines ??= erased.split('\n')
    // In a comment or a string the text is still there.
    if (new RegExp(`\\b${word}\\b`).test(lines[line - 1] ?? '')) continue
    messages.push(diagnostic(path, source, line, column, `'${word}' is not supported: only types that can be erased`))
  }
  if (messages.length > 0) throw new CompileError(messages)
}

/** Parse, and take out the comments and blanks that nobody needs. */
function parseModule(path: string, source: string, erased: string, edits: Edits): Ast {
  let before = { start: 0, end: 0 }
  const onToken = (token: Token): void => {
    const gap = erased.slice(before.end, token.start)
    if (gap !== '') {
      const kept = spacing(erased.slice(before.start, before.end), gap, erased.slice(token.start, token.end))
      edits.replace(before.end, token.start, kept)
    }
    before = token
  }
  try {
    return parse(erased, {
      ecmaVersion: 2023,
      sourceType: 'module',
      allowHashBang: false,
      onToken,
    }) as Node as Ast
  } catch (error) {
    const { message, pos } = error as { message: string; pos?: number }
    const faults = faultList(path, source, erased)
    faults.at(pos ?? 0, lowerFirst(message.replace(/ \(\d+:\d+\)$/, '')))
    faults.done()
    throw error
  }
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)
