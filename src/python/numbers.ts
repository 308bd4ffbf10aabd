/** int, long and float: one tower. Here an int is a number or, beyond 2^53, a bigint; results that pass 64 bits become long, as they silently do. */
import { formatFloat } from '#user/coreutils/printf-format.ts'
import { Raise, valueError } from './errors.ts'
import { PyFloat, PyLong, PyUnicode, type Value } from './objects.ts'

/** An int if it fits 64 bits, else a long. */
export function makeInt(v: bigint): Value {
  const small = Number(v)
  if (Number.isSafeInteger(small)) return small
  return v === BigInt.asIntN(64, v) ? v : new PyLong(v)
}

/** Of an int, a bool or a long. */
export function bigOf(value: Value): bigint | undefined {
  if (typeof value === 'number') return BigInt(value)
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  return value instanceof PyLong ? value.v : undefined
}

export const isInteger = (value: Value): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || value instanceof PyLong

/** Of any number. */
export function floatOf(value: Value): number | undefined {
  if (value instanceof PyFloat) return value.f
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  const big = bigOf(value)
  if (big === undefined) return undefined
  const f = Number(big)
  if (!Number.isFinite(f)) throw new Raise('OverflowError', 'long int too large to convert to float')
  return f
}

/** A number that counts something; undefined for what is no integer. */
export function indexOf(value: Value): number | undefined {
  if (typeof value === 'number') return value
  const big = bigOf(value)
  return big === undefined ? undefined : Number(big)
}

const floorDiv = (a: bigint, b: bigint): bigint => {
  const q = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q
}
const floorMod = (a: bigint, b: bigint): bigint => {
  const r = a % b
  return r !== 0n && r < 0n !== b < 0n ? r + b : r
}

/** x to the whole power n, by squaring: the same in every engine. */
function powerOf(x: number, n: number): number {
  let result = 1
  let base = n < 0 ? 1 / x : x
  for (let left = Math.abs(n); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= base
    base *= base
  }
  return result
}

/** e^x and ln x by series, for powers that are not whole. */
function exponential(x: number): number {
  const halves = Math.max(0, Math.ceil(Math.abs(x)))
  const small = x / Math.max(1, halves)
  let term = 1
  let sum = 1
  for (let i = 1; i < 40; i++) {
    term = (term * small) / i
    sum += term
  }
  return powerOf(sum, Math.max(1, halves))
}

function logarithm(x: number): number {
  let mantissa = x
  let twos = 0
  while (mantissa > 1.5) {
    mantissa /= 2
    twos++
  }
  while (mantissa < 0.75) {
    mantissa *= 2
    twos--
  }
  const z = (mantissa - 1) / (mantissa + 1)
  let term = z
  let sum = 0
  for (let i = 1; i < 80; i += 2) {
    sum += term / i
    term *= z * z
  }
  return 2 * sum + twos * Math.LN2
}

export function floatPower(x: number, y: number): number {
  if (y === 0) return 1
  if (x === 0 && y < 0) throw new Raise('ZeroDivisionError', '0.0 cannot be raised to a negative power')
  if (Number.isInteger(y) && Math.abs(y) < 1e6) return powerOf(x, y)
  if (x < 0) throw valueError('negative number cannot be raised to a fractional power')
  if (x === 0) return 0
  return y === 0.5 ? Math.sqrt(x) : exponential(y * logarithm(x))
}

/** An operator on two numbers; undefined if they are none, or it is none of theirs. */
export function arithmetic(op: string, a: Value, b: Value): Value | undefined {
  if (a instanceof PyFloat || b instanceof PyFloat) {
    const x = floatOf(a)
    const y = floatOf(b)
    if (x === undefined || y === undefined) return undefined
    const f = floating(op, x, y)
    return f === undefined ? undefined : new PyFloat(f)
  }
  if (typeof a === 'number' && typeof b === 'number') {
    const quick = op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : undefined
    if (quick !== undefined && Number.isSafeInteger(quick)) return quick === 0 ? 0 : quick
  }
  const x = bigOf(a)
  const y = bigOf(b)
  if (x === undefined || y === undefined) return undefined
  if (typeof a === 'boolean' && typeof b === 'boolean') {
    if (op === '&') return a && b
    if (op === '|') return a || b
    if (op === '^') return a !== b
  }
  const long = a instanceof PyLong || b instanceof PyLong
  if (op === '**' && y < 0n) {
    if (x === 0n) throw new Raise('ZeroDivisionError', '0.0 cannot be raised to a negative power')
    return new PyFloat(floatPower(Number(x), Number(y)))
  }
  const result = integral(op, x, y)
  return result === undefined ? undefined : long ? new PyLong(result) : makeInt(result)
}

