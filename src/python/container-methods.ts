/** Methods of list, tuple, dict, set and file. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { isatty } from '#user/libc/stdio.ts'
import { compareOp, equal } from './compare.ts'
import { PyDict } from './dict.ts'
import { indexError, typeError, valueError } from './errors.ts'
import { PyFile } from './file.ts'
import { listOf, overDict, step } from './iterate.ts'
import { keyworded, plain, sleeping } from './native.ts'
import { bigOf, indexOf } from './numbers.ts'
import { type Native, PyList, PySet, PyTuple, PyUnicode, SlowIter, type Value } from './objects.ts'
import { setOf, setOperation } from './set.ts'
import { keyError } from './subscript.ts'
import { truth } from './text.ts'
import type { Vm } from './vm.ts'

const list = (args: readonly Value[]): PyList => {
  if (!(args[0] instanceof PyList)) throw typeError("descriptor requires a 'list' object")
  return args[0]
}
const dict = (args: readonly Value[]): PyDict => {
  if (!(args[0] instanceof PyDict)) throw typeError("descriptor requires a 'dict' object")
  return args[0]
}
const set = (args: readonly Value[]): PySet => {
  if (!(args[0] instanceof PySet)) throw typeError("descriptor requires a 'set' object")
  return args[0]
}
const file = (args: readonly Value[]): PyFile => {
  if (!(args[0] instanceof PyFile)) throw typeError("descriptor requires a 'file' object")
  return args[0]
}

const integer = (value: Value | undefined, missing?: number): number => {
  const n = value === undefined ? missing : indexOf(value)
  if (n === undefined) throw typeError('an integer is required')
  return n
}

type Order = (a: Value, b: Value) => Sys<number>

/** A stable merge sort: comparisons may run code. Plain numbers and plain strings need none. */
function* mergeSort(items: Value[], order: Order): Sys<Value[]> {
  if (items.length < 2) return items
  const middle = items.length >> 1
  const left = yield* mergeSort(items.slice(0, middle), order)
  const right = yield* mergeSort(items.slice(middle), order)
  const merged: Value[] = []
  let i = 0
  let j = 0
  while (i < left.length && j < right.length)
    merged.push((yield* order(right[j]!, left[i]!)) < 0 ? right[j++]! : left[i++]!)
  return merged.concat(left.slice(i), right.slice(j))
}

export function* sorted(vm: Vm, items: Value[], cmp: Value, key: Value, reverse: boolean): Sys<Value[]> {
  const rows: PyTuple[] = []
  for (const item of items) rows.push(new PyTuple([key === null ? item : yield* vm.call(key, [item]), item]))
  if (reverse) rows.reverse()
  const keys = rows.map((row) => row.items[0]!)
  let done: Value[]
  if (cmp === null && (keys.every((one) => typeof one === 'string') || keys.every((one) => typeof one === 'number')))
    done = rows.sort((a, b) => (a.items[0]! < b.items[0]! ? -1 : a.items[0]! > b.items[0]! ? 1 : 0))
  else
    done = yield* mergeSort(rows, function* (a, b) {
      const x = (a as PyTuple).items[0]!
      const y = (b as PyTuple).items[0]!
      if (cmp === null) return (yield* truth(vm, yield* compareOp(vm, '<', x, y))) ? -1 : 1
      const order = bigOf(yield* vm.call(cmp, [x, y]))
      if (order === undefined) throw typeError('comparison function must return int')
      return order < 0n ? -1 : 1
    })
  const result = done.map((row) => (row as PyTuple).items[1]!)
  return reverse ? result.reverse() : result
}

