/** str's methods; unicode has the same, and answers unicode. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString, utf8Decode, utf8Encode } from '#lib/utf8.ts'
import { Raise, typeError, valueError } from './errors.ts'
import { listOf } from './iterate.ts'
import { plain, sleeping } from './native.ts'
import { indexOf, textOf } from './numbers.ts'
import { type Native, PyList, PySlice, PyUnicode, type Value } from './objects.ts'
import { bounds } from './subscript.ts'
import { reprUnicode } from './text.ts'
import type { Vm } from './vm.ts'

const SPACE = ' \t\n\v\f\r'

const isLower = (c: string): boolean => c >= 'a' && c <= 'z'
const isUpper = (c: string): boolean => c >= 'A' && c <= 'Z'
const isDigit = (c: string): boolean => c >= '0' && c <= '9'
const isAlpha = (c: string): boolean => isLower(c) || isUpper(c)
const isSpace = (c: string): boolean => SPACE.includes(c)

export const lower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase())
export const upper = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase())
const capitalize = (text: string): string => upper(text.slice(0, 1)) + lower(text.slice(1))
const title = (text: string): string => text.replace(/[A-Za-z]+/g, capitalize)
const swapcase = (text: string): string =>
  text.replace(/[A-Za-z]/g, (c) => (isLower(c) ? c.toUpperCase() : c.toLowerCase()))

function strip(text: string, set: string, left: boolean, right: boolean): string {
  let start = 0
  let end = text.length
  while (left && start < end && set.includes(text[start]!)) start++
  while (right && end > start && set.includes(text[end - 1]!)) end--
  return text.slice(start, end)
}

function splitWords(text: string, most: number): string[] {
  const words: string[] = []
  let rest = strip(text, SPACE, true, false)
  while (rest !== '') {
    if (words.length === most) {
      words.push(rest)
      break
    }
    const word = /^[^ \t\n\v\f\r]+/.exec(rest)![0]
    words.push(word)
    rest = strip(rest.slice(word.length), SPACE, true, false)
  }
  return words
}

export function split(text: string, separator: string | undefined, most: number): string[] {
  if (separator === undefined) return splitWords(text, most)
  if (separator === '') throw valueError('empty separator')
  const parts = text.split(separator)
  return most < 0 || parts.length <= most + 1 ? parts : [...parts.slice(0, most), parts.slice(most).join(separator)]
}

function rsplit(text: string, separator: string | undefined, most: number): string[] {
  const reverse = (part: string): string => [...part].reverse().join('')
  return split(reverse(text), separator === undefined ? undefined : reverse(separator), most)
    .map(reverse)
    .reverse()
}

/** A text argument. */
function text(value: Value | undefined, _vm: Vm, what = 'expected a character buffer object'): string {
  const found = value === undefined ? undefined : textOf(value)
  if (found === undefined) throw typeError(what)
  return found
}

const whole = (value: Value | undefined, missing: number): number => {
  if (value === undefined) return missing
  const n = indexOf(value)
  if (n === undefined) throw typeError('an integer is required')
  return n
}

function span(args: readonly Value[], at: number, length: number): [number, number] {
  const slice = new PySlice(args[at] ?? null, args[at + 1] ?? null, null)
  const { start, stop } = bounds(slice, length)
  return [start, stop]
}

function find(args: readonly Value[], vm: Vm, last: boolean): number {
  const self = text(args[0], vm)
  const [start, stop] = span(args, 2, self.length)
  const part = text(args[1], vm)
  if (stop < start) return -1
  const window = self.slice(start, stop)
  const at = last ? window.lastIndexOf(part) : window.indexOf(part)
  return at < 0 ? -1 : at + start
}

function count(self: string, part: string): number {
  if (part === '') return self.length + 1
  let n = 0
  for (let at = self.indexOf(part); at >= 0; at = self.indexOf(part, at + part.length)) n++
  return n
}

function replace(self: string, from: string, to: string, most: number): string {
  if (most < 0) return self.split(from).join(to)
  if (from === '') {
    let result = ''
    for (let i = 0; i < self.length; i++) result += (i < most ? to : '') + self[i]
    return result
  }
  return split(self, from, most).join(to)
}

