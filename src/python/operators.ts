/** + - * / // % ** << >> & | ^ and their in-place forms; unary ones. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { hook } from './attributes.ts'
import { typeError } from './errors.ts'
import { formatPercent } from './format.ts'
import { iterate, step } from './iterate.ts'
import { arithmetic, bigOf, indexOf, isInteger, makeInt } from './numbers.ts'
import { Instance, PyFloat, PyList, PyLong, PySet, PyTuple, PyUnicode, type Value } from './objects.ts'
import { setOperation } from './set.ts'
import type { Vm } from './vm.ts'

const NAMES: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '//': 'floordiv',
  '%': 'mod',
  '**': 'pow',
  '<<': 'lshift',
  '>>': 'rshift',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
}

/** What one sequence may become by repetition. */
const REPEAT_MAX = 1 << 24

/** Without running code; undefined: binarySlow knows. */
export function plainBinary(op: string, a: Value, b: Value): Value | undefined {
  if (typeof a === 'number' && typeof b === 'number') return arithmetic(op, a, b)
  if (typeof a === 'string') {
    if (op === '+') return typeof b === 'string' ? a + b : b instanceof PyUnicode ? new PyUnicode(a + b.s) : undefined
    if (op === '*') return repeat(a, b)
    return undefined
  }
  if (a instanceof Instance || b instanceof Instance) return undefined
  if (a instanceof PyList || a instanceof PyTuple) {
    if (op === '+') {
      if (a instanceof PyList) return b instanceof PyList ? new PyList([...a.items, ...b.items]) : undefined
      return b instanceof PyTuple ? new PyTuple([...a.items, ...b.items]) : undefined
    }
    return op === '*' ? repeat(a, b) : undefined
  }
  if (a instanceof PyUnicode) {
    if (op === '+')
      return typeof b === 'string'
        ? new PyUnicode(a.s + b)
        : b instanceof PyUnicode
          ? new PyUnicode(a.s + b.s)
          : undefined
    return op === '*' ? repeat(a, b) : undefined
  }
  if (a instanceof PySet && b instanceof PySet) return setOperation(op, a, b)
  if (
    op === '*' &&
    isInteger(a) &&
    (typeof b === 'string' || b instanceof PyList || b instanceof PyTuple || b instanceof PyUnicode)
  )
    return repeat(b, a)
  return arithmetic(op, a, b)
}

function repeat(sequence: Value, times: Value): Value | undefined {
  const n = isInteger(times) ? Math.max(0, indexOf(times)!) : undefined
  if (n === undefined) return undefined
  const size =
    typeof sequence === 'string'
      ? sequence.length
      : sequence instanceof PyUnicode
        ? sequence.s.length
        : (sequence as PyList).items.length
  if (size * n > REPEAT_MAX) throw typeError('repeated sequence is too long')
  if (typeof sequence === 'string') return sequence.repeat(n)
  if (sequence instanceof PyUnicode) return new PyUnicode(sequence.s.repeat(n))
  const items: Value[] = []
  const from = (sequence as PyList | PyTuple).items
  for (let i = 0; i < n; i++) for (const one of from) items.push(one)
  return sequence instanceof PyList ? new PyList(items) : new PyTuple(items)
}

export function* binarySlow(vm: Vm, op: string, a: Value, b: Value, inPlace: boolean): Sys<Value> {
  const name = NAMES[op]!
  if (inPlace) {
    if (a instanceof PyList) {
      if (op === '+') {
        const iter = yield* iterate(vm, b)
        for (;;) {
          const one = yield* step(vm, iter)
          if (one === undefined) return a
          a.items.push(one)
        }
      }
      if (op === '*') {
        const repeated = repeat(a, b)
        if (repeated instanceof PyList) {
          a.items = repeated.items
          return a
        }
      }
    }
    const own = hook(a, `__i${name}__`)
    if (own !== undefined) {
      const value = yield* vm.call(own, [b])
      if (value !== vm.builtins.get('NotImplemented')) return value
    }
    const plain = plainBinary(op, a, b)
    if (plain !== undefined) return plain
  }
  if (op === '%' && typeof a === 'string') return yield* formatPercent(vm, a, b)
  if (op === '%' && a instanceof PyUnicode) return new PyUnicode(String(yield* formatPercent(vm, a.s, b)))
  for (const [self, other, method] of [
    [a, b, `__${name}__`],
    [b, a, `__r${name}__`],
  ] as const) {
    const own = hook(self, method)
    if (own === undefined) continue
    const value = yield* vm.call(own, [other])
    if (value !== vm.builtins.get('NotImplemented')) return value
  }
  throw unsupported(vm, op, a, b, inPlace)
}

function unsupported(vm: Vm, op: string, a: Value, b: Value, inPlace: boolean): Error {
  const other = vm.typeName(b)
  if (op === '+') {
    if (typeof a === 'string' || a instanceof PyUnicode)
      return typeError(`cannot concatenate 'str' and '${other}' objects`)
    if (a instanceof PyList) return typeError(`can only concatenate list (not "${other}") to list`)
    if (a instanceof PyTuple) return typeError(`can only concatenate tuple (not "${other}") to tuple`)
  }
  const sequence = (v: Value): boolean =>
    typeof v === 'string' || v instanceof PyList || v instanceof PyTuple || v instanceof PyUnicode
  if (op === '*' && (sequence(a) || sequence(b)))
    return typeError(`can't multiply sequence by non-int${sequence(a) && !sequence(b) ? '' : ''}`)
  const shown = op === '**' ? '** or pow()' : op
  return typeError(
    `unsupported operand type(s) for ${shown}${inPlace && op !== '**' ? '=' : ''}: '${vm.typeName(a)}' and '${other}'`,
  )
}

export function* unary(vm: Vm, op: string, value: Value): Sys<Value> {
  if (value instanceof PyFloat && op !== '~') return op === '-' ? new PyFloat(-value.f) : value
  const big = bigOf(value)
  if (big !== undefined) {
    const result = op === '-' ? -big : op === '~' ? ~big : big
    return value instanceof PyLong ? new PyLong(result) : makeInt(result)
  }
  const own = hook(value, op === '-' ? '__neg__' : op === '~' ? '__invert__' : '__pos__')
  if (own !== undefined) return yield* vm.call(own, [])
  throw typeError(`bad operand type for unary ${op}`)
}