const BITS_MAX = 1n << 20n

function integral(op: string, x: bigint, y: bigint): bigint | undefined {
  switch (op) {
    case '+':
      return x + y
    case '-':
      return x - y
    case '*':
      return x * y
    case '/':
    case '//':
    case '%':
      if (y === 0n) throw new Raise('ZeroDivisionError', 'integer division or modulo by zero')
      return op === '%' ? floorMod(x, y) : floorDiv(x, y)
    case '**':
      if (y > BITS_MAX || (y > 64n && BigInt(x.toString(2).length) * y > 64n * BITS_MAX))
        throw new Raise('MemoryError', '')
      return x ** y
    case '<<':
    case '>>':
      if (y < 0n) throw valueError('negative shift count')
      if (op === '<<' && y > BITS_MAX * 64n) throw new Raise('MemoryError', '')
      return op === '<<' ? x << y : x >> y
    case '&':
      return x & y
    case '|':
      return x | y
    case '^':
      return x ^ y
  }
  return undefined
}

function floating(op: string, x: number, y: number): number | undefined {
  switch (op) {
    case '+':
      return x + y
    case '-':
      return x - y
    case '*':
      return x * y
    case '/':
      if (y === 0) throw new Raise('ZeroDivisionError', 'float division')
      return x / y
    case '//':
      if (y === 0) throw new Raise('ZeroDivisionError', 'float divmod()')
      return Math.floor(x / y)
    case '%': {
      if (y === 0) throw new Raise('ZeroDivisionError', 'float modulo')
      const r = x % y
      return r !== 0 && r < 0 !== y < 0 ? r + y : r
    }
    case '**':
      return floatPower(x, y)
  }
  return undefined
}

const withPoint = (text: string): string => (/[.en]/.test(text) ? text : `${text}.0`)

/** Python 2.4 shows 17 digits: 0.1 is 0.10000000000000001. */
export const floatRepr = (f: number): string => withPoint(formatFloat('g', f, '', 0, 17))
export const floatStr = (f: number): string => withPoint(formatFloat('g', f, '', 0, 12))

/** int() of a text. */
export function parseInteger(text: string, base: number, name: 'int' | 'long'): bigint {
  const bad = (): Raise => valueError(`invalid literal for ${name}(): ${text}`)
  const trimmed = text.trim()
  const match = /^([-+]?)(0[xX])?([0-9a-zA-Z]+)([lL]?)$/.exec(trimmed)
  if (!match) throw bad()
  const sign = match[1]
  const prefix = match[2]
  let digits = match[3]!
  if (name === 'long' || base === 0) digits = digits.replace(/[lL]$/, base < 22 ? '' : '$&')
  let radix = base
  if (prefix !== undefined) {
    if (base !== 0 && base !== 16) throw bad()
    radix = 16
  } else if (base === 0) radix = digits.startsWith('0') && digits.length > 1 ? 8 : 10
  let value = 0n
  const scale = BigInt(radix)
  for (const c of digits.toLowerCase()) {
    const digit = c <= '9' ? c.charCodeAt(0) - 48 : c.charCodeAt(0) - 87
    if (digit >= radix) throw bad()
    value = value * scale + BigInt(digit)
  }
  return sign === '-' ? -value : value
}

export function parseFloating(text: string): number {
  const trimmed = text.trim()
  if (trimmed === '') throw valueError('empty string for float()')
  if (/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(trimmed)) return Number(trimmed)
  const word = /^([-+]?)(inf|nan)/i.exec(trimmed)
  if (word && trimmed.length === word[0].length)
    return word[2]!.toLowerCase() === 'nan' ? Number.NaN : word[1] === '-' ? -Infinity : Infinity
  throw valueError(`invalid literal for float(): ${text}`)
}

export const textOf = (value: Value): string | undefined =>
  typeof value === 'string' ? value : value instanceof PyUnicode ? value.s : undefined