function* join(args: readonly Value[], vm: Vm): Sys<Value> {
  const separator = text(args[0], vm)
  const items = yield* listOf(vm, args[1]!, 'sequence expected, no iterable found')
  let unicode = args[0] instanceof PyUnicode
  const parts: string[] = []
  for (const [i, item] of items.entries()) {
    const part = textOf(item)
    if (part === undefined) throw typeError(`sequence item ${i}: expected string, ${vm.typeName(item)} found`)
    if (item instanceof PyUnicode) unicode = true
    parts.push(part)
  }
  const joined = parts.join(separator)
  return unicode ? new PyUnicode(joined) : joined
}

export function encode(value: string, encoding: string): string {
  const name = encoding.toLowerCase().replace(/_/g, '-')
  if (name === 'utf-8' || name === 'utf8') return byteString(utf8Encode(value))
  const most = name === 'ascii' || name === 'us-ascii' ? 128 : name === 'latin-1' || name === 'iso-8859-1' ? 256 : 0
  if (most === 0) throw new Raise('LookupError', `unknown encoding: ${encoding}`)
  for (let i = 0; i < value.length; i++)
    if (value.charCodeAt(i) >= most)
      throw new Raise(
        'UnicodeEncodeError',
        `'${name === 'us-ascii' ? 'ascii' : name}' codec can't encode character ${reprUnicode(value[i]!)} in position ${i}: ordinal not in range(${most})`,
      )
  return value
}

export function decode(value: string, encoding: string): string {
  const name = encoding.toLowerCase().replace(/_/g, '-')
  if (name === 'utf-8' || name === 'utf8') return utf8Decode(bytesOfString(value))
  if (name === 'latin-1' || name === 'iso-8859-1') return value
  if (name !== 'ascii' && name !== 'us-ascii') throw new Raise('LookupError', `unknown encoding: ${encoding}`)
  for (let i = 0; i < value.length; i++)
    if (value.charCodeAt(i) > 127)
      throw new Raise(
        'UnicodeDecodeError',
        `'ascii' codec can't decode byte 0x${value.charCodeAt(i).toString(16)} in position ${i}: ordinal not in range(128)`,
      )
  return value
}

/** Text in, text of the same kind out. */
const same = (
  name: string,
  least: number,
  most: number,
  fn: (self: string, args: readonly Value[], vm: Vm) => string,
): Native =>
  plain(name, least, most, (args, vm) => {
    const result = fn(text(args[0], vm), args, vm)
    return args[0] instanceof PyUnicode || args.slice(1).some((one) => one instanceof PyUnicode)
      ? new PyUnicode(result)
      : result
  })

const strings = (self: Value | undefined, parts: readonly string[]): PyList =>
  new PyList(self instanceof PyUnicode ? parts.map((one) => new PyUnicode(one)) : [...parts])

const test = (name: string, all: (c: string) => boolean): Native =>
  plain(name, 0, 0, (args, vm) => {
    const self = text(args[0], vm)
    return self !== '' && [...self].every(all)
  })

const stripper = (name: string, left: boolean, right: boolean): Native =>
  same(name, 0, 1, (self, args, vm) =>
    strip(
      self,
      args[1] === undefined || args[1] === null ? SPACE : text(args[1], vm, `${name} arg must be None, str or unicode`),
      left,
      right,
    ),
  )

const filler = (value: Value | undefined, vm: Vm): string => {
  const fill = value === undefined ? ' ' : text(value, vm)
  if (fill.length !== 1) throw typeError('must be char, not str')
  return fill
}

const ends = (name: string, at: (window: string, part: string) => boolean): Native =>
  plain(name, 1, 3, (args, vm) => {
    const self = text(args[0], vm)
    const [start, stop] = span(args, 2, self.length)
    return stop >= start && at(self.slice(start, stop), text(args[1], vm))
  })

const finder = (name: string, last: boolean, strict: boolean): Native =>
  plain(name, 1, 3, (args, vm) => {
    const at = find(args, vm, last)
    if (at < 0 && strict) throw valueError('substring not found')
    return at
  })

