/** import: modules of ours, then files along sys.path. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { readFile } from '#user/libc/stdio.ts'
import { PyDict } from './dict.ts'
import { Raise } from './errors.ts'
import { Module, PyList, PyTuple, type Value } from './objects.ts'
import { compileText, runCode } from './run.ts'
import type { Frame, Vm } from './vm.ts'

/** `import a.b`: a, or with `leaf` b. */
export function* importModule(vm: Vm, name: string, leaf: boolean): Sys<Value> {
  const parts = name.split('.')
  let top: Module | undefined
  let module: Module | undefined
  for (let i = 1; i <= parts.length; i++) {
    const path = parts.slice(0, i).join('.')
    const found = yield* load(vm, path, module)
    if (!found) throw new Raise('ImportError', `No module named ${module ? parts[i - 1] : path}`)
    if (module) module.dict.set(parts[i - 1]!, found)
    module = found
    top ??= found
  }
  return (leaf ? module : top)!
}

function* load(vm: Vm, name: string, parent: Module | undefined): Sys<Module | undefined> {
  const known = vm.modules.get(name)
  if (known instanceof Module) return known
  const native = vm.natives.get(name)
  if (native) {
    const module = native(vm)
    vm.modules.set(name, module)
    return module
  }
  const path = parent ? parent.dict.get('__path__') : vm.sys.get('path')
  if (!(path instanceof PyList)) return undefined
  const last = name.slice(name.lastIndexOf('.') + 1)
  for (const dir of path.items) {
    if (typeof dir !== 'string') continue
    const base = dir === '' ? last : dir.endsWith('/') ? dir + last : `${dir}/${last}`
    for (const file of [`${base}/__init__.py`, `${base}.py`]) {
      const source = yield* maybeRead(file)
      if (source !== undefined) return yield* fromSource(vm, name, file, source)
    }
  }
  return undefined
}

function* maybeRead(file: string): Sys<string | undefined> {
  try {
    return yield* readFile(file)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

function* fromSource(vm: Vm, name: string, file: string, source: string): Sys<Module> {
  const dict = PyDict.of([
    ['__name__', name],
    ['__file__', file],
    ['__doc__', null],
  ])
  const suffix = '/__init__.py'
  if (file.endsWith(suffix)) dict.set('__path__', new PyList([file.slice(0, -suffix.length)]))
  const module = new Module(name, dict)
  vm.modules.set(name, module)
  try {
    yield* runCode(vm, compileText(vm, source, file, 'exec'), dict, dict)
  } catch (error) {
    vm.modules.delete(name)
    throw error
  }
  return module
}

export function* importFrom(vm: Vm, module: Module, name: string): Sys<Value> {
  const found = module.dict.get(name)
  if (found !== undefined) return found
  const inner = yield* load(vm, `${module.name}.${name}`, module)
  if (!inner) throw new Raise('ImportError', `cannot import name ${name}`)
  module.dict.set(name, inner)
  return inner
}

export function* importStar(_vm: Vm, f: Frame, module: Module): Sys<void> {
  const all = module.dict.get('__all__')
  const names =
    all instanceof PyList || all instanceof PyTuple
      ? all.items
      : module.dict.keys().filter((key) => !String(key).startsWith('_'))
  for (const name of names) {
    const value = module.dict.get(name)
    if (value === undefined) throw new Raise('AttributeError', `'module' object has no attribute '${String(name)}'`)
    if (f.locals) f.locals.set(name, value)
    else f.vars!.map.set(String(name), value)
  }
}
