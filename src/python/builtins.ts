/** The module __builtin__ (Library Reference 2.1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { deleteAttr, hook, maybeAttr, slowAttr, storeAttr } from './attributes.ts'
import { EXCEPTION_NAMES, rangeList } from './classes.ts'
import { compare, compareOp } from './compare.ts'
import { sorted } from './container-methods.ts'
import { PyDict } from './dict.ts'
import { typeError, valueError } from './errors.ts'
import { hashOf, keyOf } from './hash.ts'
import { importModule } from './import.ts'
import { iterate, listOf, step } from './iterate.ts'
import { ANY, keyworded, plain, sleeping } from './native.ts'
import { arithmetic, bigOf, floatOf, floatPower, indexOf, makeInt, textOf } from './numbers.ts'
import {
  Instance,
  Iter,
  Module,
  Native,
  Obj,
  PyClass,
  PyFloat,
  PyFunction,
  PyList,
  PyMethod,
  PyTuple,
  PyUnicode,
  Singleton,
  SlowIter,
  type Value,
} from './objects.ts'
import { binarySlow, plainBinary } from './operators.ts'
import { CodeObject, compileText, evaluate, execFile, localsOf } from './run.ts'
import { lengthOf, plainTruth, repr, truth } from './text.ts'
import type { Vm } from './vm.ts'

const TYPE_NAMES =
  'bool classmethod dict file float frozenset int list long object property set slice staticmethod str tuple type unicode xrange'.split(
    ' ',
  )

const attributeName = (value: Value | undefined): string => {
  const name = textOf(value ?? null)
  if (name === undefined) throw typeError('attribute name must be string')
  return name
}

function* isInstance(vm: Vm, value: Value, classes: Value): Sys<boolean> {
  if (classes instanceof PyTuple) {
    for (const one of classes.items) if (yield* isInstance(vm, value, one)) return true
    return false
  }
  if (!(classes instanceof PyClass))
    throw typeError('isinstance() arg 2 must be a class, type, or tuple of classes and types')
  if (value instanceof Instance && value.cls.mro.includes(classes)) return true
  return vm.typeOf(value).mro.includes(classes)
}

function isSubclass(value: Value, classes: Value): boolean {
  if (classes instanceof PyTuple) return classes.items.some((one) => isSubclass(value, one))
  if (!(value instanceof PyClass)) throw typeError('issubclass() arg 1 must be a class')
  if (!(classes instanceof PyClass)) throw typeError('issubclass() arg 2 must be a class')
  return value.mro.includes(classes)
}

function* minMax(vm: Vm, args: readonly Value[], name: string, way: number): Sys<Value> {
  const items = args.length === 1 ? yield* listOf(vm, args[0]!) : args
  let best: Value | undefined
  for (const one of items) if (best === undefined || (yield* compare(vm, one, best)) * way > 0) best = one
  if (best === undefined) throw valueError(`${name}() arg is an empty sequence`)
  return best
}

/** filter() keeps the kind of a string or a tuple. */
function* filter(args: readonly Value[], vm: Vm): Sys<Value> {
  const [fn, sequence] = args as [Value, Value]
  const kept: Value[] = []
  for (const one of yield* listOf(vm, sequence))
    if (yield* truth(vm, fn === null ? one : yield* vm.call(fn, [one]))) kept.push(one)
  if (typeof sequence === 'string') return kept.join('')
  return sequence instanceof PyTuple ? new PyTuple(kept) : new PyList(kept)
}

function* map([fn, ...sequences]: readonly Value[], vm: Vm): Sys<Value> {
  const lists: Value[][] = []
  for (const [i, one] of sequences.entries())
    lists.push(yield* listOf(vm, one, `argument ${i + 2} to map() must support iteration`))
  const longest = Math.max(...lists.map((one) => one.length))
  const results: Value[] = []
  for (let i = 0; i < longest; i++) {
    const row = lists.map((one) => one[i] ?? null)
    results.push(fn === null ? (row.length === 1 ? row[0]! : new PyTuple(row)) : yield* vm.call(fn!, row))
  }
  return new PyList(results)
}

