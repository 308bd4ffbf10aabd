/** repr(), str(), and what counts as true. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { hook, slowAttr } from './attributes.ts'
import { PyDict } from './dict.ts'
import { Raise, typeError } from './errors.ts'
import { PyFile } from './file.ts'
import { floatRepr, floatStr, indexOf } from './numbers.ts'
import {
  Descriptor,
  Instance,
  Module,
  Native,
  Obj,
  PyClass,
  PyFloat,
  PyFunction,
  PyList,
  PyLong,
  PyMethod,
  PyRange,
  PySet,
  PySlice,
  PyTuple,
  PyUnicode,
  Singleton,
  type Value,
} from './objects.ts'
import type { Vm } from './vm.ts'

const NEST_MAX = 60

const hex2 = (code: number): string => `\\x${code.toString(16).padStart(2, '0')}`

function quoted(text: string, unicode: boolean): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  let result = quote
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    const code = text.charCodeAt(i)
    if (c === quote || c === '\\') result += `\\${c}`
    else if (c === '\n') result += '\\n'
    else if (c === '\r') result += '\\r'
    else if (c === '\t') result += '\\t'
    else if (code > 255) result += `\\u${code.toString(16).padStart(4, '0')}`
    else if (code < 32 || code >= 127) result += hex2(code)
    else result += c
  }
  return (unicode ? 'u' : '') + result + quote
}

export const reprUnicode = (text: string): string => quoted(text, true)

const address = (vm: Vm, value: Obj): string => `0x${vm.idOf(value).toString(16)}`

export function* repr(vm: Vm, value: Value, inside: readonly Value[] = []): Sys<string> {
  if (value === null) return 'None'
  if (typeof value === 'string') return quoted(value, false)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof PyFloat) return floatRepr(value.f)
  if (value instanceof PyLong) return `${value.v}L`
  if (value instanceof PyUnicode) return quoted(value.s, true)
  if (value instanceof PyList || value instanceof PyTuple || value instanceof PyDict || value instanceof PySet) {
    if (inside.includes(value)) return value instanceof PyDict ? '{...}' : value instanceof PyTuple ? '(...)' : '[...]'
    if (inside.length > NEST_MAX) throw new Raise('RuntimeError', 'maximum recursion depth exceeded')
    const deeper = [...inside, value]
    if (value instanceof PyDict) {
      const pairs: string[] = []
      for (const entry of value.entries())
        pairs.push(`${yield* repr(vm, entry.key, deeper)}: ${yield* repr(vm, entry.value, deeper)}`)
      return `{${pairs.join(', ')}}`
    }
    const parts: string[] = []
    for (const one of value instanceof PySet ? value.dict.keys() : value.items) parts.push(yield* repr(vm, one, deeper))
    const text = parts.join(', ')
    if (value instanceof PySet) return `${value.frozen ? 'frozenset' : 'set'}([${text}])`
    return value instanceof PyList ? `[${text}]` : parts.length === 1 ? `(${text},)` : `(${text})`
  }
  if (value instanceof Instance) return yield* instanceRepr(vm, value)
  if (value instanceof PyClass) {
    const module = value.dict.get('__module__')
    if (value.old)
      return `<class ${value.exception && module === undefined ? 'exceptions' : module === undefined ? '?' : String(module)}.${value.name} at ${address(vm, value)}>`
    return module === undefined ? `<type '${value.name}'>` : `<class '${String(module)}.${value.name}'>`
  }
  if (value instanceof PyFunction) return `<function ${value.name} at ${address(vm, value)}>`
  if (value instanceof Native) {
    if (value.self === undefined || value.self instanceof Module) return `<built-in function ${value.name}>`
    return `<built-in method ${value.name} of ${vm.typeName(value.self)} object at ${address(vm, value)}>`
  }
  if (value instanceof PyMethod) {
    const name = value.fn instanceof PyFunction ? value.fn.name : '?'
    if (value.self === undefined) return `<unbound method ${value.cls.name}.${name}>`
    return `<bound method ${value.cls.name}.${name} of ${yield* repr(vm, value.self, inside)}>`
  }
  if (value instanceof Module) {
    const file = value.dict.get('__file__')
    return file === undefined
      ? `<module '${value.name}' (built-in)>`
      : `<module '${value.name}' from '${String(file)}'>`
  }
  if (value instanceof PyFile) return value.describe(address(vm, value))
  if (value instanceof PyRange) {
    const stop = value.start + value.length * value.step
    if (value.step !== 1) return `xrange(${value.start}, ${stop}, ${value.step})`
    return value.start === 0 ? `xrange(${stop})` : `xrange(${value.start}, ${stop})`
  }
  if (value instanceof PySlice)
    return `slice(${yield* repr(vm, value.lo)}, ${yield* repr(vm, value.hi)}, ${yield* repr(vm, value.step)})`
  if (value instanceof Singleton) return value.name
  if (value instanceof Descriptor) return `<${value.role} object at ${address(vm, value)}>`
  return `<${vm.typeName(value)} object at ${address(vm, value)}>`
}

function* instanceRepr(vm: Vm, value: Instance): Sys<string> {
  const own = hook(value, '__repr__')
  if (own !== undefined) return yield* textFrom(vm, own, '__repr__')
  const module = value.cls.dict.get('__module__')
  const place = `${value.cls.exception && module === undefined ? 'exceptions' : String(module ?? '?')}.${value.cls.name}`
  return `<${place} ${value.cls.old ? 'instance' : 'object'} at ${address(vm, value)}>`
}

function* textFrom(vm: Vm, method: Value, name: string): Sys<string> {
  const text = yield* vm.call(method, [])
  if (text instanceof PyUnicode) return text.s
  if (typeof text !== 'string') throw typeError(`${name} returned non-string (type ${vm.typeName(text)})`)
  return text
}

export function* str(vm: Vm, value: Value): Sys<string> {
  if (typeof value === 'string') return value
  if (value instanceof PyFloat) return floatStr(value.f)
  if (value instanceof PyLong) return value.v.toString()
  if (value instanceof PyUnicode) {
    for (let i = 0; i < value.s.length; i++)
      if (value.s.charCodeAt(i) > 127)
        throw new Raise(
          'UnicodeEncodeError',
          `'ascii' codec can't encode character ${quoted(value.s[i]!, true)} in position ${i}: ordinal not in range(128)`,
        )
    return value.s
  }
  if (value instanceof PyClass && value.old)
    return value.exception && value.dict.get('__module__') === undefined
      ? `exceptions.${value.name}`
      : `${String(value.dict.get('__module__') ?? '?')}.${value.name}`
  if (value instanceof Instance) {
    const own = hook(value, '__str__')
    if (own !== undefined) return yield* textFrom(vm, own, '__str__')
    if (value.cls.exception && hook(value, '__repr__') === undefined) return yield* exceptionText(vm, value)
  }
  return yield* repr(vm, value)
}

/** str() of an exception: its argument, or the tuple of them; EnvironmentError's and SyntaxError's own ways. */
export function* exceptionText(vm: Vm, value: Instance): Sys<string> {
  const is = (name: string): boolean => value.cls.mro.includes(vm.class(name))
  if (is('EnvironmentError') && typeof value.dict.get('errno') === 'number') {
    const file = value.dict.get('filename') ?? null
    const text = `[Errno ${String(value.dict.get('errno'))}] ${String(value.dict.get('strerror'))}`
    return file === null ? text : `${text}: ${yield* repr(vm, file)}`
  }
  if (is('SyntaxError') && value.dict.has('lineno')) {
    const file = value.dict.get('filename') ?? null
    const line = value.dict.get('lineno')
    const message = yield* str(vm, value.dict.get('msg') ?? null)
    if (typeof file === 'string') return `${message} (${file.slice(file.lastIndexOf('/') + 1)}, line ${String(line)})`
    return line === null ? message : `${message} (line ${String(line)})`
  }
  const args = value.dict.get('args')
  if (!(args instanceof PyTuple) || args.items.length === 0) return ''
  if (args.items.length > 1) return yield* repr(vm, args)
  const [only] = args.items as [Value]
  return is('KeyError') ? yield* repr(vm, only) : yield* str(vm, only)
}

