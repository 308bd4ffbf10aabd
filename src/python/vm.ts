/**
 * One Python process: its frames, classes, modules and files. Python calls do not nest in ours: a call pushes a frame, and one loop runs whatever frame is on top. Only
 * where our own code calls back (sort's comparison, __repr__) does a second loop run inside.
 */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { STDERR, STDIN, STDOUT } from '#user/libc/stdio.ts'
import { bindArguments } from './arguments.ts'
import { slowAttr } from './attributes.ts'
import { makeBuiltins } from './builtins.ts'
import { makeClasses } from './classes.ts'
import type { Code } from './code.ts'
import { PyDict } from './dict.ts'
import { Raise, SyntaxProblem, typeError } from './errors.ts'
import { PyFile } from './file.ts'
import {
  Generator,
  Instance,
  type Keywords,
  type Module,
  Native,
  type Obj,
  PyClass,
  PyError,
  PyFunction,
  PyList,
  PyMethod,
  PyTuple,
  type Value,
  type Vars,
} from './objects.ts'
import { HANDLERS } from './ops.ts'

/** sys.getrecursionlimit(). */
const FRAMES_MAX = 1000
/** Loops inside loops: our own stack is smaller than Python's. */
const LOOPS_MAX = 120

export const LOOP = 0
export const EXCEPT = 1
export const FINALLY = 2

export interface Block {
  readonly kind: number
  readonly handler: number
  readonly level: number
}

/** Why a finally clause runs, unless it is an exception: what to go on with at its end. */
export class Unwind {
  readonly why: 'normal' | 'return' | 'break' | 'continue'
  readonly value: Value
  constructor(why: Unwind['why'], value: Value = null) {
    this.why = why
    this.value = value
  }
}

/** What lies on a frame's stack: values, and while exceptions are handled, those. */
export type Slot = Value | PyError | Unwind

export class Frame {
  readonly code: Code
  readonly globals: PyDict
  /** Of a module, a class body, an exec. */
  readonly locals: PyDict | undefined
  readonly vars: Vars | undefined
  readonly stack: Slot[] = []
  readonly blocks: Block[] = []
  ip = 0
  back: Frame | undefined = undefined
  /** The loop that runs this frame ends with it. */
  base = false
  done = false
  result: Value = null
  /** The exception being handled here: for `raise` alone and sys.exc_info. */
  handled: PyError | undefined = undefined
  /** The call made this object: that is its value. */
  made: Instance | undefined = undefined
  yielded = false

  constructor(code: Code, globals: PyDict, locals: PyDict | undefined, vars: Vars | undefined) {
    this.code = code
    this.globals = globals
    this.locals = locals
    this.vars = vars
  }

  get line(): number {
    return this.code.lines[Math.max(0, this.ip - 2) >> 1] ?? 0
  }
}

export class Vm {
  frame: Frame | undefined = undefined
  /** The exception that comes was raised before: its trace has this frame already. */
  again = false
  #depth = 0
  #loops = 0
  #nextId = 0x2aaaaab0b030
  readonly classes: Map<string, PyClass>
  readonly builtins: PyDict
  readonly modules: PyDict
  readonly sys: PyDict
  readonly stdout: PyFile
  readonly stdin: PyFile
  readonly stderr: PyFile
  readonly env: readonly string[]
  /** Modules that can be imported, by name, besides files. */
  readonly natives: Map<string, (vm: Vm) => Module>

  constructor(env: readonly string[], argv: readonly string[] = ['']) {
    this.env = env
    this.classes = makeClasses()
    this.stdout = new PyFile('<stdout>', 'w', STDOUT)
    this.stdin = new PyFile('<stdin>', 'r', STDIN)
    this.stderr = new PyFile('<stderr>', 'w', STDERR)
    this.modules = new PyDict()
    this.natives = new Map()
    this.builtins = makeBuiltins(this)
    this.sys = new PyDict()
    this.sys.set('argv', new PyList([...argv]))
  }

  class(name: string): PyClass {
    const found = this.classes.get(name)
    if (!found) throw new Error(`no class ${name}`)
    return found
  }

