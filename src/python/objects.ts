/**
 * Values of the era's Python (2.4, x86_64: an int has 64 bits). None is null; bool, str (bytes as characters 0 to 255) and int are themselves in JavaScript, an
 * int beyond 2^53 as bigint; the rest are objects of these classes.
 */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Code } from './code.ts'
import type { PyDict } from './dict.ts'
import type { Frame, Vm } from './vm.ts'

export type Value = null | boolean | number | bigint | string | Obj

/** Whatever has an identity. */
export class Obj {
  /** id(): given out when first asked for. */
  id = 0
  /** type()'s name of it. */
  get kind(): string {
    return 'object'
  }
}

export class PyFloat extends Obj {
  override get kind(): string {
    return 'float'
  }
  readonly f: number
  constructor(f: number) {
    super()
    this.f = f
  }
}

export class PyLong extends Obj {
  override get kind(): string {
    return 'long'
  }
  readonly v: bigint
  constructor(v: bigint) {
    super()
    this.v = v
  }
}

export class PyUnicode extends Obj {
  override get kind(): string {
    return 'unicode'
  }
  readonly s: string
  constructor(s: string) {
    super()
    this.s = s
  }
}

export class PyList extends Obj {
  override get kind(): string {
    return 'list'
  }
  items: Value[]
  constructor(items: Value[]) {
    super()
    this.items = items
  }
}

export class PyTuple extends Obj {
  override get kind(): string {
    return 'tuple'
  }
  readonly items: readonly Value[]
  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }
}

export class PySlice extends Obj {
  override get kind(): string {
    return 'slice'
  }
  readonly lo: Value
  readonly hi: Value
  readonly step: Value
  constructor(lo: Value, hi: Value, step: Value) {
    super()
    this.lo = lo
    this.hi = hi
    this.step = step
  }
}

/** xrange. */
export class PyRange extends Obj {
  override get kind(): string {
    return 'xrange'
  }
  readonly start: number
  readonly step: number
  readonly length: number
  constructor(start: number, step: number, length: number) {
    super()
    this.start = start
    this.step = step
    this.length = length
  }
}

/** The variables of one call of a function; functions defined inside it reach them through `outer`. */
export interface Vars {
  readonly map: Map<string, Value>
  readonly outer: Vars | undefined
}

export class PyFunction extends Obj {
  override get kind(): string {
    return 'function'
  }
  name: string
  readonly code: Code
  readonly globals: PyDict
  defaults: readonly Value[]
  readonly closure: Vars | undefined
  doc: Value
  dict: PyDict | undefined
  constructor(code: Code, globals: PyDict, defaults: readonly Value[], closure: Vars | undefined) {
    super()
    this.name = code.name
    this.code = code
    this.globals = globals
    this.defaults = defaults
    this.closure = closure
    this.doc = code.doc
    this.dict = undefined
  }
}

export type Keywords = ReadonlyMap<string, Value>
export type Plain = (args: readonly Value[], vm: Vm, kw: Keywords | undefined) => Value
export type Sleeping = (args: readonly Value[], vm: Vm, kw: Keywords | undefined) => Sys<Value>

/** A function of ours. `self` is bound, and comes first. */
export class Native extends Obj {
  override get kind(): string {
    return 'builtin_function_or_method'
  }
  readonly name: string
  readonly least: number
  readonly most: number
  readonly plain: Plain | undefined
  readonly sleeping: Sleeping | undefined
  readonly self: Value | undefined
  /** Functions that take keywords say so. */
  readonly keywords: boolean
  constructor(
    name: string,
    least: number,
    most: number,
    plain: Plain | undefined,
    sleeping: Sleeping | undefined,
    self?: Value,
    keywords = false,
  ) {
    super()
    this.name = name
    this.least = least
    this.most = most
    this.plain = plain
    this.sleeping = sleeping
    this.self = self
    this.keywords = keywords
  }
}

export class PyMethod extends Obj {
  override get kind(): string {
    return 'instancemethod'
  }
  readonly fn: Value
  readonly self: Value | undefined
  readonly cls: PyClass
  constructor(fn: Value, self: Value | undefined, cls: PyClass) {
    super()
    this.fn = fn
    this.self = self
    this.cls = cls
  }
}

