/** iter() and next(). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { hook } from './attributes.ts'
import { PyDict } from './dict.ts'
import { Raise, typeError, valueError } from './errors.ts'
import { PyFile } from './file.ts'
import {
  Generator,
  Instance,
  Iter,
  PyClass,
  PyError,
  PyList,
  PyRange,
  PySet,
  PyTuple,
  PyUnicode,
  SlowIter,
  type Value,
} from './objects.ts'
import type { Vm } from './vm.ts'

function overItems(at: (i: number) => Value | undefined): Iter {
  let i = 0
  return new Iter(() => at(i++))
}

/** An iterator: ours, a generator, or an instance with next(). */
export function* iterate(vm: Vm, value: Value, complaint = 'iteration over non-sequence'): Sys<Value> {
  if (value instanceof PyList || value instanceof PyTuple) return overItems((i) => value.items[i])
  if (typeof value === 'string') return overItems((i) => (i < value.length ? value[i] : undefined))
  if (value instanceof PyUnicode) return overItems((i) => (i < value.s.length ? new PyUnicode(value.s[i]!) : undefined))
  if (value instanceof PyRange) return overItems((i) => (i < value.length ? value.start + i * value.step : undefined))
  if (value instanceof PyDict) return overDict(value, 'key')
  if (value instanceof PySet) return overDict(value.dict, 'key')
  if (value instanceof Iter || value instanceof SlowIter || value instanceof Generator) return value
  if (value instanceof PyFile) return new SlowIter(() => value.nextLine())
  const own = hook(value, '__iter__')
  if (own !== undefined) {
    const iter = yield* vm.call(own, [])
    if (iter instanceof Instance && hook(iter, 'next') === undefined)
      throw typeError(`iter() returned non-iterator of type '${vm.typeName(iter)}'`)
    return iter instanceof Instance ? iter : yield* iterate(vm, iter)
  }
  const item = hook(value, '__getitem__')
  if (item !== undefined) {
    let i = 0
    return new SlowIter(function* () {
      try {
        return yield* vm.call(item, [i++])
      } catch (thrown) {
        return ended(vm, thrown, 'IndexError')
      }
    })
  }
  throw typeError(complaint)
}

export function overDict(dict: PyDict, what: 'key' | 'value' | 'item'): Iter {
  const entries = dict.entries()
  const { size } = dict
  let i = 0
  return new Iter(() => {
    if (dict.size !== size) throw new Raise('RuntimeError', 'dictionary changed size during iteration')
    const entry = entries[i++]
    if (!entry) return undefined
    return what === 'key' ? entry.key : what === 'value' ? entry.value : new PyTuple([entry.key, entry.value])
  })
}

function ended(vm: Vm, thrown: unknown, exception: string): undefined {
  const error = vm.caught(thrown)
  if (error.type instanceof PyClass && error.type.mro.includes(vm.class(exception))) return undefined
  throw error
}

/** The next value, or undefined at the end. */
export function* step(vm: Vm, iter: Value): Sys<Value | undefined> {
  if (iter instanceof Iter) return iter.next()
  if (iter instanceof SlowIter) return yield* iter.next()
  if (iter instanceof Generator) return yield* resume(vm, iter)
  const next = hook(iter, 'next')
  if (next === undefined) throw typeError(`${vm.typeName(iter)} object is not an iterator`)
  try {
    return yield* vm.call(next, [])
  } catch (thrown) {
    return ended(vm, thrown, 'StopIteration')
  }
}

function* resume(vm: Vm, generator: Generator): Sys<Value | undefined> {
  if (generator.done) return undefined
  if (generator.running) throw valueError('generator already executing')
  const { frame } = generator
  frame.yielded = false
  generator.running = true
  try {
    const value = yield* vm.run(frame)
    if (frame.yielded) return value
    generator.done = true
    return undefined
  } catch (thrown) {
    generator.done = true
    if (thrown instanceof PyError) return ended(vm, thrown, 'StopIteration')
    throw thrown
  } finally {
    generator.running = false
  }
}

/** All values of an iterable. */
export function* listOf(vm: Vm, value: Value, complaint?: string): Sys<Value[]> {
  if (value instanceof PyList || value instanceof PyTuple) return value.items.slice()
  if (value instanceof PyDict) return value.keys()
  const items: Value[] = []
  const iter = yield* iterate(vm, value, complaint)
  for (;;) {
    const one = yield* step(vm, iter)
    if (one === undefined) return items
    items.push(one)
  }
}
