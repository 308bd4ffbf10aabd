/** The built-in types, and the exceptions: in 2.4 these are old classes of the module `exceptions`. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { hook } from './attributes.ts'
import { DICT_METHODS, FILE_METHODS, ITER_METHODS, LIST_METHODS, SET_METHODS, updateFrom } from './container-methods.ts'
import { PyDict } from './dict.ts'
import { indexError, overflowError, typeError, valueError } from './errors.ts'
import { openFile } from './file.ts'
import { listOf } from './iterate.ts'
import { ANY, dictOf, keyworded, plain, sleeping } from './native.ts'
import { bigOf, floatOf, indexOf, makeInt, parseFloating, parseInteger, textOf } from './numbers.ts'
import {
  Descriptor,
  Instance,
  Module,
  Native,
  PyClass,
  PyFloat,
  PyList,
  PyLong,
  PyRange,
  PySet,
  PySlice,
  PyTuple,
  PyUnicode,
  type Value,
} from './objects.ts'
import { makeClass } from './raise.ts'
import { setOf } from './set.ts'
import { decode, STRING_METHODS } from './string-methods.ts'
import { str, truth } from './text.ts'
import type { Vm } from './vm.ts'

/** Child and parent, in an order in which parents come first. */
const EXCEPTIONS: readonly (readonly [string, string])[] = [
  ['SystemExit', 'Exception'],
  ['StopIteration', 'Exception'],
  ['StandardError', 'Exception'],
  ['KeyboardInterrupt', 'StandardError'],
  ['ImportError', 'StandardError'],
  ['EnvironmentError', 'StandardError'],
  ['IOError', 'EnvironmentError'],
  ['OSError', 'EnvironmentError'],
  ['EOFError', 'StandardError'],
  ['RuntimeError', 'StandardError'],
  ['NotImplementedError', 'RuntimeError'],
  ['NameError', 'StandardError'],
  ['UnboundLocalError', 'NameError'],
  ['AttributeError', 'StandardError'],
  ['SyntaxError', 'StandardError'],
  ['IndentationError', 'SyntaxError'],
  ['TabError', 'IndentationError'],
  ['TypeError', 'StandardError'],
  ['AssertionError', 'StandardError'],
  ['LookupError', 'StandardError'],
  ['IndexError', 'LookupError'],
  ['KeyError', 'LookupError'],
  ['ArithmeticError', 'StandardError'],
  ['OverflowError', 'ArithmeticError'],
  ['ZeroDivisionError', 'ArithmeticError'],
  ['FloatingPointError', 'ArithmeticError'],
  ['ValueError', 'StandardError'],
  ['UnicodeError', 'ValueError'],
  ['UnicodeEncodeError', 'UnicodeError'],
  ['UnicodeDecodeError', 'UnicodeError'],
  ['ReferenceError', 'StandardError'],
  ['SystemError', 'StandardError'],
  ['MemoryError', 'StandardError'],
  ['Warning', 'Exception'],
  ['UserWarning', 'Warning'],
  ['DeprecationWarning', 'Warning'],
  ['RuntimeWarning', 'Warning'],
]

export const EXCEPTION_NAMES: readonly string[] = ['Exception', ...EXCEPTIONS.map(([name]) => name)]

export function makeClasses(): Map<string, PyClass> {
  const classes = new Map<string, PyClass>()
  const top = new PyClass('Exception', [], dictOf([exceptionInit, exceptionItem]), true, true)
  classes.set('Exception', top)
  for (const [name, parent] of EXCEPTIONS) {
    const dict =
      name === 'EnvironmentError'
        ? dictOf([environmentInit])
        : name === 'SystemExit'
          ? dictOf([exitInit])
          : new PyDict()
    classes.set(name, new PyClass(name, [classes.get(parent)!], dict, true, true))
  }
  const object = new PyClass('object', [], new PyDict(), false)
  object.make = plain('object', 0, 0, () => new Instance(object, new PyDict()))
  classes.set('object', object)
  for (const [name, methods, make] of TYPES) {
    const type = new PyClass(name, [name === 'bool' ? classes.get('int')! : object], dictOf(methods), false)
    type.make =
      make ??
      plain(name, 0, ANY, () => {
        throw typeError(`cannot create '${name}' instances`)
      })
    classes.set(name, type)
  }
  classes
    .get('dict')!
    .dict.set(
      'fromkeys',
      new Descriptor('staticmethod', withoutSelf(DICT_METHODS.find(({ name }) => name === 'fromkeys')!)),
    )
  return classes
}

