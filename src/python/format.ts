/** `format % values` (Library Reference 2.3.6.2). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { formatFloat, pad } from '#user/coreutils/printf-format.ts'
import { PyDict } from './dict.ts'
import { Raise, typeError, valueError } from './errors.ts'
import { bigOf, floatOf, indexOf } from './numbers.ts'
import { Instance, PyFloat, PyTuple, PyUnicode, type Value } from './objects.ts'
import { getItem } from './subscript.ts'
import { repr, str } from './text.ts'
import type { Vm } from './vm.ts'

export function* formatPercent(vm: Vm, format: string, values: Value): Sys<string> {
  const tuple = values instanceof PyTuple ? values.items : undefined
  let used = 0
  let named = false
  const next = (): Value => {
    if (tuple ? used >= tuple.length : used > 0) throw typeError('not enough arguments for format string')
    used++
    return tuple ? tuple[used - 1]! : values
  }
  let result = ''
  let at = 0
  for (;;) {
    const percent = format.indexOf('%', at)
    if (percent < 0) break
    result += format.slice(at, percent)
    at = percent + 1
    let value: Value | undefined
    if (format[at] === '(') {
      if (!(values instanceof PyDict) && !(values instanceof Instance)) throw typeError('format requires a mapping')
      let depth = 1
      const start = ++at
      while (depth > 0) {
        const c = format[at++]
        if (c === undefined) throw valueError('incomplete format key')
        if (c === '(') depth++
        else if (c === ')') depth--
      }
      named = true
      value = yield* getItem(vm, values, format.slice(start, at - 1))
    }
    let flags = ''
    while ('#0- +'.includes(format[at] ?? 'x')) flags += format[at++]
    const number = (): number => {
      if (format[at] !== '*') {
        const digits = /^\d*/.exec(format.slice(at, at + 12))![0]
        at += digits.length
        return Number(digits)
      }
      at++
      const given = indexOf(next())
      if (given === undefined) throw typeError('* wants int')
      return given
    }
    let width = number()
    if (width < 0) {
      flags += '-'
      width = -width
    }
    let precision: number | undefined
    if (format[at] === '.') {
      at++
      precision = Math.max(0, number())
    }
    if (width > 1 << 24 || (precision ?? 0) > 1 << 24) throw valueError('width too big')
    while ('hlL'.includes(format[at] ?? 'x')) at++
    const letter = format[at++]
    if (letter === undefined) throw valueError('incomplete format')
    if (letter === '%') {
      result += '%'
      continue
    }
    if (!'sridoxXueEfFgGc'.includes(letter)) {
      const code = letter.charCodeAt(0)
      throw valueError(
        `unsupported format character '${code < 32 || code > 126 ? '?' : letter}' (0x${code.toString(16)}) at index ${at - 1}`,
      )
    }
    result += yield* convert(vm, letter, value === undefined ? next() : value, flags, width, precision)
  }
  const mapping = values instanceof PyDict || (values instanceof Instance && !values.cls.exception)
  if (tuple ? used < tuple.length : used === 0 && !named && !mapping)
    throw typeError('not all arguments converted during string formatting')
  return result + format.slice(at)
}

function* convert(
  vm: Vm,
  letter: string,
  value: Value,
  flags: string,
  width: number,
  precision: number | undefined,
): Sys<string> {
  switch (letter) {
    case 's':
    case 'r': {
      const text =
        letter === 'r' ? yield* repr(vm, value) : value instanceof PyUnicode ? value.s : yield* str(vm, value)
      return pad(precision === undefined ? text : text.slice(0, precision), flags.replace('0', ''), width, false)
    }
    case 'c': {
      const code = indexOf(value)
      const text = code === undefined ? value : code >= 0 && code < 256 ? String.fromCharCode(code) : undefined
      if (text === undefined) throw new Raise('OverflowError', 'unsigned byte integer is greater than maximum')
      if (typeof text !== 'string' || text.length !== 1) throw typeError('%c requires int or char')
      return pad(text, flags.replace('0', ''), width, false)
    }
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
      return integer(letter, value, flags, width, precision)
  }
  const f = floatOf(value)
  if (f === undefined) throw typeError('float argument required')
  if (Math.abs(f) >= 1e50 && (letter === 'f' || letter === 'F'))
    return formatFloat('g', f, flags, width, precision ?? 6)
  if ((letter === 'f' || letter === 'F') && Number.isFinite(f) && !flags.includes('#'))
    return fixed(f, flags, width, precision ?? 6)
  return formatFloat(letter, f, flags, width, precision ?? 6)
}

/** %f to the last digit: half-way cases go to the even neighbour, as in C, where toFixed goes up. */
function fixed(f: number, flags: string, width: number, precision: number): string {
  let scale = 0n
  let mantissa = Math.abs(f)
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    scale++
  }
  const scaled = BigInt(mantissa) * 10n ** BigInt(precision)
  const half = scale === 0n ? 0n : 1n << (scale - 1n)
  let digits = scaled >> scale
  const rest = scaled - (digits << scale)
  if (scale > 0n && (rest > half || (rest === half && digits % 2n === 1n))) digits++
  const text = digits.toString().padStart(precision + 1, '0')
  const shown = precision === 0 ? text : `${text.slice(0, -precision)}.${text.slice(-precision)}`
  const negative = f < 0 || Object.is(f, -0)
  const sign = negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  return pad(sign + shown, flags, width, true)
}

function integer(letter: string, value: Value, flags: string, width: number, precision: number | undefined): string {
  const v =
    value instanceof PyFloat ? (Number.isFinite(value.f) ? BigInt(Math.trunc(value.f)) : undefined) : bigOf(value)
  if (v === undefined) throw typeError('int argument required')
  const base = letter === 'o' ? 8 : letter === 'x' || letter === 'X' ? 16 : 10
  let digits = (v < 0n ? -v : v).toString(base)
  if (precision !== undefined) digits = digits.padStart(precision, '0')
  if (letter === 'X') digits = digits.toUpperCase()
  const prefix = flags.includes('#')
    ? base === 16
      ? `0${letter}`
      : base === 8 && !digits.startsWith('0')
        ? '0'
        : ''
    : ''
  const sign = v < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  if (flags.includes('0') && !flags.includes('-'))
    return sign + prefix + digits.padStart(width - sign.length - prefix.length, '0')
  return pad(sign + prefix + digits, flags, width, false)
}
