/** awk's values: numbers, strings, and strings that look like numbers; and printf. */

/** What came from input: a number too, if it looks like one. */
export class Field {
  readonly s: string
  readonly n: number | undefined
  constructor(s: string) {
    this.s = s
    this.n = /^[ \t\n]*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[ \t\n]*$/.test(s) ? Number(s) : undefined
  }
}

/** Undefined: never assigned, 0 and "" at once. */
export type Value = number | string | Field | undefined

export function num(value: Value): number {
  if (typeof value === 'number') return value
  if (value === undefined) return 0
  if (typeof value !== 'string') {
    if (value.n !== undefined) return value.n
    return num(value.s)
  }
  return Number(/^[ \t\n]*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)/.exec(value)?.[1] ?? 0)
}

export function str(value: Value, format: string): string {
  if (typeof value === 'string') return value
  if (value === undefined) return ''
  if (typeof value !== 'number') return value.s
  return Number.isInteger(value) && Math.abs(value) < 1e16
    ? String(value === 0 ? 0 : value)
    : sprintf(format, [value], format)
}

export const truth = (value: Value): boolean =>
  typeof value === 'number'
    ? value !== 0
    : typeof value === 'string'
      ? value !== ''
      : value === undefined
        ? false
        : value.n !== undefined
          ? value.n !== 0
          : value.s !== ''

const isNumeric = (value: Value): boolean =>
  typeof value === 'number' || value === undefined || (typeof value !== 'string' && value.n !== undefined)

/** Negative, 0 or positive; NaN if they do not compare. */
export function compare(a: Value, b: Value, format: string): number {
  if (isNumeric(a) && isNumeric(b)) return num(a) - num(b)
  const [x, y] = [str(a, format), str(b, format)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** Widths and precisions beyond this are nobody's wish. */
const WIDTH_MAX = 10_000

export function sprintf(format: string, args: readonly Value[], convfmt: string): string {
  let used = 0
  return format.replace(
    /%([-+ 0#]*)(\*|[0-9]+)?(?:\.(\*|[0-9]*))?([a-zA-Z%])|%/g,
    (whole, flags: string | undefined, w: string | undefined, p: string | undefined, letter: string | undefined) => {
      if (letter === undefined) return whole
      if (letter === '%') return '%'
      const bounded = (n: number) => Math.max(-WIDTH_MAX, Math.min(WIDTH_MAX, Math.trunc(n)))
      let width = w === '*' ? bounded(num(args[used++])) : bounded(Number(w ?? 0))
      const precision = p === undefined ? undefined : p === '*' ? bounded(num(args[used++])) : bounded(Number(p || 0))
      const left = flags!.includes('-') || width < 0
      width = Math.abs(width)
      const value = args[used++]
      let text: string
      let numeric = true
      if (letter === 's') {
        const whole = str(value, convfmt)
        text = precision === undefined ? whole : whole.slice(0, precision)
        numeric = false
      } else if (letter === 'c') {
        text = typeof value === 'number' ? String.fromCharCode(value & 255) : str(value, convfmt).slice(0, 1)
        numeric = false
      } else text = number(letter, num(value), precision, flags!)
      if (numeric && flags!.includes('0') && !left && !(precision !== undefined && 'dioxXu'.includes(letter))) {
        const sign = /^[-+ ]/.exec(text)?.[0] ?? ''
        text = sign + text.slice(sign.length).padStart(width - sign.length, '0')
      }
      return left ? text.padEnd(width) : text.padStart(width)
    },
  )
}

function number(letter: string, n: number, precision: number | undefined, flags: string): string {
  const sign = n < 0 || Object.is(n, -0) ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  if (!Number.isFinite(n)) return Number.isNaN(n) ? 'nan' : `${sign}inf`
  const abs = Math.abs(n)
  if ('dioxXu'.includes(letter)) {
    const whole = Math.trunc(abs)
    const base = letter === 'o' ? 8 : letter === 'x' || letter === 'X' ? 16 : 10
    const digits = BigInt(whole)
      .toString(base)
      .padStart(precision ?? 1, '0')
    const text = letter === 'X' ? digits.toUpperCase() : digits
    return ((letter === 'd' || letter === 'i') && whole > 0 ? sign : sign === '-' ? '' : sign) + text
  }
  const places = Math.min(100, precision ?? 6)
  const exponent = (text: string) => text.replace(/e([-+])([0-9])$/, 'e$10$2')
  if (letter === 'f' || letter === 'F') return sign + abs.toFixed(places)
  if (letter === 'e' || letter === 'E') {
    const text = exponent(abs.toExponential(places))
    return sign + (letter === 'E' ? text.toUpperCase() : text)
  }
  const significant = Math.max(1, places)
  const power = abs === 0 ? 0 : Number(abs.toExponential(significant - 1).split('e')[1])
  let text =
    power < -4 || power >= significant
      ? exponent(abs.toExponential(significant - 1))
      : abs.toFixed(Math.max(0, significant - 1 - power))
  if (!flags.includes('#')) text = text.replace(/(\.[0-9]*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '')
  return sign + (letter === 'G' ? text.toUpperCase() : text)
}