export const LIST_METHODS: readonly Native[] = [
  plain('append', 1, 1, (args) => {
    list(args).items.push(args[1]!)
    return null
  }),
  sleeping('extend', 1, 1, function* (args, vm) {
    const more = yield* listOf(vm, args[1]!, 'argument to extend() must be iterable')
    for (const one of more) list(args).items.push(one)
    return null
  }),
  plain('insert', 2, 2, (args) => {
    const { items } = list(args)
    const at = integer(args[1])
    items.splice(at < 0 ? Math.max(0, at + items.length) : at, 0, args[2]!)
    return null
  }),
  plain('pop', 0, 1, (args) => {
    const { items } = list(args)
    if (items.length === 0) throw indexError('pop from empty list')
    const i = integer(args[1], -1)
    const at = i < 0 ? i + items.length : i
    if (at < 0 || at >= items.length) throw indexError('pop index out of range')
    return items.splice(at, 1)[0]!
  }),
  sleeping('remove', 1, 1, function* (args, vm) {
    const { items } = list(args)
    for (let i = 0; i < items.length; i++)
      if (yield* equal(vm, items[i]!, args[1]!)) {
        items.splice(i, 1)
        return null
      }
    throw valueError('list.remove(x): x not in list')
  }),
  sleeping('index', 1, 3, function* (args, vm) {
    const { items } = list(args)
    const clip = (i: number): number => (i < 0 ? Math.max(0, i + items.length) : i)
    const stop = Math.min(items.length, clip(integer(args[3], items.length)))
    for (let i = clip(integer(args[2], 0)); i < stop; i++) if (yield* equal(vm, items[i]!, args[1]!)) return i
    throw valueError('list.index(x): x not in list')
  }),
  sleeping('count', 1, 1, function* (args, vm) {
    let n = 0
    for (const one of list(args).items) if (yield* equal(vm, one, args[1]!)) n++
    return n
  }),
  plain('reverse', 0, 0, (args) => {
    list(args).items.reverse()
    return null
  }),
  keyworded('sort', 0, 3, function* (args, vm, kw) {
    const self = list(args)
    const reverse = args[3] ?? kw?.get('reverse') ?? false
    self.items = yield* sorted(
      vm,
      self.items,
      args[1] ?? kw?.get('cmp') ?? null,
      args[2] ?? kw?.get('key') ?? null,
      yield* truth(vm, reverse),
    )
    return null
  }),
]

const iterOf = (what: 'key' | 'value' | 'item', name: string): Native =>
  plain(name, 0, 0, (args) => overDict(dict(args), what))
const pair = (key: Value, value: Value): PyTuple => new PyTuple([key, value])

/** dict() and dict.update(): a mapping, pairs, and keywords. */
export function* updateFrom(
  vm: Vm,
  into: PyDict,
  from: Value | undefined,
  kw: ReadonlyMap<string, Value> | undefined,
): Sys<void> {
  if (from instanceof PyDict) into.update(from)
  else if (from !== undefined)
    for (const [i, row] of (yield* listOf(vm, from)).entries()) {
      const two = yield* listOf(vm, row, `cannot convert dictionary update sequence element #${i} to a sequence`)
      if (two.length !== 2)
        throw valueError(`dictionary update sequence element #${i} has length ${two.length}; 2 is required`)
      into.set(two[0]!, two[1]!)
    }
  if (kw) for (const [key, value] of kw) into.set(key, value)
}

export const DICT_METHODS: readonly Native[] = [
  plain('keys', 0, 0, (args) => new PyList(dict(args).keys())),
  plain('values', 0, 0, (args) => new PyList(dict(args).values())),
  plain(
    'items',
    0,
    0,
    (args) =>
      new PyList(
        dict(args)
          .entries()
          .map(({ key, value }) => pair(key, value)),
      ),
  ),
  iterOf('key', 'iterkeys'),
  iterOf('value', 'itervalues'),
  iterOf('item', 'iteritems'),
  iterOf('key', '__iter__'),
  plain('has_key', 1, 1, (args) => dict(args).has(args[1]!)),
  plain('__contains__', 1, 1, (args) => dict(args).has(args[1]!)),
  plain('get', 1, 2, (args) => {
    const found = dict(args).get(args[1]!)
    return found === undefined ? (args[2] ?? null) : found
  }),
  plain('setdefault', 1, 2, (args) => {
    const found = dict(args).get(args[1]!)
    if (found !== undefined) return found
    const value = args[2] ?? null
    dict(args).set(args[1]!, value)
    return value
  }),
  plain('pop', 1, 2, (args, vm) => {
    if (dict(args).size === 0 && args[2] === undefined) throw vm.error('KeyError', 'pop(): dictionary is empty')
    const found = dict(args).delete(args[1]!)
    if (found !== undefined) return found
    if (args[2] === undefined) throw keyError(vm, args[1]!)
    return args[2]
  }),
  plain('popitem', 0, 0, (args, vm) => {
    const [first] = dict(args).entries()
    if (!first) throw vm.error('KeyError', 'popitem(): dictionary is empty')
    dict(args).delete(first.key)
    return pair(first.key, first.value)
  }),
  keyworded('update', 0, 1, function* (args, vm, kw) {
    yield* updateFrom(vm, dict(args), args[1], kw)
    return null
  }),
  plain('clear', 0, 0, (args) => {
    dict(args).clear()
    return null
  }),
  plain('copy', 0, 0, (args) => dict(args).copy()),
  sleeping('fromkeys', 1, 2, function* (args, vm) {
    const made = new PyDict()
    for (const key of yield* listOf(vm, args[1]!)) made.set(key, args[2] ?? null)
    return made
  }),
]

