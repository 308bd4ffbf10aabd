/** < <= == != > >=, is, in; cmp(). Things of different kinds are ordered too: numbers first, then by the names of their types. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { hook } from './attributes.ts'
import { PyDict } from './dict.ts'
import { Raise, typeError } from './errors.ts'
import { iterate, step } from './iterate.ts'
import { bigOf, floatOf, isInteger } from './numbers.ts'
import { Instance, type PyClass, PyFloat, PyList, PySet, PyTuple, PyUnicode, type Value } from './objects.ts'
import type { Vm } from './vm.ts'

const NEST_MAX = 60

/** Numbers and strings, identity. Undefined: compareOp knows. */
export function plainCompare(op: string, a: Value, b: Value): boolean | undefined {
  if (op === 'is') return same(a, b)
  if (op === 'is not') return !same(a, b)
  if ((typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string')) {
    switch (op) {
      case '==':
        return a === b
      case '!=':
        return a !== b
      case '<':
        return a < b
      case '<=':
        return a <= b
      case '>':
        return a > b
      case '>=':
        return a >= b
    }
  }
  if (op === 'in' || op === 'not in') {
    let found: boolean | undefined
    if (b instanceof PyDict) found = b.has(a)
    else if (b instanceof PySet) found = b.dict.has(a)
    else if (typeof b === 'string' && typeof a === 'string') found = b.includes(a)
    return found === undefined ? undefined : found === (op === 'in')
  }
  return undefined
}

const same = (a: Value, b: Value): boolean => a === b

/** With the methods of instances: what the operator answers may be anything, if it is theirs. */
export function* compareOp(vm: Vm, op: string, a: Value, b: Value): Sys<Value> {
  if (op === 'in' || op === 'not in') return (yield* contains(vm, b, a)) === (op === 'in')
  const rich = yield* richly(vm, op, a, b)
  if (rich !== undefined) return rich
  if ((op === '==' || op === '!=') && !(a instanceof Instance) && !(b instanceof Instance))
    return (yield* equal(vm, a, b)) === (op === '==')
  const order = yield* compare(vm, a, b)
  if (Number.isNaN(order)) return op === '!='
  switch (op) {
    case '==':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    default:
      return order >= 0
  }
}

const METHODS: Readonly<Record<string, readonly [string, string]>> = {
  '==': ['__eq__', '__eq__'],
  '!=': ['__ne__', '__ne__'],
  '<': ['__lt__', '__gt__'],
  '<=': ['__le__', '__ge__'],
  '>': ['__gt__', '__lt__'],
  '>=': ['__ge__', '__le__'],
}

function* richly(vm: Vm, op: string, a: Value, b: Value): Sys<Value | undefined> {
  if (!(a instanceof Instance) && !(b instanceof Instance)) return undefined
  const [forward, backward] = METHODS[op]!
  for (const [self, other, method] of [
    [a, b, forward],
    [b, a, backward],
  ] as const) {
    const own = hook(self, method)
    if (own === undefined) continue
    const value = yield* vm.call(own, [other])
    if (value !== vm.builtins.get('NotImplemented')) return value
  }
  return undefined
}

const isTrue = (value: Value): boolean => value !== false && value !== 0 && value !== null && value !== ''

export function* equal(vm: Vm, a: Value, b: Value, depth = 0): Sys<boolean> {
  if (a === b) return true
  if (depth > NEST_MAX) throw new Raise('RuntimeError', 'maximum recursion depth exceeded in cmp')
  const rich = yield* richly(vm, '==', a, b)
  if (rich !== undefined) return isTrue(rich)
  if ((a instanceof PyList && b instanceof PyList) || (a instanceof PyTuple && b instanceof PyTuple)) {
    if (a.items.length !== b.items.length) return false
    for (let i = 0; i < a.items.length; i++)
      if (!(yield* equal(vm, a.items[i]!, b.items[i] ?? null, depth + 1))) return false
    return true
  }
  if (a instanceof PyDict && b instanceof PyDict) {
    if (a.size !== b.size) return false
    for (const { key, value } of a.entries()) {
      const other = b.get(key)
      if (other === undefined || !(yield* equal(vm, value, other, depth + 1))) return false
    }
    return true
  }
  if (a instanceof PySet && b instanceof PySet)
    return a.dict.size === b.dict.size && a.dict.keys().every((key) => b.dict.has(key))
  return (yield* compare(vm, a, b, depth)) === 0
}

const isNumber = (value: Value): boolean => value instanceof PyFloat || isInteger(value)

/** -1, 0 or 1; NaN beside a NaN. */
export function* compare(vm: Vm, a: Value, b: Value, depth = 0): Sys<number> {
  if (depth > NEST_MAX) throw new Raise('RuntimeError', 'maximum recursion depth exceeded in cmp')
  if (isNumber(a) && isNumber(b)) {
    if (a instanceof PyFloat || b instanceof PyFloat) {
      const x = floatOf(a)!
      const y = floatOf(b)!
      return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN
    }
    return sign(bigOf(a)!, bigOf(b)!)
  }
  const x = a instanceof PyUnicode ? a.s : a
  const y = b instanceof PyUnicode ? b.s : b
  if (typeof x === 'string' && typeof y === 'string') return sign(x, y)
  if (a === b) return 0
  if ((a instanceof PyList && b instanceof PyList) || (a instanceof PyTuple && b instanceof PyTuple)) {
    for (let i = 0; i < Math.min(a.items.length, b.items.length); i++) {
      const one = a.items[i]!
      const other = b.items[i]!
      if (yield* equal(vm, one, other, depth + 1)) continue
      return yield* compare(vm, one, other, depth + 1)
    }
    return sign(a.items.length, b.items.length)
  }
  if (a instanceof PyDict && b instanceof PyDict) return yield* compareDicts(vm, a, b, depth)
  for (const [self, other, way] of [
    [a, b, 1],
    [b, a, -1],
  ] as const) {
    const own = hook(self, '__cmp__')
    if (own === undefined) continue
    const value = yield* vm.call(own, [other])
    if (!isInteger(value)) throw typeError('comparison did not return an int')
    return way * sign(bigOf(value)!, 0n)
  }
  for (const [op, order] of [
    ['==', 0],
    ['<', -1],
    ['>', 1],
  ] as const) {
    const rich = yield* richly(vm, op, a, b)
    if (rich !== undefined && isTrue(rich)) return order
  }
  const place = (value: Value): string => (value === null ? '' : isNumber(value) ? '\x01' : `\x02${vm.typeName(value)}`)
  const byType = sign(place(a), place(b))
  if (byType !== 0 || a === null || b === null) return byType
  const id = (value: Value): number =>
    value instanceof Instance || typeof value === 'object' ? vm.idOf(value as PyClass) : 0
  return sign(id(a), id(b))
}

/** By size; then the smallest key that differs, then its value. */
function* compareDicts(vm: Vm, a: PyDict, b: PyDict, depth: number): Sys<number> {
  if (a.size !== b.size) return sign(a.size, b.size)
  const least = function* (one: PyDict, other: PyDict): Sys<Value | undefined> {
    let found: Value | undefined
    for (const { key, value } of one.entries()) {
      const match = other.get(key)
      if (match !== undefined && (yield* equal(vm, value, match, depth + 1))) continue
      if (found === undefined || (yield* compare(vm, key, found, depth + 1)) < 0) found = key
    }
    return found
  }
  const x = yield* least(a, b)
  if (x === undefined) return 0
  const y = (yield* least(b, a))!
  const order = yield* compare(vm, x, y, depth + 1)
  return order === 0 ? yield* compare(vm, a.get(x)!, b.get(y)!, depth + 1) : order
}

const sign = <T extends string | number | bigint>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

export function* contains(vm: Vm, container: Value, value: Value): Sys<boolean> {
  const text = container instanceof PyUnicode ? container.s : container
  if (typeof text === 'string') {
    const part = value instanceof PyUnicode ? value.s : value
    if (typeof part !== 'string') throw typeError("'in <string>' requires string as left operand")
    return text.includes(part)
  }
  if (container instanceof PyDict) return container.has(value)
  if (container instanceof PySet) return container.dict.has(value)
  const own = hook(container, '__contains__')
  if (own !== undefined) return isTrue(yield* vm.call(own, [value]))
  const iter = yield* iterate(vm, container)
  for (;;) {
    const one = yield* step(vm, iter)
    if (one === undefined) return false
    if (yield* equal(vm, one, value)) return true
  }
}