function digits(value: Value, base: number, prefix: string, name: string): string {
  const big = bigOf(value)
  if (big === undefined) throw typeError(`${name}() argument can't be converted to ${name}`)
  const text = (big < 0n ? -big : big).toString(base)
  const sign = big < 0n ? '-' : ''
  const long = value instanceof Obj ? 'L' : ''
  return `${sign}${base === 8 && text === '0' ? '' : prefix}${base === 16 && long ? text.toUpperCase() : text}${long}`
}

function round(value: number, places: number): number {
  if (!Number.isFinite(value)) return value
  const scale = floatPower(10, Math.abs(places))
  const scaled = places >= 0 ? value * scale : value / scale
  const whole = scaled >= 0 ? Math.floor(scaled + 0.5) : Math.ceil(scaled - 0.5)
  return places >= 0 ? whole / scale : whole * scale
}

function* dir(args: readonly Value[], vm: Vm): Sys<Value> {
  const names = new Set<string>()
  const add = (dict: PyDict | undefined): void => {
    for (const key of dict?.keys() ?? []) if (typeof key === 'string') names.add(key)
  }
  const [value] = args
  if (value === undefined) add(localsOf(vm.frame!))
  else if (value instanceof Module) add(value.dict)
  else {
    if (value instanceof Instance) {
      add(value.dict)
      names.add('__doc__')
    }
    const cls = value instanceof Instance ? value.cls : value instanceof PyClass ? value : vm.typeOf(value)
    for (const one of cls.mro) add(one.dict)
  }
  return new PyList([...names].sort())
}

