/** str() and repr() of Python 2.4, as far as xend's texts, S-expressions and XML-RPC show them. */
import { Float, floatRepr, floatStr } from '#lib/xmlrpc/float.ts'

/** Values with a Python look. A tuple is `new Tuple([...])`, everything else as one would think. */
export type PyLike =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Float
  | Tuple
  | readonly PyLike[]
  | { readonly [key: string]: PyLike }

export class Tuple {
  readonly items: readonly PyLike[]
  constructor(items: readonly PyLike[]) {
    this.items = items
  }
}

/** repr() of a byte string: single quotes, unless there are only single quotes in it. */
export function pyRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  // Outside printable ASCII there are only escapes.
  const inner = text.replace(/[^ -~]|['"\\]/g, (c) => {
    if (c === '\n') return '\\n'
    if (c === '\t') return '\\t'
    if (c === '\r') return '\\r'
    if (c === "'" || c === '"') return c === quote ? `\\${c}` : c
    if (c === '\\') return '\\\\'
    return `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return `${quote}${inner}${quote}`
}

/** str(value). */
export const pyStr = (value: PyLike): string =>
  typeof value === 'string' ? value : value instanceof Float ? floatStr(value.value) : pyReprOf(value)

/** repr(value). */
export function pyReprOf(value: PyLike): string {
  if (typeof value === 'string') return pyRepr(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value === null || value === undefined) return 'None'
  if (value instanceof Float) return floatRepr(value.value)
  if (value instanceof Tuple) {
    const items = value.items.map(pyReprOf)
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`
  }
  if (Array.isArray(value)) return `[${value.map(pyReprOf).join(', ')}]`
  const pairs = Object.entries(value as { readonly [key: string]: PyLike })
  return `{${pairs.map(([key, item]) => `${pyRepr(key)}: ${pyReprOf(item)}`).join(', ')}}`
}
