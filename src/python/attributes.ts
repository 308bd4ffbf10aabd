/** `value.name`: instances, classes, modules, and the methods of built-in types. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { PyDict } from './dict.ts'
import { attributeError, typeError } from './errors.ts'
import { PyFile } from './file.ts'
import {
  Descriptor,
  Instance,
  Module,
  Native,
  Obj,
  PyClass,
  PyFunction,
  PyMethod,
  PySlice,
  PyTuple,
  type Value,
} from './objects.ts'
import { find, type Vm } from './vm.ts'

/** What a class's member is when asked for through `self` (or the class itself). Undefined: code must run. */
function bound(member: Value, self: Value | undefined, cls: PyClass): Value | undefined {
  if (member instanceof PyFunction) return new PyMethod(member, self, cls)
  if (member instanceof Native && member.self === undefined && self !== undefined) return withSelf(member, self)
  if (member instanceof Descriptor) {
    if (member.role === 'staticmethod') return member.getter
    if (member.role === 'classmethod') return new PyMethod(member.getter, cls, cls)
    return self === undefined ? member : undefined
  }
  if (
    member instanceof PyMethod &&
    member.self === undefined &&
    self instanceof Instance &&
    self.cls.mro.includes(member.cls)
  )
    return new PyMethod(member.fn, self, cls)
  return member
}

export const withSelf = (fn: Native, self: Value): Native =>
  new Native(fn.name, fn.least, fn.most, fn.plain, fn.sleeping, self, fn.keywords)

/** `str.upper`: the object comes as an argument. */
const unboundNative = (fn: Native): Native =>
  fn.self === undefined
    ? new Native(fn.name, fn.least + 1, fn.most + 1, fn.plain, fn.sleeping, undefined, fn.keywords)
    : fn

/** Without running code; undefined if that is needed, or there is no such thing. */
export function plainAttr(vm: Vm, value: Value, name: string): Value | undefined {
  if (value instanceof Instance) {
    const { cls } = value
    const member = find(cls, name)
    if (member instanceof Descriptor && member.role === 'property') return undefined
    const own = value.dict.get(name)
    if (own !== undefined) return own
    if (member !== undefined) return bound(member, value, cls)
    if (name === '__class__') return cls
    if (name === '__dict__') return value.dict
    return undefined
  }
  if (value instanceof Module) {
    if (name === '__dict__') return value.dict
    return value.dict.get(name)
  }
  if (value instanceof PyClass) {
    const member = find(value, name)
    if (member instanceof Native && value.make) return unboundNative(member)
    if (member !== undefined) return bound(member, undefined, value)
    if (name === '__name__') return value.name
    if (name === '__dict__') return value.dict
    if (name === '__bases__') return new PyTuple(value.bases)
    if (name === '__mro__' && !value.old) return new PyTuple(value.mro)
    if (name === '__doc__') return null
    if (name === '__module__') return value.exception ? 'exceptions' : '__builtin__'
    if (name === '__class__' && !value.old) return vm.class('type')
    return undefined
  }
  const found = vm.typeOf(value).dict.get(name)
  if (found instanceof Native) return withSelf(found, value)
  if (found !== undefined) return found
  return special(vm, value, name)
}

/** Members that are data. */
function special(vm: Vm, value: Value, name: string): Value | undefined {
  if (name === '__class__') return vm.typeOf(value)
  if (value instanceof PyFunction) {
    const own = value.dict?.get(name)
    if (own !== undefined) return own
    switch (name) {
      case '__name__':
      case 'func_name':
        return value.name
      case '__doc__':
      case 'func_doc':
        return value.doc
      case 'func_defaults':
        return value.defaults.length > 0 ? new PyTuple(value.defaults) : null
      case 'func_globals':
        return value.globals
      case '__module__':
        return value.globals.get('__name__') ?? null
      case '__dict__':
        value.dict ??= new PyDict()
        return value.dict
    }
  } else if (value instanceof Native) {
    if (name === '__name__') return value.name
    if (name === '__self__') return value.self ?? null
    if (name === '__doc__') return null
  } else if (value instanceof PyMethod) {
    if (name === 'im_self') return value.self ?? null
    if (name === 'im_func') return value.fn
    if (name === 'im_class') return value.cls
    if (value.fn instanceof PyFunction) return special(vm, value.fn, name)
  } else if (value instanceof PyFile) return value.member(name)
  else if (value instanceof PySlice)
    return name === 'start' ? value.lo : name === 'stop' ? value.hi : name === 'step' ? value.step : undefined
  return undefined
}