/** Classes old and new, and the built-in types. */
export class PyClass extends Obj {
  override get kind(): string {
    return 'type'
  }
  name: string
  readonly bases: readonly PyClass[]
  readonly dict: PyDict
  readonly mro: readonly PyClass[]
  readonly old: boolean
  /** A built-in type's constructor. */
  make: Native | undefined
  /** An exception class keeps its arguments in `args`. */
  readonly exception: boolean
  constructor(name: string, bases: readonly PyClass[], dict: PyDict, old: boolean, exception = false) {
    super()
    this.name = name
    this.bases = bases
    this.dict = dict
    this.old = old
    this.mro = linear(this)
    this.make = undefined
    this.exception = exception || this.mro.some((one) => one !== this && one.exception)
  }
}

/** Old classes: depth first, left to right. New ones the same with duplicates kept last, which is C3 for the usual shapes. */
function linear(cls: PyClass): PyClass[] {
  const all: PyClass[] = [cls]
  for (const base of cls.bases) all.push(...base.mro)
  const seen = new Set<PyClass>()
  if (cls.old) return all.filter((one) => !seen.has(one) && seen.add(one))
  return all
    .reverse()
    .filter((one) => !seen.has(one) && seen.add(one))
    .reverse()
}

export class Instance extends Obj {
  override get kind(): string {
    return 'instance'
  }
  cls: PyClass
  readonly dict: PyDict
  constructor(cls: PyClass, dict: PyDict) {
    super()
    this.cls = cls
    this.dict = dict
  }
}

export class Module extends Obj {
  override get kind(): string {
    return 'module'
  }
  readonly name: string
  readonly dict: PyDict
  constructor(name: string, dict: PyDict) {
    super()
    this.name = name
    this.dict = dict
  }
}

/** property, staticmethod and classmethod. */
export class Descriptor extends Obj {
  override get kind(): string {
    return this.role
  }
  readonly role: 'property' | 'staticmethod' | 'classmethod'
  readonly getter: Value
  readonly setter: Value
  readonly deleter: Value
  constructor(role: Descriptor['role'], get: Value, set: Value = null, del: Value = null) {
    super()
    this.role = role
    this.getter = get
    this.setter = set
    this.deleter = del
  }
}

/** An iterator of ours: `next` brings undefined at the end. */
export class Iter extends Obj {
  override get kind(): string {
    return 'iterator'
  }
  readonly next: () => Value | undefined
  constructor(next: () => Value | undefined) {
    super()
    this.next = next
  }
}

/** An iterator whose next value may need Python code, or a system call. */
export class SlowIter extends Obj {
  override get kind(): string {
    return 'iterator'
  }
  readonly next: () => Sys<Value | undefined>
  constructor(next: () => Sys<Value | undefined>) {
    super()
    this.next = next
  }
}

export class Generator extends Obj {
  override get kind(): string {
    return 'generator'
  }
  readonly frame: Frame
  done: boolean
  running: boolean
  constructor(frame: Frame) {
    super()
    this.frame = frame
    this.done = false
    this.running = false
  }
}

export class PySet extends Obj {
  override get kind(): string {
    return 'set'
  }
  readonly dict: PyDict
  readonly frozen: boolean
  constructor(dict: PyDict, frozen = false) {
    super()
    this.dict = dict
    this.frozen = frozen
  }
}

/** An object that is only itself: Ellipsis, NotImplemented. */
export class Singleton extends Obj {
  override get kind(): string {
    return 'ellipsis'
  }
  readonly name: string
  constructor(name: string) {
    super()
    this.name = name
  }
}

/** A traceback as a value (sys.exc_info()[2]). */
export class PyTraceback extends Obj {
  override get kind(): string {
    return 'traceback'
  }
  readonly error: PyError
  constructor(error: PyError) {
    super()
    this.error = error
  }
}

export interface TraceEntry {
  readonly file: string
  readonly line: number
  readonly name: string
}

/** A Python exception on its way through our code. */
export class PyError extends Error {
  /** A class, or a string. */
  readonly type: Value
  readonly value: Value
  readonly trace: TraceEntry[]
  constructor(type: Value, value: Value, trace: TraceEntry[] = []) {
    super('python exception')
    this.type = type
    this.value = value
    this.trace = trace
  }
}
