/** `value[index]`, slices, and storing to them. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { hook } from './attributes.ts'
import { PyDict } from './dict.ts'
import { indexError, typeError, valueError } from './errors.ts'
import { listOf } from './iterate.ts'
import { indexOf } from './numbers.ts'
import { Instance, type PyError, PyList, PyRange, PySlice, PyTuple, PyUnicode, type Value } from './objects.ts'
import type { Vm } from './vm.ts'

/** Without running code; undefined: getItem knows. */
export function plainItem(value: Value, index: Value): Value | undefined {
  if (value instanceof PyDict) return value.get(index)
  if (typeof index !== 'number') return undefined
  if (value instanceof PyList || value instanceof PyTuple)
    return value.items[index < 0 ? index + value.items.length : index]
  return undefined
}

const sequenceOf = (value: Value): string | readonly Value[] | undefined =>
  typeof value === 'string'
    ? value
    : value instanceof PyUnicode
      ? value.s
      : value instanceof PyList || value instanceof PyTuple
        ? value.items
        : undefined

const nameOf = (value: Value): string =>
  typeof value === 'string'
    ? 'string'
    : value instanceof PyUnicode
      ? 'string'
      : value instanceof PyList
        ? 'list'
        : 'tuple'

export function* getItem(vm: Vm, value: Value, index: Value): Sys<Value> {
  if (value instanceof PyDict) {
    const found = value.get(index)
    if (found === undefined) throw keyError(vm, index)
    return found
  }
  const sequence = sequenceOf(value)
  if (sequence !== undefined) {
    if (index instanceof PySlice) return sliceOf(value, sequence, index)
    const i = indexOf(index)
    if (i === undefined) throw typeError(`${nameOf(value)} indices must be integers`)
    const at = i < 0 ? i + sequence.length : i
    if (at < 0 || at >= sequence.length) throw indexError(`${nameOf(value)} index out of range`)
    const one = sequence[at]!
    return value instanceof PyUnicode ? new PyUnicode(one as string) : one
  }
  if (value instanceof PyRange) {
    const i = indexOf(index)
    if (i === undefined) throw typeError('sequence index must be integer')
    const at = i < 0 ? i + value.length : i
    if (at < 0 || at >= value.length) throw indexError('xrange object index out of range')
    return value.start + at * value.step
  }
  const own =
    (index instanceof PySlice && index.step === null ? sliceHook(vm, value, '__getslice__', index) : undefined) ??
    itemHook(value, '__getitem__', index)
  if (own) return yield* vm.call(own[0], own[1])
  if (value instanceof Instance && value.cls.old)
    throw vm.error('AttributeError', `${value.cls.name} instance has no attribute '__getitem__'`)
  throw typeError('unsubscriptable object')
}

export const keyError = (vm: Vm, key: Value): PyError => vm.error('KeyError', key)

type Hook = readonly [Value, readonly Value[]] | undefined

function itemHook(value: Value, name: string, index: Value, ...more: Value[]): Hook {
  const own = hook(value, name)
  return own === undefined ? undefined : [own, [index, ...more]]
}

/** `x[a:b]` goes to __getslice__ where a class has it. */
function sliceHook(_vm: Vm, value: Value, name: string, { lo, hi }: PySlice, ...more: Value[]): Hook {
  const own = hook(value, name)
  return own === undefined ? undefined : [own, [lo ?? 0, hi ?? Number.MAX_SAFE_INTEGER, ...more]]
}

/** First index, step and count of a slice over `length` items. */
export function bounds(
  { lo, hi, step }: PySlice,
  length: number,
): { start: number; stop: number; by: number; count: number } {
  const by = step === null ? 1 : indexOf(step)
  if (by === undefined || (lo !== null && indexOf(lo) === undefined) || (hi !== null && indexOf(hi) === undefined))
    throw typeError('slice indices must be integers or None')
  if (by === 0) throw valueError('slice step cannot be zero')
  const clip = (value: Value, missing: number): number => {
    if (value === null) return missing
    const i = indexOf(value)!
    const from = i < 0 ? i + length : i
    return by > 0 ? Math.min(Math.max(from, 0), length) : Math.min(Math.max(from, -1), length - 1)
  }
  const start = clip(lo, by > 0 ? 0 : length - 1)
  const stop = clip(hi, by > 0 ? length : -1)
  return { start, stop, by, count: Math.max(0, Math.ceil((stop - start) / by)) }
}

