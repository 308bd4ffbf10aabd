/** str() and repr() of Python 2.4, as far as xend's texts, S-expressions and XML-RPC show them. */

/** A Python float: JavaScript does not tell 1.0 from 1. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

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

/** printf's %.<digits>g, with `.0` where Python puts it. */
function general(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf'
  const [mantissa = '', exponent = '0'] = value.toExponential(digits - 1).split('e')
  const power = Number(exponent)
  if (power < -4 || power >= digits) {
    const sign = power < 0 ? '-' : '+'
    return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
  }
  const text = withoutZeros(value.toFixed(Math.max(0, digits - 1 - power)))
  return text.includes('.') ? text : `${text}.0`
}

const withoutZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** str(float): twelve digits. */
export const floatStr = (value: number): string => general(value, 12)

/** repr(float): the shortest text that reads back as the same number. */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return general(value, 17)
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const digits = mantissa.replace(/[-.]/g, '').length
  const power = Number(exponent)
  return power < -4 || power >= 16 ? general(value, digits) : general(value, Math.max(digits, power + 1))
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