const NATIVES: readonly Native[] = [
  plain('abs', 1, 1, ([value]) => {
    if (value instanceof PyFloat) return new PyFloat(Math.abs(value.f))
    const big = bigOf(value!)
    if (big === undefined) throw typeError('bad operand type for abs()')
    return big < 0n ? arithmetic('-', 0, value!)! : value!
  }),
  sleeping('apply', 1, 3, function* ([fn, args, kw], vm) {
    const words = new Map<string, Value>()
    if (kw instanceof PyDict) for (const { key, value } of kw.entries()) words.set(String(key), value)
    return yield* vm.call(fn!, args === undefined ? [] : yield* listOf(vm, args), words.size > 0 ? words : undefined)
  }),
  sleeping('callable', 1, 1, function* ([value]) {
    return (
      value instanceof PyFunction ||
      value instanceof Native ||
      value instanceof PyClass ||
      value instanceof PyMethod ||
      hook(value!, '__call__') !== undefined
    )
  }),
  plain('chr', 1, 1, ([value]) => {
    const code = indexOf(value!)
    if (code === undefined) throw typeError('an integer is required')
    if (code < 0 || code > 255) throw valueError('chr() arg not in range(256)')
    return String.fromCharCode(code)
  }),
  plain('unichr', 1, 1, ([value]) => {
    const code = indexOf(value!)
    if (code === undefined) throw typeError('an integer is required')
    if (code < 0 || code > 0x10ffff) throw valueError('unichr() arg not in range(0x110000) (wide Python build)')
    return new PyUnicode(String.fromCodePoint(code))
  }),
  sleeping('cmp', 2, 2, function* ([a, b], vm) {
    const order = yield* compare(vm, a!, b!)
    return Number.isNaN(order) ? 1 : order
  }),
  sleeping('coerce', 2, 2, function* ([a, b]) {
    if (a instanceof PyFloat || b instanceof PyFloat)
      return new PyTuple([new PyFloat(floatOf(a!) ?? 0), new PyFloat(floatOf(b!) ?? 0)])
    return new PyTuple([a!, b!])
  }),
  plain('compile', 3, 5, ([source, file, mode], vm) => {
    const text = textOf(source!)
    if (text === undefined) throw typeError('compile() expected string without null bytes')
    if (mode !== 'exec' && mode !== 'eval' && mode !== 'single')
      throw valueError("compile() arg 3 must be 'exec' or 'eval' or 'single'")
    return new CodeObject(compileText(vm, text, String(file), mode), mode === 'eval')
  }),
  sleeping('delattr', 2, 2, function* ([target, name], vm) {
    const slow = deleteAttr(vm, target!, attributeName(name))
    if (slow) yield* slow
    return null
  }),
  sleeping('dir', 0, 1, dir),
  sleeping('divmod', 2, 2, function* ([a, b], vm) {
    const quotient = plainBinary('//', a!, b!) ?? (yield* binarySlow(vm, '//', a!, b!, false))
    return new PyTuple([quotient, plainBinary('%', a!, b!) ?? null])
  }),
  sleeping('enumerate', 1, 1, function* ([value], vm) {
    const iter = yield* iterate(vm, value!)
    let i = 0
    return new SlowIter(function* () {
      const one = yield* step(vm, iter)
      return one === undefined ? undefined : new PyTuple([i++, one])
    })
  }),
  sleeping('eval', 1, 3, function* ([source, globals, locals], vm) {
    const f = vm.frame!
    if (globals !== undefined && !(globals instanceof PyDict)) throw typeError('globals must be a dict')
    if (locals !== undefined && !(locals instanceof PyDict)) throw typeError('locals must be a mapping')
    const text = typeof source === 'string' ? source : source!
    return yield* evaluate(vm, text, globals ?? f.globals, locals ?? globals ?? localsOf(f))
  }),
  sleeping('execfile', 1, 3, function* ([path, globals, locals], vm) {
    const f = vm.frame!
    if (globals !== undefined && !(globals instanceof PyDict)) throw typeError('execfile() argument 2 must be dict')
    if (locals !== undefined && !(locals instanceof PyDict)) throw typeError('execfile() argument 3 must be dict')
    yield* execFile(vm, attributeName(path), globals ?? f.globals, locals ?? globals ?? localsOf(f))
    return null
  }),
  sleeping('filter', 2, 2, filter),
  sleeping('getattr', 2, 3, function* ([value, name, missing], vm) {
    if (missing === undefined) return yield* slowAttr(vm, value!, attributeName(name))
    const found = yield* maybeAttr(vm, value!, attributeName(name))
    return found === undefined ? missing : found
  }),
  plain('globals', 0, 0, (_args, vm) => vm.frame!.globals),
  sleeping('hasattr', 2, 2, function* ([value, name], vm) {
    return (yield* maybeAttr(vm, value!, attributeName(name))) !== undefined
  }),
  sleeping('hash', 1, 1, function* ([value], vm) {
    const own = hook(value!, '__hash__')
    if (own !== undefined) return yield* vm.call(own, [])
    keyOf(value!, new Map())
    if (value instanceof Obj) vm.idOf(value)
    return makeInt(hashOf(value!))
  }),
  plain('hex', 1, 1, ([value]) => digits(value!, 16, '0x', 'hex')),
  plain('oct', 1, 1, ([value]) => digits(value!, 8, '0', 'oct')),
  plain('id', 1, 1, ([value], vm) =>
    value instanceof Obj ? vm.idOf(value) : Number(BigInt.asUintN(40, hashOf(value!))) * 8,
  ),
  sleeping('input', 0, 1, function* (args, vm) {
    const line = yield* rawInput(args, vm)
    return yield* evaluate(vm, line, vm.frame!.globals, localsOf(vm.frame!))
  }),
  plain('intern', 1, 1, ([value]) => value!),
  sleeping('isinstance', 2, 2, ([value, classes], vm) => isInstance(vm, value!, classes!)),
  plain('issubclass', 2, 2, ([value, classes]) => isSubclass(value!, classes!)),
  sleeping('iter', 1, 2, function* ([value, sentinel], vm) {
    if (sentinel === undefined) return yield* iterate(vm, value!)
    return new SlowIter(function* () {
      const one = yield* vm.call(value!, [])
      return (yield* compareOp(vm, '==', one, sentinel)) === true ? undefined : one
    })
  }),
  sleeping('len', 1, 1, ([value], vm) => lengthOf(vm, value!)),
  plain('locals', 0, 0, (_args, vm) => localsOf(vm.frame!)),
  sleeping('map', 2, ANY, map),
  sleeping('max', 1, ANY, (args, vm) => minMax(vm, args, 'max', 1)),
  sleeping('min', 1, ANY, (args, vm) => minMax(vm, args, 'min', -1)),
  plain('ord', 1, 1, ([value], vm) => {
    const text = textOf(value!)
    if (text === undefined) throw typeError(`ord() expected string of length 1, but ${vm.typeName(value!)} found`)
    if (text.length !== 1) throw typeError(`ord() expected a character, but string of length ${text.length} found`)
    return text.charCodeAt(0)
  }),
  sleeping('pow', 2, 3, function* ([a, b, c], vm) {
    const power = plainBinary('**', a!, b!) ?? (yield* binarySlow(vm, '**', a!, b!, false))
    return c === undefined || c === null ? power : plainBinary('%', power, c)!
  }),
  plain('range', 1, 3, (args) => rangeList(args)),
  sleeping('raw_input', 0, 1, rawInput),
  sleeping('reduce', 2, 3, function* ([fn, sequence, first], vm) {
    const items = yield* listOf(vm, sequence!)
    let value = first ?? items.shift()
    if (value === undefined) throw typeError('reduce() of empty sequence with no initial value')
    for (const one of items) value = yield* vm.call(fn!, [value, one])
    return value
  }),
  plain('reload', 1, 1, ([module]) => module!),
  sleeping('repr', 1, 1, ([value], vm) => repr(vm, value!)),
  sleeping('reversed', 1, 1, function* ([value], vm) {
    const items = (yield* listOf(vm, value!)).reverse()
    let i = 0
    return new Iter(() => items[i++])
  }),
  plain('round', 1, 2, ([value, places]) => {
    const f = floatOf(value!)
    if (f === undefined) throw typeError('a float is required')
    return new PyFloat(round(f, places === undefined ? 0 : (indexOf(places) ?? 0)))
  }),
  sleeping('setattr', 3, 3, function* ([target, name, value], vm) {
    const slow = storeAttr(vm, target!, attributeName(name), value!)
    if (slow) yield* slow
    return null
  }),
  keyworded('sorted', 1, 4, function* ([value, cmp, key, reverse], vm, kw) {
    const way = reverse ?? kw?.get('reverse') ?? false
    return new PyList(
      yield* sorted(
        vm,
        yield* listOf(vm, value!),
        cmp ?? kw?.get('cmp') ?? null,
        key ?? kw?.get('key') ?? null,
        plainTruth(way) ?? true,
      ),
    )
  }),
  sleeping('sum', 1, 2, function* ([value, start = 0], vm) {
    if (typeof start === 'string') throw typeError("sum() can't sum strings [use ''.join(seq) instead]")
    let total: Value = start
    for (const one of yield* listOf(vm, value!))
      total = plainBinary('+', total, one) ?? (yield* binarySlow(vm, '+', total, one, false))
    return total
  }),
  plain('vars', 0, 1, ([value], vm) => {
    if (value === undefined) return localsOf(vm.frame!)
    if (value instanceof Instance || value instanceof Module || value instanceof PyClass) return value.dict
    throw typeError('vars() argument must have __dict__ attribute')
  }),
  sleeping('zip', 0, ANY, function* (args, vm) {
    const lists: Value[][] = []
    for (const [i, one] of args.entries())
      lists.push(yield* listOf(vm, one, `zip argument #${i + 1} must support iteration`))
    const shortest = Math.min(...lists.map((one) => one.length))
    const rows: Value[] = []
    for (let i = 0; lists.length > 0 && i < shortest; i++) rows.push(new PyTuple(lists.map((one) => one[i]!)))
    return new PyList(rows)
  }),
  sleeping('__import__', 1, 5, ([name], vm) => importModule(vm, attributeName(name), false)),
]

function* rawInput([prompt]: readonly Value[], vm: Vm): Sys<Value> {
  if (prompt !== undefined) yield* vm.stdout.put(typeof prompt === 'string' ? prompt : yield* repr(vm, prompt))
  yield* vm.stdout.flush()
  const line = yield* vm.stdin.readLine()
  if (line === '') throw vm.error('EOFError', 'EOF when reading a line')
  return line.replace(/\n$/, '')
}

export function makeBuiltins(vm: Vm): PyDict {
  const dict = new PyDict()
  for (const one of NATIVES) dict.set(one.name, one)
  for (const name of [...TYPE_NAMES, ...EXCEPTION_NAMES]) dict.set(name, vm.class(name))
  dict.set('open', vm.class('file'))
  dict.set('None', null)
  dict.set('True', true)
  dict.set('False', false)
  dict.set('__debug__', true)
  dict.set('Ellipsis', new Singleton('Ellipsis'))
  dict.set('NotImplemented', new Singleton('NotImplemented'))
  dict.set('__name__', '__builtin__')
  vm.modules.set('__builtin__', new Module('__builtin__', dict))
  return dict
}
