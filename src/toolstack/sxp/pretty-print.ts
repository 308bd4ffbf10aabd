/** The layout of `xm list --long` (tools/python/xen/xend/PrettyPrint.py): what fits stays on its line, what does not gets a line a member. */
import { isList, type Sxp, toSxpString } from './sxp.ts'

const INDENT = 4

/** With the newline after it. */
export const prettyPrint = (value: Sxp, width = 80): string => `${layout(value, 0, width)}\n`

/** `value` as it begins in column `column`. */
function layout(value: Sxp, column: number, width: number): string {
  const flat = toSxpString(value)
  if (!isList(value) || column + flat.length <= width) return flat
  const [first, ...rest] = value
  const inner = ' '.repeat(column + INDENT)
  const lines = rest.map((item) => `\n${inner}${layout(item, column + INDENT, width)}`)
  const head = value.length === 0 ? '' : layout(first, column + 1, width)
  return `(${head}${lines.join('')}\n${' '.repeat(column)})`
}
