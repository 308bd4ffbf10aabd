/** raise, except, class. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { PyDict } from './dict.ts'
import { typeError } from './errors.ts'
import { Instance, PyClass, PyError, PyTraceback, PyTuple, type Value } from './objects.ts'
import type { Frame, Vm } from './vm.ts'

/** The exception that is being handled, here or in a caller. */
export function handledBy(frame: Frame | undefined): PyError | undefined {
  for (let f = frame; f; f = f.back) if (f.handled) return f.handled
  return undefined
}

export function raised(vm: Vm, f: Frame, type: Value | undefined, value: Value, trace: Value): Sys<void> | undefined {
  if (type === undefined) {
    const error = handledBy(f)
    if (!error) throw typeError('exceptions must be classes, instances, or strings (deprecated), not NoneType')
    vm.again = f.handled === error
    throw error
  }
  const entries = trace instanceof PyTraceback ? trace.error.trace.slice() : []
  let kind = type
  while (kind instanceof PyTuple && kind.items.length > 0) kind = kind.items[0]!
  if (kind instanceof Instance) {
    if (value !== null) throw typeError('instance exception may not have a separate value')
    throw new PyError(kind.cls, kind, entries)
  }
  if (kind instanceof PyClass && kind.old) {
    const cls = kind
    if (value instanceof Instance && value.cls.mro.includes(cls)) throw new PyError(value.cls, value, entries)
    return (function* () {
      const args = value === null ? [] : value instanceof PyTuple ? value.items : [value]
      const made = yield* vm.instantiate(cls, args)
      throw new PyError(cls, made, entries)
    })()
  }
  if (typeof kind === 'string') throw new PyError(kind, value, entries)
  throw typeError(`exceptions must be classes, instances, or strings (deprecated), not ${vm.typeName(kind)}`)
}

/** Does `except type` take this exception? */
export function matches(error: PyError, type: Value): boolean {
  if (type instanceof PyTuple) return type.items.some((one) => matches(error, one))
  if (type instanceof PyClass && error.type instanceof PyClass) return error.type.mro.includes(type)
  return error.type === type
}

/** What a class statement makes. */
export function makeClass(vm: Vm, name: string, bases: readonly Value[], dict: PyDict): PyClass {
  for (const base of bases) {
    if (!(base instanceof PyClass)) throw typeError('Error when calling the metaclass bases\n    this is no class')
    if (base.make && base !== vm.class('object'))
      throw typeError(`Error when calling the metaclass bases\n    type '${base.name}' is not an acceptable base type`)
  }
  const metaclass = dict.get('__metaclass__') === vm.class('type')
  const old = !metaclass && bases.every((base) => (base as PyClass).old)
  return new PyClass(name, bases as PyClass[], dict, old)
}