/** Undefined: an instance, whose class may say. */
export function plainTruth(value: Value): boolean | undefined {
  if (value === null || value === false || value === 0 || value === '') return false
  if (!(value instanceof Obj)) return true
  if (value instanceof PyList || value instanceof PyTuple) return value.items.length > 0
  if (value instanceof PyDict) return value.size > 0
  if (value instanceof PySet) return value.dict.size > 0
  if (value instanceof PyFloat) return value.f !== 0
  if (value instanceof PyLong) return value.v !== 0n
  if (value instanceof PyUnicode) return value.s !== ''
  if (value instanceof PyRange) return value.length > 0
  return value instanceof Instance ? undefined : true
}

export function* truth(vm: Vm, value: Value): Sys<boolean> {
  const plain = plainTruth(value)
  if (plain !== undefined) return plain
  const own = hook(value, '__nonzero__')
  if (own !== undefined) {
    const answer = yield* vm.call(own, [])
    if (typeof answer !== 'boolean' && typeof answer !== 'number') throw typeError('__nonzero__ should return an int')
    return answer !== 0 && answer !== false
  }
  const length = hook(value, '__len__')
  return length === undefined ? true : indexOf(yield* vm.call(length, [])) !== 0
}

/** len(). */
export function* lengthOf(vm: Vm, value: Value): Sys<number> {
  if (typeof value === 'string') return value.length
  if (value instanceof PyUnicode) return value.s.length
  if (value instanceof PyList || value instanceof PyTuple) return value.items.length
  if (value instanceof PyDict) return value.size
  if (value instanceof PySet) return value.dict.size
  if (value instanceof PyRange) return value.length
  const own = hook(value, '__len__')
  if (own === undefined) {
    if (value instanceof Instance && value.cls.old) yield* slowAttr(vm, value, '__len__')
    throw typeError('len() of unsized object')
  }
  const length = indexOf(yield* vm.call(own, []))
  if (length === undefined) throw typeError('an integer is required')
  if (length < 0) throw new Raise('ValueError', '__len__() should return >= 0')
  return length
}