function sliceOf(value: Value, sequence: string | readonly Value[], slice: PySlice): Value {
  const { start, by, count } = bounds(slice, sequence.length)
  if (typeof sequence === 'string') {
    let text = by === 1 ? sequence.slice(start, start + count) : ''
    if (by !== 1) for (let i = 0; i < count; i++) text += sequence[start + i * by]
    return value instanceof PyUnicode ? new PyUnicode(text) : text
  }
  const items: Value[] = by === 1 ? sequence.slice(start, start + count) : []
  if (by !== 1) for (let i = 0; i < count; i++) items.push(sequence[start + i * by]!)
  return value instanceof PyList ? new PyList(items) : new PyTuple(items)
}

export function storeItem(vm: Vm, target: Value, index: Value, value: Value): Sys<void> | undefined {
  if (target instanceof PyDict) {
    target.set(index, value)
    return undefined
  }
  if (target instanceof PyList) {
    if (index instanceof PySlice) return storeSlice(vm, target, index, value)
    const i = indexOf(index)
    if (i === undefined) throw typeError('list indices must be integers')
    const at = i < 0 ? i + target.items.length : i
    if (at < 0 || at >= target.items.length) throw indexError('list assignment index out of range')
    target.items[at] = value
    return undefined
  }
  const own =
    (index instanceof PySlice && index.step === null
      ? sliceHook(vm, target, '__setslice__', index, value)
      : undefined) ?? itemHook(target, '__setitem__', index, value)
  if (own) return ignored(vm.call(own[0], own[1]))
  throw instanceOr(vm, target, '__setitem__', 'object does not support item assignment')
}

function instanceOr(vm: Vm, target: Value, method: string, text: string): Error {
  if (target instanceof Instance && target.cls.old)
    return vm.error('AttributeError', `${target.cls.name} instance has no attribute '${method}'`)
  return typeError(text)
}

function* ignored(work: Sys<Value>): Sys<void> {
  yield* work
}

function* storeSlice(vm: Vm, target: PyList, slice: PySlice, value: Value): Sys<void> {
  const items = yield* listOf(vm, value, 'can only assign an iterable')
  const { start, by, count, stop } = bounds(slice, target.items.length)
  if (by === 1) {
    target.items.splice(start, Math.max(0, stop - start), ...items)
    return
  }
  if (items.length !== count)
    throw valueError(`attempt to assign sequence of size ${items.length} to extended slice of size ${count}`)
  for (let i = 0; i < count; i++) target.items[start + i * by] = items[i]!
}

export function deleteItem(vm: Vm, target: Value, index: Value): Sys<void> | undefined {
  if (target instanceof PyDict) {
    if (target.delete(index) === undefined) throw keyError(vm, index)
    return undefined
  }
  if (target instanceof PyList) {
    const { items } = target
    if (index instanceof PySlice) {
      const { start, by, count } = bounds(index, items.length)
      const gone = new Set<number>()
      for (let i = 0; i < count; i++) gone.add(start + i * by)
      target.items = items.filter((_one, i) => !gone.has(i))
      return undefined
    }
    const i = indexOf(index)
    if (i === undefined) throw typeError('list indices must be integers')
    const at = i < 0 ? i + items.length : i
    if (at < 0 || at >= items.length) throw indexError('list assignment index out of range')
    items.splice(at, 1)
    return undefined
  }
  const own =
    (index instanceof PySlice && index.step === null ? sliceHook(vm, target, '__delslice__', index) : undefined) ??
    itemHook(target, '__delitem__', index)
  if (own) return ignored(vm.call(own[0], own[1]))
  throw instanceOr(vm, target, '__delitem__', 'object does not support item deletion')
}