const setOp = (name: string, op: string): Native =>
  sleeping(name, 1, 1, function* (args, vm) {
    return setOperation(op, set(args), setOf(yield* listOf(vm, args[1]!)))!
  })

export const SET_METHODS: readonly Native[] = [
  plain('add', 1, 1, (args) => {
    set(args).dict.set(args[1]!, true)
    return null
  }),
  plain('discard', 1, 1, (args) => {
    set(args).dict.delete(args[1]!)
    return null
  }),
  plain('remove', 1, 1, (args, vm) => {
    if (set(args).dict.delete(args[1]!) === undefined) throw keyError(vm, args[1]!)
    return null
  }),
  sleeping('update', 1, 1, function* (args, vm) {
    for (const one of yield* listOf(vm, args[1]!)) set(args).dict.set(one, true)
    return null
  }),
  plain('clear', 0, 0, (args) => {
    set(args).dict.clear()
    return null
  }),
  plain('copy', 0, 0, (args) => setOf(set(args).dict.keys(), set(args).frozen)),
  setOp('union', '|'),
  setOp('intersection', '&'),
  setOp('difference', '-'),
  setOp('symmetric_difference', '^'),
  sleeping('issubset', 1, 1, function* (args, vm) {
    const other = setOf(yield* listOf(vm, args[1]!))
    return set(args)
      .dict.keys()
      .every((key) => other.dict.has(key))
  }),
  sleeping('issuperset', 1, 1, function* (args, vm) {
    return (yield* listOf(vm, args[1]!)).every((key) => set(args).dict.has(key))
  }),
]

const textArg = (value: Value): string => {
  if (typeof value === 'string') return value
  if (value instanceof PyUnicode) return value.s
  throw typeError('argument 1 must be string or read-only character buffer')
}

export const FILE_METHODS: readonly Native[] = [
  sleeping('read', 0, 1, (args) => file(args).read(integer(args[1], -1))),
  sleeping('readline', 0, 1, (args) => file(args).readLine()),
  sleeping('readlines', 0, 1, (args) => file(args).readLines()),
  sleeping('xreadlines', 0, 0, function* (args) {
    return new SlowIter(() => file(args).nextLine())
  }),
  sleeping('write', 1, 1, function* (args) {
    yield* file(args).put(textArg(args[1]!))
    return null
  }),
  sleeping('writelines', 1, 1, function* (args, vm) {
    for (const line of yield* listOf(vm, args[1]!)) yield* file(args).put(textArg(line))
    return null
  }),
  sleeping('flush', 0, 0, function* (args) {
    yield* file(args).flush()
    return null
  }),
  sleeping('close', 0, 0, (args) => file(args).close()),
  sleeping('next', 0, 0, function* (args, vm) {
    const line = yield* file(args).nextLine()
    if (line === undefined) throw vm.error('StopIteration')
    return line
  }),
  sleeping('seek', 1, 2, function* (args) {
    yield* file(args).seek(integer(args[1]), integer(args[2], 0))
    return null
  }),
  plain('fileno', 0, 0, (args) => file(args).fd),
  sleeping('isatty', 0, 0, function* (args) {
    return yield* isatty(file(args).fd)
  }),
]

export const ITER_METHODS: readonly Native[] = [
  sleeping('next', 0, 0, function* (args, vm) {
    const value = yield* step(vm, args[0]!)
    if (value === undefined) throw vm.error('StopIteration')
    return value
  }),
  plain('__iter__', 0, 0, (args) => args[0]!),
]