/** The whole way: properties, `__getattr__`, and the complaint. */
export function* slowAttr(vm: Vm, value: Value, name: string): Sys<Value> {
  const plain = plainAttr(vm, value, name)
  if (plain !== undefined) return plain
  if (value instanceof Instance) {
    const member = find(value.cls, name)
    if (member instanceof Descriptor) {
      if (member.getter === null) throw attributeError('unreadable attribute')
      return yield* vm.call(member.getter, [value])
    }
    const hook = find(value.cls, '__getattr__')
    if (hook !== undefined) return yield* vm.call(hook, [value, name])
    throw attributeError(
      value.cls.old
        ? `${value.cls.name} instance has no attribute '${name}'`
        : `'${value.cls.name}' object has no attribute '${name}'`,
    )
  }
  if (value instanceof PyClass)
    throw attributeError(
      value.old
        ? `class ${value.name} has no attribute '${name}'`
        : `type object '${value.name}' has no attribute '${name}'`,
    )
  throw attributeError(`'${vm.typeName(value)}' object has no attribute '${name}'`)
}

/** getattr with nothing for what is not there. */
export function* maybeAttr(vm: Vm, value: Value, name: string): Sys<Value | undefined> {
  const plain = plainAttr(vm, value, name)
  if (plain !== undefined) return plain
  if (!(value instanceof Instance)) return undefined
  try {
    return yield* slowAttr(vm, value, name)
  } catch (thrown) {
    const error = vm.caught(thrown)
    if (error.type instanceof PyClass && error.type.mro.includes(vm.class('AttributeError'))) return undefined
    throw error
  }
}

/** A special method of an instance: looked for in its class (in itself too, if the class is old). */
export function hook(value: Value, name: string): Value | undefined {
  if (!(value instanceof Instance)) return undefined
  if (value.cls.old) {
    const own = value.dict.get(name)
    if (own !== undefined) return own
  }
  const member = find(value.cls, name)
  return member === undefined ? undefined : bound(member, value, value.cls)
}

export function storeAttr(vm: Vm, target: Value, name: string, value: Value): Sys<void> | undefined {
  if (target instanceof Instance) {
    const member = find(target.cls, name)
    if (member instanceof Descriptor && member.role === 'property') {
      if (member.setter === null) throw attributeError("can't set attribute")
      return ignored(vm.call(member.setter, [target, value]))
    }
    const custom = find(target.cls, '__setattr__')
    if (custom !== undefined) return ignored(vm.call(custom, [target, name, value]))
    if (name === '__class__' && value instanceof PyClass) target.cls = value
    else target.dict.set(name, value)
    return undefined
  }
  if (target instanceof Module) target.dict.set(name, value)
  else if (target instanceof PyClass) {
    if (target.make || vm.classes.get(target.name) === target)
      throw typeError(`can't set attributes of built-in/extension type '${target.name}'`)
    if (name === '__name__' && typeof value === 'string') target.name = value
    else target.dict.set(name, value)
  } else if (target instanceof PyFunction) {
    if ((name === '__name__' || name === 'func_name') && typeof value === 'string') target.name = value
    else if (name === '__doc__') target.doc = value
    else {
      target.dict ??= new PyDict()
      target.dict.set(name, value)
    }
  } else if (target instanceof PyFile && name === 'softspace') target.softspace = value === 1 || value === true
  else missing(vm, target, name)
  return undefined
}

function missing(vm: Vm, target: Value, name: string): never {
  const known = target instanceof Obj && plainAttr(vm, target, name) !== undefined
  throw attributeError(
    `'${vm.typeName(target)}' object ${known ? `attribute '${name}' is read-only` : `has no attribute '${name}'`}`,
  )
}

function* ignored(work: Sys<Value>): Sys<void> {
  yield* work
}

export function deleteAttr(vm: Vm, target: Value, name: string): Sys<void> | undefined {
  if (target instanceof Instance) {
    const member = find(target.cls, name)
    if (member instanceof Descriptor && member.role === 'property') {
      if (member.deleter === null) throw attributeError("can't delete attribute")
      return ignored(vm.call(member.deleter, [target]))
    }
    const custom = find(target.cls, '__delattr__')
    if (custom !== undefined) return ignored(vm.call(custom, [target, name]))
  }
  const dict =
    target instanceof Instance || target instanceof Module || (target instanceof PyClass && !target.make)
      ? target.dict
      : undefined
  if (dict?.delete(name) !== undefined) return undefined
  if (target instanceof Instance && target.cls.old)
    throw attributeError(`${target.cls.name} instance has no attribute '${name}'`)
  if (dict) throw attributeError(name)
  return missing(vm, target, name)
}