export const STRING_METHODS: readonly Native[] = [
  same('lower', 0, 0, lower),
  same('upper', 0, 0, upper),
  same('capitalize', 0, 0, capitalize),
  same('title', 0, 0, title),
  same('swapcase', 0, 0, swapcase),
  stripper('strip', true, true),
  stripper('lstrip', true, false),
  stripper('rstrip', false, true),
  test('isdigit', isDigit),
  test('isalpha', isAlpha),
  test('isalnum', (c) => isAlpha(c) || isDigit(c)),
  test('isspace', isSpace),
  plain('islower', 0, 0, (args, vm) => /[a-z]/.test(text(args[0], vm)) && !/[A-Z]/.test(text(args[0], vm))),
  plain('isupper', 0, 0, (args, vm) => /[A-Z]/.test(text(args[0], vm)) && !/[a-z]/.test(text(args[0], vm))),
  plain('istitle', 0, 0, (args, vm) => /[A-Za-z]/.test(text(args[0], vm)) && title(text(args[0], vm)) === args[0]),
  ends('startswith', (window, part) => window.startsWith(part)),
  ends('endswith', (window, part) => window.endsWith(part)),
  finder('find', false, false),
  finder('rfind', true, false),
  finder('index', false, true),
  finder('rindex', true, true),
  plain('count', 1, 3, (args, vm) => {
    const self = text(args[0], vm)
    const [start, stop] = span(args, 2, self.length)
    return count(self.slice(start, stop), text(args[1], vm))
  }),
  same('replace', 2, 3, (self, args, vm) => replace(self, text(args[1], vm), text(args[2], vm), whole(args[3], -1))),
  plain('split', 0, 2, (args, vm) => {
    const separator = args[1] === undefined || args[1] === null ? undefined : text(args[1], vm)
    return strings(args[0], split(text(args[0], vm), separator, whole(args[2], -1)))
  }),
  plain('rsplit', 0, 2, (args, vm) => {
    const separator = args[1] === undefined || args[1] === null ? undefined : text(args[1], vm)
    return strings(args[0], rsplit(text(args[0], vm), separator, whole(args[2], -1)))
  }),
  plain('splitlines', 0, 1, (args, vm) => {
    const self = text(args[0], vm)
    const keep = args[1] !== undefined && args[1] !== 0 && args[1] !== false
    const parts = self.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? []
    return strings(args[0], keep ? parts : parts.map((line) => line.replace(/(\r\n|\n|\r)$/, '')))
  }),
  sleeping('join', 1, 1, join),
  same('ljust', 1, 2, (self, args, vm) => self.padEnd(whole(args[1], 0), filler(args[2], vm))),
  same('rjust', 1, 2, (self, args, vm) => self.padStart(whole(args[1], 0), filler(args[2], vm))),
  same('center', 1, 2, (self, args, vm) => {
    const width = whole(args[1], 0)
    const fill = filler(args[2], vm)
    const room = Math.max(0, width - self.length)
    const left = Math.floor(room / 2) + (room & width & 1)
    return fill.repeat(left) + self + fill.repeat(room - left)
  }),
  same('zfill', 1, 1, (self, args) => {
    const width = whole(args[1], 0)
    const sign = /^[-+]/.exec(self)?.[0] ?? ''
    return sign + self.slice(sign.length).padStart(width - sign.length, '0')
  }),
  same('expandtabs', 0, 1, (self, args) => {
    const size = whole(args[1], 8)
    let column = 0
    let result = ''
    for (const c of self) {
      if (c === '\t') {
        const blanks = size > 0 ? size - (column % size) : 0
        result += ' '.repeat(blanks)
        column += blanks
      } else {
        result += c
        column = c === '\n' || c === '\r' ? 0 : column + 1
      }
    }
    return result
  }),
  plain('translate', 1, 2, (args, vm) => {
    const table = text(args[1], vm)
    if (table.length !== 256) throw valueError('translation table must be 256 characters long')
    const gone = args[2] === undefined ? '' : text(args[2], vm)
    return [...text(args[0], vm)]
      .filter((c) => !gone.includes(c))
      .map((c) => table[c.charCodeAt(0)])
      .join('')
  }),
  plain('encode', 0, 2, (args, vm) =>
    encode(
      args[0] instanceof PyUnicode ? args[0].s : decode(text(args[0], vm), 'ascii'),
      args[1] === undefined ? 'ascii' : text(args[1], vm),
    ),
  ),
  plain(
    'decode',
    0,
    2,
    (args, vm) => new PyUnicode(decode(text(args[0], vm), args[1] === undefined ? 'ascii' : text(args[1], vm))),
  ),
]
