/**
 * Programs that must fit a sector: the boot sector and stage2's first one. Their code is no module table but the text of one function
 * body with the parameters `SECTOR_PARAMETERS`, as short as it gets without renaming anything.
 */
import { type Node, parse, type Token } from 'acorn'
import type { Ast } from './ast.ts'
import { CompileError } from './diagnostics.ts'
import { COUNT } from './instrument.ts'
import type { ObjectFile } from './object-file.ts'
import { separates } from './spacing.ts'
import { STRICT, verify } from './verify.ts'

/** Parameters of the function whose body a sector's code is: those of `MetalEntry`, then the names of instrumented code. */
export const SECTOR_PARAMETERS = ['metal', 'regs', '$f', '$x', '$k'] as const

/**
 * The body of `start` as a sector's text. The file imports nothing and exports `start(metal, regs)` alone; what else it declares comes
 * along. Throws CompileError.
 */
export function sectorBody(object: ObjectFile): string {
  const refuse = (why: string): never => {
    throw new CompileError([`${object.path}:1: error: ${why}`])
  }
  if (object.imports.length > 0) refuse('a sector program imports nothing')
  if (object.exports.length !== 1 || object.exports[0] !== 'start') refuse("a sector program exports 'start' alone")
  const program = parse(object.code, { ecmaVersion: 2023, sourceType: 'script' }) as Node as Ast
  const start = (program['body'] as Ast[]).find(
    (item) => item.type === 'FunctionDeclaration' && item['id'].name === 'start',
  )
  if (!start || start['generator']) return refuse("'start' is not a function declaration")
  const params = start['params'] as Ast[]
  if (params.length > 2) refuse("the parameters of 'start' are (metal, regs)")
  const bindings = params.flatMap((param, index) =>
    param.type === 'Identifier' && param['name'] === SECTOR_PARAMETERS[index]
      ? []
      : [`${object.code.slice(param.start, param.end)}=${SECTOR_PARAMETERS[index]}`],
  )
  const rest = (program['body'] as Ast[]).filter((item) => item !== start && !isPublication(item))
  const texts = rest.map((item) => object.code.slice(item.start, item.end))
  if (bindings.length > 0) texts.push(`const ${bindings.join()};`)
  // The body becomes the function itself, called once: no count of its own.
  texts.push(object.code.slice(start['body'].start + 1 + COUNT.length, start['body'].end - 1))
  const body = shorten(texts.join('\n'))
  const refusals = verify(body, object.path, SECTOR_PARAMETERS)
  if (refusals.length > 0) throw new CompileError(refusals.map((r) => `${r.path}:${r.line}: error: ${r.text}`))
  return body
}

/** `exports.start=start;` */
const isPublication = (item: Ast): boolean =>
  item.type === 'ExpressionStatement' &&
  item['expression'].type === 'AssignmentExpression' &&
  item['expression'].left.type === 'MemberExpression' &&
  item['expression'].left.object.name === 'exports'

/** Drop comments, indentation and blanks that separate nothing. A line end stays where it may end a statement. */
function shorten(text: string): string {
  const source = STRICT + text
  const tokens: Token[] = []
  parse(source, {
    ecmaVersion: 2023,
    sourceType: 'script',
    allowReturnOutsideFunction: true,
    onToken: (token) => {
      tokens.push(token)
    },
  })
  let result = ''
  let end = STRICT.length
  for (const { start, end: next } of tokens) {
    if (start < STRICT.length || start === next) continue
    const gap = source.slice(end, start)
    const token = source.slice(start, next)
    if (gap.includes('\n')) {
      if (result !== '' && !/[{;,([=&|?:<>]$/.test(result) && !/^[)\]},;.?:=&|<>]/.test(token)) result += '\n'
    } else if (gap !== '' && separates(result, token)) result += ' '
    result += token
    end = next
  }
  return result
}