/** A method called on its type. */
const withoutSelf = (fn: Native): Native =>
  new Native(fn.name, fn.least, fn.most, undefined, (args, vm) => fn.sleeping!([null, ...args], vm, undefined))

const exceptionInit = plain('__init__', 1, ANY, ([self, ...args]) => {
  if (self instanceof Instance) self.dict.set('args', new PyTuple(args))
  return null
})

const exceptionItem = plain('__getitem__', 1, 1, ([self, index]) => {
  const args = self instanceof Instance ? self.dict.get('args') : undefined
  const items = args instanceof PyTuple ? args.items : []
  const i = indexOf(index ?? null) ?? 0
  const found = items[i < 0 ? i + items.length : i]
  if (found === undefined) throw indexError('tuple index out of range')
  return found
})

const environmentInit = plain('__init__', 1, ANY, ([self, ...args]) => {
  if (!(self instanceof Instance)) return null
  const three = args.length === 3
  self.dict.set('args', new PyTuple(three ? args.slice(0, 2) : args))
  const some = args.length === 2 || three
  self.dict.set('errno', some ? args[0]! : null)
  self.dict.set('strerror', some ? args[1]! : null)
  self.dict.set('filename', three ? args[2]! : null)
  return null
})

const exitInit = plain('__init__', 1, ANY, ([self, ...args]) => {
  if (!(self instanceof Instance)) return null
  self.dict.set('args', new PyTuple(args))
  self.dict.set('code', args.length === 0 ? null : args.length === 1 ? args[0]! : new PyTuple(args))
  return null
})

function* toInteger(vm: Vm, name: 'int' | 'long', args: readonly Value[]): Sys<bigint> {
  const [value = 0, base] = args
  const text = textOf(value)
  if (base !== undefined) {
    if (text === undefined) throw typeError(`${name}() can't convert non-string with explicit base`)
    const radix = indexOf(base)
    if (radix === undefined || radix === 1 || radix < 0 || radix > 36)
      throw valueError(`${name}() base must be >= 2 and <= 36`)
    return parseInteger(text, radix, name)
  }
  if (text !== undefined) return parseInteger(text, 10, name)
  if (value instanceof PyFloat) {
    if (!Number.isFinite(value.f))
      throw overflowError(`cannot convert float ${Number.isNaN(value.f) ? 'NaN' : 'infinity'} to integer`)
    return BigInt(Math.trunc(value.f))
  }
  const big = bigOf(value)
  if (big !== undefined) return big
  const own = hook(value, `__${name}__`)
  if (own !== undefined) return bigOf(yield* vm.call(own, [])) ?? 0n
  throw typeError(`${name}() argument must be a string or a number`)
}

function range(args: readonly Value[], name: string): PyRange {
  const numbers = args.map((one) => {
    const n = one instanceof PyFloat ? Math.trunc(one.f) : indexOf(one)
    if (n === undefined)
      throw typeError(
        `${name}() integer ${args.length === 1 ? 'end' : 'start'} argument expected, got ${typeof one === 'string' ? 'str' : 'other'}.`,
      )
    return n
  })
  const [start, stop] = numbers.length === 1 ? [0, numbers[0]!] : [numbers[0]!, numbers[1]!]
  const by = numbers[2] ?? 1
  if (by === 0) throw valueError(`${name}() arg 3 must not be zero`)
  return new PyRange(start, by, Math.max(0, Math.ceil((stop - start) / by)))
}

export function rangeList(args: readonly Value[]): PyList {
  const { start, step, length } = range(args, 'range')
  if (length > 1 << 22) throw overflowError('range() result has too many items')
  const items: Value[] = []
  for (let i = 0; i < length; i++) items.push(start + i * step)
  return new PyList(items)
}

