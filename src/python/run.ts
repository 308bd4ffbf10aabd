/** exec, eval, execfile: text or code under given names. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { readFile } from '#user/libc/stdio.ts'
import type { Code } from './code.ts'
import { compileEval, compileProgram } from './compile.ts'
import { PyDict } from './dict.ts'
import { SyntaxProblem, typeError } from './errors.ts'
import { PyFile } from './file.ts'
import { type Instance, Obj, PyTuple, PyUnicode, type Value } from './objects.ts'
import { parse, parseExpression } from './parse.ts'
import { Frame, type Vm } from './vm.ts'

/** compile()'s result. */
export class CodeObject extends Obj {
  readonly code: Code
  readonly isExpression: boolean
  constructor(code: Code, isExpression: boolean) {
    super()
    this.code = code
    this.isExpression = isExpression
  }
  override get kind(): string {
    return 'code'
  }
}

/** Compile; a SyntaxError names the file. */
export function compileText(vm: Vm, source: string, file: string, mode: 'exec' | 'eval' | 'single'): Code {
  try {
    if (mode === 'eval') return compileEval(parseExpression(source), file)
    return compileProgram(parse(source), file, mode === 'single')
  } catch (thrown) {
    if (!(thrown instanceof SyntaxProblem)) throw thrown
    const error = vm.caught(thrown)
    const { dict } = error.value as Instance
    dict.set('filename', file)
    const args = dict.get('args')
    if (args instanceof PyTuple && args.items[1] instanceof PyTuple)
      dict.set('args', new PyTuple([args.items[0]!, new PyTuple([file, ...args.items[1].items.slice(1)])]))
    throw error
  }
}

/** Run code with these dicts; `__builtins__` comes in as it does in life. */
export function* runCode(vm: Vm, code: Code, globals: PyDict, locals: PyDict): Sys<Value> {
  if (!globals.has('__builtins__')) globals.set('__builtins__', vm.modules.get('__builtin__') ?? null)
  return yield* vm.run(new Frame(code, globals, locals, undefined))
}

/** What names a frame sees as locals(): in a function, a copy. */
export function localsOf(f: Frame): PyDict {
  if (f.locals) return f.locals
  const dict = new PyDict()
  for (const [name, value] of f.vars?.map ?? [])
    if (!name.startsWith('.') && !name.startsWith('_[')) dict.set(name, value)
  return dict
}

/** The exec statement. Within a function, what it binds becomes the function's. */
export function* execute(
  vm: Vm,
  f: Frame,
  what: Value,
  globals: Value | undefined,
  locals: Value | undefined,
): Sys<void> {
  let source = what
  let globs = globals
  let locs = locals
  if (what instanceof PyTuple && globals === undefined && (what.items.length === 2 || what.items.length === 3)) {
    source = what.items[0]!
    globs = what.items[1]
    locs = what.items[2]
  }
  if (globs === null) globs = undefined
  if (locs === null) locs = undefined
  if (globs !== undefined && !(globs instanceof PyDict)) throw typeError('exec: arg 2 must be a dictionary or None')
  if (locs !== undefined && !(locs instanceof PyDict)) throw typeError('exec: arg 3 must be a mapping or None')
  const inFunction = globs === undefined && !f.locals
  const names = locs ?? globs ?? localsOf(f)
  const code = yield* codeFrom(vm, source)
  try {
    yield* runCode(vm, code, globs ?? f.globals, names)
  } finally {
    if (inFunction && f.vars) for (const { key, value } of names.entries()) f.vars.map.set(String(key), value)
  }
}

function* codeFrom(vm: Vm, source: Value): Sys<Code> {
  if (source instanceof CodeObject) return source.code
  if (typeof source === 'string') return compileText(vm, source, '<string>', 'exec')
  if (source instanceof PyUnicode) return compileText(vm, source.s, '<string>', 'exec')
  if (source instanceof PyFile) return compileText(vm, yield* source.readAll(), source.name, 'exec')
  throw typeError('exec: arg 1 must be a string, file, or code object')
}

export function* evaluate(vm: Vm, source: Value, globals: PyDict, locals: PyDict): Sys<Value> {
  if (source instanceof CodeObject) return yield* runCode(vm, source.code, globals, locals)
  const text = source instanceof PyUnicode ? source.s : source
  if (typeof text !== 'string') throw typeError('eval() arg 1 must be a string or code object')
  return yield* runCode(vm, compileText(vm, text, '<string>', 'eval'), globals, locals)
}

/** execfile(): IOError if it cannot be read. */
export function* execFile(vm: Vm, path: string, globals: PyDict, locals: PyDict): Sys<void> {
  const source = yield* readFile(path)
  yield* runCode(vm, compileText(vm, source, path, 'exec'), globals, locals)
}