  idOf(value: Obj): number {
    if (value.id === 0) {
      value.id = this.#nextId
      this.#nextId += 0x48
    }
    return value.id
  }

  /** An exception of a built-in class. */
  error(exception: string, ...args: Value[]): PyError {
    const cls = this.class(exception)
    return new PyError(cls, this.exceptionInstance(cls, args))
  }

  exceptionInstance(cls: PyClass, args: readonly Value[]): Instance {
    const instance = new Instance(cls, new PyDict())
    instance.dict.set('args', new PyTuple(args))
    return instance
  }

  /** Whatever was thrown, as Python sees it; what is a fault of ours goes on. */
  caught(thrown: unknown): PyError {
    if (thrown instanceof PyError) return thrown
    if (thrown instanceof SyntaxProblem) return this.#syntaxError(thrown)
    if (thrown instanceof Raise) return this.error(thrown.exception, thrown.text)
    if (thrown instanceof OsError) return this.osError('IOError', thrown)
    throw thrown
  }

  /** IOError or OSError: errno, text and file name. */
  osError(exception: string, { errno, path }: OsError, name: string | undefined = path): PyError {
    const error = this.error(exception, errno, strerror(errno))
    const { dict } = error.value as Instance
    dict.set('errno', errno)
    dict.set('strerror', strerror(errno))
    dict.set('filename', name ?? null)
    return error
  }

  #syntaxError(problem: SyntaxProblem): PyError {
    if (problem.exception === 'MemoryError') return this.error('MemoryError')
    const at = new PyTuple([null, problem.line, problem.offset ?? null, problem.source])
    const error = this.error(problem.exception, problem.text, at)
    const { dict } = error.value as Instance
    dict.set('msg', problem.text)
    dict.set('filename', null)
    dict.set('lineno', problem.line)
    dict.set('offset', problem.offset ?? null)
    dict.set('text', problem.source)
    return error
  }

  /** Enter a frame: the loop goes on with it. */
  push(frame: Frame): void {
    if (this.#depth >= FRAMES_MAX) throw new Raise('RuntimeError', 'maximum recursion depth exceeded')
    this.#depth++
    frame.back = this.frame
    this.frame = frame
  }

  pop(): void {
    this.#depth--
    this.frame = this.frame!.back
  }

  /** Run a frame to its end, or to its next yield. */
  *run(base: Frame): Sys<Value> {
    if (this.#loops >= LOOPS_MAX) throw new Raise('RuntimeError', 'maximum recursion depth exceeded')
    this.push(base)
    this.#loops++
    base.base = true
    base.done = false
    try {
      for (;;) {
        try {
          for (;;) {
            const frame = this.frame!
            const { ops } = frame.code
            const at = frame.ip
            frame.ip = at + 2
            const slow = HANDLERS[ops[at]!]!(this, frame, ops[at + 1]!)
            if (slow !== undefined) yield* slow
            if (base.done) return base.result
          }
        } catch (thrown) {
          this.#unwind(this.caught(thrown), base)
        }
      }
    } finally {
      this.#loops--
    }
  }

  /** To the handler of an exception; out of the loop if there is none. */
  #unwind(error: PyError, base: Frame): void {
    for (;;) {
      const frame = this.frame!
      if (this.again) this.again = false
      else error.trace.unshift({ file: frame.code.file, line: frame.line, name: frame.code.name })
      for (let block = frame.blocks.pop(); block; block = frame.blocks.pop()) {
        frame.stack.length = Math.min(frame.stack.length, block.level)
        if (block.kind === LOOP) continue
        frame.handled = error
        frame.stack.push(error)
        frame.ip = block.handler
        return
      }
      frame.done = true
      this.pop()
      if (frame === base) throw error
    }
  }

  /** A function's frame for these arguments. */
  frameFor(fn: PyFunction, args: readonly Value[], kw?: Keywords): Frame {
    const map = bindArguments(fn, args, kw)
    return new Frame(fn.code, fn.globals, undefined, { map, outer: fn.closure })
  }

  /** Call anything, from our own code. */
  *call(f: Value, args: readonly Value[], kw?: Keywords): Sys<Value> {
    if (f instanceof Native) {
      const all = f.self === undefined ? args : [f.self, ...args]
      checkCount(f, args.length, kw)
      return f.plain ? f.plain(all, this, kw) : yield* f.sleeping!(all, this, kw)
    }
    if (f instanceof PyFunction) {
      const frame = this.frameFor(f, args, kw)
      return f.code.generator ? new Generator(frame) : yield* this.run(frame)
    }
    if (f instanceof PyMethod) {
      if (f.self !== undefined) return yield* this.call(f.fn, [f.self, ...args], kw)
      checkUnbound(f, args)
      return yield* this.call(f.fn, args, kw)
    }
    if (f instanceof PyClass) return yield* this.instantiate(f, args, kw)
    if (f instanceof Instance) return yield* this.call(yield* slowAttr(this, f, '__call__'), args, kw)
    throw typeError(`'${this.typeName(f)}' object is not callable`)
  }

  *instantiate(cls: PyClass, args: readonly Value[], kw?: Keywords): Sys<Value> {
    if (cls.make) {
      checkCount(cls.make, args.length, kw)
      return cls.make.plain ? cls.make.plain(args, this, kw) : yield* cls.make.sleeping!(args, this, kw)
    }
    const instance = new Instance(cls, new PyDict())
    const init = find(cls, '__init__')
    if (cls.exception && init instanceof Native) {
      const made = this.exceptionInstance(cls, args)
      init.plain?.([made, ...args], this, undefined)
      return made
    }
    if (init === undefined) {
      if (args.length > 0 || kw)
        throw typeError(cls.old ? 'this constructor takes no arguments' : 'default __new__ takes no parameters')
      return instance
    }
    if (cls.exception) instance.dict.set('args', new PyTuple(args))
    const result = yield* this.call(init, [instance, ...args], kw)
    if (result !== null) throw typeError('__init__() should return None')
    return instance
  }

  /** The class of a value, as type() has it. */
  typeOf(value: Value): PyClass {
    if (value === null) return this.class('NoneType')
    switch (typeof value) {
      case 'string':
        return this.class('str')
      case 'number':
      case 'bigint':
        return this.class('int')
      case 'boolean':
        return this.class('bool')
    }
    if (value instanceof Instance) return value.cls.old ? this.class('instance') : value.cls
    if (value instanceof PyClass) return this.class(value.old ? 'classobj' : 'type')
    return this.class(value.kind)
  }

  typeName(value: Value): string {
    return this.typeOf(value).name
  }
}