const TYPES: readonly (readonly [string, readonly Native[], Native?])[] = [
  [
    'type',
    [],
    sleeping('type', 1, 3, function* (args, vm) {
      if (args.length !== 3) return vm.typeOf(args[0]!)
      const [name, bases, dict] = args as [Value, Value, Value]
      if (typeof name !== 'string' || !(bases instanceof PyTuple) || !(dict instanceof PyDict))
        throw typeError('type() takes 1 or 3 arguments')
      return makeClass(vm, name, bases.items.length > 0 ? bases.items : [vm.class('object')], dict.copy())
    }),
  ],
  ['NoneType', []],
  [
    'int',
    [],
    sleeping('int', 0, 2, function* (args, vm) {
      return makeInt(yield* toInteger(vm, 'int', args))
    }),
  ],
  [
    'long',
    [],
    sleeping('long', 0, 2, function* (args, vm) {
      return new PyLong(yield* toInteger(vm, 'long', args))
    }),
  ],
  [
    'bool',
    [],
    sleeping('bool', 0, 1, function* ([value = false], vm) {
      return yield* truth(vm, value)
    }),
  ],
  [
    'float',
    [],
    sleeping('float', 0, 1, function* ([value = 0], vm) {
      const text = textOf(value)
      if (text !== undefined) return new PyFloat(parseFloating(text))
      const f = floatOf(value)
      if (f !== undefined) return new PyFloat(f)
      const own = hook(value, '__float__')
      if (own !== undefined) return yield* vm.call(own, [])
      throw typeError('float() argument must be a string or a number')
    }),
  ],
  [
    'str',
    STRING_METHODS,
    sleeping('str', 0, 1, function* ([value = ''], vm) {
      return yield* str(vm, value)
    }),
  ],
  [
    'unicode',
    STRING_METHODS,
    sleeping('unicode', 0, 3, function* ([value = '', encoding], vm) {
      if (value instanceof PyUnicode) return value
      const own = hook(value, '__unicode__')
      if (own !== undefined) return yield* vm.call(own, [])
      return new PyUnicode(decode(yield* str(vm, value), typeof encoding === 'string' ? encoding : 'ascii'))
    }),
  ],
  [
    'list',
    LIST_METHODS,
    sleeping('list', 0, 1, function* ([value], vm) {
      return new PyList(value === undefined ? [] : yield* listOf(vm, value))
    }),
  ],
  [
    'tuple',
    [],
    sleeping('tuple', 0, 1, function* ([value], vm) {
      return value instanceof PyTuple ? value : new PyTuple(value === undefined ? [] : yield* listOf(vm, value))
    }),
  ],
  [
    'dict',
    DICT_METHODS,
    keyworded('dict', 0, 1, function* ([value], vm, kw) {
      const made = new PyDict()
      yield* updateFrom(vm, made, value, kw)
      return made
    }),
  ],
  [
    'set',
    SET_METHODS,
    sleeping('set', 0, 1, function* ([value], vm) {
      return setOf(value === undefined ? [] : yield* listOf(vm, value))
    }),
  ],
  [
    'frozenset',
    SET_METHODS.filter(({ name }) => !['add', 'discard', 'remove', 'update', 'clear'].includes(name)),
    sleeping('frozenset', 0, 1, function* ([value], vm) {
      return value instanceof PySet && value.frozen
        ? value
        : setOf(value === undefined ? [] : yield* listOf(vm, value), true)
    }),
  ],
  ['xrange', [], plain('xrange', 1, 3, (args) => range(args, 'xrange'))],
  [
    'slice',
    [],
    plain('slice', 1, 3, ([a, b, c]) =>
      b === undefined ? new PySlice(null, a!, null) : new PySlice(a!, b, c ?? null),
    ),
  ],
  [
    'file',
    FILE_METHODS,
    sleeping('file', 1, 3, function* ([name, mode = 'r'], vm) {
      const path = textOf(name!)
      if (path === undefined || typeof mode !== 'string')
        throw typeError('coercing to Unicode: need string or buffer, ' + vm.typeName(name!) + ' found')
      return yield* openFile(path, mode)
    }),
  ],
  [
    'property',
    [],
    keyworded('property', 0, 4, function* (args, _vm, kw) {
      return new Descriptor(
        'property',
        args[0] ?? kw?.get('fget') ?? null,
        args[1] ?? kw?.get('fset') ?? null,
        args[2] ?? kw?.get('fdel') ?? null,
      )
    }),
  ],
  ['staticmethod', [], plain('staticmethod', 1, 1, ([fn]) => new Descriptor('staticmethod', fn!))],
  ['classmethod', [], plain('classmethod', 1, 1, ([fn]) => new Descriptor('classmethod', fn!))],
  ['module', [], plain('module', 1, 1, ([name]) => new Module(String(name), PyDict.of([['__name__', name!]])))],
  ['function', []],
  ['builtin_function_or_method', []],
  ['instancemethod', []],
  ['instance', []],
  ['classobj', []],
  ['generator', ITER_METHODS],
  ['iterator', ITER_METHODS],
  ['traceback', []],
  ['code', []],
  ['ellipsis', []],
]
