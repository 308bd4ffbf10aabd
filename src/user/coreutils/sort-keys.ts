/** sort's keys: where they lie in a line and how they compare. */
import { MONTHS } from '../libc/time.ts'

export interface KeyOptions {
  /** d and i: what counts; undefined: all. */
  ignore: 'nondictionary' | 'nonprinting' | undefined
  fold: boolean
  skipStartBlanks: boolean
  skipEndBlanks: boolean
  numeric: boolean
  general: boolean
  month: boolean
  reverse: boolean
}

export interface Key extends KeyOptions {
  /** Fields and characters from 0; `endField` -1: the end of the line. */
  startField: number
  startChar: number
  endField: number
  endChar: number
}

/** A key without options: bytes are compared. */
export const plainOptions = (): KeyOptions => ({
  ignore: undefined,
  fold: false,
  skipStartBlanks: false,
  skipEndBlanks: false,
  numeric: false,
  general: false,
  month: false,
  reverse: false,
})

/** No option changes how the key compares: the global ones count for it. */
export const isPlain = (key: KeyOptions): boolean =>
  !key.ignore && !key.fold && !key.skipStartBlanks && !key.skipEndBlanks && !isNumeric(key) && !key.reverse

const isNumeric = (key: KeyOptions): boolean => key.numeric || key.general || key.month

/** One ordering letter; false if it is none. `end`: behind the second position. */
export function applyLetter(key: KeyOptions, letter: string, end = false): boolean {
  switch (letter) {
    case 'b':
      if (end) key.skipEndBlanks = true
      else key.skipStartBlanks = true
      return true
    case 'd':
      key.ignore = 'nondictionary'
      return true
    case 'f':
      key.fold = true
      return true
    case 'g':
      key.general = true
      return true
    case 'i':
      key.ignore ??= 'nonprinting'
      return true
    case 'M':
      key.month = true
      return true
    case 'n':
      key.numeric = true
      return true
    case 'r':
      key.reverse = true
      return true
  }
  return false
}

const isBlank = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  return code === 32 || code === 9 || code === 10
}

/** Where field number `field` begins (or the line's end). */
function fieldStart(line: string, field: number, tab: string | undefined): number {
  let at = 0
  for (let left = field; left > 0 && at < line.length; left--) {
    if (tab !== undefined) {
      const found = line.indexOf(tab, at)
      at = found < 0 ? line.length : found + 1
    } else {
      while (at < line.length && isBlank(line, at)) at++
      while (at < line.length && !isBlank(line, at)) at++
    }
  }
  return at
}

/** The part of `line` that the key is. */
export function keyText(line: string, key: Key, tab: string | undefined): string {
  let start = fieldStart(line, key.startField, tab)
  if (key.skipStartBlanks) while (start < line.length && isBlank(line, start)) start++
  start = Math.min(line.length, start + key.startChar)
  if (key.endField < 0) return line.slice(start)
  let end: number
  if (key.endChar === 0) {
    // The whole of the field: up to the next one's separator.
    end = fieldStart(line, key.endField + 1, tab)
    if (tab !== undefined && end > 0 && (end < line.length || line.endsWith(tab)) && line[end - 1] === tab) {
      const last = fieldStart(line, key.endField, tab)
      if (end > last) end--
    }
  } else {
    end = fieldStart(line, key.endField, tab)
    if (key.skipEndBlanks) while (end < line.length && isBlank(line, end)) end++
    end = Math.min(line.length, end + key.endChar)
  }
  return end > start ? line.slice(start, end) : ''
}

/** What is compared: letters folded and characters left out, in advance. */
export function prepared(text: string, key: KeyOptions): string | number {
  let result = text
  if (key.numeric) return shortNumber(text) ?? text
  if (isNumeric(key)) return result
  if (key.ignore === 'nondictionary') result = result.replace(/[^A-Za-z0-9 \t\n]/g, '')
  else if (key.ignore === 'nonprinting') result = result.replace(/[^ -~]/g, '')
  return key.fold ? result.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : result
}

/** The value of what a double holds exactly enough: 15 digits, and large enough to be written without an exponent. */
function shortNumber(text: string): number | undefined {
  const [, sign, whole, fraction = ''] = DECIMAL.exec(text)!
  if (whole!.length + fraction.length > 15) return undefined
  const value = Number(`${whole || '0'}.${fraction || '0'}`)
  if (value !== 0 && value < 1e-6) return undefined
  return sign === '-' && value !== 0 ? -value : value
}

/** Below, at or above zero, as comparisons are; -r is taken into account. */
export function compareKeys(a: string | number, b: string | number, key: KeyOptions): number {
  let order: number
  if (typeof a === 'number' && typeof b === 'number') order = a - b
  else if (key.numeric) order = compareNumeric(String(a), String(b))
  else if (key.general) order = compareGeneral(String(a), String(b))
  else if (key.month) order = monthOf(String(a)) - monthOf(String(b))
  else order = a < b ? -1 : a > b ? 1 : 0
  return key.reverse ? -order : order
}

const DECIMAL = /^[ \t\n]*(-?)(\d*)(?:\.(\d*))?/

/** Numbers of any length, as numcompare() does it: no exponents, no plus sign. */
function compareNumeric(a: string, b: string): number {
  const [, signA, wholeA, fractionA] = DECIMAL.exec(a)!
  const [, signB, wholeB, fractionB] = DECIMAL.exec(b)!
  const order = compareMagnitude(wholeA!, fractionA ?? '', wholeB!, fractionB ?? '')
  const zeroA = isZero(wholeA!, fractionA)
  const zeroB = isZero(wholeB!, fractionB)
  const negativeA = signA === '-' && !zeroA
  const negativeB = signB === '-' && !zeroB
  if (negativeA !== negativeB) return negativeA ? -1 : 1
  return negativeA ? -order : order
}

const isZero = (whole: string, fraction = ''): boolean => /^0*$/.test(whole) && /^0*$/.test(fraction)

function compareMagnitude(wholeA: string, fractionA: string, wholeB: string, fractionB: string): number {
  if (wholeA.length < 16 && wholeB.length < 16 && fractionA === '' && fractionB === '')
    return Number(wholeA) - Number(wholeB)
  const [a, b] = [wholeA.replace(/^0+/, ''), wholeB.replace(/^0+/, '')]
  if (a.length !== b.length) return a.length - b.length
  if (a !== b) return a < b ? -1 : 1
  const [x, y] = [fractionA.replace(/0+$/, ''), fractionB.replace(/0+$/, '')]
  return x < y ? -1 : x > y ? 1 : 0
}

/** strtod: what is no number comes before NaN, that before numbers. */
function compareGeneral(a: string, b: string): number {
  const [x, y] = [strtod(a), strtod(b)]
  if (x === undefined || y === undefined) return Number(x !== undefined) - Number(y !== undefined)
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(y)) - Number(Number.isNaN(x))
  return x < y ? -1 : x > y ? 1 : 0
}

function strtod(text: string): number | undefined {
  const match = /^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf(?:inity)?|[-+]?nan)/i.exec(text)
  if (!match) return undefined
  const word = match[1]!.toLowerCase()
  if (word.includes('nan')) return Number.NaN
  return word.includes('inf') ? (word.startsWith('-') ? -Infinity : Infinity) : Number(word)
}

/** 0 for what is no month. */
function monthOf(text: string): number {
  const word = text
    .replace(/^[ \t\n]+/, '')
    .slice(0, 3)
    .toLowerCase()
  return MONTHS.findIndex((month) => month.slice(0, 3).toLowerCase() === word) + 1
}