/** A name in a class or what it inherits. */
export function find(cls: PyClass, name: string): Value | undefined {
  for (const one of cls.mro) {
    const found = one.dict.get(name)
    if (found !== undefined) return found
  }
  return undefined
}

export function checkCount(f: Native, given: number, kw: Keywords | undefined): void {
  if (kw && kw.size > 0 && !f.keywords) throw typeError(`${f.name}() takes no keyword arguments`)
  if (given >= f.least && given <= f.most) return
  const word = (n: number): string => `${n} argument${n === 1 ? '' : 's'}`
  if (f.most === 0) throw typeError(`${f.name}() takes no arguments (${given} given)`)
  if (f.least === f.most) {
    const count = f.most === 1 ? 'one argument' : word(f.most)
    throw typeError(`${f.name}() takes exactly ${count} (${given} given)`)
  }
  throw typeError(
    given < f.least
      ? `${f.name}() takes at least ${word(f.least)} (${given} given)`
      : `${f.name}() takes at most ${word(f.most)} (${given} given)`,
  )
}

export function checkUnbound({ fn, cls }: PyMethod, args: readonly Value[]): void {
  const [first] = args
  if (first instanceof Instance && first.cls.mro.includes(cls)) return
  const name = fn instanceof PyFunction ? fn.name : '?'
  const got = first === undefined ? 'nothing' : first instanceof Instance ? `${first.cls.name} instance` : 'other type'
  throw typeError(
    `unbound method ${name}() must be called with ${cls.name} instance as first argument (got ${got} instead)`,
  )
}
